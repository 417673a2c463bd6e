// Only in the demo: break a pretend vendor, and watch what the sidecar makes of it.

const DEEDS = [["cut", "Cut"], ["slow", "Slow"], [null, "Restore"]];
const TOLD = { cut: "is cut off now", slow: "is slow now", null: "is restored" };

class Playground {
  constructor() {
    this.panel = byId("extension");
    this.vendors = new Map();
    this.said = h("span", { role: "status" });
    this.rotate = h("button", { type: "button", onclick: () => this.do("/v1/demo/certificate", {}, "another client certificate is mounted") }, "Rotate the certificate");
    setAttribute(this.panel, "aria-label", "Demo");
    this.panel.append(h("p", { class: "says" }, "This is a demo: break a vendor, and watch. ", this.said));
  }

  // Each second, for somebody may break a vendor from a terminal too.
  async look() {
    try {
      const reply = await fetch("/v1/demo", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (reply.ok) this.show((await reply.json()).vendors);
    } catch {
      // The page itself says that the sidecar does not answer.
    }
  }

  show(vendors) {
    if (!this.vendors.size) this.lay(Object.keys(vendors));
    for (const [name, fault] of Object.entries(vendors)) {
      for (const [deed, button] of this.vendors.get(name)) {
        if (deed === null) button.disabled = fault === null;
        else setAttribute(button, "aria-pressed", String(fault === deed));
      }
    }
    this.panel.hidden = false;
  }

  lay(names) {
    for (const name of names) {
      const buttons = new Map(DEEDS.map(([deed, words]) => {
        const button = h("button", { type: "button", onclick: () => this.do(`/v1/demo/vendors/${name}`, { fault: deed }, `${name} ${TOLD[deed]}`) }, words);
        setAttribute(button, "aria-label", `${words} ${name}`);
        return [deed, button];
      }));
      this.vendors.set(name, buttons);
      this.panel.append(h("div", { class: "vendor" }, h("b", {}, name), ...buttons.values()));
    }
    this.panel.append(this.rotate);
  }

  async do(path, content, words) {
    try {
      await post(path, content);
      setText(this.said, `${clock(new Date(), new Date())} ${words}`);
    } catch (error) {
      setText(this.said, `It was not done: ${error.message}`);
    }
    await this.look();
    askNow();
  }
}

const playground = new Playground();
listeners.push(() => playground.look());
playground.look();
