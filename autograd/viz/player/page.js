// The page's element and what Python says of the graph.
//
// `graph` and `rule` stand above: the graph's numbers from its leaves, and the stepper's rule.
// Every message is written in Python, with places for names and numbers.

let instances = 0;
while (document.getElementById(`autograd-${instances}-answer`)) instances += 1;
const unique = (name) => `autograd-${instances}-${name}`;

const root = document.querySelector(".autograd-player:not([data-state])");
root.dataset.state = "fresh";
root.dataset.lmSuppressShortcuts = "true"; // keys typed here are not Jupyter's
const page = JSON.parse(root.querySelector("script[type='application/json']").textContent);
const { nodes, edges, cards, links, leaves, moved } = page;
const { titles, lines, words, strange, predict, labels } = page.messages;

const GRIP = "⇔"; // by which a number is dragged
