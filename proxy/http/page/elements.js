// Elements are made here, of text and never of markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const h = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
const byId = (id) => document.getElementById(id);

// What has not changed is not touched: a reader's place, a selection and the focus stay.
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

function setClass(node, name) {
  if (node.className !== name) node.className = name;
}

// Each state has a shape of its own; colour only helps.
const SHAPES = {
  well: () => svg("circle", { cx: 8, cy: 8, r: 5.5 }),
  soon: () => svg("circle", { cx: 8, cy: 8, r: 5.5, fill: "none", stroke: "currentColor", "stroke-width": 2.6 }),
  degraded: () => svg("path", { d: "M8 1 15.5 15H.5z" }),
  broken: () => svg("rect", { x: 1, y: 1, width: 14, height: 14, rx: 2 }),
};

function setMark(node, state) {
  if (node.dataset.state === state) return;
  node.dataset.state = state;
  setClass(node, `mark is-${state}`);
  node.replaceChildren(svg("svg", { viewBox: "0 0 16 16", fill: "currentColor", "aria-hidden": "true" }, SHAPES[state]()));
}

function mark(state) {
  const node = h("span", { class: "mark" });
  setMark(node, state);
  return node;
}

// One `dt` and `dd` for each pair; those of before are used again.
function setPairs(list, pairs) {
  while (list.children.length > pairs.length) list.lastChild.remove();
  pairs.forEach(([name, value], at) => {
    const pair = list.children[at] ?? list.appendChild(h("div", {}, h("dt"), h("dd")));
    setText(pair.firstChild, name);
    setText(pair.lastChild, value);
  });
}
