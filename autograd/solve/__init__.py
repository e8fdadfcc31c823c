"""Solvers on top of derivatives: `root` solves equations, `minimize` a nonlinear program."""
