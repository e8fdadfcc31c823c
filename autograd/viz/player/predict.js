// Prediction: the reader is asked what an edge contributes.

function question() {
  while (queue.length && !isSingle(queue[0])) arrive(queue.shift());
  if (!queue.length) return done();
  const [link] = queue;
  const n = queueNow().length, j = exit(link.to);
  active = link;
  tries = 0;
  asked += 1;
  const there = {
    source: cardName(link.from), target: cardName(link.to), upstream: pill(j), number: number(totals[j]),
    formula: isPlain(link) ? formula(j) : "", local: localName(link), partial: number(local(link)),
  };
  const line = !isPlain(link) ? "question of parts" : j === output ? "question at the end" : "question";
  const count = linksToOutput(link.from);
  const along = told(predict.along, { source: there.source, n: number(count), output: name(output) });
  const turn = told(titles.turn, { k: number(n - queue.length + 1), n: number(n) });
  say(turn, filled(lines[line], there), count > 1 ? along : "");
  asking.textContent = told(predict.question, there);
  answer.value = "";
  answer.removeAttribute("aria-invalid");
  respond("");
  ask.hidden = false;
  answer.focus({ preventScroll: true });
}

const respond = (text, kind = "") => {
  feedback.textContent = text;
  feedback.className = `feedback ${kind}`;
};

const near = (x, y) =>
  Math.abs(x - y) <= 0.006 * Math.max(Math.abs(y), 1e-9) || number(x) === number(y);

function check() {
  const [link] = queue;
  const i = exit(link.from), j = exit(link.to), isAtEnd = j === output;
  const upstream = totals[j], partial = local(link), right = carried(link);
  const x = typed(answer.value);
  const isNan = Number.isNaN(right) && /nan/i.test(answer.value);
  if (Number.isNaN(x) && !isNan) {
    answer.setAttribute("aria-invalid", "true");
    return respond(predict.form);
  }
  answer.removeAttribute("aria-invalid");
  tries += 1;
  if (isNan || near(x, right)) {
    if (tries === 1) firsts += 1;
    const before = parts.get(link.from);
    const there = { numbers: `${product(upstream, partial)} = ${number(right)}`, contribution: number(right) };
    let text = told(isAtEnd ? predict["yes, first"] : predict.yes, there);
    if (before) {
      const soFar = sum(before);
      text += told(predict.with, {
        before: number(soFar), total: total(i), sum: number(soFar + right),
      });
    }
    return proceed(text, "yes");
  }
  const had = parts.has(link.from) ? sum(parts.get(link.from)) : undefined;
  const there = {
    answer: number(x), source: cardName(link.from), target: cardName(link.to), output: name(output),
    total: total(i), upstream: total(j), number: number(upstream), local: localName(link),
    partial: number(partial), why: why(link), formula: isPlain(link) ? formula(j) : cardName(link.to),
  };
  const kind =
    had !== undefined && near(x, had + right) ? "sum"
    : near(x, -right) ? "sign"
    : isAtEnd ? (tries === 1 ? "again, first" : "hint, first")
    : near(x, partial) ? "local"
    : near(x, upstream) ? "upstream"
    : near(x, upstream + partial) ? "added"
    : tries === 1 ? "again" : "hint";
  respond(told(predict[kind], there), "no");
  answer.select();
}

function reveal() {
  const [link] = queue;
  const j = exit(link.to);
  const there = {
    upstream: total(j), local: localName(link), contribution: number(carried(link)),
    numbers: `${product(totals[j], local(link))} = ${number(carried(link))}`,
  };
  proceed(told(j === output ? predict["shown, first"] : predict.shown, there));
}

// On to the next question, which keeps what was said of the last one; or to the end, and to Step.
function proceed(text, kind = "") {
  arrive(queue.shift());
  if (queue.some(isSingle)) {
    question();
    respond(text, kind);
    render();
  } else {
    finish();
    saying.words.textContent = `${text} ${saying.words.textContent}`;
    buttons.step.focus({ preventScroll: true });
  }
}
