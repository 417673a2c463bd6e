// What a row opens to: breakers with their history, credentials, traffic.

const SPAN_S = 600;

class BreakerDetails {
  constructor(connection, name) {
    this.name = name;
    this.mark = mark("well");
    this.words = h("p");
    this.why = h("p", { class: "why" });
    this.strip = new BreakerStrip();
    this.changes = h("ol", { class: "changes", "aria-label": `Latest changes of the breaker ${name}` });
    this.button = h("button", { type: "button", onclick: () => forceDialog.show(connection, name, this.state) }, "Force…");
    setAttribute(this.button, "aria-label", `Force the breaker ${name} of ${connection}`);
    this.node = h("div", { class: "breaker" },
      h("div", { class: "top" }, this.mark, this.words, this.button), this.why, this.strip.node, this.changes);
  }

  show(breaker, history, now) {
    this.state = breaker.state;
    const [state, words] = BREAKERS[breaker.state];
    setMark(this.mark, state);
    const wait = breaker.state === "open" ? ` for another ${breaker.opens_for_s.toFixed(0)} s` : "";
    setText(this.words, `${capital(this.name)} is ${words}${wait}`);
    const since = history.not_closed_since[this.name];
    setText(this.why, since ? `since ${clock(since, now)}, ${lasting(-secondsUntil(since, now))}. ${breaker.because}` : recently(breaker));
    const changes = history.changes.filter((one) => one.breaker === this.name);
    const opened = changes.filter((one) => one.state === "open").length;
    this.strip.show(changes, breaker.state, SPAN_S, now, `Breaker ${this.name}: now ${breaker.state}, opened ${several(opened, "time")} in ten minutes`);
    const latest = changes.slice(-4).reverse();
    while (this.changes.children.length > latest.length) this.changes.lastChild.remove();
    latest.forEach((one, at) => {
      const line = this.changes.children[at] ?? this.changes.appendChild(h("li", {}, h("span"), h("span")));
      setText(line.firstChild, clock(one.at, now));
      const because = one.state === "open" && one.because ? `: ${one.because}` : "";
      const probes = one.failed_probes ? `; then ${several(one.failed_probes, "probe")} failed` : "";
      setText(line.lastChild, `${one.state.replace("_", " ")}${because}${probes}`);
    });
  }
}

function recently(breaker) {
  if (!breaker.calls) return "no exchanges lately";
  return `lately ${several(breaker.calls, "exchange")}: ${Math.round(breaker.failure_rate * 100)} % failed, ${Math.round(breaker.slow_call_rate * 100)} % slow`;
}

class Details {
  constructor(name, id) {
    this.name = name;
    this.breakers = new Map();
    this.list = h("div", {}, h("h4", {}, "Breakers"));
    this.credentials = h("dl", { class: "lines" });
    this.traffic = h("dl", { class: "lines" });
    this.node = h("div", { class: "details", id, hidden: true }, this.list,
      h("div", {}, h("h4", {}, "Credentials"), this.credentials),
      h("div", {}, h("h4", {}, "Traffic"), this.traffic));
  }

  show(shown, rows, now) {
    const breakers = Object.entries(shown.breakers ?? {});
    this.list.hidden = !breakers.length;
    for (const [name, breaker] of breakers) {
      let details = this.breakers.get(name);
      if (!details) {
        details = new BreakerDetails(this.name, name);
        this.breakers.set(name, details);
        this.list.append(details.node);
      }
      details.show(breaker, shown.history, now);
    }
    for (const [name, details] of this.breakers) {
      if (shown.breakers?.[name]) continue;
      details.node.remove();
      this.breakers.delete(name);
    }
    setPairs(this.credentials, credentialPairs(shown, now));
    setPairs(this.traffic, trafficPairs(shown, rows));
  }
}

function credentialPairs(shown, now) {
  if (shown.credentials === undefined) return [["credentials", "it needs none"]];
  const pairs = [["state", shown.credentials]];
  if (shown.credentials_loaded_at) {
    pairs.push(["version", `${shown.credentials_version}, loaded ${lasting(-secondsUntil(shown.credentials_loaded_at, now))} ago`]);
  }
  if (shown.certificate_ends) pairs.push(["certificate", `${left(shown.certificate_ends, now)}, ends ${clock(shown.certificate_ends, now)}`]);
  const trusted = (shown.trust_bundle ?? []).map((one) => one.not_after).sort();
  if (trusted.length) {
    const one = secondsUntil(trusted[0], now) < 0 ? "one" : "the first ends in";
    pairs.push(["trust bundle", `${several(trusted.length, "certificate")}, ${one} ${left(trusted[0], now)}`]);
  }
  if (shown.token_ends_at) pairs.push(["token", `number ${shown.token_version}, ${left(shown.token_ends_at, now)}`]);
  if (shown.closing) pairs.push(["replaced, still closing", String(shown.closing)]);
  for (const problem of [...(shown.file_problems ?? []), ...(shown.file_warnings ?? [])]) pairs.push(["file", problem]);
  return pairs;
}

function trafficPairs(shown, rows) {
  const pairs = [["questions, last minute", count(shown.history.questions)]];
  for (const [reason, times] of Object.entries(shown.history.reasons)) pairs.push([`degraded: ${reason}`, count(times)]);
  if (shown.concurrency_limit !== undefined) {
    pairs.push(["exchanges in flight", `${shown.in_flight} of ${shown.concurrency_limit}`], ["waiting", count(shown.queued)]);
  }
  const sent = rows.sum("ok", 60) + rows.sum("exchange_failed", 60);
  pairs.push(["exchanges, last minute", `${count(sent)}, ${count(rows.sum("exchange_failed", 60))} failed`]);
  const refused = rows.sum("not_sent", 60);
  if (refused) pairs.push(["not sent", count(refused)]);
  if (shown.identity) pairs.push(["identity map", shown.identity]);
  if (shown.database) pairs.push(["database", shown.database]);
  if (shown.problem) pairs.push(["latest problem", shown.problem]);
  return pairs;
}
