"""The jobs of the command line: each a file with `arguments`, which it takes, and `run`."""
