// The answer to: what is broken, since when, what do I do.

const SHOWN_AT_ONCE = 3;
const LISTENERS = ["data", "ops", "admin"];

class FindingItem {
  constructor() {
    this.mark = mark("well");
    this.who = h("p", { class: "who" });
    this.what = h("p", { class: "what" });
    this.why = h("dd");
    this.whyName = h("dt", {}, "Why");
    this.does = h("span");
    this.code = h("code");
    this.copy = h("button", { type: "button", onclick: () => this.take() }, "Copy");
    this.typed = h("span", { class: "typed" }, this.code, this.copy);
    this.since = h("strong");
    this.at = h("span");
    this.node = h("li", { class: "finding" }, this.mark, this.who,
      h("div", { class: "body" }, this.what, h("dl", {}, this.whyName, this.why, h("dt", {}, "Do"), h("dd", {}, this.does, " ", this.typed))),
      h("p", { class: "since" }, this.since, this.at));
  }

  async take() {
    await navigator.clipboard.writeText(this.code.textContent);
    this.copy.textContent = "Copied";
    setTimeout(() => { this.copy.textContent = "Copy"; }, 1500);
  }

  show(finding, now) {
    setMark(this.mark, finding.severity);
    setText(this.who, finding.connection === "-" ? "sidecar" : finding.connection);
    if (!this.word) this.word = this.who.appendChild(h("small"));
    this.who.append(this.word);
    setText(this.word, STATES[finding.severity]);
    setText(this.what, finding.what);
    setText(this.why, finding.why);
    this.why.hidden = this.whyName.hidden = !finding.why;
    setText(this.does, finding.remedy);
    setText(this.code, finding.command ?? "");
    this.typed.hidden = !finding.command;
    setAttribute(this.copy, "aria-label", `Copy ${finding.command ?? ""}`);
    setText(this.since, finding.since ? lasting(-secondsUntil(finding.since, now)) : "");
    setText(this.at, finding.since ? `since ${clock(finding.since, now)}` : "");
  }
}

class Overview {
  constructor() {
    this.items = [];
    this.all = false;
    this.said = null;
    this.more = byId("more");
    this.more.addEventListener("click", () => {
      this.all = !this.all;
      this.show(this.status);
    });
  }

  show(status) {
    this.status = status;
    const { state, headline: words, more } = status.summary;
    setMark(byId("headline-mark"), state);
    setText(byId("headline-words"), words);
    setText(byId("subline"), more);
    setText(byId("version"), status.version);
    const up = lasting(-secondsUntil(status.started, status.now));
    setText(byId("facts"), `up ${up}, ${status.ready ? "ready" : "not ready"}, configuration ${status.configuration.state}`);
    document.title = state === "well" ? "bss-sidecar" : `${words} – bss-sidecar`;
    this.showFindings(status);
    this.say(words);
    setIcon(state);
  }

  showFindings(status) {
    const list = byId("findings");
    const all = status.attention;
    const shown = this.all ? all : all.slice(0, all.length === SHOWN_AT_ONCE + 1 ? all.length : SHOWN_AT_ONCE);
    while (list.children.length > shown.length) list.lastChild.remove();
    this.items.length = list.children.length;
    shown.forEach((finding, at) => {
      if (!this.items[at]) {
        this.items[at] = new FindingItem();
        list.append(this.items[at].node);
      }
      this.items[at].show(finding, status.now);
    });
    this.more.hidden = all.length <= SHOWN_AT_ONCE + 1;
    setText(this.more, this.all ? "Show fewer" : `Show all ${all.length}`);
  }

  // A screen reader hears of news, not of each second.
  say(words) {
    if (this.said !== words) setText(byId("spoken"), words);
    this.said = words;
  }
}

// The tab shows it too.
function setIcon(state) {
  const colour = { broken: "%23d0342c", degraded: "%23c98200", soon: "%23808890", well: "%2333876a" }[state];
  const shape = { broken: "<rect x='1' y='1' width='14' height='14' rx='2'/>", degraded: "<path d='M8 1 15.5 15H.5z'/>" }[state] ?? "<circle cx='8' cy='8' r='6'/>";
  setAttribute(byId("icon"), "href", `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' fill='${colour}'>${shape}</svg>`);
}

function restPairs(status) {
  const names = Object.keys(status.listeners).sort((a, b) => LISTENERS.indexOf(a) - LISTENERS.indexOf(b));
  const pairs = names.map((name) => [`${name} listener`, status.listeners[name]]);
  const { cache } = status;
  pairs.push(["cache", cache.entries == null ? cache.store : `${cache.store}, ${several(cache.entries, "entry", "entries")}, ${(cache.size / 1048576).toFixed(1)} MiB`]);
  for (const [name, one] of Object.entries(cache.breakers ?? {})) pairs.push([`cache ${name}`, one.state.replace("_", " ")]);
  pairs.push(["started", clock(status.started, status.now)]);
  pairs.push(["tenants", `${count(Object.keys(status.tenants).length)}${status.default_tenant ? `, by default ${status.default_tenant}` : ""}`]);
  return pairs;
}
