// The graph's numbers: values, partials, and the backward pass.

const output = nodes.length - 1;
const isLeaf = new Set(leaves);
const leafAt = new Map(leaves.map((leaf, k) => [leaf, k])); // its place among the leaves
const start = leaves.map((leaf) => Number(nodes[leaf].value));
const name = (i) => nodes[i].name;
const inFull = (i) => nodes[i].full;
const edgesTo = nodes.map(() => []);
edges.forEach((edge, e) => edgesTo[edge.to].push(e));
const memory = graph?.memory();
const stepper = rule.memory();

let numbers; // of the leaves, in their order
let values; // of all nodes
let partials; // of all edges
let totals; // of all nodes, null where no derivative arrives
let contributions; // of all edges
let hasChanged; // since Python recorded it

function recorded() {
  numbers = [...start];
  values = nodes.map((node) => Number(node.value));
  partials = edges.map((edge) => Number(edge.partial));
  hasChanged = false;
  sweep();
}

function compute() {
  memory.w.set(numbers);
  const results = graph.program(memory);
  values = Array.from(results.subarray(0, nodes.length));
  partials = Array.from(results.subarray(nodes.length));
  hasChanged = true;
  sweep();
}

const gradient = (leaf) => totals[leaf] ?? 0;
const isStuck = () =>
  !Number.isFinite(values[output]) || leaves.some((leaf) => !Number.isFinite(gradient(leaf)));

// What the derivatives predict that a step changes the output by.
const predictedChange = () => -page.rates[rate] * sum(moved.map((leaf) => gradient(leaf) ** 2));

// Backpropagation: the chain rule at every edge, from the output down. Where a nan comes out of it,
// an unselected branch contributes nothing.
function sweep() {
  pass(null);
  if (totals.some((x) => Number.isNaN(x))) pass(new Set([output]));
}

function pass(active) {
  totals = nodes.map(() => null);
  contributions = edges.map(() => null);
  totals[output] = 1;
  for (let i = output; i >= 0; i--) {
    if (totals[i] === null) continue;
    for (const e of edgesTo[i]) {
      const { from, chooses } = edges[e];
      let contribution = totals[i] * partials[e];
      if (active?.has(i) && !(chooses && partials[e] === 0)) active.add(from);
      else if (active && Number.isNaN(contribution)) contribution = 0;
      contributions[e] = contribution;
      totals[from] = totals[from] === null ? contribution : totals[from] + contribution;
    }
  }
}
