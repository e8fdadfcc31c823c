"""What the player says, each sentence once, with places in braces for names and numbers.

The page fills them in; nothing that is filled in is read for places again.
"""

from __future__ import annotations

TITLES = {
    "forward": "Forward",
    "edited": "New values",
    "recorded": "As it was recorded",
    "backward": "Backward",
    "edge": "Backward, {k} of {n}",
    "turn": "Your turn, {k} of {n}",
    "known": "The derivatives are known",
    "stuck": "A derivative is not finite",
    "strange": "A value is not finite",
    "early": "Not yet",
    "stepped": "Step {n}",
    "refused": "Refused",
    "invalid": "Not a number yet",
}

LINES = {
    "value": "{output} = {formula} = {numbers} = {value}",
    "alone": "{output} = {value}",
    "one": "{total} = 1",
    "only": "{total} = {upstream} · {local} = {numbers}",
    "more": "{total} receives {upstream} · {local} = {numbers}",
    "first": "{total} = {local} = {contribution}",
    "first of more": "{total} receives {local} = {contribution}",
    "several": "{source} receives its share from {target}",
    "question": "{target} = {formula}, {upstream} = {number}",
    "question at the end": "{target} = {formula}",
    "question of parts": "{upstream} = {number}, {local} = {partial}",
    "moved": "{leaf} := {leaf} − {rate} · {total} = {before} − {product} = {after}",
}

WORDS = {
    "fresh": "Every value is known. How would {output} change if you moved {leaves} a little? "
    "Press Backward to find out.",
    "lost": "The values followed. The derivatives belonged to the old ones, so they are gone. "
    "Press Backward for new ones.",
    "recorded": "{name} no longer follows from what it was computed from: a number has been "
    "changed since. The picture shows values and derivatives as they were recorded. Change a "
    "number here, and all are computed anew.",
    "fixed": "Only Python can compute {primitive}, so the numbers on this page stay as they are.",
    "begin": "It starts at the end: per unit of {output}, {output} changes by 1. From there it "
    "goes against the arrows, one edge after the other.",
    "local": "Per unit of {source}, {target} = {formula} changes by {why}",
    "local of parts": "Per unit of {source}, {target} changes by {why}",
    "is": "{rule} = {number}",
    "because": "{number}: {reason}",
    "through": ", and per unit of {target}, {output} changes by {upstream}. So along this way it "
    "is {contribution}.",
    "to come": " {source} has {n} more ways to {output}, still to come.",
    "one to come": " {source} has another way to {output}, still to come.",
    "sum": " With {before} from before: {sum} = {total}.",
    "several": "Several numbers go from {source} to {target}. The chain rule is applied to each of "
    "them, and what comes back to the same number is added up.",
    "last": " That was the last edge: all derivatives are known, and nothing has moved yet.",
    "known": "Nothing has moved yet. {output} depends most on {leaf}: make {leaf} a little larger, "
    "and {output} gets {larger} by {size} times that. ",
    "known of one": "Nothing has moved yet. Make {leaf} a little larger, and {output} gets "
    "{larger} by {size} times that. ",
    "flat": "All of them are 0: moved a little, no leaf changes {output}. A step would move "
    "nothing.",
    "score": "You found {k} of {n} at the first try. ",
    "step moves": "Step moves {leaves} against the derivatives.",
    "stuck": "{total} is {number}, so no step can be taken from here. Change a leaf.",
    "early": "Press Backward first. Step needs the derivatives, which tell it where downhill is.",
    "stale": "Press Backward first. The derivatives in the picture belong to the place before the "
    "step.",
    "early stuck": "Where a number is not finite, there is no direction to step in. Change a leaf.",
    "from to": "{output} went from {before} to {after}. ",
    "promise": "The derivatives promised a change of {promised}; it was {came}. ",
    "kept": "A step this small keeps its promise.",
    "rose": "So far away the promise no longer held, and {output} rose: the step was too large.",
    "roughly": "So far away the promise holds only roughly.",
    "refused": "The step would make {leaf} {number}. Nothing was changed. Try a smaller learning "
    "rate.",
    "empty": "{leaf} is empty.",
    "no number": "“{text}” is not a number.",
    "too large": "“{text}” is too large for a float64, which ends at about 1.8e308.",
    "keeps": " The picture keeps {leaf} = {number} until there is a number.",
    "larger": "larger",
    "smaller": "smaller",
    "and": "{some} and {last}",
    "all": "the {n} leaves",
    "all parameters": "the {n} parameters",
}

STRANGE = {
    "div zero": "{second} is 0, so {formula} has no value.",
    "log zero": "{first} is 0, and the logarithm of 0 has no value: {name} is {number}.",
    "log below": "{first} is below 0, where {formula} has no value.",
    "sqrt below": "{first} is below 0, where {formula} has no value.",
    "pow zero": "{first} is 0, so {formula} has no value.",
    "pow below": "{first} is below 0, where {formula} has no value.",
    "leaf nan": "{name} is not a number.",
    "leaf inf": "{name} is infinite.",
    "inf": "{name} = {formula} is beyond the largest float64, about 1.8e308.",
    "nan": "{name} = {formula} has no value at these numbers.",
    "after": " What comes after it cannot be trusted. Change a leaf.",
}
"""Why a value is not finite while those it comes from are: by the operation, and by what its
second operand (of `div`) or its first is."""

PREDICT = {
    "question": "What does {source} receive from {target}?",
    "along": "Only along the thick edge: {source} has {n} ways to {output}.",
    "form": "A number, please: 4, −0.5, 1/3 or 2·3.",
    "yes": "Yes: {numbers}.",
    "yes, first": "Yes, {contribution}: at the end there is nothing to multiply by.",
    "with": " With the {before} from before, {total} = {sum}.",
    "shown": "{upstream} · {local} = {numbers}.",
    "shown, first": "{local} = {contribution}.",
    "sum": "{answer} is the whole of {total} so far. Asked is only what this edge adds.",
    "sign": "The size is right. Look at the sign again.",
    "local": "{partial} is the local derivative, {local}. It counts for {target}; for {output} it "
    "has to be multiplied by {upstream} = {number}.",
    "upstream": "{number} is what {target} has. How much of it reaches {source} depends on the "
    "operation: multiply by {local}.",
    "added": "Along one way, derivatives are multiplied. They are added only where ways meet.",
    "again": "Not yet. Multiply {upstream} by the local derivative: per unit of {source}, how much "
    "does {target} change?",
    "hint": "Not yet. The local derivative is {why}. Times {number}?",
    "again, first": "Not yet. Per unit of {source}, how much does {target} = {formula} change?",
    "hint, first": "Not yet. It is {why}.",
}
"""What is asked, and what is answered, by the kind of mistake."""

LABELS = {
    "backward": "Backward",
    "next": "Next edge",
    "end": "To the end",
    "step": "Step",
    "mode": "Backward goes",
    "once": "at once",
    "ways": "edge by edge",
    "predict": "I predict",
    "rate": "Learning rate",
    "restart": "Start again",
    "whole": "Whole picture",
    "check": "Check",
    "show": "Show me",
    "graph": "The graph of {output}",
    "happens": "What happens",
    "acts": "Learning, in two acts",
    "curve": "{output}, step by step.",
    "dashed": "Dashed: as promised",
    "curve now": "{output} after {n} steps: {value}",
    "curve promise": "; the derivatives promise {promised}",
    "leaf": "leaf",
    "leaf card": "{name}, a leaf: value {value}, {derivative}",
    "card": "{name} = {formula}: value {value}, {derivative}",
    "part card": "{name}: value {value}, {derivative}",
    "several card": "{name}: {n} outputs",
    "derivative": "{total} {number}",
    "derivative so far": "so far {total} {number}",
    "derivative old": "old {total} {number}",
    "derivative unknown": "derivative not yet known",
    "derivative none": "no derivative",
    "outputs": "{n} outputs",
    "inside": "Inside {name}",
    "open": "Numbers of {name}",
    "close": "Close",
    "drag": "Drag",
    "changed": "changed since",
    "total": "total: how {output} changes per unit of x, all ways from x to {output} together",
    "local": "local: how one operation's z changes per unit of its operand x, its other operands "
    "held still",
}

SENTENCES = {
    "titles": TITLES,
    "lines": LINES,
    "words": WORDS,
    "strange": STRANGE,
    "predict": PREDICT,
    "labels": LABELS,
}
