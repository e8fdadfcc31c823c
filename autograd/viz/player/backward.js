// The backward pass as it is shown: all at once, or edge by edge.

let mode = page.mode;
let rate = 2;
let queue = [];
let parts = new Map(); // what has arrived at each card
let active = null; // the link at work
let shifts = new Map(); // what the last step moved each leaf by
let history = [];
let steps = 0;
let hadDerivatives = false;
let tries = 0, firsts = 0, asked = 0;
let open = null; // the folded card whose numbers are shown

const is = (state) => root.dataset.state === state;
const set = (state) => (root.dataset.state = state);

function clear() {
  set("fresh");
  parts = new Map();
  queue = [];
  active = null;
  ask.hidden = true;
}

function greet(edited = false) {
  if (tellStrange()) return;
  const [place] = page.outdated;
  if (place !== undefined && !hasChanged) {
    say(titles.recorded, [], told(words.recorded, { name: name(place) }));
    return;
  }
  const there = { output: name(output), value: number(values[output]), leaves: listed(moved) };
  const line = nodes[output].formula ? lines.value : lines.alone;
  const isLost = edited && hadDerivatives;
  const fixed = page.fixed && ` ${told(words.fixed, { primitive: page.fixed })}`;
  say(
    edited ? titles.edited : titles.forward,
    filled(line, {
      ...there,
      formula: nodes[output].formula ? formula(output) : "",
      numbers: nodes[output].formula ? counted(nodes[output].formula) : "",
    }),
    told(isLost ? words.lost : words.fresh, there) + (fixed || ""),
  );
}

// Words for the first value that is not finite though those it comes from are.
function notFinite() {
  const i = values.findIndex((x) => !Number.isFinite(x));
  if (i < 0) return "";
  const { op, args } = nodes[i];
  const operands = args.map((arg) => (Array.isArray(arg) ? values[arg[0]] : Number(arg)));
  const names = args.map((arg) => (Array.isArray(arg) ? name(arg[0]) : number(Number(arg))));
  const decides = op === "div" ? operands[1] : operands[0];
  const kind = decides === 0 ? "zero" : decides < 0 ? "below" : "";
  const result = Number.isNaN(values[i]) ? "nan" : "inf";
  const template = strange[op ? `${op} ${kind}` : `leaf ${result}`] ?? strange[result];
  const there = { name: name(i), number: number(values[i]), first: names[0], second: names[1] };
  there.formula = nodes[i].formula ? formula(i) : number(values[i]);
  return told(template, there) + strange.after;
}

function tellStrange() {
  const text = notFinite();
  if (text) say(titles.strange, [], text, true);
  return text;
}

function go() {
  clear();
  sweep(); // after a step, what is shown is still of the place before it
  set("going");
  queue = queueNow();
  shifts = new Map();
  hadDerivatives = true;
  firsts = asked = 0;
  if (mode === "once" || !queue.length) return finish();
  const line = filled(lines.one, { total: pill(output) });
  say(titles.backward, line, told(words.begin, { output: name(output) }));
  if (mode === "predict") question();
  render();
}

function arrive(link) {
  const soFar = parts.get(link.from) ?? [];
  parts.set(link.from, [...soFar, carried(link)]);
}

function next() {
  const link = queue.shift();
  arrive(link);
  active = link;
  tell(link);
  if (!queue.length) {
    if (isStuck()) return done();
    set("complete");
    saying.words.append(words.last);
  }
  render();
}

function finish() {
  while (queue.length) arrive(queue.shift());
  done();
}

// What one link brings: a line, and the same in words.
function tell(link) {
  const n = queueNow().length;
  const title = told(titles.edge, { k: number(n - queue.length), n: number(n) });
  const source = cardName(link.from), target = cardName(link.to);
  if (!isSingle(link)) {
    say(title, filled(lines.several, { source, target }), told(words.several, { source, target }));
    return;
  }
  const i = exit(link.from), j = exit(link.to);
  const arrived = parts.get(link.from);
  const contribution = arrived.at(-1), upstream = totals[j], partial = local(link);
  const more = linksToOutput(link.from) - arrived.length;
  const isSum = linksToOutput(link.from) > 1, isAtEnd = j === output;
  const there = {
    total: pill(i), upstream: pill(j), local: element("i", {}, localName(link)),
    numbers: `${product(upstream, partial)} = ${number(contribution)}`,
    contribution: number(contribution),
  };
  const line = isAtEnd ? (isSum ? "first of more" : "first") : isSum ? "more" : "only";
  const about = {
    source, target, output: name(output), why: why(link), n: number(more),
    formula: isPlain(link) ? formula(j) : "", upstream: number(upstream),
    contribution: number(contribution),
  };
  let text = told(isPlain(link) ? words.local : words["local of parts"], about);
  text += isAtEnd ? "." : told(words.through, about);
  if (arrived.length > 1) {
    const before = sum(arrived.slice(0, -1));
    const shown = sum(arrived);
    text += told(words.sum, {
      before: number(before), sum: added(before, contribution), total: number(shown),
    });
  }
  if (more) text += told(more === 1 ? words["one to come"] : words["to come"], about);
  say(title, filled(lines[line], there), text);
  if (link.exactly) {
    const exactly = told(words.exactly, { local: localName(link), rule: named(link.exactly) });
    saying.words.append(" ", element("span", { class: "exactly" }, exactly));
  }
}

function done() {
  active = null;
  ask.hidden = true;
  const bySize = (one, other) => Math.abs(gradient(other)) - Math.abs(gradient(one));
  const shown = moved.length > 6 ? [...moved].sort(bySize).slice(0, 2) : moved;
  const line = shown.flatMap((leaf, k) => [k ? "  " : "", pill(leaf), ` = ${number(gradient(leaf))}`]);
  if (moved.length > shown.length) line.push(" …");
  if (isStuck()) {
    set("stuck");
    const trouble = notFinite();
    const bad = leaves.find((leaf) => !Number.isFinite(gradient(leaf)));
    const text = trouble || told(words.stuck, { total: total(bad), number: number(gradient(bad)) });
    say(trouble ? titles.strange : titles.stuck, line, text, true);
    return render();
  }
  set("complete");
  let text;
  if (moved.every((leaf) => gradient(leaf) === 0)) text = told(words.flat, { output: name(output) });
  else {
    const [most] = [...moved].sort(bySize);
    text = told(words[moved.length > 1 ? "known" : "known of one"], {
      output: name(output), leaf: name(most), size: number(Math.abs(gradient(most))),
      larger: gradient(most) > 0 ? words.larger : words.smaller,
    });
    if (asked) text += told(words.score, { k: number(firsts), n: number(asked) });
    text += page.fixed ? told(words.fixed, { primitive: page.fixed })
      : told(words["step moves"], { leaves: listed(moved) });
  }
  say(titles.known, line, text);
  render();
}
