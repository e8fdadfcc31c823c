"""`python -m tests.gradbench` is the tool: it reads messages and writes replies, a line each."""

from tests.gradbench.run import main

if __name__ == "__main__":
    main()
