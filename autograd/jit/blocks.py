"""The loop around straight-line code, in LLVM IR: examples go through it in blocks.

A module's function `run` does everything that one call of a compiled function does:

    once a call                          (scalars)
    for each block of examples:
        gather the columns into lanes
        the code of one example          (vectors, with one example in each lane)
        a batch: what it has added to the sums stays, lane by lane
        or else: scatter the results to where they belong
    a batch: add up the lanes, divide by the count, and what comes after

It takes the memory for scalars, which begins with the leaves, and for vectors; the columns, three
integers for each (address, width, index of its first input), and how many they are; the order in
which to take the examples, or null; their count, at least 1; and where the results of each example
go: all examples of the first result, then all of the second.

The first block is the short one, if the examples do not fill all blocks. Its idle lanes repeat its
last example, and what they added to the sums is wiped out before the next block. So a sum has a
fixed order: lane by lane over the blocks, then the upper half of the lanes onto the lower half,
until one is left.

In the text of IR here, LANES and other words in capitals stand for numbers; a line that begins
with * is written once for each lane, with the lane for # and the lane before it for $.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

ATTRIBUTES = """
declare i64 @llvm.umin.i64(i64, i64)
attributes #0 = { nounwind "prefer-vector-width"="512" "min-legal-vector-width"="512" }
attributes #1 = { nounwind willreturn memory(none) }
"""

RUN = """
define void @run(ptr noalias %scalars, ptr noalias %vectors, ptr %columns, i64 %n_columns,
                 ptr %order, i64 %count, ptr noalias %results) #0 {
  ONCE
  BEGIN
  %rest = urem i64 %count, LANES
  %even = icmp eq i64 %rest, 0
  %first = select i1 %even, i64 LANES, i64 %rest
  br label %begin
begin:
  br label %block
block:
  %start = phi i64 [ 0, %begin ], [ %end, %block ]
  %lanes = phi i64 [ %first, %begin ], [ LANES, %block ]
  call void @gather(ptr %vectors, ptr %columns, i64 %n_columns, ptr %order, i64 %start, i64 %lanes)
  EACH
  FINISH
  %end = add i64 %start, %lanes
  %more = icmp ult i64 %end, %count
  br i1 %more, label %block, label %done
done:
  AFTER
  ret void
}
"""

GATHER = """
define internal void @gather(ptr noalias %vectors, ptr %columns, i64 %n_columns, ptr %order,
                             i64 %start, i64 %lanes) #0 {
begin:
  br label %column
column:
  %c = phi i64 [ 0, %begin ], [ %c.next, %column ]
  %c.3 = mul i64 %c, 3
  %column.at = getelementptr i64, ptr %columns, i64 %c.3
  call void @gather.column(ptr %vectors, ptr %column.at, ptr %order, i64 %start, i64 %lanes)
  %c.next = add i64 %c, 1
  %more = icmp ult i64 %c.next, %n_columns
  br i1 %more, label %column, label %done
done:
  ret void
}

define internal void @gather.column(ptr noalias %vectors, ptr %column, ptr %order, i64 %start,
                                    i64 %lanes) #0 {
  %width.at = getelementptr i64, ptr %column, i64 1
  %input.at = getelementptr i64, ptr %column, i64 2
  %numbers = load ptr, ptr %column
  %width = load i64, ptr %width.at
  %input = load i64, ptr %input.at
  %to = getelementptr VECTOR, ptr %vectors, i64 %input
  %as_they_are = icmp eq ptr %order, null
  %full = icmp eq i64 %lanes, LANES
  %side_by_side = and i1 %as_they_are, %full
  %narrow = icmp eq i64 %width, 1
  %quick = and i1 %narrow, %side_by_side
  br i1 %quick, label %at_once, label %one_by_one
at_once:
  %from = getelementptr double, ptr %numbers, i64 %start
  %block = load VECTOR, ptr %from, align 8
  store VECTOR %block, ptr %to
  ret void
one_by_one:
  %empty = icmp eq i64 %width, 0
  br i1 %empty, label %done, label %find
find:
  %last = sub i64 %lanes, 1
* %lane.# = call i64 @llvm.umin.i64(i64 #, i64 %last)
* %position.# = add i64 %start, %lane.#
  br i1 %as_they_are, label %found, label %ordered
ordered:
* %entry.# = getelementptr i64, ptr %order, i64 %position.#
* %ordered.# = load i64, ptr %entry.#
  br label %found
found:
* %example.# = phi i64 [ %position.#, %find ], [ %ordered.#, %ordered ]
* %index.# = mul i64 %example.#, %width
* %row.# = getelementptr double, ptr %numbers, i64 %index.#
  br label %number
number:
  %i = phi i64 [ 0, %found ], [ %i.next, %number ]
* %at.# = getelementptr double, ptr %row.#, i64 %i
* %x.# = load double, ptr %at.#
* %xs.# = insertelement VECTOR %xs.$, double %x.#, i64 #
  %to.i = getelementptr VECTOR, ptr %to, i64 %i
  store VECTOR %xs.LAST, ptr %to.i
  %i.next = add i64 %i, 1
  %more = icmp ult i64 %i.next, %width
  br i1 %more, label %number, label %done
done:
  ret void
}
"""

SCATTER = """
define internal void @scatter(ptr noalias %vectors, i64 %start, i64 %lanes, i64 %count,
                              ptr noalias %results) #0 {
  %full = icmp eq i64 %lanes, LANES
  br label %begin
begin:
  br label %result
result:
  %i = phi i64 [ 0, %begin ], [ %i.next, %next ]
  %slot = add i64 %i, FIRST
  %from = getelementptr VECTOR, ptr %vectors, i64 %slot
  %column = mul i64 %i, %count
  %position = add i64 %column, %start
  %to = getelementptr double, ptr %results, i64 %position
  br i1 %full, label %at_once, label %one_by_one
at_once:
  %block = load VECTOR, ptr %from
  store VECTOR %block, ptr %to, align 8
  br label %next
one_by_one:
  %last = sub i64 %lanes, 1
* %lane.# = call i64 @llvm.umin.i64(i64 #, i64 %last)
* %from.# = getelementptr double, ptr %from, i64 #
* %x.# = load double, ptr %from.#
* %to.# = getelementptr double, ptr %to, i64 %lane.#
* store double %x.#, ptr %to.#
  br label %next
next:
  %i.next = add i64 %i, 1
  %more = icmp ult i64 %i.next, N_COLLECTED
  br i1 %more, label %result, label %done
done:
  ret void
}
"""

SUMS = """
; the sums of nothing: -0.0, to which every number can be added without a change, -0.0 too
define internal void @clear(ptr noalias %vectors) #0 {
begin:
  br label %sum
sum:
  %i = phi i64 [ 0, %begin ], [ %i.next, %sum ]
  %slot = add i64 %i, FIRST
  %at = getelementptr VECTOR, ptr %vectors, i64 %slot
  store VECTOR NOTHING, ptr %at
  %i.next = add i64 %i, 1
  %more = icmp ult i64 %i.next, N_COLLECTED
  br i1 %more, label %sum, label %done
done:
  ret void
}

; take out of the sums what idle lanes have added
define internal void @wipe(ptr noalias %vectors, i64 %lanes) #0 {
begin:
* %busy.# = icmp ult i64 #, %lanes
* %busy_lanes.# = insertelement <LANES x i1> %busy_lanes.$, i1 %busy.#, i64 #
  %full = icmp eq i64 %lanes, LANES
  br i1 %full, label %done, label %sum
sum:
  %i = phi i64 [ 0, %begin ], [ %i.next, %sum ]
  %slot = add i64 %i, FIRST
  %at = getelementptr VECTOR, ptr %vectors, i64 %slot
  %x = load VECTOR, ptr %at
  %kept = select <LANES x i1> %busy_lanes.LAST, VECTOR %x, VECTOR NOTHING
  store VECTOR %kept, ptr %at
  %i.next = add i64 %i, 1
  %more = icmp ult i64 %i.next, N_COLLECTED
  br i1 %more, label %sum, label %done
done:
  ret void
}

; the means: LANES sums at a time, the lanes of each added up, then divided
define internal void @average(ptr noalias %scalars, ptr noalias %vectors, i64 %count) #0 {
  %number = uitofp i64 %count to double
* %count.# = insertelement VECTOR %count.$, double %number, i64 #
  br label %begin
begin:
  br label %sums
sums:
  %i = phi i64 [ 0, %begin ], [ %i.next, %sums ]
  %slot = add i64 %i, FIRST
* %slot.# = add i64 %slot, #
* %at.# = getelementptr VECTOR, ptr %vectors, i64 %slot.#
* %sum.LANES.# = load VECTOR, ptr %at.#
  ADD_UP
  %means = fdiv VECTOR %sum.1.0, %count.LAST
  %index = add i64 %i, FIRST_MEAN
  %to = getelementptr double, ptr %scalars, i64 %index
  store VECTOR %means, ptr %to, align 8
  %i.next = add i64 %i, LANES
  %more = icmp ult i64 %i.next, N_COLLECTED
  br i1 %more, label %sums, label %done
done:
  ret void
}
"""


def straight_line(name: str, lines: Iterable[str]) -> str:
    """A function of straight-line code on the memory for scalars and for vectors."""
    body = "".join(f"  {line}\n" for line in lines)
    return (
        f"define internal void @{name}(ptr noalias %scalars, ptr noalias %vectors) #0 {{\n"
        f"{body}  ret void\n}}\n"
    )


def driver(
    once: list[str],
    each: list[str],
    after: list[str],
    lanes: int,
    first_collected: int,
    n_collected: int,
    first_mean: int | None,
) -> str:
    """The function `run`, and what it calls besides the straight-line code.

    Args:
        once, each, after: the calls of the straight-line code.
        lanes: how many examples a block has.
        first_collected, n_collected: which vectors hold the sums, or the results of a block. There
            is room for sums up to a multiple of `lanes`.
        first_mean: the scalar where the means begin, or None if the examples are not summed up.
    """
    text, begin, finish = RUN + GATHER, "", ""
    if n_collected and first_mean is None:
        text += SCATTER
        finish = (
            "call void @scatter(ptr %vectors, i64 %start, i64 %lanes, i64 %count, ptr %results)"
        )
    elif n_collected:
        text += SUMS
        begin = "call void @clear(ptr %vectors)"
        finish = "call void @wipe(ptr %vectors, i64 %lanes)"
        after = ["call void @average(ptr %scalars, ptr %vectors, i64 %count)", *after]
    return _written(
        text,
        lanes,
        ONCE="\n  ".join(once),
        BEGIN=begin,
        EACH="\n  ".join(each),
        FINISH=finish,
        AFTER="\n  ".join(after),
        NOTHING=splat("double", "-0.0", lanes),
        ADD_UP="\n  ".join(_added_up(lanes)),
        FIRST_MEAN=str(first_mean),
        FIRST=str(first_collected),
        N_COLLECTED=str(n_collected),
    )


IN_EVERY_LANE = """
define internal VECTOR @NAME.vLANESf64(VECTORS) noinline #0 {
EXTRACTS
* %z.# = call double @NAME.f64(NUMBERS)
* %zs.# = insertelement VECTOR %zs.$, double %z.#, i64 #
  ret VECTOR %zs.LAST
}
"""


def in_every_lane(name: str, n_arguments: int, lanes: int) -> str:
    """A function on vectors that calls the function of the same name on numbers for each lane."""
    operands = range(n_arguments)
    return _written(
        IN_EVERY_LANE,
        lanes,
        NAME=name,
        EXTRACTS="\n".join(f"* %x{i}.# = extractelement VECTOR %x{i}, i64 #" for i in operands),
        VECTORS=", ".join(f"VECTOR %x{i}" for i in operands),
        NUMBERS=", ".join(f"double %x{i}.#" for i in operands),
    )


def splat(kind: str, number: str, lanes: int) -> str:
    """The number in every lane."""
    return f"<{', '.join([f'{kind} {number}'] * lanes)}>" if lanes > 1 else number


def _added_up(lanes: int) -> Iterable[str]:
    """Lines that add up %sum.8.0 … %sum.8.7, eight lanes each, to the lanes of %sum.1.0.

    Each round adds the upper half of every sum to its lower half, and packs two vectors into one.
    """
    vector = f"<{lanes} x double>"
    size = lanes  # of a sum, so that a vector has lanes / size sums
    while size > 1:
        half = size // 2
        low = [lane for lane in range(2 * lanes) if lane % size < half]
        high = [lane + half for lane in low]
        for i in range(half):
            pair = f"{vector} %sum.{size}.{2 * i}, {vector} %sum.{size}.{2 * i + 1}"
            yield f"%low.{half}.{i} = shufflevector {pair}, {_mask(low)}"
            yield f"%high.{half}.{i} = shufflevector {pair}, {_mask(high)}"
            yield f"%sum.{half}.{i} = fadd {vector} %low.{half}.{i}, %high.{half}.{i}"
        size = half


def _mask(lanes: list[int]) -> str:
    return f"<{len(lanes)} x i32> <{', '.join(f'i32 {lane}' for lane in lanes)}>"


def _written(text: str, lanes: int, **words: str) -> str:
    """The text with its words replaced, and its lines for each lane repeated."""
    words |= {"LANES": str(lanes), "LAST": str(lanes - 1), "VECTOR": f"<{lanes} x double>"}
    for word, replacement in words.items():
        text = re.sub(rf"\b{word}\b|(?<=v){word}(?=f64)", replacement, text)
    lines: list[str] = []
    for line in text.splitlines():
        for lane in range(lanes) if line.startswith("*") else ():
            numbered = line.replace("*", " ", 1).replace("#", str(lane))
            lines.append(numbered.replace(".$", f".{lane - 1}"))
        if not line.startswith("*"):
            lines.append(line)
    return re.sub(r"%\w+\.-1\b", "poison", "\n".join(lines)) + "\n"
