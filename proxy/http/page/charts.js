// Small charts of ten minutes. What is bad differs in place or height, not in colour alone.

const WIDE = 240;

function drawing(name, high, ...children) {
  return svg("svg", { class: `chart ${name}`, viewBox: `0 0 ${WIDE} ${high}`, preserveAspectRatio: "none", role: "img" }, ...children);
}

const box = (x, y, w, high) => `M${x.toFixed(1)} ${y.toFixed(1)}h${w.toFixed(1)}v${high.toFixed(1)}h${(-w).toFixed(1)}z`;

// Whole answers stand on the line, those that lack something hang below it.
class AnswersChart {
  constructor() {
    this.whole = svg("path", { class: "whole" });
    this.lacking = svg("path", { class: "lacking" });
    this.node = drawing("answers", 30, this.whole, this.lacking, svg("path", { class: "axis", d: `M0 21.5H${WIDE}` }));
  }

  show(rows, label) {
    const step = WIDE / (rows.buckets / 2);
    const pairs = new Map();
    let most = 10;
    for (const [place, whole, degraded, failed] of rows.of("answered", "degraded", "failed")) {
      const at = Math.floor((place + (rows.bucket % 2)) / 2);
      const pair = pairs.get(at) ?? [0, 0];
      pair[0] += whole;
      pair[1] += degraded + failed;
      pairs.set(at, pair);
      most = Math.max(most, pair[0], pair[1]);
    }
    let up = "";
    let down = "";
    for (const [at, [whole, lacking]] of pairs) {
      const x = (at - (rows.bucket % 2) / 2) * step;
      const high = whole && Math.max(1.2, (whole / most) * 20);
      if (whole) up += box(x, 21 - high, step - 1, high);
      if (lacking) down += box(x, 22, step - 1, Math.max(3, (lacking / most) * 8));
    }
    setAttribute(this.whole, "d", up);
    setAttribute(this.lacking, "d", down);
    setAttribute(this.node, "aria-label", label);
  }
}

// The line is the median; what lies between it and the 95th percentile is filled.
class TimesChart {
  constructor() {
    this.between = svg("path", { class: "between" });
    this.median = svg("path", { class: "median" });
    this.node = drawing("times", 30, svg("path", { class: "axis", d: `M0 29.5H${WIDE}` }), this.between, this.median);
  }

  show(rows, names, label) {
    const points = [...rows.of(...names)].filter(([, p50]) => p50 != null);
    const top = Math.max(20, ...points.map(([, , p95]) => p95));
    // A root, so that a vendor's usual milliseconds are still seen beside one slow second.
    const y = (ms) => 28 - Math.sqrt(ms / top) * 26;
    const step = WIDE / rows.buckets;
    let line = "";
    let area = "";
    for (const run of runs(points)) {
      const along = run.flatMap(([place, p50, p95]) => [[place * step, p50, p95], [(place + 1) * step, p50, p95]]);
      const way = (at) => along.map((point) => `${point[0].toFixed(1)} ${y(point[at]).toFixed(1)}`);
      line += `M${way(1).join("L")}`;
      area += `M${[...way(1), ...way(2).reverse()].join("L")}z`;
    }
    setAttribute(this.median, "d", line);
    setAttribute(this.between, "d", area);
    setAttribute(this.node, "aria-label", label);
  }
}

// Neighbours belong together; across a gap nothing is drawn, for nothing is known.
function runs(points) {
  const found = [];
  for (const point of points) {
    const run = found.at(-1);
    if (run && point[0] - run.at(-1)[0] <= 2) run.push(point);
    else found.push([point]);
  }
  return found;
}

// Closed is a thin line, half open is half as high, open is a full block, forced is a frame.
class BreakerStrip {
  constructor() {
    this.parts = { closed: svg("path", { class: "closed" }), open: svg("path", { class: "open" }), half: svg("path", { class: "half" }), forced: svg("path", { class: "forced" }) };
    this.node = drawing("strip", 12, ...Object.values(this.parts));
  }

  show(changes, state, span, now, label) {
    const ways = { closed: "", open: "", half: "", forced: "" };
    const place = (iso) => Math.max(0, WIDE * (1 + secondsUntil(iso, now) / span));
    let from = 0;
    let was = changes.length ? changes[0].before : state;
    const draw = (until) => {
      const w = Math.max(was === "closed" ? 0 : 1.5, until - from);
      if (was === "closed") ways.closed += box(from, 9, w, 2);
      else if (was === "half_open") ways.half += box(from, 5.5, w, 5.5);
      else if (was === "open") ways.open += box(from, 0.5, w, 10.5);
      else ways.forced += box(from, 1.5, w, 9);
      from = until;
    };
    for (const change of changes) {
      draw(place(change.at));
      was = change.state;
    }
    draw(WIDE);
    for (const [name, way] of Object.entries(ways)) setAttribute(this.parts[name], "d", way);
    setAttribute(this.node, "aria-label", label);
  }
}
