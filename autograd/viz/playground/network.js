// The network: neurons and the weights between them. A unit is an input or a neuron.

const layers = [count(inputs)];
units.forEach((u, k) => (layers[u.layer] ??= []).push(inputs + k));
const unitName = k => k < inputs ? featureName(k) : units[k - inputs].name;
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
// The number of the strongest color; in a few large ones the others shall not pale.
const strongest = all => Math.min(2.5, all.reduce((m, { place }) => Math.max(m, Math.abs(numbers[place])), 1e-12));
let stands = []; // of each unit [X, Y, half its side], as it was drawn
function drawNetwork(canvas, unit, weight) {
  const [x, W] = fit(canvas), most = strongest(wires);
  stands = layout.map(([share, Y, r]) => [INSET + (W - 2 * INSET) * share, Y, r]);
  for (const wire of wires) {
    const z = numbers[wire.place], m = Math.min(1, Math.abs(z) / most);
    const isLit = unit === null || wire.from === unit || wire.to === unit;
    const strength = m < 0.01 ? 0 : isLit ? 0.15 + 0.6 * m : 0.06;
    drawWire(x, wire, rgb(z > 0 ? "plus" : "minus", strength), 0.4 + 3 * m);
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
    x.drawImage(painted(n, m, q => isShown ? tint(z[q], 0.85) : color.zero), ...box);
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
function drawWire(x, wire, style, lineWidth) {
  const [ax, ay, ar] = stands[wire.from], [bx, by, br] = stands[wire.to], turn = (ax + bx) / 2;
  wire.path = new Path2D();
  wire.path.moveTo(ax + ar, ay);
  wire.path.bezierCurveTo(turn, ay, turn, by, bx - br, by);
  Object.assign(x, { strokeStyle: style, lineWidth });
  x.stroke(wire.path);
}
function wireAt(canvas, X, Y) { // the weight under the pointer: the first to be met as it grows
  const x = canvas.getContext("2d"), d = devicePixelRatio || 1;
  for (x.lineWidth = 1; x.lineWidth <= 10; x.lineWidth += 1) {
    const found = wires.find(({ path }) => x.isPointInStroke(path, X * d, Y * d));
    if (found) return found.place;
  }
  return null;
}
