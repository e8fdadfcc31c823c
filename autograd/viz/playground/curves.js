// Curves over the steps, the map of all numbers, and the cost as one of them changes.

function drawRecord(canvas, key) { // "loss" or "share"; says whether the axis is logarithmic
  const { points, marks } = record, end = points.at(-1), last = Math.max(50, t), isLoss = key === "loss";
  const all = isLoss && isPenalised() ? p => [p.own.loss, p.own.objective, p.other?.loss] : p => [p.own[key], p.other?.[key]];
  const values = points.flatMap(all).filter(Number.isFinite);
  const positive = values.filter(v => v > 0);
  const isLog = isLoss && positive.length > 0 && values.every(v => v >= 0);
  let range = [0, 1], upward = [0, 0.5, 1].map(v => [v, `${100 * v} %`]), on = v => v;
  if (isLog) {
    const [lo, hi] = extent(positive.map(Math.log10), 0), d1 = Math.max(Math.ceil(hi - 1e-9), Math.floor(lo) + 1);
    const d0 = Math.max(Math.floor(lo + 1e-9), d1 - 14), apart = Math.ceil((d1 - d0) / 4);
    range = [d0, d1];
    on = v => Math.max(d0, Math.log10(v)); // 0 stands at the bottom
    upward = count(d1 - d0 + 1, d0).filter(d => (d1 - d) % apart === 0)
      .map(d => [d, short(10 ** d)]);
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
  if (isLoss && isPenalised()) curve(x, points.map(p => [px(p.t), py(on(p.own.objective ?? NaN))]), rgb("quiet"), 0.8);
  curve(x, points.map(p => [px(p.t), py(on(p.own[key]))]), rgb("ink"));
  dot(x, px(end.t), py(on(end.own[key])), 3, rgb("ink"));
  canvas.setAttribute("aria-label", `${isLoss ? "Loss" : "Accuracy"}: ` +
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
let costTook = 0, costAt = -Infinity; // milliseconds, and when they ended
function costsAround(weight) { // the objective as one number alone changes
  if (known.costs?.weight === weight) return known.costs;
  const began = performance.now(), w = numbers[weight], reach = Math.max(1, Math.abs(w)), n = costTook > 60 ? 11 : 31;
  const at = count(n).map(i => w + reach * (2 * i / (n - 1) - 1));
  const costs = at.map(v => { numbers[weight] = v; return slopesOf(rows, learned)[0]; });
  numbers[weight] = w;
  costAt = performance.now();
  costTook = costAt - began;
  return (known.costs = { weight, at, costs });
}
function drawCost(canvas, weight) {
  const { at, costs } = costsAround(weight), { x, px, py } = axes(canvas, [at[0], at.at(-1)], extent(costs));
  curve(x, costs.map((y, i) => [px(at[i]), py(y)]), rgb("ink"));
  dot(x, px(numbers[weight]), py(slopes()[0]), 4, rgb("work"));
}
