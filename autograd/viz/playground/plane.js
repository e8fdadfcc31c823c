// What the model predicts over the plane of two inputs, the others at their means, or over a line.

let pair = [0, Math.min(1, inputs - 1)], grid = 80;
let survey = null; // what the model says there, in lines from the top
function look(isQuick) {
  const columns = isQuick ? grid : 80, lines = inputs > 1 ? columns : 1, [a, b] = pair, what = [columns, a, b].join();
  if (known.surveyed === what) return;
  const least = told.frame ?? []; // what is shown at least
  const across = extent([...all.map(r => valueOf(r, a)), ...least]);
  const upward = inputs > 1 ? extent([...all.map(r => valueOf(r, b)), ...least]) : [0, 1];
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
let planeBox = null;
function placeAt({ offsetX, offsetY }) { // in the plane, or null beside it
  const [left, top, wide, high] = planeBox, { across, upward } = survey;
  const x = (offsetX - left) / wide, y = (offsetY - top) / high;
  if (x < 0 || x > 1 || y < 0 || y > 1) return null;
  return [across[0] + (across[1] - across[0]) * x, upward[1] - (upward[1] - upward[0]) * y];
}
function drawPlane(canvas, unit) {
  const { columns: G, found, across, upward } = survey, each = f => Float64Array.from(count(G * G), f);
  const { x, px, py, left, right, top, bottom } = axes(canvas, across, upward);
  const box = planeBox = [left, top, right - left, bottom - top];
  let z = null, colorAt = q => tint(z[q], 0.6);
  if (unit !== null) ({ z } = field(unit));
  else if (isClasses) colorAt = q => {
    const k = largest(found, q * width, told.outputs), even = 1 / told.outputs;
    return between(color.zero, hue(k), 0.08 + 0.5 * Math.max(0, (probability(found, q, k) - even) / (1 - even)));
  };
  else {
    const zero = isNumber ? halfway : told.threshold, most = isNumber ? highest - halfway || 1 : told.threshold || 1.5;
    z = each(q => (isNumber ? predicted(found[q * width]) : found[q * width]) - zero);
    colorAt = q => tint(z[q] / most, 0.52);
  }
  x.save();
  x.beginPath();
  x.roundRect(...box, 6);
  x.clip();
  x.drawImage(painted(G, G, colorAt), ...box);
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
