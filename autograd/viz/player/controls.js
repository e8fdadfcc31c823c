// Buttons, settings and the text beside them.

const buttons = {
  backward: button(labels.backward, () => (!is("going") ? go() : mode === "edges" ? next() : finish())),
  step: button(labels.step, step),
  restart: button(labels.restart, restart, { class: "quiet" }),
  whole: button(labels.whole, () => { fit(!isWhole); follow(); }, { class: "quiet", hidden: "" }),
  present: button(labels.present, () => {
    if (!isPresented) root.requestFullscreen?.().catch(() => {}); // a frame may not be allowed to
    present(!isPresented);
  }, { class: "quiet" }),
};

const callable = /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name(output)) ? name(output) : "output";
const acts = element(
  "div", { class: "acts", role: "group", "aria-label": labels.acts },
  element("div", {}, buttons.backward, element("code", {}, `zero_grad(); ${callable}.backward()`)),
  element("div", {}, buttons.step, element("code", {}, "optimizer.step()")),
);

const kinds = ["once", "edges", "predict"].map((which) => [which, labels[which]]);
const modes = choices(labels.mode, kinds, mode, (which) => {
  mode = which;
  if (is("going")) {
    clear();
    greet();
  }
  render();
});

const rateShown = element("output");
const slider = element("input", { type: "range", min: 0, max: page.rates.length - 1, step: 1 });
slider.addEventListener("input", () => {
  rate = Number(slider.value);
  render();
});
const rates = labeled(labels.rate, slider, rateShown);
rates.classList.add("rate");

const saying = {
  title: element("p", { class: "title" }),
  line: element("p", { class: "line" }),
  words: element("p", { class: "words" }),
};
const [answerId, feedbackId] = [newId(), newId()];
const asking = element("label", { for: answerId });
const answer = element("input", {
  id: answerId, inputmode: "text", autocomplete: "off", "aria-describedby": feedbackId,
});
const feedback = element("p", { class: "feedback", role: "status", id: feedbackId });
const ask = element(
  "form", { hidden: "", novalidate: "" }, asking,
  element("div", { class: "row" }, answer, element("button", { type: "submit" }, labels.check),
    button(labels.show, reveal)),
  feedback,
);
ask.addEventListener("submit", (event) => {
  event.preventDefault();
  check();
});
const talk = element(
  "section", { class: "talk", "aria-label": labels.happens },
  element("div", { role: "status" }, saying.title, saying.line, saying.words), ask,
);

const graphLabel = told(labels.graph, { output: name(output) });
const scene = element("div", { class: "scene" });
const bands = element("div", { class: "bands", "aria-hidden": "true", inert: "", hidden: "" });
const stage = element(
  "div", { class: "stage", role: "group", "aria-label": graphLabel, tabindex: 0 }, scene, bands,
);
const inside = element("section", { class: "inside", hidden: "" });
const legend = element(
  "p", { class: "legend" },
  element("span", {}, element("span", { class: "pill plus" }, `d${name(output)}/dx`), " ",
    told(labels.total, { output: name(output) })),
  element("span", {}, element("i", {}, "∂z/∂x"), " ", labels.local),
  element("span", {}, element("b", {}, "→"), " ", labels.arrows),
  page.fixed ? "" : element("span", {}, element("b", {}, GRIP), " ", labels.grip),
);
const curve = drawn("svg", { role: "img" });
const figure = element(
  "figure", { class: "curve" },
  element("figcaption", {}, told(labels.curve, { output: name(output) }), " ",
    element("span", { class: "prediction" }, labels.dashed)),
);
figure.append(curve);

const place = element(
  "div", { class: page.dense ? "place dense" : "place" },
  element("div", { class: "bar" }, acts, modes, rates,
    element("div", { class: "others" }, buttons.restart, buttons.whole, buttons.present)),
  talk, figure, stage, inside, legend,
);

function say(title, line, text, isTrouble = false) {
  saying.title.textContent = title;
  saying.line.replaceChildren(...line);
  saying.line.hidden = !line.length;
  saying.words.textContent = text;
  talk.classList.toggle("trouble", isTrouble);
}

function pill(i) {
  return element("span", { class: "pill" }, total(i));
}
