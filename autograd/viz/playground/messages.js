// What is said about the training, a number, and a neuron.

function sentence() {
  say.classList.toggle("trouble", trouble !== "");
  say.textContent = trouble || [progress(), answers(), misses(), stuck() || heldOut()].filter(s => s).join(" ");
}
function progress() {
  const { loss } = standing(learned), total = isPenalised() ? slopes()[0] : loss;
  const units = told.scales[1] ? ", in standard units" : "", when = t ? `After ${plural(t, "step")}` : "Before the first step";
  if (!isPenalised()) return `${when} the loss is ${short(loss)}${units}.`;
  const penalty = short(total - loss);
  return `${when} the loss is ${short(loss)}, the penalty ${penalty}, and their sum, the objective, ${short(total)}${units}.`;
}
function answers() {
  const { right } = standing(learned), n = learned.length;
  if (!told.counts) return "";
  if (n === 1) return `The prediction is ${right ? "right" : "wrong"}.`;
  return `${right < n ? `${grouped(right)} of` : "All"} ${grouped(n)} predictions are right.`;
}
function misses() { // in the target's own units
  if (!told.scales[1]) return "";
  const apart = Math.hypot(...learned.map(r => predicted(outputs()[r * width]) - target(r)));
  return `The root mean squared error is ${short(apart / Math.sqrt(learned.length))}.`;
}
function heldOut() {
  if (!held.length) return "";
  const { loss, right } = standing(held);
  return `Held out: loss ${short(loss)}${told.counts ? `, ${grouped(right)} of ${grouped(held.length)} right` : ""}.`;
}
function stuck() { // why nothing moves, if so
  if (slopes().every((x, i) => i < 2 || x === 0)) {
    return slopes()[0] === 0 ? "The minimum is reached: every derivative is 0, too."
      : "Every derivative is 0, so no step changes anything: try new weights.";
  }
  const inside = units.map((_, k) => inputs + k).filter(k => units[k - inputs].dies && !ends.includes(k));
  const dead = inside.filter(k => learned.every(r => says(rows, outputs(), r, k) === 0)).length;
  if (!dead || 2 * dead < inside.length) return "";
  return `${dead} of ${plural(inside.length, "neuron")} ${dead > 1 ? "are" : "is"} dead: 0 at every example. ` +
    "Try new weights.";
}
// The number whose cost is drawn: the one that is looked at, or the largest weight of the chosen unit.
function lookedAt() {
  if (unit === null) return weight;
  const own = unit < inputs ? wires.filter(({ from }) => from === unit).map(({ place }) => place)
    : units[unit - inputs].weights;
  const larger = (best, place) => (Math.abs(numbers[place]) > Math.abs(numbers[best]) ? place : best);
  return own.length ? own.reduce(larger) : weight;
}
function aboutWeight() {
  const index = moved.indexOf(weight), from = wires.find(({ place }) => place === weight)?.from;
  const name = told.names[weight] + (from === undefined ? "" : `, on ${unitName(from)},`);
  if (index < 0) return [`${name} is ${short(numbers[weight])}.`, "The optimizer does not change it."];
  const slope = slopes()[2 + index];
  return [`${name} is ${short(numbers[weight])}.`,
    `The derivative of the ${objective()} with respect to it is ${short(slope)}, over ` +
    `${learned.length > 1 ? "all " : ""}${plural(learned.length, "example")}. ` +
    (slope === 0 ? "A step of gradient descent does not change it."
      : `A step of gradient descent at this learning rate changes it by ${short(-coefficients[0] * slope)}.`)];
}
function aboutUnit() {
  const said = learned.map(r => unit < inputs ? valueOf(r, unit) : says(rows, outputs(), r, unit));
  const lo = Math.min(...said), hi = Math.max(...said), zeros = said.filter(x => x === 0).length;
  const range = lo < hi ? `Over the examples its output ranges from ${short(lo)} to ${short(hi)}` : `Its output is ${short(lo)}`;
  if (unit < inputs) return [`${unitName(unit)} is an input.`, `${range.replace("its output", "it").replace("Its output", "It")}.`];
  const { name, bias, weights: own, sources, dies } = units[unit - inputs];
  const top = own.indexOf(lookedAt());
  return [`${name} has the bias ${short(numbers[bias])}.`,
    `Of its ${plural(own.length, "weight")} the largest is ${short(numbers[own[top]])}` +
    `${sources[top] < 0 ? "" : `, on ${unitName(sources[top])}`}. ` +
    (dies && zeros === said.length ? "Its output is 0 at every example, so its weights receive no gradient."
      : `${range}${zeros && lo < hi ? `; it is 0 at ${zeros} of ${said.length}` : ""}.`)];
}
function details() {
  const [first, ...others] = unit === null ? aboutWeight() : aboutUnit();
  tell.replaceChildren(bold(first), ...others.map(s => ` ${s}`));
  costSays.textContent = `The ${objective()} as a function of ${told.names[lookedAt()]} alone.`;
  map.setAttribute("aria-valuemax", cells.length);
  map.setAttribute("aria-valuenow", 1 + cells.findIndex(c => c.place === weight));
  map.setAttribute("aria-valuetext", aboutWeight().join(" "));
}
