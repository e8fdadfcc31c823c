// The pictures: what `learning.js` knows, in canvases. Units are inputs, then neurons.

// --- numbers and units ----------------------------------------------------------------------------

const raised = text => text.replace(/./g, c => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? (c === "-" ? "⁻" : ""));
const threeDigits = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
function short(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "no number" : x > 0 ? "∞" : "−∞";
  const isPlain = x === 0 || (Math.abs(x) >= 1e-4 && Math.abs(x) < 1e7);
  const text = isPlain ? threeDigits.format(x || 0) : x.toExponential(2).replace(/e(.*)/, (_, e) => " · 10" + raised(e));
  return text.replace("-", "−");
}
// What the reader knows: inputs and targets in their own units, whatever the model computes in.
const [scale, [targetScale]] = told.scales.map(s => s ?? [[0, 1]]);
const scaleOf = k => k < inputs ? scale[k] ?? [0, 1] : targetScale;
const shown = rows.map((x, q) => { const [mean, deviation] = scaleOf(q % told.width); return x * deviation + mean; });
const valueOf = (r, k) => shown[r * told.width + k];
const target = r => valueOf(r, inputs);
const predicted = z => z * targetScale[1] + targetScale[0];
const middle = count(inputs).map(i => learnt.reduce((sum, r) => sum + rows[r * told.width + i], 0) / learnt.length);

const largest = (from, at, n) => { let k = 0; for (let i = 1; i < n; i++) if (from[at + i] > from[at + k]) k = i; return k; };
const lowest = learnt.reduce((x, r) => Math.min(x, target(r)), Infinity), highest = learnt.reduce((x, r) => Math.max(x, target(r)), -Infinity);
const halfway = (lowest + highest) / 2;
const isClasses = told.kind === "classes", isScore = told.kind === "score", isNumber = told.kind === "number";
function classOf(r) {
  if (!isClasses) return isScore ? Number(target(r) > (lowest < highest ? halfway : 0)) : 0;
  return told.width - inputs === 1 ? target(r) : largest(rows, r * told.width + inputs, told.width - inputs);
}
const className = k => told.classes[k] ?? (isScore ? `target ${short(k ? highest : lowest)}` : `class ${k}`);
function probability(found, q, k) { // that the model gives to class k
  let sum = 0;
  for (let i = 0; i < told.outputs; i++) sum += Math.exp(found[q * width + i] - found[q * width + k]);
  return 1 / sum;
}

// --- colours, shapes, axes -------------------------------------------------------------------------

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
const between = (a, b, share) => [0, 1, 2].map(i => a[i] + (b[i] - a[i]) * share);
const tint = (z, most) => between(colour.zero, z > 0 ? colour.plus : colour.minus, most * Math.min(1, Math.abs(z) || 0));
const HUES = [[11, 102, 156], [168, 67, 0], [66, 112, 34], [122, 69, 214], [176, 44, 96], [0, 112, 112], [125, 96, 0], [88, 96, 105]];
function hue(k) {
  if (!isClasses) return k ? colour.plus : colour.minus;
  return colour.page[0] < 128 ? between(HUES[k % 8], [255, 255, 255], 0.45) : HUES[k % 8];
}
const GLYPHS = ["●", "◆", "■", "▲"];
const glyph = k => (k + Math.floor(k / 8)) % 4;
function shape(x, X, Y, kind, r) {
  x.beginPath();
  if (kind === 0) x.arc(X, Y, r, 0, 7);
  else if (kind === 2) x.rect(X - r * 0.85, Y - r * 0.85, 1.7 * r, 1.7 * r);
  else {
    const n = kind === 1 ? 4 : 3;
    for (let q = 0; q < n; q++) { const a = -Math.PI / 2 + 2 * Math.PI * q / n; x.lineTo(X + 1.3 * r * Math.cos(a), Y + 1.3 * r * Math.sin(a)); }
    x.closePath();
  }
}
// An example: hollow if it is held out, ringed if it is wrong.
function example(x, X, Y, r, size) {
  const isHeld = r >= told.learnt, c = isNumber ? tint((target(r) - halfway) / (highest - halfway || 1), 1) : hue(classOf(r));
  shape(x, X, Y, isNumber ? Number(isHeld) : glyph(classOf(r)), size);
  x.fillStyle = isHeld ? rgb("page", 0.85) : `rgb(${c.join()})`;
  x.fill();
  x.strokeStyle = isNumber ? rgb("ink", 0.75) : isHeld ? `rgb(${c.join()})` : rgb("page");
  x.lineWidth = isHeld ? 1.6 : 1.1;
  x.stroke();
  if (told.counts && outputs()[r * width + rightAt] < 0.5) {
    x.beginPath();
    x.arc(X, Y, 8, 0, 7);
    x.strokeStyle = rgb("ink", 0.75);
    x.lineWidth = 1.2;
    x.stroke();
  }
}
function fit(canvas) {
  const { width: W, height: H } = canvas.getBoundingClientRect(), d = devicePixelRatio || 1;
  const w = Math.round(W * d), h = Math.round(H * d), x = canvas.getContext("2d");
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  x.setTransform(d, 0, 0, d, 0, 0);
  x.clearRect(0, 0, W, H);
  x.font = "12px system-ui, sans-serif";
  return [x, W, H];
}
function extent(xs, margin = 0.08) {
  let lo = Infinity, hi = -Infinity;
  for (const x of xs) if (Number.isFinite(x)) { lo = Math.min(lo, x); hi = Math.max(hi, x); }
  if (!(hi > lo)) [lo, hi] = lo < Infinity ? [lo - (Math.abs(lo) || 1) / 2, lo + (Math.abs(lo) || 1) / 2] : [0, 1];
  return [lo - margin * (hi - lo), hi + margin * (hi - lo)];
}
function ticks([lo, hi], n) { // round numbers, as [number, text]
  const raw = (hi - lo) / n, power = 10 ** Math.floor(Math.log10(raw));
  const apart = power * [1, 2, 5, 10].find(m => m * power >= 0.75 * raw), found = [];
  const format = new Intl.NumberFormat("en", { maximumFractionDigits: Math.min(20, Math.max(0, -Math.floor(Math.log10(apart) + 1e-9))) });
  for (let q = Math.ceil(lo / apart - 1e-9); q * apart <= hi + 1e-9 * apart && found.length < 20; q++) {
    const v = q * apart, isPlain = v === 0 || (apart >= 1e-4 && Math.abs(v) < 1e7);
    found.push([v, isPlain ? format.format(v || 0).replace("-", "−") : short(v)]);
  }
  return found;
}
// A canvas with axes: its context, its box, and where numbers stand in it.
function axes(canvas, [x0, x1], [y0, y1], across, upward) {
  const [x, W, H] = fit(canvas), right = W - 8, top = 8, bottom = H - 24;
  upward ??= ticks([y0, y1], Math.max(3, (bottom - top) / 60));
  const left = Math.max(48, ...upward.map(([, text]) => x.measureText(text).width + 10));
  across ??= ticks([x0, x1], Math.max(2, (right - left) / 95));
  const px = v => left + (v - x0) / (x1 - x0) * (right - left), py = v => bottom - (v - y0) / (y1 - y0) * (bottom - top);
  x.strokeStyle = rgb("rule");
  x.fillStyle = rgb("quiet");
  x.lineWidth = 1;
  x.textAlign = "right";
  x.textBaseline = "middle";
  for (const [v, text] of upward) {
    x.beginPath(); x.moveTo(left, py(v)); x.lineTo(right, py(v)); x.stroke();
    x.fillText(text, left - 7, py(v));
  }
  x.textBaseline = "alphabetic";
  x.textAlign = "center";
  let free = 0;
  for (const [v, text] of across) {
    const name = shortened(x, text, Math.max(40, (right - left) / across.length - 6)), half = x.measureText(name).width / 2;
    const X = Math.min(W - half - 1, px(v));
    if (X - half > free) { x.fillText(name, X, H - 6); free = X + half + 6; }
  }
  return { x, px, py, left, right, top, bottom };
}
function shortened(x, text, most) {
  for (let n = text.length; n > 1; n--) {
    const found = n < text.length ? text.slice(0, n) + "…" : text;
    if (x.measureText(found).width <= most) return found;
  }
  return "";
}
function curve(x, points, name, lineWidth = 1.7) { // breaks where there is no number
  let pen = false;
  x.beginPath();
  for (const [X, Y] of points) {
    if (!Number.isFinite(Y)) { pen = false; continue; }
    pen ? x.lineTo(X, Y) : x.moveTo(X, Y);
    pen = true;
  }
  x.strokeStyle = name;
  x.lineWidth = lineWidth;
  x.stroke();
}
const papers = {};
function painted(columns, lines, colourAt) { // a small picture, to be drawn larger
  const paper = papers[`${columns}, ${lines}`] ??= (() => {
    const canvas = part("canvas", { width: columns, height: lines }), x = canvas.getContext("2d");
    return { canvas, x, pixels: x.createImageData(columns, lines) };
  })();
  const { data } = paper.pixels;
  for (let q = 0; q < columns * lines; q++) {
    const c = colourAt(q);
    data[4 * q] = c[0]; data[4 * q + 1] = c[1]; data[4 * q + 2] = c[2]; data[4 * q + 3] = 255;
  }
  paper.x.putImageData(paper.pixels, 0, 0);
  return paper.canvas;
}

// --- over the plane of two inputs, the others at their means; over a line, where there is one ------

let pair = [0, Math.min(1, inputs - 1)], grid = 80;
let survey = null; // what the model says there, in lines from the top
function look(isQuick) {
  const columns = isQuick ? grid : 80, lines = inputs > 1 ? columns : 1, [a, b] = pair, kind = [columns, a, b].join();
  if (known.surveyed === kind) return;
  known.surveyed = kind;
  const [x0, x1] = extent(all.map(r => valueOf(r, a))), [y0, y1] = inputs > 1 ? extent(all.map(r => valueOf(r, b))) : [0, 1];
  const points = new Float64Array(columns * lines * told.width);
  const into = (k, v) => (v - scaleOf(k)[0]) / scaleOf(k)[1];
  for (let q = 0; q < columns * lines; q++) {
    for (let k = 0; k < inputs; k++) points[q * told.width + k] = middle[k];
    if (inputs > 1) points[q * told.width + b] = into(b, y1 - (y1 - y0) * (Math.floor(q / columns) + 0.5) / lines);
    points[q * told.width + a] = into(a, x0 + (x1 - x0) * (q % columns + 0.5) / columns);
  }
  survey = { columns, lines, points, found: outputsOf(points, count(columns * lines)), across: [x0, x1], upward: [y0, y1] };
}
const says = (points, found, q, unit) => unit < inputs ? points[q * told.width + unit] : found[q * width + unitsAt + unit - inputs];
function field(unit, thin = 1) { // over the survey, or some of its columns and lines, from −1 to 1
  const { points, found } = survey, n = Math.floor(survey.columns / thin), m = Math.max(1, Math.floor(survey.lines / thin));
  const z = new Float64Array(n * m), middle = Math.floor(thin / 2);
  let most = 1e-9;
  for (let q = 0; q < z.length; q++) {
    z[q] = says(points, found, (Math.floor(q / n) * thin + (m > 1 && middle)) * survey.columns + q % n * thin + middle, unit);
    most = Math.max(most, Math.abs(z[q]) || 0);
  }
  return { z: z.map(v => v / most), n, m };
}
function drawPlane(canvas, unit) {
  const { columns: G, found, across, upward } = survey;
  const { x, px, py, left, right, top, bottom } = axes(canvas, across, upward, null, null), W = right - left, H = bottom - top;
  let z = null, paint;
  if (unit !== null) {
    ({ z } = field(unit));
    paint = q => tint(z[q], 0.6);
  } else if (isClasses) paint = q => {
    const k = largest(found, q * width, told.outputs), n = told.outputs;
    return between(colour.zero, hue(k), 0.5 * Math.max(0, (probability(found, q, k) - 1 / n) / (1 - 1 / n)) + 0.08);
  }; else {
    const most = isNumber ? Math.max(highest - halfway, 1e-9) : told.threshold || 1.5;
    z = Float64Array.from(count(G * G), q => isNumber ? predicted(found[q * width]) - halfway : found[q * width] - told.threshold);
    paint = q => tint(z[q] / most, 0.52);
  }
  x.save();
  x.beginPath();
  x.roundRect(left, top, W, H, 6);
  x.clip();
  x.drawImage(painted(G, G, paint), left, top, W, H);
  const lines = (levels, fields, style, dash, lineWidth) => {
    x.beginPath();
    for (const f of fields) for (const level of levels) contour(x, [left, top, W, H], G, f, level);
    x.strokeStyle = style;
    x.lineWidth = lineWidth;
    x.setLineDash(dash);
    x.stroke();
    x.setLineDash([]);
  };
  if (unit === null) {
    const ahead = k => Float64Array.from(count(G * G), q => { // of all other classes
      let most = -Infinity;
      for (let i = 0; i < told.outputs; i++) if (i !== k) most = Math.max(most, found[q * width + i]);
      return found[q * width + k] - most;
    });
    lines([0], isClasses ? count(told.outputs - (told.outputs === 2)).map(ahead) : [z], rgb("ink", 0.85), [], 1.7);
    if (isScore && !told.threshold) lines([1, -1], [z], rgb("ink", 0.35), [3, 4], 1);
  }
  for (const r of all) example(x, px(valueOf(r, pair[0])), py(valueOf(r, pair[1])), r, all.length > 400 ? 2.8 : 4.2);
  x.restore();
}
function contour(x, [left, top, W, H], G, f, level) { // marching squares
  const px = i => left + (i + 0.5) / G * W, py = j => top + (j + 0.5) / G * H;
  for (let j = 0; j < G - 1; j++) for (let i = 0; i < G - 1; i++) {
    const a = f[j * G + i] - level, b = f[j * G + i + 1] - level, c = f[(j + 1) * G + i + 1] - level, d = f[(j + 1) * G + i] - level, p = [];
    if (a > 0 !== b > 0) p.push([px(i + a / (a - b)), py(j)]);
    if (b > 0 !== c > 0) p.push([px(i + 1), py(j + b / (b - c))]);
    if (d > 0 !== c > 0) p.push([px(i + d / (d - c)), py(j + 1)]);
    if (a > 0 !== d > 0) p.push([px(i), py(j + a / (a - d))]);
    for (let q = 0; q + 1 < p.length; q += 2) { x.moveTo(...p[q]); x.lineTo(...p[q + 1]); }
  }
}
// Predictions against targets, or against the only input.
function drawFit(canvas) {
  const found = outputs(), isOne = inputs === 1, spread = r => classOf(r) + 0.5 * ((r * 0.618) % 1) - 0.25;
  const across = isOne ? r => valueOf(r, 0) : isNumber ? target : spread;
  const upward = r => isClasses ? probability(found, r, classOf(r)) : predicted(found[r * width]);
  const stands = isOne && !isClasses ? target : upward, sides = isScore ? 2 : told.outputs;
  const { x, px, py } = axes(canvas, isOne || isNumber ? extent(all.map(across)) : [-0.5, sides - 0.5],
    isClasses ? [-0.04, 1.04] : extent([...all.map(upward), ...all.map(target)]),
    isOne || isNumber ? null : count(sides).map(k => [k, className(k)]));
  if (isOne) {
    const at = q => px(survey.across[0] + (survey.across[1] - survey.across[0]) * (q + 0.5) / survey.columns);
    for (let k = 0; k < (isClasses ? told.outputs : 1); k++) {
      curve(x, count(survey.columns).map(q => [at(q), py(isClasses ? probability(survey.found, q, k) : predicted(survey.found[q * width]))]), isClasses ? `rgb(${hue(k).join()})` : rgb("ink"));
    }
  } else if (isNumber) {
    const ends = extent(all.map(target), 0);
    curve(x, ends.map(v => [px(v), py(v)]), rgb("ink", 0.7));
  } else if (isScore) curve(x, [-0.5, 1.5].map(v => [px(v), py(told.threshold)]), rgb("ink", 0.7));
  for (const r of all) example(x, px(across(r)), py(stands(r)), r, all.length > 400 ? 2.6 : 3.6);
}

// --- the network ----------------------------------------------------------------------------------

const layers = [count(inputs)];
units.forEach((u, k) => (layers[u.layer] ??= []).push(inputs + k));
const wires = units.flatMap((u, k) => u.weights.map((place, i) => [u.sources[i], inputs + k, place])).filter(w => w[0] >= 0);
const unitName = k => k < inputs ? told.features[k] : units[k - inputs].name;
const isOutput = k => layers.at(-1).includes(k) && layers.at(-1).length === told.outputs && layers.length > 1;
const strength = () => { let m = 1e-9; for (const [, , place] of wires) m = Math.max(m, Math.abs(numbers[place])); return Math.min(m, 2.5); };
const tallest = Math.max(...layers.map(own => own.length)), netHeight = Math.max(250, Math.min(640, 44 + 25 * tallest));
const INSET = 20, half = Math.min(12, (netHeight - 44) / tallest / 2 - 1.2); // of a unit's side
const stand = []; // of each unit its share of the width, its height, half its side
layers.forEach((own, l) => own.forEach((k, j) => {
  const apart = Math.min(52, (netHeight - 44) / own.length), side = isOutput(k) ? Math.min(1.4 * half, apart / 2 - 1.2) : half;
  stand[k] = [l / (layers.length - 1), netHeight / 2 + (j - (own.length - 1) / 2) * apart, side];
}));
let stands = []; // of each unit [X, Y, half its side]
function drawNetwork(canvas, unit, weight) {
  const [x, W] = fit(canvas), most = strength();
  stands = stand.map(([share, Y, r]) => [INSET + (W - 2 * INSET) * share, Y, r]);
  for (const [a, b, place] of wires) {
    const z = numbers[place], m = Math.min(1, Math.abs(z) / most), isLit = unit === null || a === unit || b === unit;
    if (m < 0.01 && place !== weight) continue;
    wire(x, a, b, rgb(z > 0 ? "plus" : "minus", isLit ? 0.15 + 0.6 * m : 0.06), 0.4 + 3 * m);
  }
  const lit = wires.find(w => w[2] === weight);
  if (lit && unit === null) wire(x, lit[0], lit[1], rgb("work"), 2);
  x.imageSmoothingQuality = "high";
  stands.forEach(([X, Y, r], k) => {
    const { z, n, m } = field(k, 3), isShown = k >= inputs || pair.includes(k);
    x.save();
    x.beginPath();
    x.roundRect(X - r, Y - r, 2 * r, 2 * r, Math.min(4, r / 2));
    x.fillStyle = rgb("page");
    x.fill();
    x.clip();
    x.drawImage(painted(n, m, q => isShown ? tint(z[q], 0.85) : colour.zero), X - r, Y - r, 2 * r, 2 * r);
    x.restore();
    x.beginPath();
    x.roundRect(X - r, Y - r, 2 * r, 2 * r, Math.min(4, r / 2));
    x.strokeStyle = k === unit ? rgb("work") : rgb("quiet", 0.8);
    x.lineWidth = k === unit ? 2 : 1;
    x.stroke();
  });
  for (const [ends, align] of [[layers[0], "left"], [layers.at(-1).filter(isOutput), "right"]]) ends.forEach((k, j) => {
    const [, Y, r] = stands[k], gap = ends.length > 1 ? Math.abs(stands[ends[1]][1] - stands[ends[0]][1]) : 99;
    const name = align === "left" ? unitName(k) : isClasses ? className(j) : isScore ? "score" : "prediction";
    if (gap < 2 * r + 16) return;
    const text = shortened(x, name, (W - 2 * INSET) / (layers.length - 1) - 2 * r - 4), wide = x.measureText(text).width;
    x.fillStyle = rgb("page", 0.75);
    x.fillRect(align === "left" ? 0 : W - wide - 4, Y - r - 17, wide + 4, 15);
    x.fillStyle = rgb("quiet");
    x.textAlign = align;
    x.fillText(text, align === "left" ? 2 : W - 2, Y - r - 5);
  });
}
function wire(x, a, b, style, lineWidth) {
  const [ax, ay, ar] = stands[a], [bx, by, br] = stands[b], mx = (ax + bx) / 2;
  x.beginPath();
  x.moveTo(ax + ar, ay);
  x.bezierCurveTo(mx, ay, mx, by, bx - br, by);
  x.strokeStyle = style;
  x.lineWidth = lineWidth;
  x.stroke();
}
function wireAt(X, Y) { // the weight under the pointer
  let best = null, nearest = 5;
  for (const [a, b, place] of wires) {
    const [ax, ay, ar] = stands[a], [bx, by, br] = stands[b], x0 = ax + ar, x3 = bx - br, mx = (ax + bx) / 2;
    if (X < x0 || X > x3) continue;
    let lo = 0, hi = 1; // where along the curve it is that far across
    for (let i = 0; i < 14; i++) { const s = (lo + hi) / 2, u = 1 - s; u * u * u * x0 + 3 * u * s * mx + s * s * s * x3 < X ? (lo = s) : (hi = s); }
    const far = Math.abs(Y - (ay + (by - ay) * lo * lo * (3 - 2 * lo)));
    if (far < nearest) { nearest = far; best = place; }
  }
  return best;
}

// --- curves, and every weight ------------------------------------------------------------------------

function drawRecord(canvas, key) { // "loss" or "share"
  const { points, marks } = record, series = [p => p.own[key], p => p.other?.[key]], last = Math.max(50, t);
  const values = points.flatMap(p => series.map(s => s(p))).filter(Number.isFinite);
  const isLoss = key === "loss", isLog = isLoss && !values.some(v => v < 0) && values.some(v => v > 0);
  let range = [0, 1], upward = [0, 0.5, 1].map(v => [v, `${100 * v} %`]), on = v => v;
  if (isLog) {
    const positive = values.filter(v => v > 0);
    let d0 = Math.floor(Math.log10(Math.min(...positive)) + 1e-9);
    const d1 = Math.max(Math.ceil(Math.log10(Math.max(...positive)) - 1e-9), d0 + 1), apart = Math.ceil((d1 - (d0 = Math.max(d0, d1 - 14))) / 4);
    range = [d0, d1];
    on = v => Math.max(d0, Math.log10(v));
    upward = count(d1 - d0 + 1, d0).filter(d => (d1 - d) % apart === 0).map(d => [d, d < -3 || d > 5 ? "10" + raised(String(d)) : short(10 ** d)]);
  } else if (isLoss) { range = extent(values); upward = null; }
  const { x, px, py, left, top, bottom, right } = axes(canvas, [0, last], range, [[0, "0"], [last, `${last.toLocaleString("en")} steps`]], upward);
  let free = left;
  for (const [q, text] of marks) {
    x.strokeStyle = rgb("work", 0.5);
    x.beginPath(); x.moveTo(px(q), top); x.lineTo(px(q), bottom); x.stroke();
    const half = x.measureText(text).width / 2, X = Math.max(left + half, Math.min(right - half, px(q)));
    if (!isLoss || X - half < free) continue;
    x.fillStyle = rgb("page", 0.85);
    x.fillRect(X - half - 2, top - 6, 2 * half + 4, 15);
    x.fillStyle = rgb("work");
    x.fillText(text, X, top + 5);
    free = X + half + 8;
  }
  series.toReversed().forEach((s, i) => { // the examples' own comes last, on top
    if (!i && !held.length) return;
    x.setLineDash(i ? [] : [5, 4]);
    curve(x, points.map(p => [px(p.t), py(on(s(p)))]), rgb(i ? "ink" : "work"));
    x.setLineDash([]);
  });
  const end = points.at(-1);
  x.beginPath(); x.arc(px(end.t), py(on(end.own[key])), 3, 0, 7); x.fillStyle = rgb("ink"); x.fill();
  canvas.setAttribute("aria-label", `${isLoss ? "Loss" : "Share of right answers"}: from ${short(points[0].own[key])} to ${short(end.own[key])} in ${t} steps`);
  return isLog;
}
let cells = [];
function drawWeightMap(canvas, weight) {
  const W = canvas.getBoundingClientRect().width;
  cells = [];
  let left = 0, top = 0, below = 0; // arrays stand beside one another as long as there is room
  for (const array of told.arrays) {
    const columns = array.columns, n = array.at.length, size = Math.max(6, Math.min(14, W / columns, 360 / (n / columns))), across = Math.min(columns, Math.max(1, Math.floor(W / size)));
    const wide = Math.max(across * size, Math.min(W, 6.6 * array.name.length));
    if (left && left + wide > W) { left = 0; top = below; }
    Object.assign(array, { left, top: top + 14 });
    array.at.forEach((place, i) => cells.push({ place, x: left + (i % across) * size, y: array.top + 5 + Math.floor(i / across) * size, size }));
    below = Math.max(below, array.top + 5 + Math.ceil(n / across) * size + 10);
    left += wide + 20;
  }
  canvas.style.height = `${below}px`;
  const [x] = fit(canvas);
  x.fillStyle = rgb("quiet");
  for (const array of told.arrays) x.fillText(shortened(x, array.name, W - array.left), array.left, array.top);
  let most = 1e-12;
  for (const { place } of cells) most = Math.max(most, Math.abs(numbers[place]));
  for (const c of cells) {
    const z = numbers[c.place] / Math.min(most, 2.5);
    x.fillStyle = `rgb(${tint(Math.sign(z) * Math.min(1, Math.abs(z)) ** 0.7, 1).join()})`;
    x.fillRect(c.x, c.y, c.size - 1, c.size - 1);
  }
  const c = cells.find(c => c.place === weight);
  if (c) { x.strokeStyle = rgb("work"); x.lineWidth = 2; x.strokeRect(c.x - 0.5, c.y - 0.5, c.size, c.size); }
}
let costTook = 0; // milliseconds
function costsAround(weight) { // the objective as one number alone changes
  if (known.costs?.weight === weight) return known.costs;
  const began = performance.now(), w = numbers[weight], reach = Math.max(1, Math.abs(w)), n = costTook > 60 ? 11 : 31;
  const at = count(n).map(i => w + reach * (2 * i / (n - 1) - 1));
  const costs = at.map(v => { numbers[weight] = v; return slopesOf(rows, learnt)[0]; });
  numbers[weight] = w;
  costTook = performance.now() - began;
  return (known.costs = { weight, at, costs });
}
function drawCost(canvas, weight) {
  const { at, costs } = costsAround(weight), { x, px, py } = axes(canvas, [at[0], at.at(-1)], extent(costs));
  curve(x, costs.map((y, i) => [px(at[i]), py(y)]), rgb("ink"));
  x.fillStyle = rgb("work"); x.beginPath(); x.arc(px(numbers[weight]), py(slopes()[0]), 4, 0, 7); x.fill();
}
