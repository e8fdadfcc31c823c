// The page around three printed programs: `gradient`, `forward` and the rule of each stepper.
const root = document.currentScript.parentElement;
const told = JSON.parse(root.querySelector("script[type='application/json']").textContent);
root.querySelector(".still").remove();

// --- numbers: the weights, the examples, what the programs compute with ---------------------------

const numbers = Float64Array.from(told.numbers);
let start = numbers.slice();
const rows = Float64Array.from(told.rows);
const n_all = rows.length / told.width;
const learnt = Array.from({ length: told.learnt }, (_, i) => i);
const held = Array.from({ length: n_all - told.learnt }, (_, i) => told.learnt + i);
const moved = told.moved, n_moved = moved.length;
const inGradient = gradient.memory(), inForward = forward.memory();
const said = told.outputs; // an example's row of `forward`: predictions, loss, right, neurons
const width = forward.sizes.y;

const put = (memory, places) => { for (let i = 0; i < places.length; i++) memory.w[i] = numbers[places[i]]; };
const slopesOf = which => { put(inGradient, told.gradientLeaves); return gradient.program(inGradient, rows, which); };
const outputsOf = (examples, which) => { put(inForward, told.forwardLeaves); return forward.program(inForward, examples, which); };

let rule, table, coefficients, states, chosen = 0;
function choose(index) {
  chosen = index;
  const stepper = told.steppers[index];
  rule = rules[index];
  coefficients = Float64Array.from(stepper.coefficients);
  states = stepper.initial.length;
  table = new Float64Array(n_moved * (states + 2));
  begin();
}
function begin() {
  const { initial, states: kept } = told.steppers[chosen], used = states + 2;
  for (let i = 0; i < n_moved; i++) {
    for (let k = 0; k < states; k++) table[i * used + 1 + k] = kept && isFirst ? kept[i][k] : initial[k];
  }
}

// --- a step, in the order of `fit` ----------------------------------------------------------------

let t = 0, batch = told.batch, at = 0, isFirst = true, trouble = "";
let losses = [];
function nextRows() {
  if (batch >= told.learnt) return learnt;
  const n = told.learnt, epochs = told.order.length / n, epoch = Math.floor(at / n) % epochs, from = at % n;
  const end = Math.min(from + batch, n);
  at += end - from;
  return told.order.slice(epoch * n + from, epoch * n + end);
}
const inRule = rules.map(r => r.memory());
function step() {
  const before = at, y = slopesOf(nextRows()), used = states + 2, memory = inRule[chosen];
  for (let i = 0; i < n_moved; i++) {
    table[i * used] = numbers[moved[i]];
    table[i * used + used - 1] = y[2 + i];
  }
  memory.w.set(coefficients.subarray(0, memory.w.length));
  const news = rule.program(memory, table);
  let wrong = Number.isFinite(y[0]) ? "" : "the loss is not finite";
  for (let i = 0; i < n_moved && !wrong; i++) {
    if (!Number.isFinite(y[2 + i])) wrong = `the derivative by ${told.names[moved[i]]} is not finite`;
  }
  for (let i = 0; i < news.length && !wrong; i++) {
    if (!Number.isFinite(news[i])) wrong = `${told.names[moved[Math.floor(i / (states + 1))]]} would not be finite`;
  }
  if (wrong) {
    at = before;
    trouble = `Step ${t + 1} was refused: ${wrong}. Nothing has changed. Choose a smaller learning rate, or reset.`;
    pause();
    return false;
  }
  for (let i = 0; i < n_moved; i++) {
    numbers[moved[i]] = news[i * (states + 1)];
    for (let k = 0; k < states; k++) table[i * used + 1 + k] = news[i * (states + 1) + 1 + k];
  }
  if (losses.length < 1000) losses.push(y[0]);
  t++;
  if (t % record.every === 0) note();
  return true;
}

// --- how it stands --------------------------------------------------------------------------------

function standing(which) {
  const found = outputsOf(rows, which);
  let loss = 0, right = 0;
  for (let i = 0; i < which.length; i++) {
    loss += found[i * width + said];
    right += found[i * width + said + 1];
  }
  return { loss: loss / which.length, right, found };
}
const record = { every: 1, points: [], marks: [] };
function note() {
  const own = standing(learnt), other = held.length ? standing(held) : null;
  record.points.push([t, own.loss, other && other.loss, own.right / learnt.length, other && other.right / held.length]);
  if (record.points.length > 500) {
    record.every *= 2;
    record.points = record.points.filter((_, i) => i % 2 === 0);
  }
}
const mark = text => { if (t) record.marks = [...record.marks.filter(m => m[0] !== t), [t, text]]; };

const raised = text => text.replace(/./g, c => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? (c === "-" ? "⁻" : ""));
function short(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "no number" : x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  const text = size >= 1e5 || size < 1e-4
    ? x.toExponential(2).replace(/e(.*)/, (_, e) => " · 10" + raised(e)) : String(Number(x.toPrecision(3)));
  return text.replace("-", "−");
}

// --- the parts of the page ------------------------------------------------------------------------

function part(tag, settings = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}
const button = (text, kind, act) => {
  const b = part("button", { type: "button", class: kind }, text);
  b.addEventListener("click", act);
  return b;
};
let names = 0;
const id = `playground${Math.random().toString(36).slice(2)}`;
function choices(title, entries, now, set) {
  const group = `${id}-${names++}`, box = part("div", { class: "choices" });
  for (const [value, text] of entries) {
    const input = part("input", { type: "radio", name: group, value });
    input.checked = value === now;
    input.addEventListener("change", () => set(value));
    box.append(part("label", {}, input, text));
  }
  return part("fieldset", {}, part("legend", {}, title), box);
}

const train = button("Train", "train", () => (running ? (pause(), draw()) : play()));
const go = part("div", { class: "go", role: "group", "aria-label": "Training" }, train,
  button("Step", "", () => { pause(); trouble = ""; step(); draw(); }),
  button("Reset", "", reset), button("New weights", "", () => { redrawn(); reset(); }));
const say = part("p", { class: "say", role: "status" });

let rates = [];
const rateOut = part("output"), rate = part("input", { type: "range", min: 0, step: 1, id: `${id}-rate` });
function offerRates() {
  const now = coefficients[0];
  rates = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
  const near = rates.reduce((best, x, i) => Math.abs(Math.log(x / now)) < Math.abs(Math.log(rates[best] / now)) ? i : best, 0);
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
  mark(`rate ${coefficients[0]}`);
  if (!running) draw();
});
const sizes = [...new Set([1, 10, 32, told.batch])].filter(n => n < told.learnt).sort((a, b) => a - b);
const PACES = { "one by one": 8, calm: 90, fast: 1e9 };
let pace = "calm";
const settings = part("div", { class: "set", role: "group", "aria-label": "Settings" },
  choices("Stepper", told.steppers.map((s, i) => [i, s.name]), 0, i => { choose(i); offerRates(); mark(told.steppers[i].name); if (!running) draw(); }),
  part("div", {}, part("label", { class: "name", for: rate.id }, "Learning rate", rateOut), rate),
  choices("Points per step", [...sizes.map(n => [n, String(n)]), [told.learnt, `all ${told.learnt}`]], told.batch,
    n => { batch = n; at = 0; mark(n === told.learnt ? "all" : `${n} a step`); if (!running) draw(); }),
  choices("Pace", Object.keys(PACES).map(p => [p, p]), pace, p => { pace = p; owed = 0; }));

// what the model says: over a plane, against targets, or as a line over its only input
const image = (kind, label) => part("canvas", { class: kind, role: "img", "aria-label": label });
const plane = image("plane", "What the model says over two of its inputs"), fitted = image("fit", "Predictions against targets");
const view = part("figure", { class: "view" });
const middle = Array.from({ length: told.inputs }, (_, i) => learnt.reduce((sum, r) => sum + rows[r * told.width + i], 0) / learnt.length);
let axes = [0, Math.min(1, told.inputs - 1)];
const planeCaption = part("figcaption"), fitCaption = part("figcaption");
const slice = []; // the plane of two of many inputs stands below the curves
if (told.inputs > 2) {
  const select = (which, title) => {
    const s = part("select", { id: `${id}-axis${which}` });
    told.features.forEach((name, i) => { const o = part("option", { value: i }, name); o.selected = axes[which] === i; s.append(o); });
    s.addEventListener("change", () => { axes[which] = Number(s.value); draw(); });
    return part("span", {}, part("label", { class: "name", for: s.id }, title), s);
  };
  view.append(fitCaption, fitted);
  slice.push(part("div", { class: "inputs" }, select(0, "Across"), select(1, "Upwards")), planeCaption, plane);
} else if (told.inputs === 2) view.append(planeCaption, plane);
else view.append(fitCaption, fitted);

const lossChart = image("losses", "Loss"), shareChart = image("shares", "Accuracy");
const chart = part("figure", { class: "chart" },
  part("figcaption", {}, `Loss${held.length ? ", dashed of the examples held out" : ""}, on a logarithmic axis${told.counts ? "; below it the share of right answers" : ""}`), lossChart);
if (told.counts) chart.append(shareChart);
chart.append(...slice);

let picked = moved[0] ?? 0, cells = [];
const map = part("canvas", { class: "map", tabindex: 0, role: "slider", "aria-label": "Weights: arrow keys move from one to the next", "aria-valuemin": 1 });
const weights = part("figure", { class: "weights" },
  part("figcaption", {}, "Every number that is learnt, by the arrays of the model: blue above 0, orange below. Point at one, or move with the arrow keys."), map);
const tell = part("p", { class: "told" }), cost = image("cost", "The loss as this number alone changes");
const detail = part("div", { class: "detail" }, tell, cost, part("p", { class: "out" }, button("Save weights (JSON)", "", save)));
const work = part("div", { class: "work" }, go, say, settings, view, chart, weights, detail);
root.append(work);

// --- pictures -------------------------------------------------------------------------------------

let colour = {};
function colours() {
  const probe = part("i");
  root.append(probe);
  for (const name of ["page", "ink", "quiet", "rule", "work", "plus", "minus", "zero"]) {
    probe.style.color = `var(--${name})`;
    colour[name] = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  }
  probe.remove();
}
const rgb = (name, alpha = 1) => `rgba(${colour[name].join()},${alpha})`;
const between = (a, b, share) => a.map((x, i) => Math.round(x + (b[i] - x) * share));
function fit(canvas) {
  const { width: W, height: H } = canvas.getBoundingClientRect(), d = devicePixelRatio || 1;
  const w = Math.round(W * d), h = Math.round(H * d);
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  const x = canvas.getContext("2d");
  x.setTransform(d, 0, 0, d, 0, 0);
  x.clearRect(0, 0, W, H);
  x.font = "12px system-ui, sans-serif";
  return [x, W, H];
}
const extent = numbers => {
  let lo = Infinity, hi = -Infinity;
  for (const x of numbers) { if (x < lo) lo = x; if (x > hi) hi = x; }
  if (!(hi > lo)) { hi = lo + 1; lo -= 1; }
  const margin = 0.08 * (hi - lo);
  return [lo - margin, hi + margin];
};
const SHAPES = 4;
function shape(x, X, Y, kind, r) {
  x.beginPath();
  if (kind % SHAPES === 0) x.arc(X, Y, r, 0, 7);
  else if (kind % SHAPES === 2) x.rect(X - r * 0.85, Y - r * 0.85, 1.7 * r, 1.7 * r);
  else {
    const n = kind % SHAPES === 1 ? 4 : 3;
    for (let q = 0; q < n; q++) { const a = -Math.PI / 2 + 2 * Math.PI * q / n; x.lineTo(X + 1.3 * r * Math.cos(a), Y + 1.3 * r * Math.sin(a)); }
    x.closePath();
  }
}
const HUES = [[11, 102, 156], [168, 67, 0], [74, 122, 40], [122, 69, 214], [176, 44, 96], [0, 122, 122], [138, 106, 0], [88, 96, 105]];
const isDark = () => colour.page[0] < 128;
const hue = k => told.kind === "classes" ? (isDark() ? between(HUES[k % HUES.length], [255, 255, 255], 0.4) : HUES[k % HUES.length]) : k ? colour.plus : colour.minus;
const target = r => rows[r * told.width + told.inputs];
const lowest = Math.min(...learnt.map(target)), highest = Math.max(...learnt.map(target)), halfway = (lowest + highest) / 2;
const classOf = r => told.kind === "classes" ? classAt(r) : Number(target(r) > halfway);
function classAt(r) {
  if (told.width - told.inputs === 1) return target(r);
  return largest(rows, r * told.width + told.inputs, told.width - told.inputs);
}
function largest(from, at, n) { let k = 0; for (let i = 1; i < n; i++) if (from[at + i] > from[at + k]) k = i; return k; }

let grid = 60;
const small = document.createElement("canvas");
function drawPlane() {
  const began = performance.now(), [x, W, H] = fit(plane), [a, b] = axes, G = grid;
  const [x0, x1] = extent(learnt.map(r => rows[r * told.width + a])), [y0, y1] = extent(learnt.map(r => rows[r * told.width + b]));
  const points = new Float64Array(G * G * told.width);
  for (let j = 0; j < G; j++) for (let i = 0; i < G; i++) {
    const q = (j * G + i) * told.width;
    for (let k = 0; k < told.inputs; k++) points[q + k] = middle[k];
    points[q + b] = y1 - (y1 - y0) * (j + 0.5) / G;
    points[q + a] = x0 + (x1 - x0) * (i + 0.5) / G;
  }
  const found = outputsOf(points, Array.from({ length: G * G }, (_, i) => i));
  small.width = small.height = G;
  const ink = small.getContext("2d"), pixels = ink.createImageData(G, G);
  const score = new Float64Array(G * G);
  const scale = told.kind === "number" ? Math.max(highest - halfway, 1e-9) : 1.5;
  for (let q = 0; q < G * G; q++) {
    let c;
    if (told.kind === "classes") {
      const at = q * width, k = largest(found, at, said);
      let sum = 0;
      for (let i = 0; i < said; i++) sum += Math.exp(found[at + i] - found[at + k]);
      score[q] = k;
      c = between(colour.zero, hue(k), 0.55 * Math.max(0, (1 / sum - 1 / said) / (1 - 1 / said)) + 0.08);
    } else {
      score[q] = told.kind === "number" ? found[q * width] - halfway : found[q * width];
      const z = Math.max(-1, Math.min(1, score[q] / scale)) || 0;
      c = between(colour.zero, z > 0 ? colour.plus : colour.minus, 0.52 * Math.abs(z));
    }
    pixels.data.set([...c, 255], 4 * q);
  }
  ink.putImageData(pixels, 0, 0);
  x.imageSmoothingEnabled = true;
  x.save();
  x.beginPath();
  x.roundRect(0, 0, W, H, 6);
  x.clip();
  x.drawImage(small, 0, 0, W, H);
  x.strokeStyle = rgb("ink", 0.85);
  x.lineWidth = 1.8;
  if (told.kind === "classes") for (let k = 0; k < said; k++) contour(x, W, H, G, score.map(s => s === k ? 1 : -1), 0);
  else {
    contour(x, W, H, G, score, 0);
    if (told.kind === "score") {
      x.strokeStyle = rgb("ink", 0.3);
      x.lineWidth = 1;
      x.setLineDash([3, 4]);
      contour(x, W, H, G, score, 1);
      contour(x, W, H, G, score, -1);
      x.setLineDash([]);
    }
  }
  const all = [...learnt, ...held], own = outputsOf(rows, all);
  for (const r of all) {
    const X = (rows[r * told.width + a] - x0) / (x1 - x0) * W, Y = (y1 - rows[r * told.width + b]) / (y1 - y0) * H;
    const k = classOf(r), isHeld = r >= told.learnt, size = all.length > 400 ? 2.8 : 4.2;
    shape(x, X, Y, k, size);
    x.fillStyle = isHeld ? rgb("page", 0.8) : `rgb(${hue(k).join()})`;
    x.fill();
    x.strokeStyle = isHeld ? `rgb(${hue(k).join()})` : rgb("page");
    x.lineWidth = isHeld ? 1.6 : 1.2;
    x.stroke();
    if (told.counts && own[r * width + said + 1] < 0.5) {
      x.beginPath();
      x.arc(X, Y, 8, 0, 7);
      x.strokeStyle = rgb("ink", 0.7);
      x.lineWidth = 1.2;
      x.stroke();
    }
  }
  x.restore();
  if (performance.now() - began > 14 && grid > 30) grid = 30;
}
function contour(x, W, H, G, field, level) { // marching squares
  const px = i => (i + 0.5) / G * W, py = j => (j + 0.5) / G * H;
  x.beginPath();
  for (let j = 0; j < G - 1; j++) for (let i = 0; i < G - 1; i++) {
    const a = field[j * G + i] - level, b = field[j * G + i + 1] - level, c = field[(j + 1) * G + i + 1] - level, d = field[(j + 1) * G + i] - level, p = [];
    if (a > 0 !== b > 0) p.push([px(i + a / (a - b)), py(j)]);
    if (b > 0 !== c > 0) p.push([px(i + 1), py(j + b / (b - c))]);
    if (d > 0 !== c > 0) p.push([px(i + d / (d - c)), py(j + 1)]);
    if (a > 0 !== d > 0) p.push([px(i), py(j + a / (a - d))]);
    for (let q = 0; q + 1 < p.length; q += 2) { x.moveTo(...p[q]); x.lineTo(...p[q + 1]); }
  }
  x.stroke();
}
function drawFit() {
  const [x, W, H] = fit(fitted), all = [...learnt, ...held], found = outputsOf(rows, all), L = 50, B = 26;
  const across = told.inputs === 1 ? r => rows[r * told.width] : told.kind === "classes" ? r => classAt(r) + 0.5 * ((r * 0.618) % 1) - 0.25 : target;
  const upward = r => {
    if (told.kind !== "classes") return found[r * width];
    let sum = 0;
    for (let i = 0; i < said; i++) sum += Math.exp(found[r * width + i] - found[r * width + classAt(r)]);
    return 1 / sum;
  };
  const [x0, x1] = extent(all.map(across)), isShare = told.kind === "classes";
  const [y0, y1] = isShare ? [-0.04, 1.04] : extent([...all.map(upward), ...all.map(target)].filter(Number.isFinite));
  const px = v => L + (v - x0) / (x1 - x0) * (W - L - 8), py = v => 8 + (y1 - v) / (y1 - y0) * (H - B - 12);
  x.strokeStyle = rgb("rule");
  x.fillStyle = rgb("quiet");
  x.textAlign = "right";
  for (let q = 0; q <= 4; q++) {
    const v = isShare ? q / 4 : y0 + (y1 - y0) * (q + 0.5) / 5;
    x.beginPath(); x.moveTo(L, py(v)); x.lineTo(W - 8, py(v)); x.stroke();
    x.fillText(short(Number(v.toPrecision(2))), L - 6, py(v) + 4);
  }
  x.textAlign = "center";
  if (isShare) for (let k = 0; k < said; k++) x.fillText((told.classes[k] ?? `class ${k}`).slice(0, 14), px(k), H - 6);
  else for (let q = 0; q < 4; q++) { const v = x0 + (x1 - x0) * (q + 0.5) / 4; x.fillText(short(Number(v.toPrecision(2))), px(v), H - 6); }
  x.strokeStyle = rgb("ink", 0.8);
  x.lineWidth = 1.6;
  x.beginPath();
  if (told.inputs === 1) {
    const n = 160, line = new Float64Array(n * told.width);
    for (let i = 0; i < n; i++) line[i * told.width] = x0 + (x1 - x0) * i / (n - 1);
    const curve = outputsOf(line, Array.from({ length: n }, (_, i) => i));
    for (let i = 0; i < n; i++) x.lineTo(px(line[i * told.width]), py(curve[i * width]));
  } else if (told.kind === "number") { const lo = Math.max(x0, y0), hi = Math.min(x1, y1); x.moveTo(px(lo), py(lo)); x.lineTo(px(hi), py(hi)); }
  x.stroke();
  for (const r of all) {
    const isHeld = r >= told.learnt, c = told.kind === "number" ? colour.plus : hue(classOf(r));
    shape(x, px(across(r)), py(told.inputs === 1 ? target(r) : upward(r)), told.kind === "number" ? 0 : classOf(r), 3.4);
    x.lineWidth = 1.3;
    if (isHeld) { x.strokeStyle = `rgb(${c.join()})`; x.stroke(); } else { x.fillStyle = `rgba(${c.join()},.75)`; x.fill(); }
  }
}
function lines(canvas, columns, isLog, share) {
  const [x, W, H] = fit(canvas), L = 50, B = 20, points = record.points, last = Math.max(50, t);
  let lo = Infinity, hi = -Infinity;
  for (const p of points) for (const c of columns) { const v = p[c]; if (v !== null && Number.isFinite(v) && (!isLog || v > 0)) { lo = Math.min(lo, v); hi = Math.max(hi, v); } }
  let d0 = 0, d1 = 1;
  if (isLog && hi > 0) {
    d0 = Math.floor(Math.log10(lo) + 1e-9);
    d1 = Math.max(Math.ceil(Math.log10(hi) - 1e-9), d0 + 1);
    d0 = Math.max(d0, d1 - 14);
  }
  const px = q => L + (W - L - 8) * q / last, py = v => 6 + (H - B - 10) * (d1 - (isLog ? Math.log10(v) : v)) / (d1 - d0);
  x.textBaseline = "middle";
  x.textAlign = "right";
  const every = isLog ? Math.ceil((d1 - d0) / 4) : 0.5;
  for (let d = d0; d <= d1; d += every) {
    const v = isLog ? 10 ** d : d;
    x.strokeStyle = rgb("rule");
    x.beginPath(); x.moveTo(L, py(v)); x.lineTo(W - 8, py(v)); x.stroke();
    x.fillStyle = rgb("quiet");
    x.fillText(!isLog ? `${100 * d} %` : d < -3 || d > 4 ? "10" + raised(String(d)) : String(Number(v.toPrecision(1))), L - 7, py(v));
  }
  x.textBaseline = "alphabetic";
  x.textAlign = "left";
  x.fillText("0", L, H - 4);
  x.textAlign = "right";
  x.fillText(`${last.toLocaleString("en")} steps`, W - 8, H - 4);
  let free = -1;
  for (const [q, text] of record.marks) {
    x.strokeStyle = rgb("work", 0.5);
    x.beginPath(); x.moveTo(px(q), 4); x.lineTo(px(q), H - B); x.stroke();
    if (isLog && px(q) > free) {
      const left = px(q) < W - 100;
      x.textAlign = left ? "left" : "right";
      x.fillStyle = rgb("work");
      x.fillText(text, px(q) + (left ? 4 : -4), 14);
      free = px(q) + 100;
    }
  }
  columns.forEach((c, i) => {
    if (!points.length || points[0][c] === null) return;
    x.beginPath();
    let pen = false;
    for (const p of points) {
      if (!Number.isFinite(p[c]) || (isLog && p[c] <= 0)) { pen = false; continue; }
      pen ? x.lineTo(px(p[0]), py(p[c])) : x.moveTo(px(p[0]), py(p[c]));
      pen = true;
    }
    x.strokeStyle = rgb(i ? "work" : "ink");
    x.setLineDash(i ? [5, 4] : []);
    x.lineWidth = 1.8;
    x.stroke();
    x.setLineDash([]);
  });
  const first = points[0], end = points[points.length - 1];
  if (end) canvas.setAttribute("aria-label", `${share ? "Accuracy" : "Loss"}: from ${short(first[columns[0]])} to ${short(end[columns[0]])} in ${t} steps`);
}
function drawMap() {
  const W = map.getBoundingClientRect().width;
  cells = [];
  let left = 0, top = 0, below = 0; // arrays stand beside one another as long as there is room
  for (const array of told.arrays) {
    const columns = Math.max(1, array.columns), n = array.at.length;
    const size = Math.max(5, Math.min(15, W / columns)), across = Math.min(columns, Math.max(1, Math.floor(W / size)));
    const wide = Math.max(across * size, 7 * Math.min(array.name.length, 40));
    if (left && left + wide > W) { left = 0; top = below; }
    Object.assign(array, { left, top: top + 14 });
    array.at.forEach((place, i) => cells.push({ place, x: left + (i % across) * size, y: array.top + 5 + Math.floor(i / across) * size, size }));
    below = Math.max(below, array.top + 5 + Math.ceil(n / across) * size + 10);
    left += wide + 22;
  }
  map.style.height = `${below}px`;
  const [x] = fit(map);
  x.fillStyle = rgb("quiet");
  for (const array of told.arrays) x.fillText(array.name.slice(0, 40), array.left, array.top);
  let largestOne = 1e-12;
  for (const { place } of cells) largestOne = Math.max(largestOne, Math.abs(numbers[place]));
  for (const c of cells) {
    const z = numbers[c.place] / Math.min(largestOne, 2.5);
    x.fillStyle = `rgb(${between(colour.zero, z > 0 ? colour.plus : colour.minus, Math.min(1, Math.abs(z)) ** 0.7).join()})`;
    x.fillRect(c.x, c.y, c.size - 1, c.size - 1);
    if (c.place === picked) { x.strokeStyle = rgb("ink"); x.lineWidth = 2; x.strokeRect(c.x - 0.5, c.y - 0.5, c.size, c.size); }
  }
  map.setAttribute("aria-valuemax", Math.max(1, cells.length));
}
function drawDetail() {
  const index = moved.indexOf(picked), w = numbers[picked], b = part("b", {}, `${told.names[picked]} is ${short(w)}.`);
  b.style.color = "var(--ink)";
  if (index < 0) tell.replaceChildren(b, " The stepper does not move it.");
  else {
    const slope = slopesOf(learnt)[2 + index];
    tell.replaceChildren(b, ` Per unit of it the loss changes by ${short(slope)}: its derivative, over all ${learnt.length} examples. ` +
      (slope === 0 ? "A step of gradient descent leaves it where it is." : `Gradient descent at this rate would move it by ${short(-coefficients[0] * slope)}.`));
  }
  map.setAttribute("aria-valuenow", 1 + cells.findIndex(c => c.place === picked));
  map.setAttribute("aria-valuetext", tell.textContent);
  if (running) return;
  const [x, W, H] = fit(cost), reach = Math.max(1, Math.abs(w)), n = 31, ys = [], L = 62;
  for (let i = 0; i < n; i++) { numbers[picked] = w + reach * (2 * i / (n - 1) - 1); ys.push(slopesOf(learnt)[0]); }
  numbers[picked] = w;
  const here = slopesOf(learnt)[0], [lo, hi] = extent(ys.filter(Number.isFinite));
  const px = v => L + (v - w + reach) / (2 * reach) * (W - L - 8), py = v => 6 + (hi - v) / (hi - lo) * (H - 30);
  x.strokeStyle = rgb("ink"); x.lineWidth = 1.6; x.beginPath();
  ys.forEach((y, i) => x.lineTo(px(w + reach * (2 * i / (n - 1) - 1)), py(y)));
  x.stroke();
  x.fillStyle = rgb("work"); x.beginPath(); x.arc(px(w), py(here), 4, 0, 7); x.fill();
  x.fillStyle = rgb("quiet");
  x.fillText(short(w - reach), L, H - 6);
  x.textAlign = "right";
  x.fillText(short(w + reach), W - 8, H - 6);
  x.fillText(short(hi), L - 6, 16); x.fillText(short(lo), L - 6, H - 26);
  x.textAlign = "center";
  x.fillText("the loss over this number", (L + W) / 2, H - 6);
}
function pick(place) { if (place === picked) return; picked = place; drawMap(); drawDetail(); }
map.addEventListener("pointermove", e => under(e));
map.addEventListener("pointerdown", e => under(e));
function under(e) {
  const box = map.getBoundingClientRect(), X = e.clientX - box.left, Y = e.clientY - box.top;
  const c = cells.find(c => X >= c.x && X < c.x + c.size && Y >= c.y && Y < c.y + c.size);
  if (c) pick(c.place);
}
map.addEventListener("keydown", e => {
  const i = cells.findIndex(c => c.place === picked), c = cells[i];
  const row = d => { // the nearest one above or below
    const found = cells.filter(o => d * (o.y - c.y) > 0);
    const far = o => Math.abs(o.y - c.y) + 4 * Math.abs(o.x - c.x);
    return found.length ? cells.indexOf(found.reduce((best, o) => (far(o) < far(best) ? o : best))) : i;
  };
  const to = { ArrowRight: () => i + 1, ArrowLeft: () => i - 1, ArrowDown: () => row(1), ArrowUp: () => row(-1), Home: () => 0, End: () => cells.length - 1 }[e.key];
  if (!to || !c) return;
  e.preventDefault();
  pick(cells[Math.max(0, Math.min(cells.length - 1, to()))].place);
});

function sentence() {
  say.classList.toggle("trouble", trouble !== "");
  if (trouble) { say.textContent = trouble; return; }
  const own = standing(learnt), total = told.penalised ? slopesOf(learnt)[0] : own.loss;
  const parts = told.penalised ? `: ${short(own.loss)} for the examples and ${short(total - own.loss)} for the size of the weights` : "";
  const n = learnt.length, right = Math.round(own.right);
  const answers = !told.counts ? "" : right === n ? ` All ${n} answers are right.` : ` ${right} of ${n} answers are right.`;
  const other = held.length ? standing(held) : null;
  const out = other ? ` Held out: loss ${short(other.loss)}${told.counts ? `, ${Math.round(other.right)} of ${held.length} right` : ""}.` : "";
  let still = "";
  if (moved.length && t && !slopesOf(learnt).subarray(2, 2 + n_moved).some(x => x !== 0)) still = " Every derivative is 0, so no step changes anything: try new weights.";
  say.textContent = (t ? `After ${t.toLocaleString("en")} step${t === 1 ? "" : "s"} the loss is ` : "Nothing is learnt yet. The loss is ") + short(total) + parts + "." + answers + out + still;
}
function captions() {
  const names = told.kind === "classes" ? "Colour: the likeliest class; shapes: the classes of the examples" : told.kind === "score" ? "Solid line: where the score is 0; dashed: ±1" : "The prediction; line: half way between the targets";
  const [a, b] = axes.map(i => told.features[i]);
  planeCaption.textContent = `${a} across, ${b} upwards${told.inputs > 2 ? ", all others held at their means" : ""}. ${names}${told.counts ? "; ringed: wrong" : ""}${held.length ? "; hollow: held out" : ""}.`;
  fitCaption.textContent = told.inputs === 1 ? `Targets over ${told.features[0]}, and the model as a line.` : told.kind === "classes" ? "The probability that the model gives to the right class, by class." : "Predictions (upwards) against targets (across).";
}
let frames = 0;
function draw() {
  if (told.inputs > 1) drawPlane();
  if (told.inputs !== 2) drawFit();
  lines(lossChart, [1, 2], true, false);
  if (told.counts) lines(shareChart, [3, 4], false, true);
  if (!running || frames % 6 === 0) { drawMap(); sentence(); captions(); drawDetail(); }
}

// --- the loop: a budget of 9 ms a frame, no more steps than the pace owes -----------------------------

let running = false, owed = 0, last = 0;
function frame(now) {
  if (!running) return;
  owed += Math.max(0, now - last) / 1000 * PACES[pace];
  last = now;
  const end = performance.now() + 9;
  while (owed >= 1 && performance.now() < end) { if (!step()) break; owed--; }
  if (owed > 50) owed = 0;
  frames++;
  draw();
  if (running) requestAnimationFrame(frame);
}
function play() {
  trouble = "";
  running = true;
  owed = 1;
  last = performance.now();
  train.textContent = "Pause";
  say.setAttribute("aria-live", "off");
  requestAnimationFrame(frame);
}
function pause() { running = false; train.textContent = "Train"; say.setAttribute("aria-live", "polite"); }
function reset() {
  pause();
  numbers.set(start);
  begin();
  t = at = 0;
  trouble = "";
  losses = [];
  Object.assign(record, { every: 1, points: [], marks: [] });
  note();
  draw();
}
function redrawn() {
  isFirst = false;
  start = start.map((x, i) => moved.includes(i) ? told.spread[i] * (2 * Math.random() - 1) : x);
}
function json() {
  const own = Array.from(told.parameters, i => numbers[i]);
  const content = told.file ? { ...told.file, parameters: own } : Object.fromEntries(told.parameters.map((i, k) => [told.names[i], own[k]]));
  return JSON.stringify(content, null, 1) + "\n";
}
function save() {
  const address = URL.createObjectURL(new Blob([json()], { type: "application/json" }));
  const link = part("a", { href: address, download: "model.json" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
const redraw = () => { colours(); draw(); };
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new ResizeObserver(() => { if (!running) redraw(); }).observe(root);
document.addEventListener("visibilitychange", () => { last = performance.now(); owed = 0; });
choose(0);
offerRates();
colours();
reset();
root.playground = { step, json, numbers, get losses() { return losses; }, get steps() { return t; } };
