// Cards and links on their places, as large as there is room for.

const NARROW = 680; // pixels; below it the graph runs from top to bottom
const SMALLEST = { wide: 0.66, tall: 0.85 }; // a graph that would have to shrink more is scrolled
const READABLE = 0.5; // a whole picture that would have to shrink more is cut into bands
const LEAST_HEIGHT = 160; // pixels for the graph, however low the window is

const made = cards.map((card, c) => {
  const box = element("div", { class: `card ${card.kind}`, role: "group" });
  if (card.kind === "cut") return (box.append(card.label), box);
  if (card.kind === "input") { // a plain number, which does not change
    box.append(element("div", { class: "head" }, element("b", {}, card.label)), element("div", { class: "value" }, card.shows));
    return box;
  }
  const i = exit(c);
  const title = element("b", { title: fullName(c) }, isFolded(c) ? card.label : shortName(i));
  const what = element("span", { class: "what" });
  if (isFolded(c)) what.textContent = card.operation;
  else what.textContent = isLeaf.has(i) ? labels.leaf : shortFormula(i);
  what.title = what.textContent;
  const value = element("div", { class: "value" });
  if (i !== null && isLeaf.has(i) && !isFolded(c)) value.append(field(i));
  box.append(element("div", { class: "head" }, title, what), value, element("div", { class: "total" }));
  if (card.output) box.classList.add("output");
  if (isFolded(c) && card.values.some((x) => isLeaf.has(x))) {
    const opener = button("", () => show(open === c ? null : c), {
      class: "open", "aria-expanded": "false",
      "aria-label": told(labels.open, { name: cardName(c) }),
    });
    box.append(opener);
  }
  return box;
});

const net = drawn("svg", { class: "links", "aria-hidden": "true" });
const paths = links.map((link) => {
  const path = drawn("path", {});
  const tip = drawn("polygon", {});
  if (!link.edges.length && cards[link.from].kind !== "input") path.setAttribute("stroke-dasharray", "4 4");
  net.append(path, tip);
  return { path, tip };
});
const tags = links.map(() => element("span", { class: "tag" }));
const frames = element("div", { class: "frames", "aria-hidden": "true" });
scene.append(frames, net, ...tags, ...made);

let layout = null;
let scale = 1;
let isWhole = false;
let isCut = false;
const paper = matchMedia("print"); // which does not scroll

function lay() {
  const isTall = stage.clientWidth < NARROW;
  const wanted = page.layouts[isTall ? "tall" : "wide"];
  if (wanted === layout) return;
  layout = wanted;
  place.classList.toggle("narrow", isTall);
  const [width, height] = layout.size;
  scene.style.width = `${width}px`;
  scene.style.height = `${height}px`;
  net.setAttribute("viewBox", `0 0 ${width} ${height}`);
  made.forEach((box, c) => {
    const [x, y, w, h] = layout.cards[c];
    Object.assign(box.style, {
      left: `${x - w / 2}px`, top: `${y - h / 2}px`, width: `${w}px`, height: `${h}px`,
    });
  });
  links.forEach((_, k) => {
    const [curve, tip, label] = layout.links[k], { path } = paths[k];
    path.setAttribute("d", curve);
    paths[k].tip.setAttribute("points", tip);
    const middle = path.getPointAtLength(path.getTotalLength() / 2);
    const [left, top] = label ?? [middle.x, middle.y];
    Object.assign(tags[k].style, { left: `${left}px`, top: `${top}px` });
    tags[k].classList.toggle("bare", !label);
  });
  frames.replaceChildren(
    ...layout.frames.flatMap(([text, box, at]) => {
      const label = element("span", { style: `left: ${at[0]}px; top: ${at[1]}px` }, text);
      if (!box) return [label];
      const [x, y, w, h] = box;
      const style = `left: ${x - w / 2}px; top: ${y - h / 2}px; width: ${w}px; height: ${h}px`;
      return [element("div", { style }), label];
    }),
  );
}

// The height that leaves the buttons and the text in view.
function room() {
  const top = stage.getBoundingClientRect().top;
  const isPage = root.closest("main.autograd-page") && document.fullscreenElement !== root;
  const before = isPage ? top + scrollY : top - root.getBoundingClientRect().top + root.scrollTop;
  return Math.max(LEAST_HEIGHT, innerHeight - before - 12);
}

function fit(wanted) {
  if (!layout) return;
  isWhole = wanted;
  const whole = wanted || paper.matches;
  const [width, height] = layout.size;
  const across = (stage.clientWidth - 2) / width;
  const smallest = SMALLEST[layout === page.layouts.tall ? "tall" : "wide"] * (isPresented ? 1.5 : 1);
  const largest = isPresented ? 1.8 : 1;
  // What has to be scrolled across anyway is as large as the height allows.
  const fitting = across < smallest ? room() / height : Math.min(across, room() / height);
  const usual = Math.min(largest, Math.max(smallest, fitting));
  isCut = whole && across < READABLE;
  scale = isCut && !isPresented ? smallest : whole && !isCut ? Math.min(largest, across) : usual;
  scene.hidden = isCut;
  bands.hidden = !isCut;
  scene.style.transform = scale === 1 ? "" : `scale(${scale})`;
  scene.style.left = `${Math.max(0, (stage.clientWidth - width * scale) / 2)}px`;
  stage.classList.toggle("whole", whole);
  if (whole) stage.scrollTo(0, 0);
  const hasRoom = width * usual <= stage.clientWidth && height * usual <= room() + 2;
  buttons.whole.hidden = hasRoom && !wanted;
  buttons.whole.setAttribute("aria-pressed", String(wanted));
  cut();
  setHeight();
}

function setHeight() {
  const height = Math.ceil(layout.size[1] * scale) + 2;
  stage.style.height = isCut ? "auto" : `${isWhole || paper.matches ? height : Math.min(height, room())}px`;
}

// A picture too long to be read whole, in bands one below the other, cut between cards if possible.
function cut() {
  bands.replaceChildren();
  if (!isCut) return;
  const [width, height] = layout.size;
  const most = (stage.clientWidth - 2) / scale;
  const isFree = (x) => layout.cards.every(([middle, , w]) => Math.abs(x - middle) >= w / 2);
  let from = 0;
  while (from < width) {
    let to = Math.min(width, from + most);
    if (to < width) {
      while (to > from + most / 2 && !isFree(to)) to -= 2;
      if (!isFree(to)) to = from + most;
    }
    const part = scene.cloneNode(true);
    part.hidden = false;
    Object.assign(part.style, { left: "0", transform: `scale(${scale}) translateX(${-from}px)` });
    const inputs = scene.querySelectorAll("input");
    part.querySelectorAll("input").forEach((input, k) => (input.value = inputs[k].value));
    const band = element("div", { class: "band" }, part);
    band.style.width = `${(to - from) * scale}px`;
    band.style.height = `${height * scale}px`;
    bands.append(band);
    from = to;
  }
}

// --- what is in view -------------------------------------------------------------------------------

// Scrolls the graph, and not what the page stands in, to the edge at work, or to the output, where
// the backward pass begins; what is beside them is seen, too.
function follow() {
  if (isWhole) return;
  const shown = active ? [active.to, active.from] : is("going") ? [cardOf[output]] : [];
  const view = stage.getBoundingClientRect();
  for (const c of shown) {
    const card = made[c].getBoundingClientRect();
    stage.scrollLeft += beyond(card.left - 80, card.right + 80, view.left, view.right);
    stage.scrollTop += beyond(card.top - 8, card.bottom + 8, view.top, view.bottom);
  }
}
const beyond = (low, high, start, end) => (low < start ? low - start : Math.max(0, high - end));

// From top to bottom, a wide graph's middle has the output in it.
function center(c) {
  if (layout === page.layouts.tall) {
    stage.scrollLeft = layout.cards[c][0] * scale - stage.clientWidth / 2;
  }
}

// --- presentation ----------------------------------------------------------------------------------

let isPresented = false;

function present(on) {
  isPresented = on;
  root.classList.toggle("present", on);
  buttons.present.textContent = on ? labels["end presentation"] : labels.present;
  if (!on && document.fullscreenElement === root) document.exitFullscreen();
  adapt();
}

root.addEventListener("fullscreenchange", () => {
  if (isPresented && document.fullscreenElement !== root) present(false);
});
