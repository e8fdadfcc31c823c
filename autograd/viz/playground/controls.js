// Buttons and settings.

const closing = new AbortController(); // of what listens to more than these parts
const image = (kind, label) => element("canvas", { class: kind, role: "img", "aria-label": label });
const figure = (kind, ...inside) => element("figure", { class: kind }, ...inside);
const caption = (...inside) => element("figcaption", {}, ...inside);
const bold = (text, kind = "") => element("b", { class: kind }, text);

const train = button("Train", () => (running ? pause() : play()), { class: "train" });
const go = element("div", { class: "go", role: "group", "aria-label": "Training" }, train,
  button("Step", () => { trouble = ""; step(); pause(); }),
  button("Reset", () => { restart(); pause(); }),
  button("New weights", () => {
    if (kept.newSeed) return kept.newSeed();
    drawWeights();
    pause();
  }));
const say = element("p", { class: "say", role: "status" });

let rates = [];
const rate = element("input", { type: "range", min: 0, step: 1 }), rateSays = element("output");
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
const steppers = choices("Optimizer", told.steppers.map((s, i) => [i, s.name]), kept.chosen ?? 0, i => {
  choose(i);
  offerRates();
  mark(told.steppers[i].name);
  settled();
});
const sizes = [...new Set([1, 10, 32, told.batch])].filter(n => n < told.learned).sort((a, b) => a - b);
const batches = [...sizes.map(n => [n, String(n)]), [told.learned, `all ${grouped(told.learned)}`]];
const PACES = { "one by one": 8, calm: 90, fast: 1e9 };
let pace = kept.pace ?? "calm";
const settings = element("div", { class: "set", role: "group", "aria-label": "Settings" }, steppers,
  labeled("Learning rate", rate, rateSays),
  choices("Examples per step", batches, told.batch, n => {
    batch = n;
    at = 0;
    mark(n === told.learned ? "all" : `${n} a step`);
    settled();
  }),
  choices("Pace", Object.keys(PACES).map(p => [p, p]), pace, p => { pace = p; owed = 0; }));
