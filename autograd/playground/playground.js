// The page: its parts, its sentences, and the loop that trains.

function part(tag, settings = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}
function button(text, kind, act) {
  const b = part("button", { type: "button", class: kind }, text);
  b.addEventListener("click", act);
  return b;
}
const grouped = n => n.toLocaleString("en"), plural = (n, name) => `${grouped(n)} ${name}${n === 1 ? "" : "s"}`;
let groups = 0;
const id = `playground${Math.random().toString(36).slice(2)}`;
function choices(title, entries, now, set) {
  const name = `${id}-${groups++}`, box = part("div", { class: "choices" });
  for (const [value, text] of entries) {
    const input = part("input", { type: "radio", name, value });
    input.checked = value === now;
    input.addEventListener("change", () => { set(value); if (!running) draw(); });
    box.append(part("label", {}, input, text));
  }
  return part("fieldset", {}, part("legend", {}, title), box);
}
const image = (kind, label) => part("canvas", { class: kind, role: "img", "aria-label": label });

// --- its controls ---------------------------------------------------------------------------------

const train = button("Train", "train", () => (running ? pause() : play()));
const go = part("div", { class: "go", role: "group", "aria-label": "Training" }, train,
  button("Step", "", () => { trouble = ""; step(); pause(); }),
  button("Reset", "", () => { restart(); pause(); }), button("New weights", "", () => { drawWeights(); pause(); }));
const say = part("p", { class: "say", role: "status" });

let rates = [];
const rateOut = part("output"), rate = part("input", { type: "range", min: 0, step: 1, id: `${id}-rate` });
function offerRates() { // the stepper's own in place of the nearest
  const now = coefficients[0], far = x => Math.abs(Math.log(x / now));
  rates = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
  const near = rates.indexOf(rates.reduce((best, x) => (far(x) < far(best) ? x : best)));
  rates[near] = now;
  rate.max = rates.length - 1;
  rate.value = near;
  sayRate();
}
function sayRate() { rateOut.textContent = short(coefficients[0]); rate.setAttribute("aria-valuetext", String(coefficients[0])); }
rate.addEventListener("input", () => {
  coefficients[0] = rates[Number(rate.value)];
  trouble = "";
  sayRate();
  mark(`rate ${short(coefficients[0])}`);
  if (!running) draw();
});
const sizes = [...new Set([1, 10, 32, told.batch])].filter(n => n < told.learnt).sort((a, b) => a - b);
const PACES = { "one by one": 8, calm: 90, fast: 1e9 };
let pace = "calm";
const settings = part("div", { class: "set", role: "group", "aria-label": "Settings" },
  choices("Stepper", told.steppers.map((s, i) => [i, s.name]), 0, i => { choose(i); offerRates(); mark(told.steppers[i].name); }),
  part("div", {}, part("label", { class: "name", for: rate.id }, "Learning rate", rateOut), rate),
  choices("Examples per step", [...sizes.map(n => [n, String(n)]), [told.learnt, `all ${grouped(told.learnt)}`]], told.batch,
    n => { batch = n; at = 0; mark(n === told.learnt ? "all" : `${n} a step`); }),
  choices("Pace", Object.keys(PACES).map(p => [p, p]), pace, p => { pace = p; owed = 0; }));

// --- its pictures ---------------------------------------------------------------------------------

const figure = (kind, ...inside) => part("figure", { class: kind }, ...inside);
const caption = (...text) => part("figcaption", {}, ...text);
const hasPlane = inputs > 1, hasFit = inputs !== 2, hasNetwork = units.length > 0;
const plane = image("plane", "What the model says over two of its inputs"), fitted = image("fit", "Predictions and targets");
const marks = `${told.counts ? " Ringed: wrong." : ""}${held.length ? ` Hollow${isNumber ? " diamonds" : ""}: held out.` : ""}`;
const byColour = isClasses ? "Colour: the likeliest class." : isScore ? `Solid line: score ${told.threshold}${told.threshold ? "" : "; dashed: ±1"}.`
  : `Blue: predictions above ${short(halfway)}, at the line; orange: below.`;
const planeSays = part("span"), unitSays = part("span");
planeSays.textContent = (inputs > 2 ? "The other inputs are held at their means. " : `${told.features[0]} across, ${told.features[1]} upwards. `) + byColour + marks;
const fitSays = inputs === 1 ? `${isClasses ? "The probability of each class" : "Targets, and what the model says,"} over ${told.features[0]}.`
  : isClasses ? "The probability that the model gives to the right class." : isScore ? "The score, by target."
  : `Predictions (upwards) against targets (across)${told.outputs > 1 ? `, the first of ${told.outputs}` : ""}. On the line they agree.`;
const legend = part("p", { class: "legend" }, ...count(isNumber ? 0 : isScore ? 1 + (lowest < highest) : told.outputs).map(k => {
  const sign = part("i", { "aria-hidden": "true" }, GLYPHS[glyph(k)]);
  return part("span", {}, sign, className(k));
}));
const axis = (which, title) => {
  const s = part("select", { id: `${id}-axis${which}` }, ...told.features.map((name, i) => part("option", { value: i }, name)));
  s.value = pair[which];
  s.addEventListener("change", () => { pair[which] = Number(s.value); draw(); });
  return part("span", {}, part("label", { class: "name", for: s.id }, title), s);
};
const view = figure("view");
if (hasPlane) {
  if (inputs > 2) view.append(part("div", { class: "inputs" }, axis(0, "Across"), axis(1, "Upwards")));
  view.append(caption(planeSays, unitSays), plane);
}
const fitView = figure("view", caption(fitSays + (hasPlane ? "" : marks)), fitted);
(hasPlane ? view : fitView).append(legend);

const lossChart = image("losses", "Loss"), shareChart = image("shares", "Share of right answers"), lossSays = caption();
const chart = figure("chart", lossSays, lossChart, ...(told.counts ? [caption("The share of right answers"), shareChart] : []));

const unitsNote = told.scales.some(s => s) ? " The network computes in standard units (numbers less their mean, divided by their standard deviation); axes and the file have the data's own." : "";
const wiring = image("wires", "The network"), net = part("div", { class: "net", role: "group", "aria-label": "The network: arrow keys move between its units" }, wiring);
const plus = part("b", { class: "plus" }, "positive"), minus = part("b", { class: "minus" }, "negative");
const network = figure("network", caption("Weights, ", plus, " or ", minus, `. In each square what the unit says ${hasPlane ? "over the plane" : "from left to right"}.`), net);

const map = part("canvas", { class: "map", tabindex: 0, role: "slider", "aria-label": "Numbers learnt: arrow keys move from one to the next", "aria-valuemin": 1 });
const weights = figure("weights", caption(`Every number${hasNetwork ? ", a row for each neuron, its bias last" : ""}. Point at one, or move with the arrow keys.${unitsNote}`), map);
const tell = part("p", { class: "told" }), cost = image("cost", "The objective as this number alone changes"), costSays = caption();
const detail = figure("detail", tell, costSays, cost);

const program = gradient[0].program.toString().replace(/^ {2}/gm, "");
const more = part("div", { class: "more" }, button("Save weights (JSON)", "", save),
  part("details", {}, part("summary", {}, `The program that runs here: ${program.split("\n").length} lines, printed by autograd, derivatives included`),
    part("pre", { tabindex: 0, role: "region", "aria-label": "The printed program" }, program)));

const column = (...parts) => part("div", { class: "column" }, ...parts);
const isLow = hasNetwork && inputs <= 2; // then the curves fit below the one view
const leftside = [...(hasPlane ? [view] : []), ...(hasFit ? [fitView] : []), ...(isLow ? [chart] : []), ...(hasNetwork ? [] : [weights])];
const rightside = [...(hasNetwork ? [network] : []), ...(isLow ? [] : [chart]), detail, ...(hasNetwork ? [weights] : [])];
root.append(part("div", { class: "work" }, go, say, settings, column(...leftside), column(...rightside), more));
net.style.height = `${netHeight}px`;

// --- a unit or a weight that is looked at ---------------------------------------------------------

let weight = moved[0], unit = null, pinned = null;
const source = new Map(wires.map(([from, , place]) => [place, from]));
const buttons = hasNetwork ? layers.flat().map(k => {
  const b = part("button", { type: "button", "aria-label": unitName(k), "aria-pressed": false, tabindex: k ? -1 : 0 });
  b.addEventListener("pointerenter", () => look_at(k));
  b.addEventListener("pointerleave", () => look_at(pinned));
  b.addEventListener("focus", () => { if (b.matches(":focus-visible")) look_at(k); });
  b.addEventListener("blur", () => look_at(pinned));
  b.addEventListener("click", () => pin(pinned === k ? null : k));
  const [share, Y, r] = stand[k];
  Object.assign(b.style, { left: `calc(${share} * (100% - ${2 * INSET}px) + ${INSET - r}px)`, top: `${Y - r}px`, width: `${2 * r}px`, height: `${2 * r}px` });
  net.append(b);
  return [k, b];
}) : [];
const buttonOf = new Map(buttons);
function pin(k) {
  pinned = k;
  for (const [other, b] of buttons) b.setAttribute("aria-pressed", other === k);
  look_at(k);
}
function look_at(k) {
  if (k === unit) return;
  unit = k;
  if (!running) draw();
}
function pick(place) {
  if (place === weight && pinned === null) return;
  weight = place;
  pin(null);
  if (!running) draw();
}
net.addEventListener("keydown", e => {
  const k = buttons.find(([, b]) => b === e.target)?.[0];
  if (k === undefined) return;
  if (e.key === "Escape") { pin(null); return; }
  const l = layers.findIndex(own => own.includes(k)), j = layers[l].indexOf(k);
  const nearby = own => own?.[Math.min(own.length - 1, Math.round((j + 0.5) / layers[l].length * own.length - 0.5))];
  const to = { ArrowDown: layers[l][j + 1], ArrowUp: layers[l][j - 1], ArrowRight: nearby(layers[l + 1]), ArrowLeft: nearby(layers[l - 1]) }[e.key];
  if (e.key.startsWith("Arrow")) e.preventDefault();
  if (to === undefined) return;
  for (const [other, b] of buttons) b.tabIndex = other === to ? 0 : -1;
  buttonOf.get(to).focus();
});
net.addEventListener("pointermove", e => {
  const box = net.getBoundingClientRect(), found = e.target === wiring ? wireAt(e.clientX - box.left, e.clientY - box.top) : null;
  if (found !== null && pinned === null) pick(found);
});
for (const kind of ["pointermove", "pointerdown"]) map.addEventListener(kind, e => {
  const box = map.getBoundingClientRect(), X = e.clientX - box.left, Y = e.clientY - box.top;
  const c = cells.find(c => X >= c.x && X < c.x + c.size && Y >= c.y && Y < c.y + c.size);
  if (c) pick(c.place);
});
map.addEventListener("keydown", e => {
  const i = cells.findIndex(c => c.place === weight), c = cells[i];
  const row = d => { // the nearest one above or below
    const far = o => Math.abs(o.y - c.y) + 4 * Math.abs(o.x - c.x);
    return cells.filter(o => d * (o.y - c.y) > 0).reduce((best, o) => (best && far(best) <= far(o) ? best : o), null) ?? c;
  };
  const to = { ArrowRight: () => cells[i + 1] ?? c, ArrowLeft: () => cells[i - 1] ?? c, ArrowDown: () => row(1), ArrowUp: () => row(-1), Home: () => cells[0], End: () => cells.at(-1) }[e.key];
  if (!to || !c) return;
  e.preventDefault();
  pick(to().place);
});

// --- what it says ----------------------------------------------------------------------------------

const bold = text => part("b", {}, text);
function sentence() {
  say.classList.toggle("trouble", trouble !== "");
  if (trouble) { say.textContent = trouble; return; }
  const own = standing(learnt), other = held.length ? standing(held) : null, n = learnt.length, total = told.penalised ? slopes()[0] : own.loss;
  const parts = [t ? `After ${plural(t, "step")} the loss is ${short(total)}` : `Nothing is learnt yet. The loss is ${short(total)}`];
  if (told.scales[1]) parts.push(", in standard units");
  parts.push(told.penalised ? `: ${short(own.loss)} for the examples and ${short(total - own.loss)} for the penalty.` : ".");
  if (told.counts) parts.push(own.right < n ? ` ${grouped(own.right)} of ${plural(n, "answer")} ${n > 1 ? "are" : "is"} right.` : n > 1 ? ` All ${grouped(n)} answers are right.` : " The answer is right.");
  if (told.scales[1]) parts.push(` Predictions miss by ${short(Math.sqrt(own.loss) * targetScale[1])}, the root of the mean square.`);
  const heldOut = other ? ` Held out: loss ${short(other.loss)}${told.counts ? `, ${other.right} of ${held.length} right` : ""}.` : "";
  say.textContent = parts.join("") + (stuck() || heldOut);
}
function stuck() { // why nothing moves, if so
  if (slopes().every((x, i) => i < 2 || x === 0)) return " Every derivative is 0, so no step changes anything: try new weights.";
  const inside = units.map((_, k) => inputs + k).filter(k => !isOutput(k));
  const dead = inside.filter(k => learnt.every(r => says(rows, outputs(), r, k) === 0)).length;
  return dead && 2 * dead >= inside.length ? ` ${dead} of ${plural(inside.length, "neuron")} ${dead > 1 ? "are" : "is"} dead: 0 at every example. New weights help.` : "";
}
function detailed() {
  if (unit === null) {
    const index = moved.indexOf(weight), w = numbers[weight], from = source.get(weight);
    const name = told.names[weight] + (from === undefined ? "" : `, on ${unitName(from)},`);
    const slope = slopes()[2 + index];
    tell.replaceChildren(bold(`${name} is ${short(w)}.`), index < 0 ? " The stepper does not move it." :
      ` Per unit of it the objective changes by ${short(slope)}: its derivative, over ${learnt.length > 1 ? "all " : ""}${plural(learnt.length, "example")}. ` +
      (slope === 0 ? "A step of gradient descent leaves it where it is." : `Gradient descent at this rate would move it by ${short(-coefficients[0] * slope)}.`));
  } else {
    const said = learnt.map(r => unit < inputs ? valueOf(r, unit) : says(rows, outputs(), r, unit)), zeros = said.filter(x => x === 0).length;
    const range = `Over the examples it is from ${short(Math.min(...said))} to ${short(Math.max(...said))}`;
    if (unit < inputs) tell.replaceChildren(bold(`${unitName(unit)} is an input.`), ` ${range}.`);
    else {
      const { name, bias, weights: own, sources } = units[unit - inputs], top = own.reduce((best, place, i) => (Math.abs(numbers[place]) > Math.abs(numbers[own[best]]) ? i : best), 0);
      const from = sources[top] < 0 ? "" : `, on ${unitName(sources[top])}`;
      tell.replaceChildren(bold(`${name} has the bias ${short(numbers[bias])}.`),
        ` Of its ${own.length} weights the largest is ${short(numbers[own[top]])}${from}. ` +
        (zeros === said.length ? "It is 0 at every example, so it passes no derivative on." : `${range}${zeros > 1 ? `, and 0 at ${zeros} of ${said.length}` : ""}.`));
    }
  }
  costSays.textContent = `The objective as ${told.names[weight]} alone changes.`;
  map.setAttribute("aria-valuenow", 1 + cells.findIndex(c => c.place === weight));
  map.setAttribute("aria-valuemax", cells.length);
  map.setAttribute("aria-valuetext", `${told.names[weight]}: ${short(numbers[weight])}, derivative ${short(slopes()[2 + moved.indexOf(weight)])}`);
}
let frames = 0;
function draw() {
  const began = performance.now(), isFull = !running || frames % 6 === 0;
  note();
  look(running);
  if (hasPlane) drawPlane(plane, unit);
  if (hasFit) drawFit(fitted);
  if (running && performance.now() - began > 8) grid = 40;
  lossSays.textContent = `The loss${drawRecord(lossChart, "loss") ? ", on a logarithmic axis" : ""}.${held.length ? " Dashed: held out." : ""}`;
  if (told.counts) drawRecord(shareChart, "share");
  if (!isFull && frames % 3) return;
  if (hasNetwork) drawNetwork(wiring, unit, weight);
  planeSays.classList.toggle("aside", unit !== null);
  unitSays.textContent = unit === null ? "" : `What ${unitName(unit)} says: blue above 0, orange below.`;
  if (!isFull) return;
  drawWeightMap(map, weight);
  sentence();
  detailed();
  if (!running || costTook < 8) drawCost(cost, weight);
}

// --- the loop: a budget of 9 ms a frame, no more steps than the pace owes -----------------------------

let running = false, owed = 0, last = 0;
function frame(now) {
  if (!running) return;
  owed += Math.max(0, now - last) / 1000 * PACES[pace];
  last = now;
  const end = performance.now() + 9;
  while (owed >= 1 && performance.now() < end) {
    if (!step()) { pause(); return; }
    owed--;
  }
  if (owed > 50) owed = 0;
  frames++;
  draw();
  requestAnimationFrame(frame);
}
function play() {
  trouble = "";
  running = true;
  owed = 1;
  last = performance.now();
  shownRunning();
  requestAnimationFrame(frame);
}
function pause() { running = false; shownRunning(); draw(); }
function shownRunning() {
  train.textContent = running ? "Pause" : "Train";
  train.classList.toggle("running", running);
  say.setAttribute("aria-live", running ? "off" : "polite");
}
function save() {
  const address = URL.createObjectURL(new Blob([json()], { type: "application/json" }));
  part("a", { href: address, download: "model.json" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
function redraw() {
  colours();
  legend.querySelectorAll("i").forEach((sign, k) => { sign.style.color = `rgb(${hue(k).join()})`; });
  draw();
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new ResizeObserver(() => { if (!running) redraw(); }).observe(root);
document.addEventListener("visibilitychange", () => { last = performance.now(); owed = 0; });
choose(0);
restart();
offerRates();
redraw();
root.playground = { step, json, numbers, get losses() { return losses; }, get steps() { return t; } };
