// HTML and SVG elements. Text reaches the page as text or as an attribute, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function complete(made, attributes, children) {
  for (const [name, text] of Object.entries(attributes)) made.setAttribute(name, text);
  made.append(...children);
  return made;
}
const element = (tag, attributes = {}, ...children) => complete(document.createElement(tag), attributes, children);
const drawn = (tag, attributes = {}, ...children) => complete(document.createElementNS(SVG, tag), attributes, children);

const count = (n, from = 0) => Array.from({ length: n }, (_, i) => from + i);

function button(text, action, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", action);
  return made;
}

// --- settings

const newId = () => `autograd-${Math.random().toString(36).slice(2)}`;

// A field under its name; `more` stands beside the name.
function labeled(text, field, ...more) {
  field.id = newId();
  const label = element("label", { class: "name", for: field.id }, text, ...more);
  return element("div", { class: "field" }, label, field);
}

// Radio buttons for entries of [value, text]; `set` is told the value that is chosen.
function choices(title, entries, now, set) {
  const name = newId();
  const labels = entries.map(([value, text]) => {
    const input = element("input", { type: "radio", name, value });
    input.checked = value === now;
    input.addEventListener("change", () => set(value));
    return element("label", {}, input, text);
  });
  return element("fieldset", { class: "field" }, element("legend", { class: "name" }, title),
    element("div", { class: "choices" }, ...labels));
}

// A menu of entries of [value, text]; `set` is told the value that is chosen, as a string.
function menu(entries, now, set) {
  const field = element("select", {}, ...entries.map(([value, text]) => element("option", { value }, text)));
  field.value = now;
  field.addEventListener("change", () => set(field.value));
  return field;
}
