"""The compiler: functions of Values are recorded, and code is generated for five targets.

In the order in which a function passes through:

- `jit`, `sparse` (sparse Jacobians and Hessians) and `step` (`jit_step`) are called by users;
  `columns` and `arguments` check the arguments of a call and store them as flat arrays;
- `trace` records the function as a graph of Values without numbers, `loop_recording` (`scan`) a
  loop in it as a single node, whose derivatives are in `loop_primitive`;
- `interpreter` evaluates the tape that `lowering` makes of the graph, in the first calls;
- `pipeline` runs the passes that turn the graph into a `Program`: `lowering`, `expressions`,
  `schedule`, `access`, `reroll` and `assembly`; `partition` divides a graph with scans for them;
- `program` is the intermediate representation, `linking` joins programs and expands scans;
- `backends` are Python, C, JavaScript, LLVM and JAX.

`ragged` has helpers for arrays, `locks` for threads and processes.
"""
