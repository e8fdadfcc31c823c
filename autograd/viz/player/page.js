// The page's element and what Python says of the graph.
//
// `root` is that element; `graph` computes the graph's numbers from its leaves, `rule` is the
// stepper's.

root.dataset.state = "fresh";
root.dataset.lmSuppressShortcuts = "true"; // keys typed here are not Jupyter's
const page = JSON.parse(root.querySelector("script[type='application/json']").textContent);
const { nodes, edges, cards, links, leaves, moved } = page;

const GRIP = "⇔"; // by which a number is dragged
