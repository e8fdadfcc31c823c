// The unit and the number that are looked at.

let weight = moved[0], unit = null, pinned = null;
function lookAt(k) {
  if (k === unit) return;
  unit = k;
  settled();
}
function pin(k) {
  pinned = k;
  buttons.forEach((b, other) => b.setAttribute("aria-pressed", other === k));
  lookAt(k);
}
function pick(place) {
  if (place === weight && pinned === null) return;
  weight = place;
  pin(null);
  settled();
}
const buttons = !hasNetwork ? [] : layout.map(([share, Y, r], k) => {
  const b = element("button", { type: "button", "aria-label": unitName(k), "aria-pressed": false, tabindex: k ? -1 : 0 });
  const left = `calc(${share} * (100% - ${2 * INSET}px) + ${INSET - r}px)`, side = `${2 * r}px`;
  Object.assign(b.style, { left, top: `${Y - r}px`, width: side, height: side });
  b.addEventListener("pointerenter", () => lookAt(k));
  b.addEventListener("pointerleave", () => lookAt(pinned));
  b.addEventListener("focus", () => { if (b.matches(":focus-visible")) lookAt(k); });
  b.addEventListener("blur", () => lookAt(pinned));
  b.addEventListener("click", () => pin(pinned === k ? null : k));
  net.append(b);
  return b;
});
net.addEventListener("keydown", e => {
  const k = buttons.indexOf(e.target);
  if (e.key === "Escape") pin(null);
  if (k < 0 || !e.key.startsWith("Arrow")) return;
  e.preventDefault();
  const l = layers.findIndex(own => own.includes(k)), own = layers[l], j = own.indexOf(k);
  const beside = other => other?.[Math.min(other.length - 1, Math.floor((j + 0.5) / own.length * other.length))];
  const beyond = { Down: own[j + 1], Up: own[j - 1], Right: beside(layers[l + 1]), Left: beside(layers[l - 1]) };
  const to = beyond[e.key.slice(5)];
  if (to === undefined) return;
  buttons.forEach((b, other) => { b.tabIndex = other === to ? 0 : -1; });
  buttons[to].focus();
});
net.addEventListener("pointermove", e => {
  const box = net.getBoundingClientRect();
  const place = e.target === wiring && pinned === null ? wireAt(wiring, e.clientX - box.left, e.clientY - box.top) : null;
  if (place !== null) pick(place);
});
for (const kind of ["pointermove", "pointerdown"]) map.addEventListener(kind, e => {
  const box = map.getBoundingClientRect(), X = e.clientX - box.left, Y = e.clientY - box.top;
  const c = cells.find(c => X >= c.x && X < c.x + c.size && Y >= c.y && Y < c.y + c.size);
  if (c) pick(c.place);
});
map.addEventListener("keydown", e => {
  const i = cells.findIndex(c => c.place === weight), c = cells[i];
  const row = d => { // the nearest one above or below
    const far = o => Math.abs(o.y - c.y) + 4 * Math.abs(o.x - c.x), there = cells.filter(o => d * (o.y - c.y) > 0);
    return there.length ? there.reduce((best, o) => (far(o) < far(best) ? o : best)) : c;
  };
  const to = {
    ArrowRight: () => cells[i + 1], ArrowLeft: () => cells[i - 1], ArrowDown: () => row(1), ArrowUp: () => row(-1),
    Home: () => cells[0], End: () => cells.at(-1),
  }[e.key];
  if (!to || !c) return;
  e.preventDefault();
  pick((to() ?? c).place);
});
