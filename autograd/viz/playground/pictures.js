// The pictures: what `learning.js` knows, drawn into canvases. A unit is an input or a neuron.

// --- the examples, in the reader's units, whatever the model computes in ---------------------------

const [scale, targetScale] = told.scales.map(s => s ?? []);
const scaleOf = k => (k < inputs ? scale[k] : targetScale[k - inputs]) ?? [0, 1];
const shown = rows.map((v, q) => v * scaleOf(q % told.width)[1] + scaleOf(q % told.width)[0]);
const valueOf = (r, k) => shown[r * told.width + k], target = r => valueOf(r, inputs);
const predicted = z => z * scaleOf(inputs)[1] + scaleOf(inputs)[0]; // of the first output
const middle = count(inputs).map(k => learnt.reduce((sum, r) => sum + rows[r * told.width + k], 0) / learnt.length);

const isClasses = told.kind === "classes", isScore = told.kind === "score", isNumber = told.kind === "number";
const lowest = Math.min(...learnt.map(target)), highest = Math.max(...learnt.map(target));
const halfway = (lowest + highest) / 2;
function largest(from, at, n) {
  let best = 0;
  for (let i = 1; i < n; i++) if (from[at + i] > from[at + best]) best = i;
  return best;
}
function classOf(r) {
  if (isScore) return Number(target(r) > (lowest < highest ? halfway : 0));
  return told.width - inputs === 1 ? target(r) : largest(rows, r * told.width + inputs, told.width - inputs);
}
const className = k => told.classes[k] ?? (isScore ? `target ${short(k ? highest : lowest)}` : `class ${k}`);
function probability(found, q, k) { // that the model gives to class k
  let sum = 0;
  for (let i = 0; i < told.outputs; i++) sum += Math.exp(found[q * width + i] - found[q * width + k]);
  return 1 / sum;
}
// One of them: hollow if it is held out, ringed if it is wrong.
function example(x, X, Y, r, size) {
  const isHeld = r >= told.learnt, kind = isNumber ? Number(isHeld) : glyph(classOf(r));
  const own = css(isNumber ? tint((target(r) - halfway) / (highest - halfway || 1), 1) : hue(classOf(r)));
  shape(x, X, Y, kind, size);
  x.fillStyle = isHeld ? rgb("page", 0.85) : own;
  x.fill();
  x.strokeStyle = isNumber ? rgb("ink", 0.75) : isHeld ? own : rgb("page");
  x.lineWidth = isHeld ? 1.6 : 1.1;
  x.stroke();
  if (told.counts && outputs()[r * width + rightAt] < 0.5) {
    shape(x, X, Y, 0, 8);
    x.strokeStyle = rgb("ink", 0.75);
    x.lineWidth = 1.2;
    x.stroke();
  }
}

// --- over the plane of two inputs, the others at their means; over a line, where there is one ------

let pair = [0, Math.min(1, inputs - 1)], grid = 80;
let survey = null; // what the model says there, in lines from the top
function look(isQuick) {
  const columns = isQuick ? grid : 80, lines = inputs > 1 ? columns : 1, [a, b] = pair, what = [columns, a, b].join();
  if (known.surveyed === what) return;
  const across = extent(all.map(r => valueOf(r, a)));
  const upward = inputs > 1 ? extent(all.map(r => valueOf(r, b))) : [0, 1];
  const points = new Float64Array(columns * lines * told.width);
  const set = (q, k, [lo, hi], share) => {
    points[q * told.width + k] = (lo + (hi - lo) * share - scaleOf(k)[0]) / scaleOf(k)[1];
  };
  for (let q = 0; q < columns * lines; q++) {
    points.set(middle, q * told.width);
    if (inputs > 1) set(q, b, upward, 1 - (Math.floor(q / columns) + 0.5) / lines);
    set(q, a, across, (q % columns + 0.5) / columns);
  }
  survey = { columns, lines, points, found: outputsOf(points, count(columns * lines)), across, upward };
  known.surveyed = what;
}
function says(points, found, q, unit) {
  return unit < inputs ? points[q * told.width + unit] : found[q * width + unitsAt + unit - inputs];
}
function field(unit, thin = 1) { // from −1 to 1; over all of the survey, or each so many-th column and line
  const { columns, lines, points, found } = survey, half = Math.floor(thin / 2);
  const n = Math.floor(columns / thin), m = Math.max(1, Math.floor(lines / thin)), z = new Float64Array(n * m);
  let most = 1e-9;
  for (let q = 0; q < z.length; q++) {
    const at = (Math.floor(q / n) * thin + (m > 1 ? half : 0)) * columns + q % n * thin + half;
    z[q] = says(points, found, at, unit);
    most = Math.max(most, Math.abs(z[q]) || 0);
  }
  return { z: z.map(v => v / most), n, m };
}
function drawPlane(canvas, unit) {
  const { columns: G, found, across, upward } = survey, each = f => Float64Array.from(count(G * G), f);
  const { x, px, py, left, right, top, bottom } = axes(canvas, across, upward);
  const box = [left, top, right - left, bottom - top];
  let z = null, colourAt = q => tint(z[q], 0.6);
  if (unit !== null) ({ z } = field(unit));
  else if (isClasses) colourAt = q => {
    const k = largest(found, q * width, told.outputs), even = 1 / told.outputs;
    return between(colour.zero, hue(k), 0.08 + 0.5 * Math.max(0, (probability(found, q, k) - even) / (1 - even)));
  };
  else {
    const zero = isNumber ? halfway : told.threshold, most = isNumber ? highest - halfway || 1 : told.threshold || 1.5;
    z = each(q => (isNumber ? predicted(found[q * width]) : found[q * width]) - zero);
    colourAt = q => tint(z[q] / most, 0.52);
  }
  x.save();
  x.beginPath();
  x.roundRect(...box, 6);
  x.clip();
  x.drawImage(painted(G, G, colourAt), ...box);
  const contours = (fields, levels, style, lineWidth, dash) => {
    x.beginPath();
    for (const f of fields) for (const level of levels) contour(x, box, G, f, level);
    Object.assign(x, { strokeStyle: style, lineWidth });
    x.setLineDash(dash);
    x.stroke();
    x.setLineDash([]);
  };
  if (unit === null) {
    const ahead = k => each(q => { // of all other classes
      let most = -Infinity;
      for (let i = 0; i < told.outputs; i++) if (i !== k) most = Math.max(most, found[q * width + i]);
      return found[q * width + k] - most;
    });
    const fields = isClasses ? count(told.outputs > 2 ? told.outputs : 1).map(ahead) : [z];
    contours(fields, [0], rgb("ink", 0.85), 1.7, []);
    if (isScore && !told.threshold) contours(fields, [1, -1], rgb("ink", 0.35), 1, [3, 4]);
  }
  const size = all.length > 400 ? 2.8 : 4.2;
  for (const r of all) example(x, px(valueOf(r, pair[0])), py(valueOf(r, pair[1])), r, size);
  x.restore();
}
// Predictions by targets, or with the targets over the only input.
function drawFit(canvas) {
  const found = outputs(), isOne = inputs === 1, sides = isScore ? 2 : told.outputs;
  const upward = r => isClasses ? probability(found, r, classOf(r)) : predicted(found[r * width]);
  const across = isOne ? r => valueOf(r, 0) : isNumber ? target : r => classOf(r) + 0.5 * ((r * 0.618) % 1) - 0.25;
  const { x, px, py } = axes(canvas,
    isOne || isNumber ? extent(all.map(across)) : [-0.5, sides - 0.5],
    isClasses ? [-0.04, 1.04] : extent([...all.map(upward), ...all.map(target)]),
    isOne || isNumber ? null : count(sides).map(k => [k, className(k)]));
  if (isOne) {
    const { columns, found: there, across: [x0, x1] } = survey;
    const at = q => px(x0 + (x1 - x0) * (q + 0.5) / columns);
    const draw = (f, style) => curve(x, count(columns).map(q => [at(q), py(f(q))]), style);
    if (isClasses) for (let k = 0; k < told.outputs; k++) draw(q => probability(there, q, k), css(hue(k)));
    else draw(q => predicted(there[q * width]), rgb("ink"));
  } else if (isNumber) curve(x, extent(all.map(target), 0).map(v => [px(v), py(v)]), rgb("ink", 0.7));
  else if (isScore) curve(x, [-0.5, 1.5].map(v => [px(v), py(told.threshold)]), rgb("ink", 0.7));
  const stands = isOne && !isClasses ? target : upward;
  for (const r of all) example(x, px(across(r)), py(stands(r)), r, all.length > 400 ? 2.6 : 3.6);
}

// --- the network ----------------------------------------------------------------------------------

const layers = [count(inputs)];
units.forEach((u, k) => (layers[u.layer] ??= []).push(inputs + k));
const unitName = k => k < inputs ? told.features[k] : units[k - inputs].name;
const ends = layers.length > 1 && layers.at(-1).length === told.outputs ? layers.at(-1) : []; // the model's outputs
const wires = units
  .flatMap((u, k) => u.weights.map((place, i) => ({ from: u.sources[i], to: inputs + k, place })))
  .filter(({ from }) => from >= 0);
const tallest = Math.max(...layers.map(own => own.length));
const netHeight = Math.max(250, Math.min(640, 44 + 25 * tallest)), INSET = 20;
const halfSide = Math.min(12, (netHeight - 44) / tallest / 2 - 1.2); // of a unit's side
const layout = []; // of each unit its share of the width, its height, half its side
layers.forEach((own, l) => own.forEach((k, j) => {
  const apart = Math.min(52, (netHeight - 44) / own.length), Y = netHeight / 2 + (j - (own.length - 1) / 2) * apart;
  layout[k] = [l / (layers.length - 1), Y, ends.includes(k) ? Math.min(1.4 * halfSide, apart / 2 - 1.2) : halfSide];
}));
// The number of the strongest colour; in a few large ones the others shall not pale.
const strongest = all => Math.min(2.5, all.reduce((m, { place }) => Math.max(m, Math.abs(numbers[place])), 1e-12));
let stands = []; // of each unit [X, Y, half its side], as it was drawn
function drawNetwork(canvas, unit, weight) {
  const [x, W] = fit(canvas), most = strongest(wires);
  stands = layout.map(([share, Y, r]) => [INSET + (W - 2 * INSET) * share, Y, r]);
  for (const wire of wires) {
    const z = numbers[wire.place], m = Math.min(1, Math.abs(z) / most);
    const isLit = unit === null || wire.from === unit || wire.to === unit;
    if (m > 0.01) drawWire(x, wire, rgb(z > 0 ? "plus" : "minus", isLit ? 0.15 + 0.6 * m : 0.06), 0.4 + 3 * m);
  }
  const lit = unit === null && wires.find(({ place }) => place === weight);
  if (lit) drawWire(x, lit, rgb("work"), 2);
  x.imageSmoothingQuality = "high";
  stands.forEach(([X, Y, r], k) => {
    const { z, n, m } = field(k, 3), isShown = k >= inputs || pair.includes(k), box = [X - r, Y - r, 2 * r, 2 * r];
    x.save();
    x.beginPath();
    x.roundRect(...box, Math.min(4, r / 2));
    x.clip();
    x.drawImage(painted(n, m, q => isShown ? tint(z[q], 0.85) : colour.zero), ...box);
    x.restore();
    x.beginPath();
    x.roundRect(...box, Math.min(4, r / 2));
    x.strokeStyle = k === unit ? rgb("work") : rgb("quiet", 0.8);
    x.lineWidth = k === unit ? 2 : 1;
    x.stroke();
  });
  const room = (W - 2 * INSET) / (layers.length - 1) - 2 * halfSide - 4;
  layers[0].forEach(k => label(x, layers[0], k, unitName(k), room, "left", 2));
  const endName = j => isClasses ? className(j) : isScore ? "score" : "prediction";
  ends.forEach((k, j) => label(x, ends, k, endName(j), room, "right", W - 2));
}
function label(x, layer, k, name, room, side, X) { // above the unit, if there is room
  const [, Y, r] = stands[k], apart = layer.length > 1 ? stands[layer[1]][1] - stands[layer[0]][1] : Infinity;
  if (apart < 2 * r + 16) return;
  const text = shortened(x, name, room), wide = x.measureText(text).width;
  x.fillStyle = rgb("page", 0.75);
  x.fillRect(side === "left" ? X - 2 : X - wide - 2, Y - r - 17, wide + 4, 15);
  x.fillStyle = rgb("quiet");
  x.textAlign = side;
  x.fillText(text, X, Y - r - 5);
}
function ofWire({ from, to }) { // where it starts, turns and ends
  const [ax, ay, ar] = stands[from], [bx, by, br] = stands[to];
  return [ax + ar, ay, (ax + bx) / 2, bx - br, by];
}
function drawWire(x, wire, style, lineWidth) {
  const [x0, y0, turn, x1, y1] = ofWire(wire);
  x.beginPath();
  x.moveTo(x0, y0);
  x.bezierCurveTo(turn, y0, turn, y1, x1, y1);
  Object.assign(x, { strokeStyle: style, lineWidth });
  x.stroke();
}
function wireAt(X, Y) { // the weight under the pointer
  let best = null, nearest = 5;
  for (const wire of wires) {
    const [x0, y0, turn, x1, y1] = ofWire(wire);
    if (X < x0 || X > x1) continue;
    let s = 0; // where along the curve it is that far across
    for (let part = 0.5; part > 1e-4; part /= 2) {
      const t = s + part, u = 1 - t;
      if (u * u * u * x0 + 3 * u * t * turn + t * t * t * x1 < X) s = t;
    }
    const far = Math.abs(Y - (y0 + (y1 - y0) * s * s * (3 - 2 * s)));
    if (far < nearest) [nearest, best] = [far, wire.place];
  }
  return best;
}

// --- curves, and every number -----------------------------------------------------------------------

function drawRecord(canvas, key) { // "loss" or "share"; says whether the axis is logarithmic
  const { points, marks } = record, end = points.at(-1), last = Math.max(50, t), isLoss = key === "loss";
  const values = points.flatMap(p => [p.own[key], p.other?.[key]]).filter(Number.isFinite);
  const positive = values.filter(v => v > 0);
  const isLog = isLoss && positive.length > 0 && values.every(v => v >= 0);
  let range = [0, 1], upward = [0, 0.5, 1].map(v => [v, `${100 * v} %`]), on = v => v;
  if (isLog) {
    const [lo, hi] = extent(positive.map(Math.log10), 0), d1 = Math.max(Math.ceil(hi - 1e-9), Math.floor(lo) + 1);
    const d0 = Math.max(Math.floor(lo + 1e-9), d1 - 14), apart = Math.ceil((d1 - d0) / 4);
    range = [d0, d1];
    on = v => Math.max(d0, Math.log10(v)); // 0 stands at the bottom
    upward = count(d1 - d0 + 1, d0).filter(d => (d1 - d) % apart === 0)
      .map(d => [d, d < -3 || d > 5 ? "10" + raised(String(d)) : short(10 ** d)]);
  } else if (isLoss) [range, upward] = [extent(values), null];
  const across = [[0, "0"], [last, plural(last, "step")]];
  const { x, px, py, left, top, bottom, right } = axes(canvas, [0, last], range, across, upward);
  let free = left;
  for (const [q, text] of marks) { // of changed settings
    x.strokeStyle = rgb("work", 0.5);
    line(x, px(q), top, px(q), bottom);
    const half = x.measureText(text).width / 2, X = Math.max(left + half, Math.min(right - half, px(q)));
    if (!isLoss || X - half < free) continue;
    x.fillStyle = rgb("page", 0.85);
    x.fillRect(X - half - 2, top - 6, 2 * half + 4, 15);
    x.fillStyle = rgb("work");
    x.fillText(text, X, top + 5);
    free = X + half + 8;
  }
  x.setLineDash([5, 4]);
  if (held.length) curve(x, points.map(p => [px(p.t), py(on(p.other[key]))]), rgb("work"));
  x.setLineDash([]);
  curve(x, points.map(p => [px(p.t), py(on(p.own[key]))]), rgb("ink"));
  dot(x, px(end.t), py(on(end.own[key])), 3, rgb("ink"));
  canvas.setAttribute("aria-label", `${isLoss ? "Loss" : "Share of right answers"}: ` +
    `from ${short(points[0].own[key])} to ${short(end.own[key])} in ${plural(t, "step")}`);
  return isLog;
}
let cells = [];
function drawMap(canvas, weight) {
  const W = canvas.getBoundingClientRect().width, names = [];
  cells = [];
  let left = 0, top = 0, below = 0; // arrays stand beside one another as long as there is room
  for (const { name, columns, at } of told.arrays) {
    const size = Math.max(6, Math.min(14, W / columns, 360 * columns / at.length));
    const across = Math.min(columns, Math.floor(W / size));
    const wide = Math.max(across * size, Math.min(W, 6.6 * name.length));
    if (left && left + wide > W) [left, top] = [0, below];
    at.forEach((place, i) => {
      cells.push({ place, x: left + i % across * size, y: top + 19 + Math.floor(i / across) * size, size });
    });
    names.push([name, left, top + 14]);
    below = Math.max(below, top + 29 + Math.ceil(at.length / across) * size);
    left += wide + 20;
  }
  canvas.style.height = `${below}px`;
  const [x] = fit(canvas), most = strongest(cells);
  x.fillStyle = rgb("quiet");
  for (const [name, X, Y] of names) x.fillText(shortened(x, name, W - X), X, Y);
  for (const c of cells) {
    const z = numbers[c.place] / most;
    x.fillStyle = css(tint(Math.sign(z) * Math.min(1, Math.abs(z)) ** 0.7, 1));
    x.fillRect(c.x, c.y, c.size - 1, c.size - 1);
  }
  Object.assign(x, { strokeStyle: rgb("work"), lineWidth: 2 });
  for (const c of cells) if (c.place === weight) x.strokeRect(c.x - 0.5, c.y - 0.5, c.size, c.size);
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
  dot(x, px(numbers[weight]), py(slopes()[0]), 4, rgb("work"));
}
