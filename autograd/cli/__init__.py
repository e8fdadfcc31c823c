"""The commands of the command line: each module has `HELP`, `EXAMPLE`, `arguments` and `run`."""
