"""The command line: a module for each command, and modules that the commands share.

- The commands are `train`, `predict`, `draw`, `play`, `playground` and `lesson`: each of these
  modules has `EXAMPLE`, `arguments` and `run`.
- `examples` loads a data set, `learner` trains on it; `gradient_check` and `pictures` are steps of
  `train`.
- `arguments` parses options, `output` prints, `signals` handles Ctrl-C.
"""
