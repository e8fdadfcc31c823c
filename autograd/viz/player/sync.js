// The numbers of a widget, shared with Python: `sync.send` takes them there, and what comes from
// there arrives at `sync.receive`.

const sendable = (x) => (Number.isFinite(x) && !Object.is(x, -0) ? x : String(Object.is(x, -0) ? "-0" : x));

const shown = render;
let sent = "";
render = () => {
  shown();
  const isKnown = is("complete") || is("stale") || is("stuck");
  const state = {
    numbers: numbers.map(sendable),
    value: sendable(values[output]),
    gradients: isKnown ? leaves.map((leaf) => (totals[leaf] === null ? null : sendable(totals[leaf]))) : [],
  };
  const text = JSON.stringify(state);
  if (text !== sent) sync.send(state);
  sent = text;
};

sync.receive = (given) => {
  const told = given.map(Number);
  if (told.every((x, k) => Object.is(x, numbers[k]))) return;
  numbers = told;
  changed();
};
