// The output over the steps.

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
