// Charts on canvases: numbers as text, colors, shapes, axes, curves. `root` has the colors.

const threeDigits = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const isPlain = x => x === 0 || (Math.abs(x) >= 1e-4 && Math.abs(x) < 1e7);
function short(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "no number" : x > 0 ? "∞" : "−∞";
  const [size, sign, power] = isPlain(x) ? [x || 0] : x.toExponential(2).split(/e([-+])/);
  return (threeDigits.format(size) + (sign ? `e${sign}${power.padStart(2, "0")}` : "")).replace(/-/g, "−");
}
const grouped = n => n.toLocaleString("en");
const plural = (n, name) => `${grouped(n)} ${name}${n === 1 ? "" : "s"}`;

// --- colors and shapes

let color = {}; // by name, as three numbers
function readColors() {
  const probe = document.createElement("i");
  root.append(probe);
  for (const name of ["page", "ink", "quiet", "rule", "work", "plus", "minus", "zero"]) {
    probe.style.color = `var(--${name})`;
    color[name] = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  }
  probe.remove();
}
const css = (c, alpha = 1) => `rgba(${c.join()},${alpha})`;
const rgb = (name, alpha) => css(color[name], alpha);
const between = (a, b, share) => [0, 1, 2].map(i => a[i] + (b[i] - a[i]) * share);
function tint(z, most) { // of a number from −1 to 1
  return between(color.zero, z > 0 ? color.plus : color.minus, most * Math.min(1, Math.abs(z) || 0));
}
function shape(x, X, Y, kind, r) {
  x.beginPath();
  if (kind === 0) x.arc(X, Y, r, 0, 7);
  else if (kind === 2) x.rect(X - r * 0.85, Y - r * 0.85, 1.7 * r, 1.7 * r);
  else for (let q = 0, n = kind === 1 ? 4 : 3; q < n; q++) {
    const angle = 2 * Math.PI * q / n;
    x.lineTo(X + 1.3 * r * Math.sin(angle), Y - 1.3 * r * Math.cos(angle));
  }
  x.closePath();
}

// --- canvases

function fit(canvas) { // sharp on any screen, and empty
  const { width: W, height: H } = canvas.getBoundingClientRect(), d = devicePixelRatio || 1;
  const w = Math.round(W * d), h = Math.round(H * d), x = canvas.getContext("2d");
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  x.setTransform(d, 0, 0, d, 0, 0);
  x.clearRect(0, 0, W, H);
  x.font = "12px system-ui, sans-serif";
  return [x, W, H];
}
const papers = {};
function painted(columns, lines, colorAt) { // a small picture, to be drawn larger
  const paper = papers[`${columns}, ${lines}`] ??= (() => {
    const canvas = document.createElement("canvas"), x = canvas.getContext("2d");
    Object.assign(canvas, { width: columns, height: lines });
    return { canvas, x, pixels: x.createImageData(columns, lines) };
  })();
  const { data } = paper.pixels;
  for (let q = 0; q < columns * lines; q++) {
    const c = colorAt(q);
    data[4 * q] = c[0];
    data[4 * q + 1] = c[1];
    data[4 * q + 2] = c[2];
    data[4 * q + 3] = 255;
  }
  paper.x.putImageData(paper.pixels, 0, 0);
  return paper.canvas;
}
function shortened(x, text, most) {
  for (let n = text.length; n > 0; n--) {
    const found = n < text.length ? text.slice(0, n) + "…" : text;
    if (x.measureText(found).width <= most) return found;
  }
  return "";
}
function extent(xs, margin = 0.08) {
  let lo = Infinity, hi = -Infinity;
  for (const x of xs) if (Number.isFinite(x)) { lo = Math.min(lo, x); hi = Math.max(hi, x); }
  if (lo > hi) [lo, hi] = [0, 1];
  if (lo === hi) [lo, hi] = [lo - (Math.abs(lo) || 1) / 2, lo + (Math.abs(lo) || 1) / 2];
  return [lo - margin * (hi - lo), hi + margin * (hi - lo)];
}
function ticks([lo, hi], n) { // about n round numbers, as [number, text]
  const raw = (hi - lo) / n, power = 10 ** Math.floor(Math.log10(raw)), found = [];
  const apart = power * [1, 2, 5, 10].find(m => m * power >= 0.75 * raw);
  const digits = Math.min(20, Math.max(0, -Math.floor(Math.log10(apart) + 1e-9)));
  const format = new Intl.NumberFormat("en", { maximumFractionDigits: digits });
  for (let q = Math.ceil(lo / apart - 1e-9); q * apart <= hi + 1e-9 * apart && found.length < 20; q++) {
    const v = q * apart || 0, isClose = Math.abs(v) > 300 * apart; // three digits would not tell it from the next
    const hasDigits = v === 0 || (isClose ? Math.abs(v) < 1e15 : digits < 5 && Math.abs(v) < 1e7);
    found.push([v, hasDigits ? format.format(v).replace("-", "−") : short(v)]);
  }
  return found;
}
// A canvas with axes: its context, its box, and where numbers stand in it.
function axes(canvas, [x0, x1], [y0, y1], across, upward) {
  const [x, W, H] = fit(canvas), right = W - 8, top = 8, bottom = H - 24;
  upward ??= ticks([y0, y1], Math.max(3, (bottom - top) / 60));
  const left = Math.max(48, ...upward.map(([, text]) => x.measureText(text).width + 10));
  across ??= ticks([x0, x1], Math.max(2, (right - left) / 95));
  const px = v => left + (v - x0) / (x1 - x0) * (right - left);
  const py = v => bottom - (v - y0) / (y1 - y0) * (bottom - top);
  x.strokeStyle = rgb("rule");
  x.fillStyle = rgb("quiet");
  x.lineWidth = 1;
  x.textAlign = "right";
  x.textBaseline = "middle";
  for (const [v, text] of upward) {
    line(x, left, py(v), right, py(v));
    x.fillText(text, left - 7, py(v));
  }
  x.textBaseline = "alphabetic";
  x.textAlign = "center";
  let free = 0;
  for (const [v, text] of across) {
    const name = shortened(x, text, Math.max(40, (right - left) / across.length - 6));
    const half = x.measureText(name).width / 2, X = Math.min(W - half - 1, px(v));
    if (X - half <= free) continue;
    x.fillText(name, X, H - 6);
    free = X + half + 6;
  }
  return { x, px, py, left, right, top, bottom };
}
function line(x, X0, Y0, X1, Y1) {
  x.beginPath();
  x.moveTo(X0, Y0);
  x.lineTo(X1, Y1);
  x.stroke();
}
function dot(x, X, Y, r, style) {
  shape(x, X, Y, 0, r);
  x.fillStyle = style;
  x.fill();
}
function curve(x, points, style, lineWidth = 1.7) { // breaks where there is no number
  let pen = false;
  x.beginPath();
  for (const [X, Y] of points) {
    if (Number.isFinite(Y)) pen ? x.lineTo(X, Y) : x.moveTo(X, Y);
    pen = Number.isFinite(Y);
  }
  x.strokeStyle = style;
  x.lineWidth = lineWidth;
  x.stroke();
}
function contour(x, [left, top, W, H], G, f, level) { // of G × G numbers: marching squares
  const px = i => left + (i + 0.5) / G * W, py = j => top + (j + 0.5) / G * H;
  for (let j = 0; j < G - 1; j++) for (let i = 0; i < G - 1; i++) {
    const q = j * G + i, [a, b, c, d] = [f[q], f[q + 1], f[q + G + 1], f[q + G]].map(v => v - level), p = [];
    if (a > 0 !== b > 0) p.push([px(i + a / (a - b)), py(j)]);
    if (b > 0 !== c > 0) p.push([px(i + 1), py(j + b / (b - c))]);
    if (d > 0 !== c > 0) p.push([px(i + d / (d - c)), py(j + 1)]);
    if (a > 0 !== d > 0) p.push([px(i), py(j + a / (a - d))]);
    for (let k = 0; k + 1 < p.length; k += 2) { x.moveTo(...p[k]); x.lineTo(...p[k + 1]); }
  }
}
