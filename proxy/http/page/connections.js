// One row for each connection.

const ORDER = ["broken", "degraded", "soon", "well"];
const MANY = 8;
const NEWS_S = 60;

class ConnectionRow {
  constructor(name, at) {
    this.name = name;
    this.rows = new Rows();
    this.mark = mark("well");
    this.button = h("button", { type: "button", "aria-expanded": "false", "aria-controls": `details-${at}`, onclick: () => this.toggle() }, this.mark, name);
    this.stateWord = h("b");
    this.about = h("span");
    this.breaker = new BreakerStrip();
    this.breakerWords = h("span", { class: "small" });
    this.answers = new AnswersChart();
    this.answersWords = h("span", { class: "small" });
    this.times = new TimesChart();
    this.timesWords = h("span", { class: "small" });
    this.cache = h("span");
    this.cacheMore = h("span", { class: "small second" });
    this.certificate = h("span");
    this.token = h("span", { class: "small" });
    this.details = new Details(name, `details-${at}`);
    const figure = (label, ...children) => h("div", { class: "figure", "data-label": label }, ...children);
    this.head = h("div", { class: "row-head" },
      h("div", { class: "name" }, h("h3", {}, this.button), h("p", { class: "state" }, this.stateWord, this.about)),
      figure("Breaker", this.breaker.node, this.breakerWords),
      figure("Answers to the pod", this.answers.node, this.answersWords),
      figure("Time taken", this.times.node, this.timesWords),
      figure("Cache", this.cache, this.cacheMore),
      figure("Certificate, token", this.certificate, this.token));
    this.node = h("li", { class: "row" }, this.head, this.details.node);
  }

  toggle(open = this.details.node.hidden) {
    this.details.node.hidden = !open;
    setAttribute(this.button, "aria-expanded", String(open));
    if (open && this.shown) this.details.show(this.shown, this.rows, this.now);
  }

  show(shown, tenants, now) {
    Object.assign(this, { shown, now, state: shown.state });
    this.rows.add(shown.history);
    setMark(this.mark, shown.state);
    setText(this.stateWord, capital(STATES[shown.state]));
    setClass(this.stateWord, `is-${shown.state}`);
    setText(this.about, about(this.name, shown, tenants));
    setClass(this.node, `row ${shown.state}`);
    this.showBreaker();
    this.showAnswers();
    this.showTimes();
    this.showCache();
    setText(this.certificate, shown.certificate_ends ? left(shown.certificate_ends, now) + fresh(shown, now) : "none needed");
    setText(this.token, shown.token_ends_at ? `token ${left(shown.token_ends_at, now)}` : shown.breakers?.token ? "no token yet" : "");
    if (!this.details.node.hidden) this.details.show(shown, this.rows, now);
  }

  // The one breaker that matters most: one that is not closed, or else whom the answers come from.
  showBreaker() {
    const breakers = Object.entries(this.shown.breakers ?? {});
    this.breaker.node.toggleAttribute("hidden", !breakers.length);
    if (!breakers.length) return setText(this.breakerWords, "asks nobody");
    const [name, breaker] = breakers.find(([, one]) => one.state !== "closed") ?? breakers[0];
    const changes = this.shown.history.changes.filter((one) => one.breaker === name);
    const state = breaker.state.replace("_", " ");
    const who = name === "vendor" ? "" : ` (${name})`;
    const wait = breaker.state === "open" && breaker.opens_for_s >= 1 ? `, tries in ${Math.ceil(breaker.opens_for_s)} s` : "";
    const opened = changes.filter((one) => one.state === "open").length;
    setText(this.breakerWords, `${state}${who}${wait || (opened ? `, opened ${opened}×` : "")}`);
    this.breaker.show(changes, breaker.state, SPAN_S, this.now, `Breaker ${name}: ${state}; opened ${several(opened, "time")} in ten minutes`);
  }

  showAnswers() {
    const { questions, degraded } = this.shown.history;
    const words = !questions ? "none in the last minute"
      : degraded ? `${count(degraded)} of ${count(questions)} degraded` : `${count(questions)} a minute, all whole`;
    setText(this.answersWords, words);
    this.answers.show(this.rows, `Answers over ten minutes; in the last minute ${several(questions, "answer")}, ${count(degraded)} degraded`);
  }

  // Of the exchanges with who is asked; of the answers themselves where nobody is.
  showTimes() {
    const kind = this.shown.breakers ? "exchange" : "question";
    const names = [`${kind}_p50_ms`, `${kind}_p95_ms`];
    const latest = this.rows.latest(...names);
    const words = !latest ? "nothing measured yet"
      : `${milliseconds(latest[1])}, p95 ${milliseconds(latest[2])}` + (latest[0] > 15 ? `, ${lasting(latest[0])} ago` : "");
    setText(this.timesWords, words);
    this.times.show(this.rows, names, `Time of ${kind}s over ten minutes; the latest: median ${words}`);
  }

  showCache() {
    const hits = this.rows.sum("cache_hits", 600);
    const all = hits + this.rows.sum("cache_misses", 600);
    setText(this.cache, all ? `${Math.round((hits / all) * 100)} % hits` : "–");
    setText(this.cacheMore, all ? `of ${count(all)}` : "not asked");
  }
}

// Credentials that have just been taken up; those of the start are no news.
function fresh(shown, now) {
  const age = -secondsUntil(shown.credentials_loaded_at, now);
  return shown.credentials_version > 1 && age < NEWS_S ? `, new ${lasting(age)} ago` : "";
}

function about(name, shown, tenants) {
  const parts = [];
  if (shown.vendor !== name) parts.push(shown.vendor);
  if (tenants.length) parts.push(tenants.length > 2 ? several(tenants.length, "tenant") : tenants.join(", "));
  return parts.length ? ` · ${parts.join(" · ")}` : "";
}

class Connections {
  constructor() {
    this.list = byId("rows");
    this.byName = new Map();
    this.made = 0;
    this.filter = byId("filter");
    this.filter.addEventListener("input", () => this.sift());
  }

  // The first bucket that is not known yet; 0: nothing is.
  get since() {
    let since = Infinity;
    for (const row of this.byName.values()) since = Math.min(since, row.rows.bucket);
    return Number.isFinite(since) ? since : 0;
  }

  forget() {
    this.byName.clear();
    this.list.replaceChildren();
  }

  show(status) {
    const names = Object.keys(status.connections);
    for (const [name, row] of this.byName) {
      if (names.includes(name)) continue;
      row.node.remove();
      this.byName.delete(name);
    }
    const tenants = {};
    for (const [tenant, name] of Object.entries(status.tenants)) (tenants[name] ??= []).push(tenant);
    for (const name of names) {
      let row = this.byName.get(name);
      if (!row) {
        row = new ConnectionRow(name, (this.made += 1));
        this.byName.set(name, row);
        this.list.append(row.node);
        if (names.length === 1) row.toggle(true);
      }
      row.show(status.connections[name], tenants[name] ?? [], status.now);
    }
    this.list.classList.toggle("many", names.length > MANY);
    byId("filter-field").hidden = names.length <= MANY;
    byId("nobody").hidden = names.length > 0;
    setText(byId("legend"), names.length > 1 ? tally([...this.byName.values()]) : "");
    this.sort();
    this.sift();
  }

  // What is worst comes first, but nothing moves away from under a hand.
  sort() {
    if (this.list.contains(document.activeElement) || this.list.matches(":hover")) return;
    const wanted = [...this.byName.values()].sort((a, b) =>
      ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.name.localeCompare(b.name));
    wanted.forEach((row, at) => {
      if (this.list.children[at] !== row.node) this.list.insertBefore(row.node, this.list.children[at]);
    });
  }

  sift() {
    const words = this.filter.value.trim().toLowerCase();
    for (const [name, row] of this.byName) {
      row.node.hidden = Boolean(words) && !`${name} ${row.shown.vendor} ${row.state}`.toLowerCase().includes(words);
    }
  }
}

function tally(rows) {
  return ORDER.map((state) => [state, rows.filter((row) => row.state === state).length])
    .filter(([, number]) => number)
    .map(([state, number]) => `${number} ${state === "soon" ? "to attend to soon" : STATES[state]}`)
    .join(", ");
}
