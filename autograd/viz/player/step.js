// A step of gradient descent.

// What to say of a change that was predicted and the one that came.
function judgment(predicted, came) {
  const error = Math.abs(came - predicted) / Math.abs(predicted);
  if (error <= 0.1) return words.close;
  if (error > 10) return words.far;
  return came > 0 ? words.rose : words.roughly;
}

function step() {
  if (!is("complete") || page.fixed) {
    const text = page.fixed
      ? told(words.fixed, { primitive: page.fixed })
      : is("stuck") ? words["early stuck"] : is("stale") ? words.stale : words.early;
    say(titles.early, [], text);
    return render();
  }
  const before = values[output];
  const learningRate = page.rates[rate];
  stepper.w.set(page.coefficients);
  stepper.w[0] = learningRate;
  const after = [...numbers];
  for (const leaf of moved) {
    const k = leafAt.get(leaf);
    const at = Float64Array.of(numbers[k], ...page.state, gradient(leaf));
    [after[k]] = rule.program(stepper, at);
  }
  const bad = leaves.find((_, k) => !Number.isFinite(after[k]));
  if (bad !== undefined) {
    const there = { leaf: name(bad), number: number(after[leafAt.get(bad)]) };
    say(titles.refused, [], told(words.refused, there), true);
    return render();
  }
  const first = moved.find((leaf) => gradient(leaf) !== 0) ?? moved[0];
  const was = numbers[leafAt.get(first)], slope = gradient(first), prediction = predictedChange();
  shifts = new Map(moved.map((leaf) => [leaf, -learningRate * gradient(leaf)]));
  const old = totals;
  numbers = after;
  compute();
  totals = old; // struck through, until Backward finds new ones
  steps += 1;
  history.push([steps, values[output]]);
  set("stale");
  const came = Number((values[output] - before).toPrecision(12)); // without the rounding of both
  let text = told(words["from to"], {
    output: name(output), before: number(before), after: number(values[output]),
  });
  if (Number.isFinite(prediction) && Number.isFinite(came)) {
    text += told(words.predicted, { predicted: number(prediction), came: number(came) });
  }
  const trouble = notFinite();
  if (trouble) text += trouble;
  else text += told(judgment(prediction, came), { output: name(output) });
  const line = filled(lines.moved, {
    leaf: name(first), rate: number(learningRate), total: pill(first), before: number(was),
    product: product(learningRate, slope), after: number(numbers[leafAt.get(first)]),
  });
  say(told(titles.stepped, { n: number(steps) }), line, text, Boolean(trouble));
  render();
}
