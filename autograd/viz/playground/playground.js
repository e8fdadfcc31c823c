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
const id = `playground${Math.random().toString(36).slice(2)}`;
let groups = 0;
function choices(title, entries, now, set) {
  const name = `${id}-${groups++}`, box = part("div", { class: "choices" });
  for (const [value, text] of entries) {
    const input = part("input", { type: "radio", name, value });
    input.checked = value === now;
    input.addEventListener("change", () => { set(value); settled(); });
    box.append(part("label", {}, input, text));
  }
  return part("fieldset", {}, part("legend", {}, title), box);
}
const image = (kind, label) => part("canvas", { class: kind, role: "img", "aria-label": label });
const figure = (kind, ...inside) => part("figure", { class: kind }, ...inside);
const caption = (...inside) => part("figcaption", {}, ...inside);
const bold = (text, kind = "") => part("b", { class: kind }, text);

// --- controls -------------------------------------------------------------------------------------

const train = button("Train", "train", () => (running ? pause() : play()));
const go = part("div", { class: "go", role: "group", "aria-label": "Training" }, train,
  button("Step", "", () => { trouble = ""; step(); pause(); }),
  button("Reset", "", () => { restart(); pause(); }),
  button("New weights", "", () => { drawWeights(); pause(); }));
const say = part("p", { class: "say", role: "status" });

let rates = [];
const rate = part("input", { type: "range", min: 0, step: 1, id: `${id}-rate` }), rateSays = part("output");
function offerRates() { // the stepper's own in place of the nearest
  const now = coefficients[0], far = x => Math.abs(Math.log(x / now));
  rates = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
  const near = rates.indexOf(rates.reduce((best, x) => (far(x) < far(best) ? x : best)));
  rates[near] = now;
  rate.max = rates.length - 1;
  rate.value = near;
  sayRate();
}
function sayRate() {
  rateSays.textContent = short(coefficients[0]);
  rate.setAttribute("aria-valuetext", String(coefficients[0]));
}
rate.addEventListener("input", () => {
  coefficients[0] = rates[Number(rate.value)];
  trouble = "";
  sayRate();
  mark(`rate ${short(coefficients[0])}`);
  settled();
});
const steppers = choices("Stepper", told.steppers.map((s, i) => [i, s.name]), 0, i => {
  choose(i);
  offerRates();
  mark(told.steppers[i].name);
});
const sizes = [...new Set([1, 10, 32, told.batch])].filter(n => n < told.learnt).sort((a, b) => a - b);
const batches = [...sizes.map(n => [n, String(n)]), [told.learnt, `all ${grouped(told.learnt)}`]];
const PACES = { "one by one": 8, calm: 90, fast: 1e9 };
let pace = "calm";
const settings = part("div", { class: "set", role: "group", "aria-label": "Settings" }, steppers,
  part("div", {}, part("label", { class: "name", for: rate.id }, "Learning rate", rateSays), rate),
  choices("Examples per step", batches, told.batch, n => {
    batch = n;
    at = 0;
    mark(n === told.learnt ? "all" : `${n} a step`);
  }),
  choices("Pace", Object.keys(PACES).map(p => [p, p]), pace, p => { pace = p; owed = 0; }));

// --- figures --------------------------------------------------------------------------------------

const hasPlane = inputs > 1, hasFit = inputs !== 2, hasNetwork = units.length > 0;
const signs = (told.counts ? " Ringed: wrong." : "") +
  (held.length ? ` Hollow${isNumber ? " diamonds" : ""}: held out.` : "");
const plane = image("plane", "What the model says over two of its inputs");
const planeSays = part("span", {}, [
  inputs > 2 ? "The other inputs are held at their means." : `${told.features[0]} across, ${told.features[1]} upwards.`,
  isClasses ? "Colour: the likeliest class."
    : isScore ? `Solid line: score ${told.threshold}${told.threshold ? "" : "; dashed: ±1"}.`
    : `Blue: predictions above ${short(halfway)}, at the line; orange: below.`,
].join(" ") + signs), unitSays = part("span");
const fitted = image("fit", "Predictions and targets");
const overOne = isClasses ? "The probability of each class" : "Targets, and what the model says,";
const fitSays = inputs === 1 ? `${overOne} over ${told.features[0]}.${signs}`
  : isClasses ? "The probability that the model gives to the right class."
  : isScore ? "The score, by target."
  : `Predictions (upwards) against targets (across)${told.outputs > 1 ? ", of the first output" : ""}. ` +
    "On the line they agree.";

function axisChoice(which, title) {
  const options = told.features.map((name, i) => part("option", { value: i }, name));
  const select = part("select", { id: `${id}-axis${which}` }, ...options);
  select.value = pair[which];
  select.addEventListener("change", () => { pair[which] = Number(select.value); settled(); });
  return part("span", {}, part("label", { class: "name", for: select.id }, title), select);
}
const planeView = figure("view", caption(planeSays, unitSays), plane);
const fitView = figure("view", caption(fitSays), fitted);
if (inputs > 2) planeView.prepend(part("div", { class: "inputs" }, axisChoice(0, "Across"), axisChoice(1, "Upwards")));
const kinds = isNumber ? 0 : isScore ? 1 + (lowest < highest) : told.outputs;
const legend = part("p", { class: "legend" }, ...count(kinds).map(k =>
  part("span", {}, part("i", { "aria-hidden": "true" }, GLYPHS[glyph(k)]), className(k))));
(hasPlane ? planeView : fitView).append(legend);

const lossChart = image("losses", "Loss"), shareChart = image("shares", "Share of right answers"), lossSays = caption();
const chart = figure("chart", lossSays, lossChart);
if (told.counts) chart.append(caption("The share of right answers"), shareChart);

const wiring = image("wires", "The network");
const netName = "The network: arrow keys move between its units";
const net = part("div", { class: "net", role: "group", "aria-label": netName }, wiring);
net.style.height = `${netHeight}px`;
const network = figure("network",
  caption("Weights, ", bold("positive", "plus"), " or ", bold("negative", "minus"),
    `. In each square what the unit says ${hasPlane ? "over the plane" : "from left to right"}.`), net);

const map = part("canvas", {
  class: "map", tabindex: 0, role: "slider", "aria-valuemin": 1,
  "aria-label": "Numbers learnt: arrow keys move from one to the next",
});
const weights = figure("weights", caption([
  `Every number${hasNetwork ? ", a row for each neuron, its bias last" : ""}.`,
  "Point at one, or move with the arrow keys.",
  told.scales.some(s => s) ? "The model computes in standard units (numbers less their mean, divided by their " +
    "standard deviation); axes and the saved file have the data's own." : "",
].join(" ")), map);
const tell = part("p", { class: "told" }), costSays = caption();
const cost = image("cost", "The objective as this number alone changes");
const detail = figure("detail", tell, costSays, cost);

const program = gradient[0].program.toString().replace(/^ {2}/gm, ""), nLines = program.split("\n").length;
const more = part("div", { class: "more" }, button("Save weights (JSON)", "", save), part("details", {},
  part("summary", {}, `The program that runs here: ${nLines} lines, printed by autograd, derivatives included`),
  part("pre", { tabindex: 0, role: "region", "aria-label": "The printed program" }, program)));

const isLow = hasNetwork && inputs <= 2; // then the curves fit below the one view
const column = (...parts) => part("div", { class: "column" }, ...parts.filter(p => p));
root.append(part("div", { class: "work" }, go, say, settings,
  column(hasPlane && planeView, hasFit && fitView, isLow && chart, !hasNetwork && weights),
  column(hasNetwork && network, !isLow && chart, detail, hasNetwork && weights), more));

// --- the unit and the number that are looked at ---------------------------------------------------

let weight = moved[0], unit = null, pinned = null;
function lookAt(k) {
  if (k === unit) return;
  unit = k;
  settled();
}
function pin(k) {
  pinned = k;
  buttons.forEach((b, other) => b.setAttribute("aria-pressed", other === k));
  lookAt(k);
}
function pick(place) {
  if (place === weight && pinned === null) return;
  weight = place;
  pin(null);
  settled();
}
const buttons = !hasNetwork ? [] : layout.map(([share, Y, r], k) => {
  const b = part("button", { type: "button", "aria-label": unitName(k), "aria-pressed": false, tabindex: k ? -1 : 0 });
  const left = `calc(${share} * (100% - ${2 * INSET}px) + ${INSET - r}px)`, side = `${2 * r}px`;
  Object.assign(b.style, { left, top: `${Y - r}px`, width: side, height: side });
  b.addEventListener("pointerenter", () => lookAt(k));
  b.addEventListener("pointerleave", () => lookAt(pinned));
  b.addEventListener("focus", () => { if (b.matches(":focus-visible")) lookAt(k); });
  b.addEventListener("blur", () => lookAt(pinned));
  b.addEventListener("click", () => pin(pinned === k ? null : k));
  net.append(b);
  return b;
});
net.addEventListener("keydown", e => {
  const k = buttons.indexOf(e.target);
  if (e.key === "Escape") pin(null);
  if (k < 0 || !e.key.startsWith("Arrow")) return;
  e.preventDefault();
  const l = layers.findIndex(own => own.includes(k)), own = layers[l], j = own.indexOf(k);
  const beside = other => other?.[Math.min(other.length - 1, Math.floor((j + 0.5) / own.length * other.length))];
  const beyond = { Down: own[j + 1], Up: own[j - 1], Right: beside(layers[l + 1]), Left: beside(layers[l - 1]) };
  const to = beyond[e.key.slice(5)];
  if (to === undefined) return;
  buttons.forEach((b, other) => { b.tabIndex = other === to ? 0 : -1; });
  buttons[to].focus();
});
net.addEventListener("pointermove", e => {
  const box = net.getBoundingClientRect();
  const place = e.target === wiring && pinned === null ? wireAt(e.clientX - box.left, e.clientY - box.top) : null;
  if (place !== null) pick(place);
});
for (const kind of ["pointermove", "pointerdown"]) map.addEventListener(kind, e => {
  const box = map.getBoundingClientRect(), X = e.clientX - box.left, Y = e.clientY - box.top;
  const c = cells.find(c => X >= c.x && X < c.x + c.size && Y >= c.y && Y < c.y + c.size);
  if (c) pick(c.place);
});
map.addEventListener("keydown", e => {
  const i = cells.findIndex(c => c.place === weight), c = cells[i];
  const row = d => { // the nearest one above or below
    const far = o => Math.abs(o.y - c.y) + 4 * Math.abs(o.x - c.x), there = cells.filter(o => d * (o.y - c.y) > 0);
    return there.length ? there.reduce((best, o) => (far(o) < far(best) ? o : best)) : c;
  };
  const to = {
    ArrowRight: () => cells[i + 1], ArrowLeft: () => cells[i - 1], ArrowDown: () => row(1), ArrowUp: () => row(-1),
    Home: () => cells[0], End: () => cells.at(-1),
  }[e.key];
  if (!to || !c) return;
  e.preventDefault();
  pick((to() ?? c).place);
});

// --- sentences ------------------------------------------------------------------------------------

function sentence() {
  say.classList.toggle("trouble", trouble !== "");
  say.textContent = trouble || [progress(), answers(), misses(), stuck() || heldOut()].filter(s => s).join(" ");
}
function progress() {
  const { loss } = standing(learnt), total = told.penalised ? slopes()[0] : loss;
  return (t ? `After ${plural(t, "step")} the loss is ` : "Nothing is learnt yet. The loss is ") + short(total) +
    (told.scales[1] ? ", in standard units" : "") +
    (told.penalised ? `: ${short(loss)} for the examples and ${short(total - loss)} for the penalty.` : ".");
}
function answers() {
  const { right } = standing(learnt), n = learnt.length;
  if (!told.counts) return "";
  if (n === 1) return `The answer is ${right ? "right" : "wrong"}.`;
  return `${right < n ? `${grouped(right)} of` : "All"} ${grouped(n)} answers are right.`;
}
function misses() { // in the target's own units
  if (!told.scales[1]) return "";
  const apart = Math.hypot(...learnt.map(r => predicted(outputs()[r * width]) - target(r)));
  return `Predictions miss by ${short(apart / Math.sqrt(learnt.length))}, the root of the mean square.`;
}
function heldOut() {
  if (!held.length) return "";
  const { loss, right } = standing(held);
  return `Held out: loss ${short(loss)}${told.counts ? `, ${grouped(right)} of ${grouped(held.length)} right` : ""}.`;
}
function stuck() { // why nothing moves, if so
  if (slopes().every((x, i) => i < 2 || x === 0)) {
    return slopes()[0] === 0 ? "Nothing is left to learn: every derivative is 0, too."
      : "Every derivative is 0, so no step changes anything: try new weights.";
  }
  const inside = units.map((_, k) => inputs + k).filter(k => units[k - inputs].dies && !ends.includes(k));
  const dead = inside.filter(k => learnt.every(r => says(rows, outputs(), r, k) === 0)).length;
  if (!dead || 2 * dead < inside.length) return "";
  return `${dead} of ${plural(inside.length, "neuron")} ${dead > 1 ? "are" : "is"} dead: 0 at every example. ` +
    "New weights help.";
}
function aboutWeight() {
  const index = moved.indexOf(weight), from = wires.find(({ place }) => place === weight)?.from;
  const name = told.names[weight] + (from === undefined ? "" : `, on ${unitName(from)},`);
  if (index < 0) return [`${name} is ${short(numbers[weight])}.`, "The stepper does not move it."];
  const slope = slopes()[2 + index];
  return [`${name} is ${short(numbers[weight])}.`,
    `Per unit of it the objective changes by ${short(slope)}: its derivative, over ` +
    `${learnt.length > 1 ? "all " : ""}${plural(learnt.length, "example")}. ` +
    (slope === 0 ? "A step of gradient descent leaves it where it is."
      : `Gradient descent at this rate would move it by ${short(-coefficients[0] * slope)}.`)];
}
function aboutUnit() {
  const said = learnt.map(r => unit < inputs ? valueOf(r, unit) : says(rows, outputs(), r, unit));
  const lo = Math.min(...said), hi = Math.max(...said), zeros = said.filter(x => x === 0).length;
  const range = lo < hi ? `Over the examples it is from ${short(lo)} to ${short(hi)}` : `It is ${short(lo)}`;
  if (unit < inputs) return [`${unitName(unit)} is an input.`, `${range}.`];
  const { name, bias, weights: own, sources, dies } = units[unit - inputs], size = i => Math.abs(numbers[own[i]]);
  const top = own.reduce((best, _, i) => (size(i) > size(best) ? i : best), 0);
  return [`${name} has the bias ${short(numbers[bias])}.`,
    `Of its ${plural(own.length, "weight")} the largest is ${short(numbers[own[top]])}` +
    `${sources[top] < 0 ? "" : `, on ${unitName(sources[top])}`}. ` +
    (dies && zeros === said.length ? "It is 0 at every example, so it passes no derivative on."
      : `${range}${zeros && lo < hi ? `, and 0 at ${zeros} of ${said.length}` : ""}.`)];
}
function details() {
  const [first, ...others] = unit === null ? aboutWeight() : aboutUnit();
  tell.replaceChildren(bold(first), ...others.map(s => ` ${s}`));
  costSays.textContent = `The objective as ${told.names[weight]} alone changes.`;
  map.setAttribute("aria-valuemax", cells.length);
  map.setAttribute("aria-valuenow", 1 + cells.findIndex(c => c.place === weight));
  map.setAttribute("aria-valuetext", aboutWeight().join(" "));
}

// --- drawing, and the loop: a budget of 9 ms a frame, no more steps than the pace owes ---------------

let running = false, owed = 0, last = 0, frames = 0;
function draw() {
  const began = performance.now();
  note();
  look(running);
  if (hasPlane) drawPlane(plane, unit);
  if (hasFit) drawFit(fitted);
  if (running && performance.now() - began > 8) grid = 40;
  const axis = drawRecord(lossChart, "loss") ? ", on a logarithmic axis" : "";
  lossSays.textContent = `The loss${axis}.${held.length ? " Dashed: held out." : ""}`;
  if (told.counts) drawRecord(shareChart, "share");
  if (hasNetwork && !(running && frames % 3)) drawNetwork(wiring, unit, weight);
  planeSays.classList.toggle("aside", unit !== null);
  unitSays.textContent = unit === null ? "" : `What ${unitName(unit)} says: blue above 0, orange below.`;
  if (running && frames % 6) return;
  drawMap(map, weight);
  sentence();
  details();
  if (!running || costTook < 8) drawCost(cost, weight);
}
function settled() { if (!running) draw(); }
function frame(now) {
  if (!running) return;
  owed += Math.max(0, now - last) / 1000 * PACES[pace];
  last = Math.max(last, now); // a frame's time may lie before the clock was set
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
  owed = 1;
  last = performance.now();
  setRunning(true);
  requestAnimationFrame(frame);
}
function pause() {
  setRunning(false);
  draw();
}
function setRunning(now) {
  running = now;
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
  legend.querySelectorAll("i").forEach((sign, k) => { sign.style.color = css(hue(k)); });
  draw();
}
for (const media of ["(prefers-color-scheme: dark)", "print"]) matchMedia(media).addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
new ResizeObserver(() => { if (!running) redraw(); }).observe(root);
document.addEventListener("visibilitychange", () => { last = performance.now(); owed = 0; });
choose(0);
restart();
offerRates();
redraw();
root.playground = { step, json, numbers, get losses() { return losses; }, get steps() { return t; } };
