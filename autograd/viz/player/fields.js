// Fields for the numbers of leaves.

function field(leaf) {
  const k = leafAt.get(leaf);
  const input = element("input", {
    type: "text", inputmode: "decimal", autocomplete: "off", role: "spinbutton",
    "aria-label": inFull(leaf), "data-leaf": leaf,
  });
  if (page.fixed) {
    input.readOnly = true;
    return element("span", { class: "number" }, input);
  }
  const change = (x, shows) => {
    numbers[k] = x;
    input.setAttribute("aria-invalid", "false");
    if (shows) input.value = number(numbers[k]);
    changed();
  };
  input.addEventListener("input", () => {
    const text = input.value.trim(), x = typed(text);
    if (Number.isFinite(x)) return change(x, false);
    input.setAttribute("aria-invalid", "true");
    const kind = text === "" ? "empty" : Number.isNaN(x) || /\/\W*0[.,0]*\W*$/.test(text) ? "no number" : "too large";
    const there = { leaf: name(leaf), text: text.length > 40 ? `${text.slice(0, 39)}…` : text, number: number(numbers[k]) };
    say(titles.invalid, [], told(words[kind], there) + told(words.keeps, there), true);
  });
  input.addEventListener("blur", () => {
    input.value = number(numbers[k]);
    if (input.getAttribute("aria-invalid") === "true") {
      input.setAttribute("aria-invalid", "false");
      greet();
    }
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("keydown", (event) => {
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    event.stopPropagation();
    const size = event.shiftKey ? 1 : event.altKey ? 0.01 : 0.1;
    change(Number((numbers[k] + direction * size).toPrecision(12)), true);
  });
  const grip = element("span", { class: "grip", "aria-hidden": "true", title: labels.drag }, GRIP);
  let from, start; // the number, and where the pointer was, when the drag began
  grip.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    grip.setPointerCapture(event.pointerId);
    [from, start] = [numbers[k], event.clientX];
  });
  grip.addEventListener("pointermove", (event) => {
    if (!grip.hasPointerCapture(event.pointerId)) return;
    const steps = Math.round((event.clientX - start) / 2);
    if (steps) change(Number((from + steps / 20).toPrecision(12)), true);
  });
  return element("span", { class: "number" }, input, grip);
}

function changed() {
  shifts = new Map();
  compute();
  const latest = history.at(-1);
  if (latest?.[0] === steps) latest[1] = values[output];
  clear();
  greet(true);
  render();
}
