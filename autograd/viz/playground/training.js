// What the page computes: a step as `fit` takes it, and the model's loss on its examples.

const { inputs, moved, units } = told;
const featureName = k => told.features[k] || `x${k + 1}`;
const rows = Float64Array.from(told.rows); // of each example the inputs, then the target
const learned = count(told.learned), held = count(rows.length / told.width - told.learned, told.learned);
const all = [...learned, ...held];
const numbers = Float64Array.from(told.numbers); // of all leaves
let start = numbers.slice();

// Runs a program for some rows; where a nan comes out of it, the one that follows branches.
function runner(programs, leaves) {
  const memories = programs.map(p => p.memory());
  const run = (i, examples, which) => {
    leaves[i].forEach((place, k) => { memories[i].w[k] = numbers[place]; });
    return programs[i].program(memories[i], examples, which);
  };
  return (examples, which) => {
    const found = run(0, examples, which);
    return programs.length > 1 && found.some(Number.isNaN) ? run(1, examples, which) : found;
  };
}
const slopesOf = runner(gradient, told.leaves.gradient); // objective, share right, derivatives
const outputsOf = runner(forward, told.leaves.forward); // of each row predictions, loss, right, units
const width = forward[0].sizes.y, lossAt = told.outputs, rightAt = lossAt + 1, unitsAt = lossAt + 2;

// What is known of the numbers as they are, computed once when it is first needed.
let known = {};
const outputs = () => (known.outputs ??= outputsOf(rows, all));
const slopes = () => (known.slopes ??= slopesOf(rows, learned).slice());
// Whether the objective has a penalty: its strengths may be chosen in the page, and be 0.
const isPenalised = () => told.penalised && !(told.strengths?.every(place => numbers[place] === 0));
// The objective is what is minimized: the loss, and the penalty if there is one.
const objective = () => (isPenalised() ? "objective" : "loss");
function standing(which) {
  const found = outputs();
  let loss = 0, right = 0;
  for (const r of which) { loss += found[r * width + lossAt]; right += found[r * width + rightAt]; }
  return { loss: loss / which.length, right: Math.round(right), share: right / which.length };
}

// --- a step ---------------------------------------------------------------------------------------

let rule, ruleMemory, coefficients, table, size, chosen; // a row of the table: weight, state, slope
function choose(index) {
  chosen = index;
  rule = rules[index];
  ruleMemory = rule.memory();
  coefficients = Float64Array.from(told.steppers[index].coefficients);
  size = told.steppers[index].initial.length + 2;
  table = new Float64Array(moved.length * size);
  begin();
}
function begin() { // the states as Python has them, if its weights are there too
  const { initial, states } = told.steppers[chosen];
  moved.forEach((_, i) => table.set(t === 0 && isPythons && states ? states[i] : initial, i * size + 1));
}

let t = 0, batch = told.batch, at = 0, isPythons = true, trouble = "", losses = [], unnoted = 0;
let epochs, epoch = { number: -1, order: [] };
function nextRows() { // in the order of `fit`
  if (batch >= told.learned) return learned;
  const n = told.learned, from = at % n, end = Math.min(from + batch, n), number = Math.floor(at / n);
  if (at === 0) epochs = orders(told.seed, n);
  if (at === 0 || number !== epoch.number) epoch = { number, order: told.shuffle ? epochs.next().value : learned };
  at += end - from;
  return epoch.order.slice(from, end);
}
function step() {
  const before = at, which = nextRows(), changed = size - 1;
  const y = which === learned ? slopes() : slopesOf(rows, which);
  for (let i = 0; i < moved.length; i++) {
    table[i * size] = numbers[moved[i]];
    table[i * size + changed] = y[2 + i];
  }
  ruleMemory.w.set(coefficients.subarray(0, ruleMemory.w.length));
  const news = rule.program(ruleMemory, table), wrong = whatIsWrong(y, news);
  if (wrong) {
    at = before;
    trouble = `Step ${t + 1} was refused: ${wrong}. Nothing has changed. ` +
      (t ? "Choose a smaller learning rate, or reset." : "Choose a smaller learning rate, or rescale the examples.");
    return false;
  }
  for (let i = 0; i < moved.length; i++) {
    numbers[moved[i]] = news[i * changed];
    for (let k = 1; k < changed; k++) table[i * size + k] = news[i * changed + k];
  }
  if (losses.length < 1000) losses.push(y[0]);
  t++;
  known = {};
  unnoted += which.length; // the loss on all examples must not take longer than the steps themselves
  if (unnoted >= told.learned && t % record.every === 0) note();
  return true;
}
function whatIsWrong(y, news) {
  if (!Number.isFinite(y[0])) return "the loss is not finite";
  const isWrong = x => !Number.isFinite(x), slope = y.findIndex((x, i) => i > 1 && isWrong(x));
  if (slope >= 0) return `the derivative with respect to ${told.names[moved[slope - 2]]} is not finite`;
  const number = news.findIndex(isWrong);
  return number < 0 ? "" : `${told.names[moved[Math.floor(number / (size - 1))]]} would not be finite`;
}

// --- the record of the training ---------------------------------------------------------------------

const record = { every: 1, points: [], marks: [] };
function note() {
  if (record.points.at(-1)?.t === t) return;
  unnoted = 0;
  const own = standing(learned);
  if (isPenalised()) own.objective = slopes()[0];
  record.points.push({ t, own, other: held.length ? standing(held) : null });
  if (record.points.length > 500) {
    record.every *= 2;
    record.points = record.points.filter((_, i) => i % 2 === 0);
  }
}
const mark = text => { if (t) record.marks = [...record.marks.filter(m => m[0] !== t), [t, text]]; };
function restart() {
  numbers.set(start);
  known = {};
  t = at = unnoted = 0;
  trouble = "";
  losses = [];
  begin();
  Object.assign(record, { every: 1, points: [], marks: [] });
  note();
}
function drawWeights() {
  isPythons = false;
  // What belongs to no neuron that is known here is as far from 0 as Python's numbers in its array.
  const spread = ({ at }) => Math.sqrt(3 / at.length) * Math.hypot(...at.map(i => told.numbers[i]));
  const limits = told.arrays.map(spread), others = start.slice(), isZero = !limits.some(x => x);
  told.arrays.forEach(({ at }, k) => {
    for (const i of at) others[i] = (isZero ? 1 : limits[k]) * (2 * Math.random() - 1);
  });
  const found = newWeights(units, others, Math.floor(2 ** 32 * Math.random()));
  start = start.map((x, i) => moved.includes(i) ? found[i] : x);
  restart();
}

// The file of the model. What its inputs and targets were scaled by is multiplied into its layers.
function json() {
  const own = Array.from(told.parameters, i => numbers[i]), { file } = told;
  if (!file) return text(Object.fromEntries(told.parameters.map((place, k) => [told.names[place], own[k]])));
  const [scale, targetScale] = told.scales;
  if (scale) for (let bias = inputs, j = 0; j < file.widths[0]; j++, bias += inputs + 1) {
    scale.forEach(([mean, deviation], i) => {
      own[bias - inputs + i] /= deviation;
      own[bias] -= own[bias - inputs + i] * mean;
    });
  }
  if (targetScale) {
    const size = 1 + (file.widths.at(-2) ?? inputs); // of each neuron of the last layer
    let end = own.length - size * targetScale.length;
    for (const [mean, deviation] of targetScale) {
      for (let k = 0; k < size; k++) own[end + k] *= deviation;
      end += size;
      own[end - 1] += mean;
    }
  }
  return text({ ...file, parameters: own });
}
const text = content => JSON.stringify(content, null, 1) + "\n";
