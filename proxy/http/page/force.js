// Taking a breaker in hand: chosen, told what it means, confirmed.

const WISHES = [
  ["open", "Open", "Nothing is sent. What needs it is answered degraded, at once."],
  ["closed", "Closed", "Everything is sent, whatever fails: who is asked gets no rest."],
  ["", "Automatic", "The breaker decides by itself."],
];

class ForceDialog {
  constructor() {
    this.title = h("h2", { id: "force-title" });
    this.choices = WISHES.map(([value, name, means]) =>
      h("label", {}, h("input", { type: "radio", name: "wish", value, onchange: () => this.chosen() }),
        h("div", {}, name, h("span", {}, means))));
    this.problem = h("p", { class: "problem", role: "alert", hidden: true });
    this.go = h("button", { type: "button", class: "main", onclick: () => this.force() });
    const cancel = h("button", { type: "button", onclick: () => this.node.close() }, "Cancel");
    this.node = h("dialog", { "aria-labelledby": "force-title" },
      this.title,
      h("fieldset", {}, h("legend", {}, "From now on it is to be"), ...this.choices),
      h("p", { class: "note" }, "It stays so through reloads of the configuration, until it is given back or this sidecar restarts. Other pods’ sidecars have breakers of their own."),
      this.problem,
      h("div", { class: "acts" }, cancel, this.go));
    document.body.append(this.node);
  }

  show(connection, breaker, state) {
    Object.assign(this, { connection, breaker });
    setText(this.title, `Breaker of ${connection}: ${breaker}`);
    this.problem.hidden = true;
    const now = { forced_open: "open", forced_closed: "closed" }[state] ?? "";
    const suggested = now === "" ? "open" : "";
    for (const label of this.choices) {
      const input = label.firstChild;
      input.checked = input.value === suggested;
      input.disabled = input.value === now;
    }
    this.chosen();
    this.node.showModal();
    this.choices.map((label) => label.firstChild).find((input) => input.checked).focus();
  }

  get wish() {
    return this.choices.map((label) => label.firstChild).find((input) => input.checked).value;
  }

  chosen() {
    const words = { open: "Force it open", closed: "Force it closed", "": "Give it back" };
    setText(this.go, words[this.wish]);
  }

  async force() {
    this.go.disabled = true;
    try {
      await post(`/v1/connections/${encodeURIComponent(this.connection)}/breaker`,
        { force: this.wish || null, breaker: this.breaker });
      this.node.close();
      askNow();
    } catch (error) {
      setText(this.problem, `It was not done: ${error.message}`);
      this.problem.hidden = false;
    } finally {
      this.go.disabled = false;
    }
  }
}

// The answer to a request that changes something. Throws what the sidecar says against it.
async function post(path, content) {
  const reply = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(content),
    signal: AbortSignal.timeout(15000),
  });
  const said = await reply.json();
  if (!reply.ok) throw new Error(said.detail ?? said.title ?? `the answer was ${reply.status}`);
  return said;
}

const forceDialog = new ForceDialog();
