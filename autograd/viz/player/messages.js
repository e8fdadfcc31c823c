// The messages of the page, each once, with places in braces for names and numbers.
//
// `filled` puts these in; what is put in is not searched for places again.

const titles = {
  forward: "Forward",
  edited: "New values",
  recorded: "As it was recorded",
  backward: "Backward",
  edge: "Backward, {k} of {n}",
  turn: "Your turn, {k} of {n}",
  known: "The derivatives are known",
  stuck: "A derivative is not finite",
  strange: "A value is not finite",
  early: "Not yet",
  stepped: "Step {n}",
  refused: "Refused",
  invalid: "Not a number yet",
};

const lines = {
  value: "{output} = {formula} = {numbers} = {value}",
  alone: "{output} = {value}",
  one: "{total} = 1",
  only: "{total} = {upstream} · {local} = {numbers}",
  more: "{total} receives {upstream} · {local} = {numbers}",
  first: "{total} = {local} = {contribution}",
  "first of more": "{total} receives {local} = {contribution}",
  several: "{source} receives its contribution from {target}",
  question: "{target} = {formula}, {upstream} = {number}",
  "question at the end": "{target} = {formula}",
  "question of parts": "{upstream} = {number}, {local} = {partial}",
  moved: "{leaf} := {leaf} − {rate} · {total} = {before} − {product} = {after}",
};

const words = {
  fresh:
    "Every value is known. How would {output} change if you changed {leaves} a little? Press " +
    "Backward to find out.",
  lost:
    "The values were computed again. The derivatives belonged to the old values and are gone. " +
    "Press Backward for new ones.",
  recorded:
    "An operand of {name} has changed since {name} was recorded. The picture shows values and " +
    "derivatives as they were recorded. Change a number here to compute all of them again.",
  fixed: "Only Python can compute {primitive}, so the numbers on this page stay as they are.",
  begin:
    "The backward pass starts at the output: per unit of {output}, {output} changes by 1. It " +
    "then follows the edges against their arrows, one at a time.",
  local: "Per unit of {source}, {target} = {formula} changes by {why}",
  "local of parts": "Per unit of {source}, {target} changes by {why}",
  is: "{rule} = {number}",
  because: "{number}: {reason}",
  exactly: "(Computed as {local} = {rule}, which is the same function without cancellation.)",
  through:
    ", and per unit of {target}, {output} changes by {upstream}. This path contributes " +
    "{contribution}.",
  "to come": " {source} is used {n} more times; those contributions follow.",
  "one to come": " {source} is used once more; that contribution follows.",
  sum: " Added to the {before} from before: {sum} = {total}.",
  several:
    "Several numbers go from {source} to {target}. The chain rule applies to each of them, and " +
    "the contributions to the same number are added.",
  last: " That was the last edge: all derivatives are known, and no leaf has changed yet.",
  known:
    "No leaf has changed yet. {output} depends most on {leaf}: make {leaf} a little larger, and" +
    " {output} gets {larger} by {size} times that. ",
  "known of one":
    "No leaf has changed yet. Make {leaf} a little larger, and {output} gets {larger} by {size}" +
    " times that. ",
  flat:
    "All of them are 0: to first order, {output} does not depend on any leaf here, and a step " +
    "would change nothing.",
  score: "You found {k} of {n} at the first try. ",
  "step moves": "Step moves {leaves} against the derivatives.",
  stuck: "{total} is {number}, so no step can be taken from here. Change a leaf.",
  early: "Press Backward first. Step needs the derivatives to know which way is downhill.",
  stale:
    "Press Backward first. The derivatives in the picture belong to the values before the step.",
  "early stuck": "Where a number is not finite, there is no direction to step in. Change a leaf.",
  "from to": "{output} went from {before} to {after}. ",
  predicted: "The derivatives predicted a change of {predicted}; it was {came}. ",
  close: "For a step this small, the prediction is close.",
  rose: "{output} rose: the step was too large.",
  roughly: "For a step this large, the prediction holds only roughly.",
  far:
    "The step was far too large: the derivatives describe {output} only near the values at " +
    "which they were computed.",
  refused: "The step would make {leaf} {number}. Nothing was changed. Try a smaller learning rate.",
  empty: "{leaf} is empty.",
  "no number": "“{text}” is not a number.",
  "too large": "“{text}” is too large for a float64, which ends at about 1.8e308.",
  keeps: " The picture keeps {leaf} = {number} until you type a number.",
  larger: "larger",
  smaller: "smaller",
  and: "{some} and {last}",
  all: "the {n} leaves",
  "all parameters": "the {n} parameters",
};

// Why a value is not finite while its operands are: by the operation, and by what its second
// operand (of `div`) or its first is.
const strange = {
  "div zero": "{second} is 0, so {formula} has no value.",
  "log zero": "{first} is 0, and the logarithm of 0 has no value: {name} is {number}.",
  "log below": "{first} is below 0, where {formula} has no value.",
  "sqrt below": "{first} is below 0, where {formula} has no value.",
  "pow zero": "{first} is 0, so {formula} has no value.",
  "pow below": "{first} is below 0, where {formula} has no value.",
  "leaf nan": "{name} is not a number.",
  "leaf inf": "{name} is infinite.",
  inf: "{name} = {formula} is beyond the largest float64, about 1.8e308.",
  nan: "{name} = {formula} has no value at these numbers.",
  after: " Values computed from it are not meaningful. Change a leaf.",
};

// Why the local derivative of an operation that selects among cases is what it is, by its value.
const larger = { 1: "{operand} is the larger one", 0: "{operand} is the smaller one" };
const smaller = { 1: larger[0], 0: larger[1] };
const both = { 0.5: "both are equal, and each gets half" };
const chosen = {
  relu: {
    1: "{operand} is positive, and relu(x) = x there",
    0: "{operand} is not positive, and relu(x) = 0 there",
  },
  abs: {
    1: "{operand} is positive",
    "-1": "{operand} is negative",
    0: "at the kink of abs, at 0, the derivative is defined as 0",
  },
  maximum: { ...larger, ...both },
  minimum: { ...smaller, ...both },
  where: { 1: "{operand} is the one selected", 0: "{operand} is not selected" },
};

// The questions, and an answer to each kind of mistake.
const predict = {
  question: "What does {source} receive from {target}?",
  along: "Only through the thick edge: {source} is used {n} times.",
  form: "A number, please: 4, −0.5, 1/3 or 2·3.",
  yes: "Yes: {numbers}.",
  "yes, first": "Yes, {contribution}: at the end there is nothing to multiply by.",
  with: " Together with the {before} from before, {total} = {sum}.",
  shown: "{upstream} · {local} = {numbers}.",
  "shown, first": "{local} = {contribution}.",
  sum: "{answer} is the sum of {total} so far. The question is what this edge alone contributes.",
  sign: "The magnitude is right. Check the sign.",
  local:
    "{partial} is the local derivative, {local}: the effect on {target}. For the effect on " +
    "{output}, multiply it by {upstream} = {number}.",
  upstream:
    "{number} is {upstream}, the derivative at {target}. For the one at {source}, multiply it " +
    "by the local derivative {local}.",
  added: "Along one path, derivatives are multiplied. They are added only where paths meet.",
  again:
    "Not yet. Multiply {upstream} by the local derivative: per unit of {source}, how much does " +
    "{target} change?",
  hint: "Not yet. The local derivative is {why}. Times {number}?",
  "again, first": "Not yet. Per unit of {source}, how much does {target} = {formula} change?",
  "hint, first": "Not yet. It is {why}.",
};

const labels = {
  backward: "Backward",
  next: "Next edge",
  end: "To the end",
  step: "Step",
  mode: "Backward mode",
  once: "all at once",
  edges: "edge by edge",
  predict: "I predict",
  rate: "Learning rate",
  restart: "Start again",
  whole: "Whole picture",
  check: "Check",
  show: "Show me",
  graph: "The graph of {output}",
  happens: "What happens",
  acts: "The two halves of a training step",
  present: "Present",
  "end presentation": "End presentation",
  curve: "{output}, step by step.",
  dashed: "Dashed: as predicted",
  "curve now": "{output} after {n} steps: {value}",
  "curve prediction": "; the derivatives predict {predicted}",
  leaf: "leaf",
  "leaf card": "{name}, a leaf: value {value}, {derivative}",
  card: "{name} = {formula}: value {value}, {derivative}",
  "part card": "{name}: value {value}, {derivative}",
  "several card": "{name}: {n} outputs",
  derivative: "{total} {number}",
  "derivative so far": "so far {total} {number}",
  "derivative old": "old {total} {number}",
  "derivative unknown": "derivative not yet known",
  "derivative none": "no derivative",
  outputs: "{n} outputs",
  inside: "Inside {name}",
  open: "Numbers of {name}",
  close: "Close",
  drag: "Drag sideways to change the number",
  changed: "changed since",
  total:
    "total derivative: how {output} changes per unit of x, summed over all paths from x to " +
    "{output}",
  local:
    "local derivative: how the result z of one operation changes per unit of its operand x, " +
    "with its other operands held fixed",
  arrows: "an operand is used by an operation; derivatives go against the arrow",
  grip: "drag it sideways to change a number",
};
