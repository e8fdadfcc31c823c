// The examples, in the reader's units, whatever the model computes in.

const [scale, targetScale] = told.scales.map(s => s ?? []);
const scaleOf = k => (k < inputs ? scale[k] : targetScale[k - inputs]) ?? [0, 1];
const shown = rows.map((v, q) => v * scaleOf(q % told.width)[1] + scaleOf(q % told.width)[0]);
const valueOf = (r, k) => shown[r * told.width + k], target = r => valueOf(r, inputs);
const predicted = z => z * scaleOf(inputs)[1] + scaleOf(inputs)[0]; // of the first output
const middle = count(inputs).map(k => learned.reduce((sum, r) => sum + rows[r * told.width + k], 0) / learned.length);

const isClasses = told.kind === "classes", isScore = told.kind === "score", isNumber = told.kind === "number";
const lowest = Math.min(...learned.map(target)), highest = Math.max(...learned.map(target));
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
const className = k => told.classes[k] || (isScore ? `target ${short(k ? highest : lowest)}` : `class ${k}`);
function probability(found, q, k) { // that the model gives to class k
  let sum = 0;
  for (let i = 0; i < told.outputs; i++) sum += Math.exp(found[q * width + i] - found[q * width + k]);
  return 1 / sum;
}
// One of them: hollow if it is held out, ringed if it is wrong.
function example(x, X, Y, r, size) {
  const isHeld = r >= told.learned, kind = isNumber ? Number(isHeld) : glyph(classOf(r));
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

const HUES = [
  [11, 102, 156], [168, 67, 0], [66, 112, 34], [122, 69, 214],
  [176, 44, 96], [0, 112, 112], [125, 96, 0], [88, 96, 105],
];
function hue(k) { // of a class
  if (!isClasses) return k ? color.plus : color.minus;
  return between(HUES[k % 8], [255, 255, 255], color.page[0] < 128 ? 0.45 : 0);
}
const GLYPHS = ["●", "◆", "■", "▲"], glyph = k => (k + Math.floor(k / 8)) % 4;
