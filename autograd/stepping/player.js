// `graph` and `rule` stand above: the graph's numbers from its leaves, and the stepper's rule.
//
// Every name and label reaches the page as text, by textContent or as an attribute, never as markup.
// Every sentence is written in Python, with places for names and numbers.

const SVG = "http://www.w3.org/2000/svg";
const NARROW = 680; // pixels; below it the graph runs from top to bottom
const SMALLEST = { wide: 0.66, tall: 0.85 }; // a graph that would have to shrink more is scrolled
const HISTORY = 60; // steps on the curve
const LONG = "−0.0000".length; // a longer number needs the room of what stands beside it

// --- numbers and sentences as text -----------------------------------------------------------------

// Four digits, as Python's %.4g, which rounds a tie to the even digit; what is exact has no zeros at
// its end. A true minus, and never -0.
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

// What was typed: a number, a fraction or a product, with a true minus and a decimal comma if one
// likes. NaN for anything else.
function typed(text) {
  const plain = text.trim().replace(/[−–]/g, "-").replace(/,/g, ".");
  const [, first, sign, second = "1"] = plain.match(TYPED) ?? [];
  return sign === "/" ? Number(first) / Number(second) : Number(first) * Number(second);
}

// The template with its places filled, by text or by elements, as a list of both.
function filled(template, places) {
  return template.split(/(\{\w+\})/).map((part) => {
    const name = part.match(/^\{(\w+)\}$/)?.[1];
    return name === undefined ? part : (places[name] ?? "");
  });
}

const told = (template, places = {}) => filled(template, places).map(plain).join("");
const plain = (part) => (typeof part === "string" ? part : (part.textContent ?? String(part)));

// --- small parts -----------------------------------------------------------------------------------

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, text] of Object.entries(attributes)) made.setAttribute(name, text);
  made.append(...children);
  return made;
}

function drawn(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, text] of Object.entries(attributes)) made.setAttribute(name, text);
  return made;
}

let instances = 0;
while (document.getElementById(`autograd-${instances}-answer`)) instances += 1;
const unique = (name) => `autograd-${instances}-${name}`;

const root = document.querySelector(".autograd-player:not([data-state])");
root.dataset.state = "fresh";
root.dataset.lmSuppressShortcuts = "true"; // keys typed here are not Jupyter's
const page = JSON.parse(root.querySelector("script[type='application/json']").textContent);
const { nodes, edges, cards, ways, leaves, moved, sentences } = page;
const { titles, lines, words, strange, predict, labels } = sentences;

// --- the graph's numbers ---------------------------------------------------------------------------

const output = nodes.length - 1;
const isLeaf = new Set(leaves);
const leafAt = new Map(leaves.map((leaf, k) => [leaf, k])); // its place among the leaves
const start = leaves.map((leaf) => Number(nodes[leaf].value));
const name = (i) => nodes[i].name;
const inFull = (i) => nodes[i].full ?? name(i);
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
  const results = graph.program(memory, Float64Array.from(numbers));
  values = Array.from(results.subarray(0, nodes.length));
  partials = Array.from(results.subarray(nodes.length));
  hasChanged = true;
  sweep();
}

const gradient = (leaf) => totals[leaf] ?? 0;
const isStuck = () =>
  !Number.isFinite(values[output]) || leaves.some((leaf) => !Number.isFinite(gradient(leaf)));

// What the derivatives promise that a step changes the output by.
const promised = () => -page.rates[rate] * sum(moved.map((leaf) => gradient(leaf) ** 2));

// Backpropagation: the chain rule at every edge, from the output down. Where a nan comes out of it,
// what was not chosen, where there was a choice, has no say.
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

// --- the graph as it is shown: cards, and ways between them -----------------------------------------

const cardOf = [];
cards.forEach((card, c) => card.values.forEach((i) => (cardOf[i] = c)));
const exit = (c) => (cards[c].exits.length === 1 ? cards[c].exits[0] : null);
const isFolded = (c) => cards[c].kind === "folded";
const cardName = (c) => cards[c].name ?? (exit(c) === null ? "" : name(exit(c)));
const fullName = (c) => cards[c].name ?? (exit(c) === null ? "" : inFull(exit(c)));
const isFace = (i) => isFolded(cardOf[i]) && exit(cardOf[i]) === i;
const total = (i) => `d${name(output)}/d${isFace(i) ? cardName(cardOf[i]) : name(i)}`;
const isSingle = (way) => exit(way.from) !== null && exit(way.to) !== null;
const isPlain = (way) => way.local !== undefined;
const localName = (way) => way.local ?? `∂${cardName(way.to)}/∂${cardName(way.from)}`;

// The order of the backward pass: a way goes when the last node that it starts from has its sum.
const inOrder = ways
  .filter((way) => way.edges.length)
  .sort((one, other) => one.edges[0] - other.edges[0]);

const waysFrom = cards.map((_, c) => inOrder.filter((way) => way.from === c));
const isReached = (way) => way.edges.some((e) => contributions[e] !== null);
const queueNow = () => inOrder.filter(isReached);
const waysToOutput = (c) => waysFrom[c].filter(isReached).length;

const sum = (terms) => terms.reduce((soFar, x) => soFar + x);
const carried = (way) => sum(way.edges.map((e) => contributions[e] ?? 0));

// How one card's number changes per unit of another's: a partial, or, where a card stands for several
// nodes, a backward pass within it.
function local(way) {
  if (isPlain(way)) return partials[way.edges[0]];
  const inner = new Map([[exit(way.to), 1]]);
  const counted = new Set(way.edges);
  let found = 0;
  for (const i of [...cards[way.to].values].sort((one, other) => other - one)) {
    if (!inner.has(i)) continue;
    for (const e of edgesTo[i]) {
      const share = inner.get(i) * partials[e];
      const { from } = edges[e];
      if (counted.has(e)) found += share;
      else if (cardOf[from] === way.to) inner.set(from, (inner.get(from) ?? 0) + share);
    }
  }
  return found;
}

// Parts are text with places for nodes in it: their names, or their numbers as in a formula.
const named = (parts) => parts.map((part) => (typeof part === "number" ? name(part) : part)).join("");
const formula = (i) => named(nodes[i].formula);
const shortName = (i) => nodes[i].short ?? name(i);
const shortFormula = (i) =>
  nodes[i].formula.map((part) => (typeof part === "number" ? shortName(part) : part)).join("");
const counted = (parts) =>
  parts
    .map((part, k) => {
      if (typeof part !== "number") return part;
      const before = String(parts[k - 1] ?? ""), after = String(parts[k + 1] ?? "");
      const isFree = /(^|\(|, )$/.test(before) && !/^[⁰¹²³⁴⁵⁶⁷⁸⁹]|^ \*\*/.test(after);
      return isFree ? number(values[part]) : guarded(number(values[part]));
    })
    .join("");

// Why a local derivative is what it is: by a rule, or in words.
function why(way) {
  const partial = local(way);
  const reason = way.why?.[String(partial)];
  if (reason) return told(words.because, { number: number(partial), reason: named(reason) });
  const stated = way.rule ? named(way.rule) : "";
  const isStated = stated && stated !== number(partial) && !hasOutdated(way);
  return isStated ? told(words.is, { rule: stated, number: number(partial) }) : number(partial);
}

const hasOutdated = (way) => !hasChanged && cards[way.to].values.some((i) => page.outdated.includes(i));

function listed(indices) {
  const names = indices.map(name);
  if (names.length > 4) return told(words[page.moves], { n: number(names.length) });
  const last = names.pop();
  return names.length ? told(words.and, { some: names.join(", "), last }) : (last ?? "");
}

// --- states: fresh, going, complete, stale, stuck ----------------------------------------------------

let mode = "ways";
let rate = 2;
let queue = [];
let parts = new Map(); // what has arrived at each card
let active = null; // the way at work
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

// Words for the first value that is not finite though those it comes from are.
function notFinite() {
  const i = values.findIndex((x) => !Number.isFinite(x));
  if (i < 0) return "";
  const { op, args = [] } = nodes[i];
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

function arrive(way) {
  const soFar = parts.get(way.from) ?? [];
  parts.set(way.from, [...soFar, carried(way)]);
}

function next() {
  const way = queue.shift();
  arrive(way);
  active = way;
  tell(way);
  if (!queue.length) {
    if (isStuck()) return done();
    set("complete");
    saying.words.textContent += words.last;
  }
  render();
}

function finish() {
  while (queue.length) arrive(queue.shift());
  done();
}

// What one way brings: a line, and the same in words.
function tell(way) {
  const n = queueNow().length;
  const title = told(titles.edge, { k: number(n - queue.length), n: number(n) });
  const source = cardName(way.from), target = cardName(way.to);
  if (!isSingle(way)) {
    say(title, filled(lines.several, { source, target }), told(words.several, { source, target }));
    return;
  }
  const i = exit(way.from), j = exit(way.to);
  const arrived = parts.get(way.from);
  const contribution = arrived.at(-1), upstream = totals[j], partial = local(way);
  const more = waysToOutput(way.from) - arrived.length;
  const isSum = waysToOutput(way.from) > 1, isAtEnd = j === output;
  const there = {
    total: pill(i), upstream: pill(j), local: element("i", {}, localName(way)),
    numbers: `${product(upstream, partial)} = ${number(contribution)}`,
    contribution: number(contribution),
  };
  const line = isAtEnd ? (isSum ? "first of more" : "first") : isSum ? "more" : "only";
  const about = {
    source, target, output: name(output), why: why(way), n: number(more),
    formula: isPlain(way) ? formula(j) : "", upstream: number(upstream),
    contribution: number(contribution),
  };
  let text = told(isPlain(way) ? words.local : words["local of parts"], about);
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
    text += told(words["step moves"], { leaves: listed(moved) });
  }
  say(titles.known, line, text);
  render();
}

// --- step ------------------------------------------------------------------------------------------

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
  const was = numbers[leafAt.get(first)], slope = gradient(first), promise = promised();
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
  if (Number.isFinite(promise) && Number.isFinite(came)) {
    text += told(words.promise, { promised: number(promise), came: number(came) });
  }
  const trouble = notFinite();
  if (trouble) text += trouble;
  else if (Math.abs(came - promise) <= 0.1 * Math.abs(promise)) text += words.kept;
  else text += came > 0 ? told(words.rose, { output: name(output) }) : words.roughly;
  const line = filled(lines.moved, {
    leaf: name(first), rate: number(learningRate), total: pill(first), before: number(was),
    product: product(learningRate, slope), after: number(numbers[leafAt.get(first)]),
  });
  say(told(titles.stepped, { n: number(steps) }), line, text, Boolean(trouble));
  render();
}

// --- prediction ------------------------------------------------------------------------------------

function question() {
  while (queue.length && !isSingle(queue[0])) arrive(queue.shift());
  if (!queue.length) return done();
  const [way] = queue;
  const n = queueNow().length, j = exit(way.to);
  active = way;
  tries = 0;
  asked += 1;
  const there = {
    source: cardName(way.from), target: cardName(way.to), upstream: pill(j), number: number(totals[j]),
    formula: isPlain(way) ? formula(j) : "", local: localName(way), partial: number(local(way)),
  };
  const line = !isPlain(way) ? "question of parts" : j === output ? "question at the end" : "question";
  const count = waysToOutput(way.from);
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
  const [way] = queue;
  const i = exit(way.from), j = exit(way.to), isAtEnd = j === output;
  const upstream = totals[j], partial = local(way), right = carried(way);
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
    const before = parts.get(way.from);
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
  const had = parts.has(way.from) ? sum(parts.get(way.from)) : undefined;
  const there = {
    answer: number(x), source: cardName(way.from), target: cardName(way.to), output: name(output),
    total: total(i), upstream: total(j), number: number(upstream), local: localName(way),
    partial: number(partial), why: why(way), formula: isPlain(way) ? formula(j) : cardName(way.to),
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
  const [way] = queue;
  const j = exit(way.to);
  const there = {
    upstream: total(j), local: localName(way), contribution: number(carried(way)),
    numbers: `${product(totals[j], local(way))} = ${number(carried(way))}`,
  };
  proceed(told(j === output ? predict["shown, first"] : predict.shown, there));
}

// On to the next question, which keeps what was said of the last one; or to the end, and to Step.
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

// --- the page's parts ------------------------------------------------------------------------------

const button = (text, action, attributes = {}) => {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", action);
  return made;
};

const buttons = {
  backward: button(labels.backward, () => (!is("going") ? go() : mode === "ways" ? next() : finish())),
  step: button(labels.step, step),
  restart: button(labels.restart, restart, { class: "quiet" }),
  whole: button(labels.whole, () => fit(!isWhole), { class: "quiet", hidden: "" }),
};

const callable = /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name(output)) ? name(output) : "output";
const acts = element(
  "div", { class: "acts", role: "group", "aria-label": labels.acts },
  element("div", {}, buttons.backward, element("code", {}, `zero_grad(); ${callable}.backward()`)),
  element("div", {}, buttons.step, element("code", {}, "optimizer.step()")),
);

const choices = ["once", "ways", "predict"].map((which) => {
  const input = element("input", { type: "radio", name: unique("mode"), value: which });
  input.checked = which === mode;
  input.addEventListener("change", () => {
    mode = which;
    if (is("going")) {
      clear();
      greet();
    }
    render();
  });
  return element("label", {}, input, labels[which]);
});
const modes = element(
  "fieldset", { class: "field" }, element("legend", {}, labels.mode),
  element("div", { class: "choices" }, ...choices),
);

const rateShown = element("output", { for: unique("rate") });
const slider = element("input", {
  type: "range", id: unique("rate"), min: 0, max: page.rates.length - 1, step: 1,
});
slider.addEventListener("input", () => {
  rate = Number(slider.value);
  render();
});
const rates = element(
  "div", { class: "field" },
  element("label", { for: unique("rate") }, `${labels.rate} `, rateShown), slider,
);

const saying = {
  title: element("p", { class: "title" }),
  line: element("p", { class: "line" }),
  words: element("p", { class: "words" }),
};
const asking = element("label", { for: unique("answer") });
const answer = element("input", {
  id: unique("answer"), inputmode: "text", autocomplete: "off", "aria-describedby": unique("feedback"),
});
const feedback = element("p", { class: "feedback", role: "status", id: unique("feedback") });
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
const stage = element(
  "div", { class: "stage", role: "group", "aria-label": graphLabel, tabindex: 0 }, scene,
);
const inside = element("section", { class: "inside", hidden: "" });
const legend = element(
  "p", { class: "legend" },
  element("span", {}, element("span", { class: "pill plus" }, `d${name(output)}/dx`), " ",
    told(labels.total, { output: name(output) })),
  element("span", {}, element("i", {}, "∂z/∂x"), " ", labels.local),
);
const curve = drawn("svg", { role: "img" });
const figure = element(
  "figure", { class: "curve" },
  element("figcaption", {}, told(labels.curve, { output: name(output) }), " ",
    element("span", { class: "promise" }, labels.dashed)),
);
figure.append(curve);

const place = element(
  "div", { class: page.dense ? "place dense" : "place" },
  element("div", { class: "bar" }, acts, modes, rates,
    element("div", { class: "others" }, buttons.restart, buttons.whole)),
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

// --- fields ----------------------------------------------------------------------------------------

function field(leaf) {
  const k = leafAt.get(leaf);
  const input = element("input", {
    type: "text", inputmode: "decimal", autocomplete: "off", role: "spinbutton",
    "aria-label": inFull(leaf), "data-leaf": leaf,
  });
  if (page.fixed) input.readOnly = true;
  const change = (x, shows) => {
    if (page.fixed) return;
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
  const grip = element("span", { class: "grip", "aria-hidden": "true", title: labels.drag }, "⇔");
  grip.addEventListener("pointerdown", (down) => {
    if (page.fixed) return;
    down.preventDefault();
    grip.setPointerCapture(down.pointerId);
    const from = numbers[k];
    const move = ({ clientX }) => {
      const steps = Math.round((20 * (clientX - down.clientX)) / 40);
      if (steps) change(Number((from + steps / 20).toPrecision(12)), true);
    };
    const end = () => {
      grip.removeEventListener("pointermove", move);
      for (const kind of ["pointerup", "pointercancel"]) grip.removeEventListener(kind, end);
    };
    grip.addEventListener("pointermove", move);
    for (const kind of ["pointerup", "pointercancel"]) grip.addEventListener(kind, end);
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

// --- cards and ways --------------------------------------------------------------------------------

const made = cards.map((card, c) => {
  const box = element("div", { class: `card ${card.kind}`, role: "group" });
  if (card.kind === "cut") return (box.append(card.label), box);
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

const net = drawn("svg", { class: "ways", "aria-hidden": "true" });
const paths = ways.map((way) => {
  const path = drawn("path", {});
  const tip = drawn("polygon", {});
  if (!way.edges.length) path.setAttribute("stroke-dasharray", "4 4");
  net.append(path, tip);
  return { path, tip };
});
const tags = ways.map(() => element("span", { class: "tag" }));
const frames = element("div", { class: "frames", "aria-hidden": "true" });
scene.append(frames, net, ...tags, ...made);

let layout = null;
let scale = 1;
let isWhole = false;
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
  ways.forEach((_, k) => {
    const way = layout.ways[k];
    paths[k].path.setAttribute("d", way.path);
    if (way.tip) paths[k].tip.setAttribute("points", way.tip);
    else paths[k].tip.removeAttribute("points");
    let at = way.label;
    if (!at) {
      const middle = paths[k].path.getPointAtLength(paths[k].path.getTotalLength() / 2);
      at = [middle.x, middle.y];
    }
    Object.assign(tags[k].style, { left: `${at[0]}px`, top: `${at[1]}px` });
    tags[k].classList.toggle("bare", !way.label);
  });
  frames.replaceChildren(
    ...layout.frames.flatMap(({ name: text, box, at }) => {
      const label = element("span", { style: `left: ${at[0]}px; top: ${at[1]}px` }, text);
      if (!box) return [label];
      const [x, y, w, h] = box;
      const style = `left: ${x - w / 2}px; top: ${y - h / 2}px; width: ${w}px; height: ${h}px`;
      return [element("div", { style }), label];
    }),
  );
}

function fit(wanted) {
  if (!layout) return;
  isWhole = wanted;
  const whole = wanted || paper.matches;
  const all = (stage.clientWidth - 2) / layout.size[0];
  const smallest = SMALLEST[layout === page.layouts.tall ? "tall" : "wide"];
  scale = Math.min(1, whole ? all : Math.max(all, smallest));
  scene.style.transform = scale === 1 ? "" : `scale(${scale})`;
  stage.style.overflowX = whole ? "hidden" : "";
  if (whole) stage.scrollLeft = 0;
  scene.style.left = `${Math.max(0, (stage.clientWidth - layout.size[0] * scale) / 2)}px`;
  stage.style.height = `${Math.ceil(layout.size[1] * scale) + 2}px`;
  buttons.whole.hidden = all >= smallest;
  buttons.whole.setAttribute("aria-pressed", String(wanted));
}

// --- what is inside a folded card --------------------------------------------------------------------

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

// --- what everything shows ---------------------------------------------------------------------------

function sign(x) {
  return x > 0 ? "plus" : x < 0 ? "minus" : "";
}

// A card's total: so far, complete, old, or not known.
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
  const isComplete = arrived.length === waysToOutput(c);
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
  if (card.kind === "cut") return;
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

function renderWay(way, k, left) {
  const isLeft = left.has(way);
  const isPassed = !is("fresh") && way.edges.length > 0 && !isLeft && isReached(way);
  const isOld = is("stale");
  const css = way === active ? "active" : isOld ? "old" : isPassed ? `passed ${sign(carried(way))}` : "";
  paths[k].path.setAttribute("class", css);
  paths[k].tip.setAttribute("class", css);
  const tag = tags[k];
  tag.classList.toggle("active", way === active);
  if (!way.edges.length || !isSingle(way)) return (tag.textContent = "");
  if (!isPlain(way) && way !== active) return (tag.textContent = "");
  const isHidden = is("going") && mode === "predict" && isLeft && isPlain(way);
  const text = isHidden ? "?" : number(local(way));
  const isNamed = isPlain(way) && layout.tagged && !tag.classList.contains("bare") && text.length <= LONG + 1;
  tag.textContent = isNamed ? `${way.tag} = ${text}` : text;
}

function render() {
  if (!layout) return; // there is no room yet: `adapt` draws when there is
  made.forEach(renderCard);
  const left = new Set(queue);
  ways.forEach((way, k) => renderWay(way, k, left));
  for (const inner of inside.querySelectorAll(".inner")) {
    const i = Number(inner.dataset.node);
    renderField(inner.querySelector("input"), i);
    const box = inner.querySelector(".total");
    const isKnown = (is("complete") || is("stale") || is("stuck")) && totals[i] !== null;
    const css = `pill ${is("stale") ? "old" : sign(totals[i])}`;
    box.replaceChildren(...(isKnown ? [element("span", { class: css }, number(totals[i]))] : []));
  }
  const isDue = is("fresh") || is("stale") || (is("going") && mode === "ways");
  buttons.backward.classList.toggle("now", isDue);
  buttons.backward.textContent = !is("going") ? labels.backward : mode === "ways" ? labels.next : labels.end;
  buttons.step.classList.toggle("now", is("complete"));
  buttons.step.setAttribute("aria-disabled", String(!is("complete")));
  slider.value = rate;
  rateShown.textContent = number(page.rates[rate]);
  slider.setAttribute("aria-valuetext", number(page.rates[rate]));
  chart();
  follow();
  talk.style.minHeight = `${talk.offsetHeight}px`; // never shrinks: the graph keeps its place
}

// Brings the way at work into view, where the graph is scrolled.
function follow() {
  if (!active || stage.scrollWidth <= stage.clientWidth + 1) return;
  const ends = [active.from, active.to].map((c) => layout.cards[c]);
  const left = Math.min(...ends.map(([x, , w]) => x - w / 2)) * scale;
  const right = Math.max(...ends.map(([x, , w]) => x + w / 2)) * scale;
  if (left >= stage.scrollLeft && right <= stage.scrollLeft + stage.clientWidth) return;
  const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const middle = right - left > stage.clientWidth ? layout.cards[active.from][0] * scale : (left + right) / 2;
  stage.scrollTo({ left: middle - stage.clientWidth / 2, behavior: isCalm ? "auto" : "smooth" });
}

// From top to bottom, a wide graph's middle has the output in it.
function centre(c) {
  if (layout === page.layouts.tall) {
    stage.scrollLeft = layout.cards[c][0] * scale - stage.clientWidth / 2;
  }
}

// --- the curve ---------------------------------------------------------------------------------------

const HEIGHT = 132;

function chart() {
  const width = curve.clientWidth;
  if (!width) return;
  curve.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  curve.replaceChildren();
  const put = (tag, attributes, text = "") => {
    const part = drawn(tag, attributes);
    part.textContent = text;
    curve.append(part);
  };
  const promise = is("complete") ? values[output] + promised() : NaN;
  const points = history.filter(([, y]) => Number.isFinite(y)).slice(-HISTORY);
  const ys = points.map(([, y]) => y);
  const size = Math.max(1, ...ys.map(Math.abs));
  const hasPromise = points.length > 0 && Number.isFinite(promise) && Math.abs(promise) <= 50 * size;
  if (hasPromise) ys.push(promise);
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
  if (hasPromise) {
    put("line", {
      x1: x(steps), y1: y(values[output]), x2: x(steps + 1), y2: y(promise), class: "promise",
    });
  }
  if (points.length) {
    put("polyline", { points: points.map(([t, v]) => `${x(t)},${y(v)}`).join(" "), class: "run" });
    for (const [t, v] of points) put("circle", { cx: x(t), cy: y(v), r: t === steps ? 4.5 : 2.4 });
  }
  const now = told(labels["curve now"], {
    output: name(output), n: String(steps), value: number(values[output]),
  });
  const promiseTold = Number.isFinite(promise) ? told(labels["curve promise"], { promised: number(promise) }) : "";
  curve.setAttribute("aria-label", now + promiseTold);
}

// --- start -------------------------------------------------------------------------------------------

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
let width = 0;
function adapt() {
  if (!stage.clientWidth || place.clientWidth === width) return;
  width = place.clientWidth;
  talk.style.minHeight = "";
  const before = layout;
  lay();
  fit(isWhole);
  render();
  if (layout !== before && !active) centre(cardOf[output]);
}
adapt(); // at once, for a button may be pressed before the observer is heard
new ResizeObserver(adapt).observe(place);
paper.addEventListener("change", adapt);
