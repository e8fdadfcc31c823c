// What is chosen in the page: data, network, regularization and seed. A choice opens its model.

const chosen = { data: "moons", noise: "0.1", held: 30, network: 4, activation: "tanh", penalty: "none", seed: 0, kind: "1" };
const OWN = [-1, -1, 0, 1, 1, 0, -1, 1, 1, 1, -1, 1]; // x, y, class of each example
let own = [...OWN], opened = null;
// A link may choose: playground.html?data=spirals&noise=0&held=30&network=5&seed=3
const offered = {
  data: [...Object.keys(told.data), "own"], noise: Object.keys(told.data.moons), held: told.held.map(String),
  network: told.networks.map((_, k) => String(k)), activation: Object.keys(told.networks[0].models),
  penalty: Object.keys(told.penalties),
};
for (const [key, text] of new URLSearchParams(location.search)) {
  if (offered[key]?.includes(text)) chosen[key] = typeof chosen[key] === "number" ? Number(text) : text;
  if (key === "seed" && /^\d{1,9}$/.test(text)) chosen.seed = Number(text);
}

function model() {
  const found = told.networks[chosen.network].models[chosen.activation];
  const rows = chosen.data === "own" ? own : told.data[chosen.data][chosen.noise], n = rows.length / 3;
  const numbers = newWeights(found.units, found.names.map(() => 0), chosen.seed);
  found.strengths.forEach((place, k) => { numbers[place] = told.penalties[chosen.penalty][k]; });
  return {
    ...found, rows, numbers, seed: [chosen.seed], learned: Math.max(1, Math.round(n * (1 - chosen.held / 100))),
    frame: chosen.data === "own" ? [-1.5, 1.5] : [],
  };
}
function reopen(others = {}) {
  const kept = { batch: Infinity, ...opened?.close(), ...others, newSeed };
  const found = model();
  found.batch = Math.min(kept.batch, found.learned);
  opened = open(root, found, programs[found.program](), kept);
  noise.disabled = chosen.data === "own";
  ownBox.hidden = chosen.data !== "own";
}
function newSeed() {
  seed.value = chosen.seed + 1;
  chosen.seed += 1;
  reopen({ isRunning: false });
}

// --- the panel

function selection(key, entries, change = () => reopen()) {
  return menu(entries, chosen[key], value => {
    chosen[key] = typeof chosen[key] === "number" ? Number(value) : value;
    change();
  });
}
const same = names => names.map(name => [name, name]);
const noise = selection("noise", same(Object.keys(told.data.moons)).sort((a, b) => a[0] - b[0]));
const architecture = ({ widths }) => (widths.length ? `${widths.join(" + ")} neurons` : "no hidden layer");
const seed = element("input", { type: "number", min: 0, max: 4294967295, step: 1, value: chosen.seed });
seed.addEventListener("change", () => {
  chosen.seed = Math.min(4294967295, Math.max(0, Math.trunc(Number(seed.value)) || 0));
  seed.value = chosen.seed;
  reopen();
});
const penalty = selection("penalty", same(Object.keys(told.penalties)), () => {
  model().strengths.forEach((place, k) => opened.assign(place, told.penalties[chosen.penalty][k]));
});
const panel = element("div", { class: "panel", role: "group", "aria-label": "Data and network" },
  labeled("Data", selection("data", [...same(Object.keys(told.data)), ["own", "your own"]])),
  labeled("Noise", noise),
  labeled("Held out", selection("held", told.held.map(share => [share, `${share} %`]))),
  labeled("Network", selection("network", told.networks.map((network, k) => [k, architecture(network)]))),
  labeled("Activation", selection("activation", same(Object.keys(told.networks[0].models)))),
  labeled("Regularization", penalty),
  labeled("Seed", seed));

// --- examples of one's own: typed, or by clicks into the picture

const typedOwn = element("textarea", { rows: 5, spellcheck: "false" }), ownSays = element("p", { role: "status" });
const kinds = selection("kind", [["0", "class 0"], ["1", "class 1"]], () => {});
const lines = () => count(own.length / 3).map(k => own.slice(3 * k, 3 * k + 3).join(", ")).join("\n");
typedOwn.value = lines();
typedOwn.addEventListener("change", () => {
  const found = typedOwn.value.split("\n").map(line => line.trim()).filter(line => line);
  const numbers = found.map(line => line.split(/[\s,;]+/).map(Number));
  const wrong = numbers.findIndex(row => row.length !== 3 || !row.every(Number.isFinite) || ![0, 1].includes(row[2]));
  if (wrong >= 0 || numbers.length < 2) {
    ownSays.textContent = wrong < 0 ? "Two examples are needed at least."
      : `Example ${wrong + 1} is “${found[wrong].slice(0, 40)}”; expected x, y, class, such as 0.5, -1, 1.`;
    return;
  }
  ownSays.textContent = "";
  own = numbers.flat();
  reopen();
});
const ownBox = element("div", { class: "own", hidden: "" },
  labeled("Your examples: x, y, class", typedOwn), labeled("A click into the picture adds one of", kinds), ownSays);
root.addEventListener("click", e => {
  const place = chosen.data === "own" && e.target.matches(".plane") && opened.placeAt(e);
  if (!place) return;
  own.push(...place.map(x => Math.round(x * 1000) / 1000), Number(kinds.value));
  typedOwn.value = lines();
  reopen();
});
root.append(panel, ownBox);
reopen();
