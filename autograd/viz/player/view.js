// The graph as it is shown: cards, and links between them.

const cardOf = [];
cards.forEach((card, c) => card.values.forEach((i) => (cardOf[i] = c)));
const exit = (c) => (cards[c].exits.length === 1 ? cards[c].exits[0] : null);
const isFolded = (c) => cards[c].kind === "folded";
const cardName = (c) => cards[c].name ?? (exit(c) === null ? "" : name(exit(c)));
const fullName = (c) => cards[c].name ?? (exit(c) === null ? "" : inFull(exit(c)));
const isFace = (i) => isFolded(cardOf[i]) && exit(cardOf[i]) === i;
const total = (i) => `d${name(output)}/d${isFace(i) ? cardName(cardOf[i]) : name(i)}`;
const isSingle = (link) => exit(link.from) !== null && exit(link.to) !== null;
const isPlain = (link) => link.local !== undefined;
const localName = (link) => link.local ?? `∂${cardName(link.to)}/∂${cardName(link.from)}`;

// The order of the backward pass: a link goes when the last node that it starts from has its sum.
const inOrder = links
  .filter((link) => link.edges.length)
  .sort((one, other) => one.edges[0] - other.edges[0]);

const linksFrom = cards.map((_, c) => inOrder.filter((link) => link.from === c));
const isReached = (link) => link.edges.some((e) => contributions[e] !== null);
const queueNow = () => inOrder.filter(isReached);
const linksToOutput = (c) => linksFrom[c].filter(isReached).length;

const sum = (terms) => terms.reduce((soFar, x) => soFar + x);
const carried = (link) => sum(link.edges.map((e) => contributions[e] ?? 0));

// How one card's number changes per unit of another's: a partial, or, where a card stands for several
// nodes, a backward pass within it.
function local(link) {
  if (isPlain(link)) return partials[link.edges[0]];
  const inner = new Map([[exit(link.to), 1]]);
  const counted = new Set(link.edges);
  let found = 0;
  for (const i of [...cards[link.to].values].sort((one, other) => other - one)) {
    if (!inner.has(i)) continue;
    for (const e of edgesTo[i]) {
      const share = inner.get(i) * partials[e];
      const { from } = edges[e];
      if (counted.has(e)) found += share;
      else if (cardOf[from] === link.to) inner.set(from, (inner.get(from) ?? 0) + share);
    }
  }
  return found;
}

// Parts are text with places for nodes in it: their names, or their numbers as in a formula.
const named = (parts) => parts.map((part) => (typeof part === "number" ? name(part) : part)).join("");
const formula = (i) => named(nodes[i].formula);
const shortName = (i) => nodes[i].short;
const shortFormula = (i) =>
  nodes[i].formula.map((part) => (typeof part === "number" ? shortName(part) : part)).join("");
const counted = (parts) =>
  parts
    .map((part, k) => {
      if (typeof part !== "number") return part;
      const before = String(parts[k - 1] ?? ""), after = String(parts[k + 1] ?? "");
      const isFree = /(^|\(|, )$/.test(before) && !/^ \*\*/.test(after);
      return isFree ? number(values[part]) : guarded(number(values[part]));
    })
    .join("");

// Why a local derivative is what it is: by a rule, or in words.
function why(link) {
  const partial = local(link);
  const cases = isPlain(link) ? chosen[nodes[exit(link.to)].op] : undefined;
  const reason = cases?.[partial] && told(cases[partial], { operand: cardName(link.from) });
  if (reason) return told(words.because, { number: number(partial), reason });
  const stated = link.rule && !cases ? named(link.rule) : "";
  const isStated = stated && stated !== number(partial) && !hasOutdated(link);
  return isStated ? told(words.is, { rule: stated, number: number(partial) }) : number(partial);
}

const hasOutdated = (link) => !hasChanged && cards[link.to].values.some((i) => page.outdated.includes(i));

function listed(indices) {
  const names = indices.map(name);
  if (names.length > 4) return told(words[page.moves], { n: number(names.length) });
  const last = names.pop();
  return names.length ? told(words.and, { some: names.join(", "), last }) : (last ?? "");
}
