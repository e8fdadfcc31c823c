function play(root, graph, rule, sync) {
"use strict";
const SVG = "http://www.w3.org/2000/svg";
function complete(made, attributes, children) {
  for (const [name, text] of Object.entries(attributes)) made.setAttribute(name, text);
  made.append(...children);
  return made;
}
const element = (tag, attributes = {}, ...children) => complete(document.createElement(tag), attributes, children);
const drawn = (tag, attributes = {}, ...children) => complete(document.createElementNS(SVG, tag), attributes, children);
const count = (n, from = 0) => Array.from({ length: n }, (_, i) => from + i);
function button(text, action, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", action);
  return made;
}
const newId = () => `autograd-${Math.random().toString(36).slice(2)}`;
function labeled(text, field, ...more) {
  field.id = newId();
  const label = element("label", { class: "name", for: field.id }, text, ...more);
  return element("div", { class: "field" }, label, field);
}
function choices(title, entries, now, set) {
  const name = newId();
  const labels = entries.map(([value, text]) => {
    const input = element("input", { type: "radio", name, value });
    input.checked = value === now;
    input.addEventListener("change", () => set(value));
    return element("label", {}, input, text);
  });
  return element("fieldset", { class: "field" }, element("legend", { class: "name" }, title),
    element("div", { class: "choices" }, ...labels));
}
function menu(entries, now, set) {
  const field = element("select", {}, ...entries.map(([value, text]) => element("option", { value }, text)));
  field.value = now;
  field.addEventListener("change", () => set(field.value));
  return field;
}
const titles = {
  forward: "Forward",
  edited: "New values",
  recorded: "As it was recorded",
  backward: "Backward",
  edge: "Backward, {k} of {n}",
  turn: "Your turn, {k} of {n}",
  known: "The derivatives are known",
  stuck: "A derivative is not finite",
  strange: "A value is not finite",
  early: "Not yet",
  stepped: "Step {n}",
  refused: "Refused",
  invalid: "Not a number yet",
};
const lines = {
  value: "{output} = {formula} = {numbers} = {value}",
  alone: "{output} = {value}",
  one: "{total} = 1",
  only: "{total} = {upstream} · {local} = {numbers}",
  more: "{total} receives {upstream} · {local} = {numbers}",
  first: "{total} = {local} = {contribution}",
  "first of more": "{total} receives {local} = {contribution}",
  several: "{source} receives its contribution from {target}",
  question: "{target} = {formula}, {upstream} = {number}",
  "question at the end": "{target} = {formula}",
  "question of parts": "{upstream} = {number}, {local} = {partial}",
  moved: "{leaf} := {leaf} − {rate} · {total} = {before} − {product} = {after}",
};
const words = {
  fresh:
    "Every value is known. How would {output} change if you changed {leaves} a little? Press " +
    "Backward to find out.",
  lost:
    "The values were computed again. The derivatives belonged to the old values and are gone. " +
    "Press Backward for new ones.",
  recorded:
    "An operand of {name} has changed since {name} was recorded. The picture shows values and " +
    "derivatives as they were recorded. Change a number here to compute all of them again.",
  fixed: "Only Python can compute {primitive}, so the numbers on this page stay as they are.",
  begin:
    "The backward pass starts at the output: per unit of {output}, {output} changes by 1. It " +
    "then follows the edges against their arrows, one at a time.",
  local: "Per unit of {source}, {target} = {formula} changes by {why}",
  "local of parts": "Per unit of {source}, {target} changes by {why}",
  is: "{rule} = {number}",
  because: "{number}: {reason}",
  exactly: "(Computed as {local} = {rule}, which is the same function without cancellation.)",
  through:
    ", and per unit of {target}, {output} changes by {upstream}. This path contributes " +
    "{contribution}.",
  "to come": " {source} is used {n} more times; those contributions follow.",
  "one to come": " {source} is used once more; that contribution follows.",
  sum: " Added to the {before} from before: {sum} = {total}.",
  several:
    "Several numbers go from {source} to {target}. The chain rule applies to each of them, and " +
    "the contributions to the same number are added.",
  last: " That was the last edge: all derivatives are known, and no leaf has changed yet.",
  known:
    "No leaf has changed yet. {output} depends most on {leaf}: make {leaf} a little larger, and" +
    " {output} gets {larger} by {size} times that. ",
  "known of one":
    "No leaf has changed yet. Make {leaf} a little larger, and {output} gets {larger} by {size}" +
    " times that. ",
  flat:
    "All of them are 0: to first order, {output} does not depend on any leaf here, and a step " +
    "would change nothing.",
  score: "You found {k} of {n} at the first try. ",
  "step moves": "Step moves {leaves} against the derivatives.",
  stuck: "{total} is {number}, so no step can be taken from here. Change a leaf.",
  early: "Press Backward first. Step needs the derivatives to know which way is downhill.",
  stale:
    "Press Backward first. The derivatives in the picture belong to the values before the step.",
  "early stuck": "Where a number is not finite, there is no direction to step in. Change a leaf.",
  "from to": "{output} went from {before} to {after}. ",
  predicted: "The derivatives predicted a change of {predicted}; it was {came}. ",
  close: "For a step this small, the prediction is close.",
  rose: "{output} rose: the step was too large.",
  roughly: "For a step this large, the prediction holds only roughly.",
  far:
    "The step was far too large: the derivatives describe {output} only near the values at " +
    "which they were computed.",
  refused: "The step would make {leaf} {number}. Nothing was changed. Try a smaller learning rate.",
  empty: "{leaf} is empty.",
  "no number": "“{text}” is not a number.",
  "too large": "“{text}” is too large for a float64, which ends at about 1.8e308.",
  keeps: " The picture keeps {leaf} = {number} until you type a number.",
  larger: "larger",
  smaller: "smaller",
  and: "{some} and {last}",
  all: "the {n} leaves",
  "all parameters": "the {n} parameters",
};
const strange = {
  "div zero": "{second} is 0, so {formula} has no value.",
  "log zero": "{first} is 0, and the logarithm of 0 has no value: {name} is {number}.",
  "log below": "{first} is below 0, where {formula} has no value.",
  "sqrt below": "{first} is below 0, where {formula} has no value.",
  "pow zero": "{first} is 0, so {formula} has no value.",
  "pow below": "{first} is below 0, where {formula} has no value.",
  "leaf nan": "{name} is not a number.",
  "leaf inf": "{name} is infinite.",
  inf: "{name} = {formula} is beyond the largest float64, about 1.8e308.",
  nan: "{name} = {formula} has no value at these numbers.",
  after: " Values computed from it are not meaningful. Change a leaf.",
};
const larger = { 1: "{operand} is the larger one", 0: "{operand} is the smaller one" };
const smaller = { 1: larger[0], 0: larger[1] };
const both = { 0.5: "both are equal, and each gets half" };
const chosen = {
  relu: {
    1: "{operand} is positive, and relu(x) = x there",
    0: "{operand} is not positive, and relu(x) = 0 there",
  },
  abs: {
    1: "{operand} is positive",
    "-1": "{operand} is negative",
    0: "at the kink of abs, at 0, the derivative is defined as 0",
  },
  maximum: { ...larger, ...both },
  minimum: { ...smaller, ...both },
  where: { 1: "{operand} is the one selected", 0: "{operand} is not selected" },
};
const predict = {
  question: "What does {source} receive from {target}?",
  along: "Only through the thick edge: {source} is used {n} times.",
  form: "A number, please: 4, −0.5, 1/3 or 2·3.",
  yes: "Yes: {numbers}.",
  "yes, first": "Yes, {contribution}: at the end there is nothing to multiply by.",
  with: " Together with the {before} from before, {total} = {sum}.",
  shown: "{upstream} · {local} = {numbers}.",
  "shown, first": "{local} = {contribution}.",
  sum: "{answer} is the sum of {total} so far. The question is what this edge alone contributes.",
  sign: "The magnitude is right. Check the sign.",
  local:
    "{partial} is the local derivative, {local}: the effect on {target}. For the effect on " +
    "{output}, multiply it by {upstream} = {number}.",
  upstream:
    "{number} is {upstream}, the derivative at {target}. For the one at {source}, multiply it " +
    "by the local derivative {local}.",
  added: "Along one path, derivatives are multiplied. They are added only where paths meet.",
  again:
    "Not yet. Multiply {upstream} by the local derivative: per unit of {source}, how much does " +
    "{target} change?",
  hint: "Not yet. The local derivative is {why}. Times {number}?",
  "again, first": "Not yet. Per unit of {source}, how much does {target} = {formula} change?",
  "hint, first": "Not yet. It is {why}.",
};
const labels = {
  backward: "Backward",
  next: "Next edge",
  end: "To the end",
  step: "Step",
  mode: "Backward mode",
  once: "all at once",
  edges: "edge by edge",
  predict: "I predict",
  rate: "Learning rate",
  restart: "Start again",
  whole: "Whole picture",
  check: "Check",
  show: "Show me",
  graph: "The graph of {output}",
  happens: "What happens",
  acts: "The two halves of a training step",
  present: "Present",
  "end presentation": "End presentation",
  curve: "{output}, step by step.",
  dashed: "Dashed: as predicted",
  "curve now": "{output} after {n} steps: {value}",
  "curve prediction": "; the derivatives predict {predicted}",
  leaf: "leaf",
  "leaf card": "{name}, a leaf: value {value}, {derivative}",
  card: "{name} = {formula}: value {value}, {derivative}",
  "part card": "{name}: value {value}, {derivative}",
  "several card": "{name}: {n} outputs",
  derivative: "{total} {number}",
  "derivative so far": "so far {total} {number}",
  "derivative old": "old {total} {number}",
  "derivative unknown": "derivative not yet known",
  "derivative none": "no derivative",
  outputs: "{n} outputs",
  inside: "Inside {name}",
  open: "Numbers of {name}",
  close: "Close",
  drag: "Drag sideways to change the number",
  changed: "changed since",
  total:
    "total derivative: how {output} changes per unit of x, summed over all paths from x to " +
    "{output}",
  local:
    "local derivative: how the result z of one operation changes per unit of its operand x, " +
    "with its other operands held fixed",
  arrows: "an operand is used by an operation; derivatives go against the arrow",
  grip: "drag it sideways to change a number",
};
function number(x) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x < 0 ? "−inf" : "inf";
  if (x === 0) return "0";
  const [, sign, digits, exponent] = rounded(x).match(/^(-?)([\d.]+)e([+-]\d+)$/);
  const power = Number(exponent);
  let text;
  if (power < -4 || power >= 4) {
    const short = Number(`${digits}e${power}`) === Math.abs(x) ? trimmed(digits) : digits;
    text = `${short}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  } else {
    text = Number(`${digits}e${power}`).toFixed(3 - power);
    if (Number(text) === Math.abs(x)) text = trimmed(text);
  }
  return (sign + text).replace(/-/g, "−");
}
function rounded(x) {
  const exact = x.toExponential(40); // enough to see that what follows four digits is 5000…
  if (!/^-?\d\.\d{3}50*e/.test(exact)) return x.toExponential(3);
  const cut = exact.replace(/^(-?\d\.\d{3})50*e/, "$1e");
  return Number(cut.match(/(\d)e/)[1]) % 2 ? x.toExponential(3) : cut;
}
const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
const guarded = (text) => (text.startsWith("−") ? `(${text})` : text);
const product = (x, y) => `${number(x)} · ${guarded(number(y))}`;
const signed = (x) => `${x < 0 ? "−" : "+"}${number(Math.abs(x))}`;
const added = (x, y) => `${number(x)} ${y < 0 ? "−" : "+"} ${number(Math.abs(y))}`;
const NUMBER = String.raw`([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)`;
const TYPED = new RegExp(String.raw`^${NUMBER}\s*(?:([/*·])\s*\(?${NUMBER}\)?)?$`, "i");
function typed(text) {
  const plain = text.trim().replace(/[−–]/g, "-").replace(/,/g, ".");
  const [, first, sign, second = "1"] = plain.match(TYPED) ?? [];
  return sign === "/" ? Number(first) / Number(second) : Number(first) * Number(second);
}
function filled(template, places) {
  return template.split(/(\{\w+\})/).map((part) => {
    const name = part.match(/^\{(\w+)\}$/)?.[1];
    return name === undefined ? part : (places[name] ?? "");
  });
}
const told = (template, places = {}) => filled(template, places).map(plain).join("");
const plain = (part) => (typeof part === "string" ? part : (part.textContent ?? String(part)));
root.dataset.state = "fresh";
root.dataset.lmSuppressShortcuts = "true"; // keys typed here are not Jupyter's
const page = JSON.parse(root.querySelector("script[type='application/json']").textContent);
const { nodes, edges, cards, links, leaves, moved } = page;
const GRIP = "⇔"; // by which a number is dragged
const output = nodes.length - 1;
const isLeaf = new Set(leaves);
const leafAt = new Map(leaves.map((leaf, k) => [leaf, k])); // its place among the leaves
const start = leaves.map((leaf) => Number(nodes[leaf].value));
const name = (i) => nodes[i].name;
const inFull = (i) => nodes[i].full;
const edgesTo = nodes.map(() => []);
edges.forEach((edge, e) => edgesTo[edge.to].push(e));
const memory = graph?.memory();
const stepper = rule.memory();
let numbers; // of the leaves, in their order
let values; // of all nodes
let partials; // of all edges
let totals; // of all nodes, null where no derivative arrives
let contributions; // of all edges
let hasChanged; // since Python recorded it
function recorded() {
  numbers = [...start];
  values = nodes.map((node) => Number(node.value));
  partials = edges.map((edge) => Number(edge.partial));
  hasChanged = false;
  sweep();
}
function compute() {
  memory.w.set(numbers);
  const results = graph.program(memory);
  values = Array.from(results.subarray(0, nodes.length));
  partials = Array.from(results.subarray(nodes.length));
  hasChanged = true;
  sweep();
}
const gradient = (leaf) => totals[leaf] ?? 0;
const isStuck = () =>
  !Number.isFinite(values[output]) || leaves.some((leaf) => !Number.isFinite(gradient(leaf)));
const predictedChange = () => -page.rates[rate] * sum(moved.map((leaf) => gradient(leaf) ** 2));
function sweep() {
  pass(null);
  if (totals.some((x) => Number.isNaN(x))) pass(new Set([output]));
}
function pass(active) {
  totals = nodes.map(() => null);
  contributions = edges.map(() => null);
  totals[output] = 1;
  for (let i = output; i >= 0; i--) {
    if (totals[i] === null) continue;
    for (const e of edgesTo[i]) {
      const { from, chooses } = edges[e];
      let contribution = totals[i] * partials[e];
      if (active?.has(i) && !(chooses && partials[e] === 0)) active.add(from);
      else if (active && Number.isNaN(contribution)) contribution = 0;
      contributions[e] = contribution;
      totals[from] = totals[from] === null ? contribution : totals[from] + contribution;
    }
  }
}
const cardOf = [];
cards.forEach((card, c) => card.values.forEach((i) => (cardOf[i] = c)));
const exit = (c) => (cards[c].exits.length === 1 ? cards[c].exits[0] : null);
const isFolded = (c) => cards[c].kind === "folded";
const cardName = (c) => cards[c].name ?? (exit(c) === null ? "" : name(exit(c)));
const fullName = (c) => cards[c].name ?? (exit(c) === null ? "" : inFull(exit(c)));
const isFace = (i) => isFolded(cardOf[i]) && exit(cardOf[i]) === i;
const total = (i) => `d${name(output)}/d${isFace(i) ? cardName(cardOf[i]) : name(i)}`;
const isSingle = (link) => exit(link.from) !== null && exit(link.to) !== null;
const isPlain = (link) => link.local !== undefined;
const localName = (link) => link.local ?? `∂${cardName(link.to)}/∂${cardName(link.from)}`;
const inOrder = links
  .filter((link) => link.edges.length)
  .sort((one, other) => one.edges[0] - other.edges[0]);
const linksFrom = cards.map((_, c) => inOrder.filter((link) => link.from === c));
const isReached = (link) => link.edges.some((e) => contributions[e] !== null);
const queueNow = () => inOrder.filter(isReached);
const linksToOutput = (c) => linksFrom[c].filter(isReached).length;
const sum = (terms) => terms.reduce((soFar, x) => soFar + x);
const carried = (link) => sum(link.edges.map((e) => contributions[e] ?? 0));
function local(link) {
  if (isPlain(link)) return partials[link.edges[0]];
  const inner = new Map([[exit(link.to), 1]]);
  const counted = new Set(link.edges);
  let found = 0;
  for (const i of [...cards[link.to].values].sort((one, other) => other - one)) {
    if (!inner.has(i)) continue;
    for (const e of edgesTo[i]) {
      const share = inner.get(i) * partials[e];
      const { from } = edges[e];
      if (counted.has(e)) found += share;
      else if (cardOf[from] === link.to) inner.set(from, (inner.get(from) ?? 0) + share);
    }
  }
  return found;
}
const named = (parts) => parts.map((part) => (typeof part === "number" ? name(part) : part)).join("");
const formula = (i) => named(nodes[i].formula);
const shortName = (i) => nodes[i].short;
const shortFormula = (i) =>
  nodes[i].formula.map((part) => (typeof part === "number" ? shortName(part) : part)).join("");
const counted = (parts) =>
  parts
    .map((part, k) => {
      if (typeof part !== "number") return part;
      const before = String(parts[k - 1] ?? ""), after = String(parts[k + 1] ?? "");
      const isFree = /(^|\(|, )$/.test(before) && !/^ \*\*/.test(after);
      return isFree ? number(values[part]) : guarded(number(values[part]));
    })
    .join("");
function why(link) {
  const partial = local(link);
  const cases = isPlain(link) ? chosen[nodes[exit(link.to)].op] : undefined;
  const reason = cases?.[partial] && told(cases[partial], { operand: cardName(link.from) });
  if (reason) return told(words.because, { number: number(partial), reason });
  const stated = link.rule && !cases ? named(link.rule) : "";
  const isStated = stated && stated !== number(partial) && !hasOutdated(link);
  return isStated ? told(words.is, { rule: stated, number: number(partial) }) : number(partial);
}
const hasOutdated = (link) => !hasChanged && cards[link.to].values.some((i) => page.outdated.includes(i));
function listed(indices) {
  const names = indices.map(name);
  if (names.length > 4) return told(words[page.moves], { n: number(names.length) });
  const last = names.pop();
  return names.length ? told(words.and, { some: names.join(", "), last }) : (last ?? "");
}
let mode = page.mode;
let rate = 2;
let queue = [];
let parts = new Map(); // what has arrived at each card
let active = null; // the link at work
let shifts = new Map(); // what the last step moved each leaf by
let history = [];
let steps = 0;
let hadDerivatives = false;
let tries = 0, firsts = 0, asked = 0;
let open = null; // the folded card whose numbers are shown
const is = (state) => root.dataset.state === state;
const set = (state) => (root.dataset.state = state);
function clear() {
  set("fresh");
  parts = new Map();
  queue = [];
  active = null;
  ask.hidden = true;
}
function greet(edited = false) {
  if (tellStrange()) return;
  const [place] = page.outdated;
  if (place !== undefined && !hasChanged) {
    say(titles.recorded, [], told(words.recorded, { name: name(place) }));
    return;
  }
  const there = { output: name(output), value: number(values[output]), leaves: listed(moved) };
  const line = nodes[output].formula ? lines.value : lines.alone;
  const isLost = edited && hadDerivatives;
  const fixed = page.fixed && ` ${told(words.fixed, { primitive: page.fixed })}`;
  say(
    edited ? titles.edited : titles.forward,
    filled(line, {
      ...there,
      formula: nodes[output].formula ? formula(output) : "",
      numbers: nodes[output].formula ? counted(nodes[output].formula) : "",
    }),
    told(isLost ? words.lost : words.fresh, there) + (fixed || ""),
  );
}
function notFinite() {
  const i = values.findIndex((x) => !Number.isFinite(x));
  if (i < 0) return "";
  const { op, args } = nodes[i];
  const operands = args.map((arg) => (Array.isArray(arg) ? values[arg[0]] : Number(arg)));
  const names = args.map((arg) => (Array.isArray(arg) ? name(arg[0]) : number(Number(arg))));
  const decides = op === "div" ? operands[1] : operands[0];
  const kind = decides === 0 ? "zero" : decides < 0 ? "below" : "";
  const result = Number.isNaN(values[i]) ? "nan" : "inf";
  const template = strange[op ? `${op} ${kind}` : `leaf ${result}`] ?? strange[result];
  const there = { name: name(i), number: number(values[i]), first: names[0], second: names[1] };
  there.formula = nodes[i].formula ? formula(i) : number(values[i]);
  return told(template, there) + strange.after;
}
function tellStrange() {
  const text = notFinite();
  if (text) say(titles.strange, [], text, true);
  return text;
}
function go() {
  clear();
  sweep(); // after a step, what is shown is still of the place before it
  set("going");
  queue = queueNow();
  shifts = new Map();
  hadDerivatives = true;
  firsts = asked = 0;
  if (mode === "once" || !queue.length) return finish();
  const line = filled(lines.one, { total: pill(output) });
  say(titles.backward, line, told(words.begin, { output: name(output) }));
  if (mode === "predict") question();
  render();
}
function arrive(link) {
  const soFar = parts.get(link.from) ?? [];
  parts.set(link.from, [...soFar, carried(link)]);
}
function next() {
  const link = queue.shift();
  arrive(link);
  active = link;
  tell(link);
  if (!queue.length) {
    if (isStuck()) return done();
    set("complete");
    saying.words.append(words.last);
  }
  render();
}
function finish() {
  while (queue.length) arrive(queue.shift());
  done();
}
function tell(link) {
  const n = queueNow().length;
  const title = told(titles.edge, { k: number(n - queue.length), n: number(n) });
  const source = cardName(link.from), target = cardName(link.to);
  if (!isSingle(link)) {
    say(title, filled(lines.several, { source, target }), told(words.several, { source, target }));
    return;
  }
  const i = exit(link.from), j = exit(link.to);
  const arrived = parts.get(link.from);
  const contribution = arrived.at(-1), upstream = totals[j], partial = local(link);
  const more = linksToOutput(link.from) - arrived.length;
  const isSum = linksToOutput(link.from) > 1, isAtEnd = j === output;
  const there = {
    total: pill(i), upstream: pill(j), local: element("i", {}, localName(link)),
    numbers: `${product(upstream, partial)} = ${number(contribution)}`,
    contribution: number(contribution),
  };
  const line = isAtEnd ? (isSum ? "first of more" : "first") : isSum ? "more" : "only";
  const about = {
    source, target, output: name(output), why: why(link), n: number(more),
    formula: isPlain(link) ? formula(j) : "", upstream: number(upstream),
    contribution: number(contribution),
  };
  let text = told(isPlain(link) ? words.local : words["local of parts"], about);
  text += isAtEnd ? "." : told(words.through, about);
  if (arrived.length > 1) {
    const before = sum(arrived.slice(0, -1));
    const shown = sum(arrived);
    text += told(words.sum, {
      before: number(before), sum: added(before, contribution), total: number(shown),
    });
  }
  if (more) text += told(more === 1 ? words["one to come"] : words["to come"], about);
  say(title, filled(lines[line], there), text);
  if (link.exactly) {
    const exactly = told(words.exactly, { local: localName(link), rule: named(link.exactly) });
    saying.words.append(" ", element("span", { class: "exactly" }, exactly));
  }
}
function done() {
  active = null;
  ask.hidden = true;
  const bySize = (one, other) => Math.abs(gradient(other)) - Math.abs(gradient(one));
  const shown = moved.length > 6 ? [...moved].sort(bySize).slice(0, 2) : moved;
  const line = shown.flatMap((leaf, k) => [k ? "  " : "", pill(leaf), ` = ${number(gradient(leaf))}`]);
  if (moved.length > shown.length) line.push(" …");
  if (isStuck()) {
    set("stuck");
    const trouble = notFinite();
    const bad = leaves.find((leaf) => !Number.isFinite(gradient(leaf)));
    const text = trouble || told(words.stuck, { total: total(bad), number: number(gradient(bad)) });
    say(trouble ? titles.strange : titles.stuck, line, text, true);
    return render();
  }
  set("complete");
  let text;
  if (moved.every((leaf) => gradient(leaf) === 0)) text = told(words.flat, { output: name(output) });
  else {
    const [most] = [...moved].sort(bySize);
    text = told(words[moved.length > 1 ? "known" : "known of one"], {
      output: name(output), leaf: name(most), size: number(Math.abs(gradient(most))),
      larger: gradient(most) > 0 ? words.larger : words.smaller,
    });
    if (asked) text += told(words.score, { k: number(firsts), n: number(asked) });
    text += page.fixed ? told(words.fixed, { primitive: page.fixed })
      : told(words["step moves"], { leaves: listed(moved) });
  }
  say(titles.known, line, text);
  render();
}
function judgment(predicted, came) {
  const error = Math.abs(came - predicted) / Math.abs(predicted);
  if (error <= 0.1) return words.close;
  if (error > 10) return words.far;
  return came > 0 ? words.rose : words.roughly;
}
function step() {
  if (!is("complete") || page.fixed) {
    const text = page.fixed
      ? told(words.fixed, { primitive: page.fixed })
      : is("stuck") ? words["early stuck"] : is("stale") ? words.stale : words.early;
    say(titles.early, [], text);
    return render();
  }
  const before = values[output];
  const learningRate = page.rates[rate];
  stepper.w.set(page.coefficients);
  stepper.w[0] = learningRate;
  const after = [...numbers];
  for (const leaf of moved) {
    const k = leafAt.get(leaf);
    const at = Float64Array.of(numbers[k], ...page.state, gradient(leaf));
    [after[k]] = rule.program(stepper, at);
  }
  const bad = leaves.find((_, k) => !Number.isFinite(after[k]));
  if (bad !== undefined) {
    const there = { leaf: name(bad), number: number(after[leafAt.get(bad)]) };
    say(titles.refused, [], told(words.refused, there), true);
    return render();
  }
  const first = moved.find((leaf) => gradient(leaf) !== 0) ?? moved[0];
  const was = numbers[leafAt.get(first)], slope = gradient(first), prediction = predictedChange();
  shifts = new Map(moved.map((leaf) => [leaf, -learningRate * gradient(leaf)]));
  const old = totals;
  numbers = after;
  compute();
  totals = old; // struck through, until Backward finds new ones
  steps += 1;
  history.push([steps, values[output]]);
  set("stale");
  const came = Number((values[output] - before).toPrecision(12)); // without the rounding of both
  let text = told(words["from to"], {
    output: name(output), before: number(before), after: number(values[output]),
  });
  if (Number.isFinite(prediction) && Number.isFinite(came)) {
    text += told(words.predicted, { predicted: number(prediction), came: number(came) });
  }
  const trouble = notFinite();
  if (trouble) text += trouble;
  else text += told(judgment(prediction, came), { output: name(output) });
  const line = filled(lines.moved, {
    leaf: name(first), rate: number(learningRate), total: pill(first), before: number(was),
    product: product(learningRate, slope), after: number(numbers[leafAt.get(first)]),
  });
  say(told(titles.stepped, { n: number(steps) }), line, text, Boolean(trouble));
  render();
}
function question() {
  while (queue.length && !isSingle(queue[0])) arrive(queue.shift());
  if (!queue.length) return done();
  const [link] = queue;
  const n = queueNow().length, j = exit(link.to);
  active = link;
  tries = 0;
  asked += 1;
  const there = {
    source: cardName(link.from), target: cardName(link.to), upstream: pill(j), number: number(totals[j]),
    formula: isPlain(link) ? formula(j) : "", local: localName(link), partial: number(local(link)),
  };
  const line = !isPlain(link) ? "question of parts" : j === output ? "question at the end" : "question";
  const count = linksToOutput(link.from);
  const along = told(predict.along, { source: there.source, n: number(count), output: name(output) });
  const turn = told(titles.turn, { k: number(n - queue.length + 1), n: number(n) });
  say(turn, filled(lines[line], there), count > 1 ? along : "");
  asking.textContent = told(predict.question, there);
  answer.value = "";
  answer.removeAttribute("aria-invalid");
  respond("");
  ask.hidden = false;
  answer.focus({ preventScroll: true });
}
const respond = (text, kind = "") => {
  feedback.textContent = text;
  feedback.className = `feedback ${kind}`;
};
const near = (x, y) =>
  Math.abs(x - y) <= 0.006 * Math.max(Math.abs(y), 1e-9) || number(x) === number(y);
function check() {
  const [link] = queue;
  const i = exit(link.from), j = exit(link.to), isAtEnd = j === output;
  const upstream = totals[j], partial = local(link), right = carried(link);
  const x = typed(answer.value);
  const isNan = Number.isNaN(right) && /nan/i.test(answer.value);
  if (Number.isNaN(x) && !isNan) {
    answer.setAttribute("aria-invalid", "true");
    return respond(predict.form);
  }
  answer.removeAttribute("aria-invalid");
  tries += 1;
  if (isNan || near(x, right)) {
    if (tries === 1) firsts += 1;
    const before = parts.get(link.from);
    const there = { numbers: `${product(upstream, partial)} = ${number(right)}`, contribution: number(right) };
    let text = told(isAtEnd ? predict["yes, first"] : predict.yes, there);
    if (before) {
      const soFar = sum(before);
      text += told(predict.with, {
        before: number(soFar), total: total(i), sum: number(soFar + right),
      });
    }
    return proceed(text, "yes");
  }
  const had = parts.has(link.from) ? sum(parts.get(link.from)) : undefined;
  const there = {
    answer: number(x), source: cardName(link.from), target: cardName(link.to), output: name(output),
    total: total(i), upstream: total(j), number: number(upstream), local: localName(link),
    partial: number(partial), why: why(link), formula: isPlain(link) ? formula(j) : cardName(link.to),
  };
  const kind =
    had !== undefined && near(x, had + right) ? "sum"
    : near(x, -right) ? "sign"
    : isAtEnd ? (tries === 1 ? "again, first" : "hint, first")
    : near(x, partial) ? "local"
    : near(x, upstream) ? "upstream"
    : near(x, upstream + partial) ? "added"
    : tries === 1 ? "again" : "hint";
  respond(told(predict[kind], there), "no");
  answer.select();
}
function reveal() {
  const [link] = queue;
  const j = exit(link.to);
  const there = {
    upstream: total(j), local: localName(link), contribution: number(carried(link)),
    numbers: `${product(totals[j], local(link))} = ${number(carried(link))}`,
  };
  proceed(told(j === output ? predict["shown, first"] : predict.shown, there));
}
function proceed(text, kind = "") {
  arrive(queue.shift());
  if (queue.some(isSingle)) {
    question();
    respond(text, kind);
    render();
  } else {
    finish();
    saying.words.textContent = `${text} ${saying.words.textContent}`;
    buttons.step.focus({ preventScroll: true });
  }
}
const buttons = {
  backward: button(labels.backward, () => (!is("going") ? go() : mode === "edges" ? next() : finish())),
  step: button(labels.step, step),
  restart: button(labels.restart, restart, { class: "quiet" }),
  whole: button(labels.whole, () => { fit(!isWhole); follow(); }, { class: "quiet", hidden: "" }),
  present: button(labels.present, () => {
    if (!isPresented) root.requestFullscreen?.().catch(() => {}); // a frame may not be allowed to
    present(!isPresented);
  }, { class: "quiet" }),
};
const callable = /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name(output)) ? name(output) : "output";
const acts = element(
  "div", { class: "acts", role: "group", "aria-label": labels.acts },
  element("div", {}, buttons.backward, element("code", {}, `zero_grad(); ${callable}.backward()`)),
  element("div", {}, buttons.step, element("code", {}, "optimizer.step()")),
);
const kinds = ["once", "edges", "predict"].map((which) => [which, labels[which]]);
const modes = choices(labels.mode, kinds, mode, (which) => {
  mode = which;
  if (is("going")) {
    clear();
    greet();
  }
  render();
});
const rateShown = element("output");
const slider = element("input", { type: "range", min: 0, max: page.rates.length - 1, step: 1 });
slider.addEventListener("input", () => {
  rate = Number(slider.value);
  render();
});
const rates = labeled(labels.rate, slider, rateShown);
rates.classList.add("rate");
const saying = {
  title: element("p", { class: "title" }),
  line: element("p", { class: "line" }),
  words: element("p", { class: "words" }),
};
const [answerId, feedbackId] = [newId(), newId()];
const asking = element("label", { for: answerId });
const answer = element("input", {
  id: answerId, inputmode: "text", autocomplete: "off", "aria-describedby": feedbackId,
});
const feedback = element("p", { class: "feedback", role: "status", id: feedbackId });
const ask = element(
  "form", { hidden: "", novalidate: "" }, asking,
  element("div", { class: "row" }, answer, element("button", { type: "submit" }, labels.check),
    button(labels.show, reveal)),
  feedback,
);
ask.addEventListener("submit", (event) => {
  event.preventDefault();
  check();
});
const talk = element(
  "section", { class: "talk", "aria-label": labels.happens },
  element("div", { role: "status" }, saying.title, saying.line, saying.words), ask,
);
const graphLabel = told(labels.graph, { output: name(output) });
const scene = element("div", { class: "scene" });
const bands = element("div", { class: "bands", "aria-hidden": "true", inert: "", hidden: "" });
const stage = element(
  "div", { class: "stage", role: "group", "aria-label": graphLabel, tabindex: 0 }, scene, bands,
);
const inside = element("section", { class: "inside", hidden: "" });
const legend = element(
  "p", { class: "legend" },
  element("span", {}, element("span", { class: "pill plus" }, `d${name(output)}/dx`), " ",
    told(labels.total, { output: name(output) })),
  element("span", {}, element("i", {}, "∂z/∂x"), " ", labels.local),
  element("span", {}, element("b", {}, "→"), " ", labels.arrows),
  page.fixed ? "" : element("span", {}, element("b", {}, GRIP), " ", labels.grip),
);
const curve = drawn("svg", { role: "img" });
const figure = element(
  "figure", { class: "curve" },
  element("figcaption", {}, told(labels.curve, { output: name(output) }), " ",
    element("span", { class: "prediction" }, labels.dashed)),
);
figure.append(curve);
const place = element(
  "div", { class: page.dense ? "place dense" : "place" },
  element("div", { class: "bar" }, acts, modes, rates,
    element("div", { class: "others" }, buttons.restart, buttons.whole, buttons.present)),
  talk, figure, stage, inside, legend,
);
function say(title, line, text, isTrouble = false) {
  saying.title.textContent = title;
  saying.line.replaceChildren(...line);
  saying.line.hidden = !line.length;
  saying.words.textContent = text;
  talk.classList.toggle("trouble", isTrouble);
}
function pill(i) {
  return element("span", { class: "pill" }, total(i));
}
function field(leaf) {
  const k = leafAt.get(leaf);
  const input = element("input", {
    type: "text", inputmode: "decimal", autocomplete: "off", role: "spinbutton",
    "aria-label": inFull(leaf), "data-leaf": leaf,
  });
  if (page.fixed) {
    input.readOnly = true;
    return element("span", { class: "number" }, input);
  }
  const change = (x, shows) => {
    numbers[k] = x;
    input.setAttribute("aria-invalid", "false");
    if (shows) input.value = number(numbers[k]);
    changed();
  };
  input.addEventListener("input", () => {
    const text = input.value.trim(), x = typed(text);
    if (Number.isFinite(x)) return change(x, false);
    input.setAttribute("aria-invalid", "true");
    const kind = text === "" ? "empty" : Number.isNaN(x) || /\/\W*0[.,0]*\W*$/.test(text) ? "no number" : "too large";
    const there = { leaf: name(leaf), text: text.length > 40 ? `${text.slice(0, 39)}…` : text, number: number(numbers[k]) };
    say(titles.invalid, [], told(words[kind], there) + told(words.keeps, there), true);
  });
  input.addEventListener("blur", () => {
    input.value = number(numbers[k]);
    if (input.getAttribute("aria-invalid") === "true") {
      input.setAttribute("aria-invalid", "false");
      greet();
    }
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("keydown", (event) => {
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    event.stopPropagation();
    const size = event.shiftKey ? 1 : event.altKey ? 0.01 : 0.1;
    change(Number((numbers[k] + direction * size).toPrecision(12)), true);
  });
  const grip = element("span", { class: "grip", "aria-hidden": "true", title: labels.drag }, GRIP);
  let from, start; // the number, and where the pointer was, when the drag began
  grip.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    grip.setPointerCapture(event.pointerId);
    [from, start] = [numbers[k], event.clientX];
  });
  grip.addEventListener("pointermove", (event) => {
    if (!grip.hasPointerCapture(event.pointerId)) return;
    const steps = Math.round((event.clientX - start) / 2);
    if (steps) change(Number((from + steps / 20).toPrecision(12)), true);
  });
  return element("span", { class: "number" }, input, grip);
}
function changed() {
  shifts = new Map();
  compute();
  const latest = history.at(-1);
  if (latest?.[0] === steps) latest[1] = values[output];
  clear();
  greet(true);
  render();
}
const NARROW = 680; // pixels; below it the graph runs from top to bottom
const SMALLEST = { wide: 0.66, tall: 0.85 }; // a graph that would have to shrink more is scrolled
const READABLE = 0.5; // a whole picture that would have to shrink more is cut into bands
const LEAST_HEIGHT = 160; // pixels for the graph, however low the window is
const made = cards.map((card, c) => {
  const box = element("div", { class: `card ${card.kind}`, role: "group" });
  if (card.kind === "cut") return (box.append(card.label), box);
  if (card.kind === "input") { // a plain number, which does not change
    box.append(element("div", { class: "head" }, element("b", {}, card.label)), element("div", { class: "value" }, card.shows));
    return box;
  }
  const i = exit(c);
  const title = element("b", { title: fullName(c) }, isFolded(c) ? card.label : shortName(i));
  const what = element("span", { class: "what" });
  if (isFolded(c)) what.textContent = card.operation;
  else what.textContent = isLeaf.has(i) ? labels.leaf : shortFormula(i);
  what.title = what.textContent;
  const value = element("div", { class: "value" });
  if (i !== null && isLeaf.has(i) && !isFolded(c)) value.append(field(i));
  box.append(element("div", { class: "head" }, title, what), value, element("div", { class: "total" }));
  if (card.output) box.classList.add("output");
  if (isFolded(c) && card.values.some((x) => isLeaf.has(x))) {
    const opener = button("", () => show(open === c ? null : c), {
      class: "open", "aria-expanded": "false",
      "aria-label": told(labels.open, { name: cardName(c) }),
    });
    box.append(opener);
  }
  return box;
});
const net = drawn("svg", { class: "links", "aria-hidden": "true" });
const paths = links.map((link) => {
  const path = drawn("path", {});
  const tip = drawn("polygon", {});
  if (!link.edges.length && cards[link.from].kind !== "input") path.setAttribute("stroke-dasharray", "4 4");
  net.append(path, tip);
  return { path, tip };
});
const tags = links.map(() => element("span", { class: "tag" }));
const frames = element("div", { class: "frames", "aria-hidden": "true" });
scene.append(frames, net, ...tags, ...made);
let layout = null;
let scale = 1;
let isWhole = false;
let isCut = false;
const paper = matchMedia("print"); // which does not scroll
function lay() {
  const isTall = stage.clientWidth < NARROW;
  const wanted = page.layouts[isTall ? "tall" : "wide"];
  if (wanted === layout) return;
  layout = wanted;
  place.classList.toggle("narrow", isTall);
  const [width, height] = layout.size;
  scene.style.width = `${width}px`;
  scene.style.height = `${height}px`;
  net.setAttribute("viewBox", `0 0 ${width} ${height}`);
  made.forEach((box, c) => {
    const [x, y, w, h] = layout.cards[c];
    Object.assign(box.style, {
      left: `${x - w / 2}px`, top: `${y - h / 2}px`, width: `${w}px`, height: `${h}px`,
    });
  });
  links.forEach((_, k) => {
    const [curve, tip, label] = layout.links[k], { path } = paths[k];
    path.setAttribute("d", curve);
    paths[k].tip.setAttribute("points", tip);
    const middle = path.getPointAtLength(path.getTotalLength() / 2);
    const [left, top] = label ?? [middle.x, middle.y];
    Object.assign(tags[k].style, { left: `${left}px`, top: `${top}px` });
    tags[k].classList.toggle("bare", !label);
  });
  frames.replaceChildren(
    ...layout.frames.flatMap(([text, box, at]) => {
      const label = element("span", { style: `left: ${at[0]}px; top: ${at[1]}px` }, text);
      if (!box) return [label];
      const [x, y, w, h] = box;
      const style = `left: ${x - w / 2}px; top: ${y - h / 2}px; width: ${w}px; height: ${h}px`;
      return [element("div", { style }), label];
    }),
  );
}
function room() {
  const top = stage.getBoundingClientRect().top;
  const isPage = root.closest("main.autograd-page") && document.fullscreenElement !== root;
  const before = isPage ? top + scrollY : top - root.getBoundingClientRect().top + root.scrollTop;
  return Math.max(LEAST_HEIGHT, innerHeight - before - 12);
}
function fit(wanted) {
  if (!layout) return;
  isWhole = wanted;
  const whole = wanted || paper.matches;
  const [width, height] = layout.size;
  const across = (stage.clientWidth - 2) / width;
  const smallest = SMALLEST[layout === page.layouts.tall ? "tall" : "wide"] * (isPresented ? 1.5 : 1);
  const largest = isPresented ? 1.8 : 1;
  const fitting = across < smallest ? room() / height : Math.min(across, room() / height);
  const usual = Math.min(largest, Math.max(smallest, fitting));
  isCut = whole && across < READABLE;
  scale = isCut && !isPresented ? smallest : whole && !isCut ? Math.min(largest, across) : usual;
  scene.hidden = isCut;
  bands.hidden = !isCut;
  scene.style.transform = scale === 1 ? "" : `scale(${scale})`;
  scene.style.left = `${Math.max(0, (stage.clientWidth - width * scale) / 2)}px`;
  stage.classList.toggle("whole", whole);
  if (whole) stage.scrollTo(0, 0);
  const hasRoom = width * usual <= stage.clientWidth && height * usual <= room() + 2;
  buttons.whole.hidden = hasRoom && !wanted;
  buttons.whole.setAttribute("aria-pressed", String(wanted));
  cut();
  setHeight();
}
function setHeight() {
  const height = Math.ceil(layout.size[1] * scale) + 2;
  stage.style.height = isCut ? "auto" : `${isWhole || paper.matches ? height : Math.min(height, room())}px`;
}
function cut() {
  bands.replaceChildren();
  if (!isCut) return;
  const [width, height] = layout.size;
  const most = (stage.clientWidth - 2) / scale;
  const isFree = (x) => layout.cards.every(([middle, , w]) => Math.abs(x - middle) >= w / 2);
  let from = 0;
  while (from < width) {
    let to = Math.min(width, from + most);
    if (to < width) {
      while (to > from + most / 2 && !isFree(to)) to -= 2;
      if (!isFree(to)) to = from + most;
    }
    const part = scene.cloneNode(true);
    part.hidden = false;
    Object.assign(part.style, { left: "0", transform: `scale(${scale}) translateX(${-from}px)` });
    const inputs = scene.querySelectorAll("input");
    part.querySelectorAll("input").forEach((input, k) => (input.value = inputs[k].value));
    const band = element("div", { class: "band" }, part);
    band.style.width = `${(to - from) * scale}px`;
    band.style.height = `${height * scale}px`;
    bands.append(band);
    from = to;
  }
}
function follow() {
  if (isWhole) return;
  const shown = active ? [active.to, active.from] : is("going") ? [cardOf[output]] : [];
  const view = stage.getBoundingClientRect();
  for (const c of shown) {
    const card = made[c].getBoundingClientRect();
    stage.scrollLeft += beyond(card.left - 80, card.right + 80, view.left, view.right);
    stage.scrollTop += beyond(card.top - 8, card.bottom + 8, view.top, view.bottom);
  }
}
const beyond = (low, high, start, end) => (low < start ? low - start : Math.max(0, high - end));
function center(c) {
  if (layout === page.layouts.tall) {
    stage.scrollLeft = layout.cards[c][0] * scale - stage.clientWidth / 2;
  }
}
let isPresented = false;
function present(on) {
  isPresented = on;
  root.classList.toggle("present", on);
  buttons.present.textContent = on ? labels["end presentation"] : labels.present;
  if (!on && document.fullscreenElement === root) document.exitFullscreen();
  adapt();
}
root.addEventListener("fullscreenchange", () => {
  if (isPresented && document.fullscreenElement !== root) present(false);
});
function show(c) {
  if (open !== null) made[open].querySelector(".open")?.setAttribute("aria-expanded", "false");
  const before = open;
  open = c;
  inside.hidden = c === null;
  if (c === null) {
    inside.replaceChildren();
    if (before !== null) made[before].querySelector(".open").focus({ preventScroll: true });
    return;
  }
  made[c].querySelector(".open").setAttribute("aria-expanded", "true");
  const fields = cards[c].values.filter((i) => isLeaf.has(i)).map((i) =>
    element("div", { class: "inner", "data-node": i },
      element("span", { class: "name" }, name(i).replace(`${cardName(c)}.`, "")),
      field(i), element("span", { class: "total" })),
  );
  const heading = element("p", { class: "title" }, told(labels.inside, { name: cardName(c) }));
  const close = button(labels.close, () => show(null), { class: "quiet" });
  inside.replaceChildren(element("div", { class: "head" }, heading, close), element("div", { class: "inners" }, ...fields));
  render();
}
root.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && open !== null) show(null);
});
const LONG = "−0.0000".length; // a longer number needs the room of what stands beside it
function sign(x) {
  return x > 0 ? "plus" : x < 0 ? "minus" : "";
}
function totalOf(c) {
  const i = exit(c);
  if (i === null) return { state: "several" };
  const arrived = parts.get(c) ?? [];
  const isOutput = i === output;
  if (is("stale")) {
    return totals[i] === null ? { state: "none" } : { state: "old", x: totals[i] };
  }
  if (is("fresh")) return { state: "unknown" };
  if (isOutput) return { state: "known", x: totals[i] };
  if (totals[i] === null) return { state: "none" };
  if (!arrived.length) return { state: "unknown" };
  const isComplete = arrived.length === linksToOutput(c);
  return { state: isComplete ? "known" : "part", x: isComplete ? totals[i] : sum(arrived), arrived };
}
function describeTotal(box, c, { state, x, arrived }) {
  const i = exit(c);
  box.replaceChildren();
  if (state === "several") return;
  const label = `d${shortName(output)}/d${shortName(i)}`;
  const taken = Math.max(LONG, ` = ${number(x ?? 0)}`.length);
  const room = (layout.cards[c][2] - 32) / 7.2 - taken; // for the label, in characters
  const isBare = isFolded(c) || page.dense || label.length > room;
  const shown = isBare ? "" : `${label} = `;
  if (state === "unknown") return box.append(element("span", { class: "pill none", title: label }, `${shown}?`));
  if (state === "none") return;
  const css = `pill ${state} ${state === "old" ? "" : sign(x)}`;
  box.append(element("span", { class: css, title: label }, `${shown}${number(x)}`));
  if (arrived?.length > 1 && !isFolded(c)) {
    const first = arrived.length > 2 ? sum(arrived.slice(0, -1)) : arrived[0];
    const text = added(first, arrived.at(-1));
    box.append(element("small", {}, text));
  }
}
function renderCard(box, c) {
  const card = cards[c];
  if (card.kind === "cut" || card.kind === "input") return;
  const i = exit(c);
  const isAtWork = active && (active.from === c || active.to === c);
  box.classList.toggle("active", Boolean(isAtWork));
  const isOutdated = !hasChanged && card.values.some((x) => page.outdated.includes(x));
  box.classList.toggle("outdated", isOutdated);
  const value = box.querySelector(".value");
  const input = value.querySelector("input");
  if (input) renderField(input, i);
  else if (i !== null) value.textContent = number(values[i]);
  else value.textContent = told(labels.outputs, { n: number(card.exits.length) });
  const found = totalOf(c);
  describeTotal(box.querySelector(".total"), c, found);
  if (isLeaf.has(i) && !isFolded(c)) {
    const by = is("stale") ? shifts.get(i) : undefined;
    const what = box.querySelector(".what");
    what.textContent = by === undefined ? labels.leaf : signed(by);
    what.classList.toggle("moved", by !== undefined);
  }
  const derivative = { known: "derivative", part: "derivative so far", old: "derivative old", none: "derivative none" };
  const totalTold = i === null ? "" : told(labels[derivative[found.state] ?? "derivative unknown"], {
    total: total(i), number: found.x === undefined ? "" : number(found.x),
  });
  const there = {
    name: fullName(c), derivative: totalTold, n: number(card.exits.length),
    value: i === null ? "" : number(values[i]), formula: i !== null && nodes[i].formula ? formula(i) : "",
  };
  const kind = i === null ? "several card" : isFolded(c) ? "part card" : isLeaf.has(i) ? "leaf card" : "card";
  box.setAttribute("aria-label", told(labels[kind], there) + (isOutdated ? `, ${labels.changed}` : ""));
  if (i !== null) {
    box.dataset.node = i;
    box.dataset.value = values[i];
    box.dataset.total = found.x ?? "";
  }
}
function renderField(input, leaf) {
  const x = numbers[leafAt.get(leaf)];
  const text = number(x);
  if (document.activeElement !== input) input.value = text;
  input.classList.toggle("long", text.length > LONG);
  input.setAttribute("aria-valuenow", x);
  input.setAttribute("aria-valuetext", text);
}
function renderLink(link, k, left) {
  const isLeft = left.has(link);
  const isPassed = !is("fresh") && link.edges.length > 0 && !isLeft && isReached(link);
  const isOld = is("stale");
  const css = link === active ? "active" : isOld ? "old" : isPassed ? `passed ${sign(carried(link))}` : "";
  paths[k].path.setAttribute("class", css);
  paths[k].tip.setAttribute("class", css);
  const tag = tags[k];
  tag.classList.toggle("active", link === active);
  if (!link.edges.length || !isSingle(link)) return (tag.textContent = "");
  if (!isPlain(link) && link !== active) return (tag.textContent = "");
  const isHidden = is("going") && mode === "predict" && isLeft && isPlain(link);
  const text = isHidden ? "?" : number(local(link));
  const isNamed = isPlain(link) && layout.tagged && !tag.classList.contains("bare") && text.length <= LONG + 1;
  tag.textContent = isNamed ? `${link.tag} = ${text}` : text;
}
function render() {
  if (!layout) return; // there is no room yet: `adapt` draws when there is
  made.forEach(renderCard);
  const left = new Set(queue);
  links.forEach((link, k) => renderLink(link, k, left));
  for (const inner of inside.querySelectorAll(".inner")) {
    const i = Number(inner.dataset.node);
    renderField(inner.querySelector("input"), i);
    const box = inner.querySelector(".total");
    const isKnown = (is("complete") || is("stale") || is("stuck")) && totals[i] !== null;
    const css = `pill ${is("stale") ? "old" : sign(totals[i])}`;
    box.replaceChildren(...(isKnown ? [element("span", { class: css }, number(totals[i]))] : []));
  }
  const isDue = is("fresh") || is("stale") || (is("going") && mode === "edges");
  buttons.backward.classList.toggle("now", isDue);
  buttons.backward.textContent = !is("going") ? labels.backward : mode === "edges" ? labels.next : labels.end;
  const canStep = is("complete") && !page.fixed;
  buttons.step.classList.toggle("now", canStep);
  buttons.step.setAttribute("aria-disabled", String(!canStep));
  slider.value = rate;
  rateShown.textContent = number(page.rates[rate]);
  slider.setAttribute("aria-valuetext", number(page.rates[rate]));
  chart();
  talk.style.minHeight = `${talk.offsetHeight}px`; // never shrinks: the graph keeps its place
  if (isCut) cut();
  setHeight();
  follow();
}
const HISTORY = 60; // steps on the curve
const HEIGHT = 132;
function chart() {
  const width = curve.clientWidth;
  if (!width) return;
  curve.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  curve.replaceChildren();
  const put = (tag, attributes, text = "") => curve.append(drawn(tag, attributes, text));
  const prediction = is("complete") ? values[output] + predictedChange() : NaN;
  const points = history.filter(([, y]) => Number.isFinite(y)).slice(-HISTORY);
  const ys = points.map(([, y]) => y);
  const size = Math.max(1, ...ys.map(Math.abs));
  const hasPrediction = points.length > 0 && Number.isFinite(prediction) && Math.abs(prediction) <= 50 * size;
  if (hasPrediction) ys.push(prediction);
  const isHuge = Math.max(...ys.map(Math.abs)) > 1e4;
  const bent = (y) => (isHuge ? Math.sign(y) * Math.log10(1 + Math.abs(y)) : y);
  let low = ys.length ? bent(Math.min(...ys)) : 0, high = ys.length ? bent(Math.max(...ys)) : 1;
  const least = Math.max(1e-3 * Math.abs(low + high), 1e-9);
  if (high - low < least) [low, high] = [low - least / 2, high + least / 2];
  const ends = ys.length ? [...new Set([Math.max(...ys), Math.min(...ys)])] : [];
  const left = Math.max(58, ...ends.map((v) => 8 * number(v).length + 8)); // room for these
  const first = points.length ? points[0][0] : 0, last = Math.max(first + 8, steps + 1);
  const x = (t) => left + ((width - left - 8) * (t - first)) / (last - first);
  const y = (v) => 12 + ((HEIGHT - 38) * (high - bent(v))) / (high - low);
  put("line", { x1: left, x2: width, y1: HEIGHT - 22, y2: HEIGHT - 22, class: "axis" });
  for (const v of ends) put("text", { x: left - 8, y: y(v) + 4, "text-anchor": "end" }, number(v));
  put("text", { x: left, y: HEIGHT - 6 }, String(first));
  put("text", { x: width, y: HEIGHT - 6, "text-anchor": "end" }, String(last));
  if (hasPrediction) {
    put("line", {
      x1: x(steps), y1: y(values[output]), x2: x(steps + 1), y2: y(prediction), class: "prediction",
    });
  }
  if (points.length) {
    put("polyline", { points: points.map(([t, v]) => `${x(t)},${y(v)}`).join(" "), class: "run" });
    for (const [t, v] of points) put("circle", { cx: x(t), cy: y(v), r: t === steps ? 4.5 : 2.4 });
  }
  const now = told(labels["curve now"], {
    output: name(output), n: String(steps), value: number(values[output]),
  });
  const predictionTold = Number.isFinite(prediction) ? told(labels["curve prediction"], { predicted: number(prediction) }) : "";
  curve.setAttribute("aria-label", now + predictionTold);
}
function restart() {
  recorded();
  shifts = new Map();
  steps = 0;
  hadDerivatives = false;
  history = [[0, values[output]]];
  clear();
  greet();
  render();
}
root.querySelector("img").replaceWith(place);
root.querySelector(".still").remove();
recorded();
history = [[0, values[output]]];
clear();
greet();
let width = 0, height = 0;
function adapt() {
  if (!stage.clientWidth) return;
  const hasChanged = place.clientWidth !== width || innerHeight !== height;
  [width, height] = [place.clientWidth, innerHeight];
  if (hasChanged) talk.style.minHeight = "";
  const before = layout;
  lay();
  fit(isWhole);
  render();
  if (layout !== before && !active) center(cardOf[output]);
}
if (new URLSearchParams(location.search).has("present")) present(true);
adapt(); // at once, for a button may be pressed before the observer is heard
const observer = new ResizeObserver(() => {
  if (place.clientWidth !== width) adapt();
});
observer.observe(place);
addEventListener("resize", () => {
  if (innerHeight !== height) adapt();
});
paper.addEventListener("change", adapt);
}
