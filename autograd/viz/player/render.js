// What cards, links and buttons show now.

const LONG = "−0.0000".length; // a longer number needs the room of what stands beside it

function sign(x) {
  return x > 0 ? "plus" : x < 0 ? "minus" : "";
}

// A card's total: so far, complete, old, or not known.
function totalOf(c) {
  const i = exit(c);
  if (i === null) return { state: "several" };
  const arrived = parts.get(c) ?? [];
  const isOutput = i === output;
  if (is("stale")) {
    return totals[i] === null ? { state: "none" } : { state: "old", x: totals[i] };
  }
  if (is("fresh")) return { state: "unknown" };
  if (isOutput) return { state: "known", x: totals[i] };
  if (totals[i] === null) return { state: "none" };
  if (!arrived.length) return { state: "unknown" };
  const isComplete = arrived.length === linksToOutput(c);
  return { state: isComplete ? "known" : "part", x: isComplete ? totals[i] : sum(arrived), arrived };
}

function describeTotal(box, c, { state, x, arrived }) {
  const i = exit(c);
  box.replaceChildren();
  if (state === "several") return;
  const label = `d${shortName(output)}/d${shortName(i)}`;
  const taken = Math.max(LONG, ` = ${number(x ?? 0)}`.length);
  const room = (layout.cards[c][2] - 32) / 7.2 - taken; // for the label, in characters
  const isBare = isFolded(c) || page.dense || label.length > room;
  const shown = isBare ? "" : `${label} = `;
  if (state === "unknown") return box.append(element("span", { class: "pill none", title: label }, `${shown}?`));
  if (state === "none") return;
  const css = `pill ${state} ${state === "old" ? "" : sign(x)}`;
  box.append(element("span", { class: css, title: label }, `${shown}${number(x)}`));
  if (arrived?.length > 1 && !isFolded(c)) {
    const first = arrived.length > 2 ? sum(arrived.slice(0, -1)) : arrived[0];
    const text = added(first, arrived.at(-1));
    box.append(element("small", {}, text));
  }
}

function renderCard(box, c) {
  const card = cards[c];
  if (card.kind === "cut" || card.kind === "input") return;
  const i = exit(c);
  const isAtWork = active && (active.from === c || active.to === c);
  box.classList.toggle("active", Boolean(isAtWork));
  const isOutdated = !hasChanged && card.values.some((x) => page.outdated.includes(x));
  box.classList.toggle("outdated", isOutdated);
  const value = box.querySelector(".value");
  const input = value.querySelector("input");
  if (input) renderField(input, i);
  else if (i !== null) value.textContent = number(values[i]);
  else value.textContent = told(labels.outputs, { n: number(card.exits.length) });
  const found = totalOf(c);
  describeTotal(box.querySelector(".total"), c, found);
  if (isLeaf.has(i) && !isFolded(c)) {
    const by = is("stale") ? shifts.get(i) : undefined;
    const what = box.querySelector(".what");
    what.textContent = by === undefined ? labels.leaf : signed(by);
    what.classList.toggle("moved", by !== undefined);
  }
  const derivative = { known: "derivative", part: "derivative so far", old: "derivative old", none: "derivative none" };
  const totalTold = i === null ? "" : told(labels[derivative[found.state] ?? "derivative unknown"], {
    total: total(i), number: found.x === undefined ? "" : number(found.x),
  });
  const there = {
    name: fullName(c), derivative: totalTold, n: number(card.exits.length),
    value: i === null ? "" : number(values[i]), formula: i !== null && nodes[i].formula ? formula(i) : "",
  };
  const kind = i === null ? "several card" : isFolded(c) ? "part card" : isLeaf.has(i) ? "leaf card" : "card";
  box.setAttribute("aria-label", told(labels[kind], there) + (isOutdated ? `, ${labels.changed}` : ""));
  if (i !== null) {
    box.dataset.node = i;
    box.dataset.value = values[i];
    box.dataset.total = found.x ?? "";
  }
}

function renderField(input, leaf) {
  const x = numbers[leafAt.get(leaf)];
  const text = number(x);
  if (document.activeElement !== input) input.value = text;
  input.classList.toggle("long", text.length > LONG);
  input.setAttribute("aria-valuenow", x);
  input.setAttribute("aria-valuetext", text);
}

function renderLink(link, k, left) {
  const isLeft = left.has(link);
  const isPassed = !is("fresh") && link.edges.length > 0 && !isLeft && isReached(link);
  const isOld = is("stale");
  const css = link === active ? "active" : isOld ? "old" : isPassed ? `passed ${sign(carried(link))}` : "";
  paths[k].path.setAttribute("class", css);
  paths[k].tip.setAttribute("class", css);
  const tag = tags[k];
  tag.classList.toggle("active", link === active);
  if (!link.edges.length || !isSingle(link)) return (tag.textContent = "");
  if (!isPlain(link) && link !== active) return (tag.textContent = "");
  const isHidden = is("going") && mode === "predict" && isLeft && isPlain(link);
  const text = isHidden ? "?" : number(local(link));
  const isNamed = isPlain(link) && layout.tagged && !tag.classList.contains("bare") && text.length <= LONG + 1;
  tag.textContent = isNamed ? `${link.tag} = ${text}` : text;
}

function render() {
  if (!layout) return; // there is no room yet: `adapt` draws when there is
  made.forEach(renderCard);
  const left = new Set(queue);
  links.forEach((link, k) => renderLink(link, k, left));
  for (const inner of inside.querySelectorAll(".inner")) {
    const i = Number(inner.dataset.node);
    renderField(inner.querySelector("input"), i);
    const box = inner.querySelector(".total");
    const isKnown = (is("complete") || is("stale") || is("stuck")) && totals[i] !== null;
    const css = `pill ${is("stale") ? "old" : sign(totals[i])}`;
    box.replaceChildren(...(isKnown ? [element("span", { class: css }, number(totals[i]))] : []));
  }
  const isDue = is("fresh") || is("stale") || (is("going") && mode === "edges");
  buttons.backward.classList.toggle("now", isDue);
  buttons.backward.textContent = !is("going") ? labels.backward : mode === "edges" ? labels.next : labels.end;
  const canStep = is("complete") && !page.fixed;
  buttons.step.classList.toggle("now", canStep);
  buttons.step.setAttribute("aria-disabled", String(!canStep));
  slider.value = rate;
  rateShown.textContent = number(page.rates[rate]);
  slider.setAttribute("aria-valuetext", number(page.rates[rate]));
  chart();
  talk.style.minHeight = `${talk.offsetHeight}px`; // never shrinks: the graph keeps its place
  if (isCut) cut();
  setHeight();
  follow();
}
