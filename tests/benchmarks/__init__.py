"""How fast, how large, and beside whom: `python -m tests.benchmarks [section …]`.

One module per workload, each a section of the printed table; one module per peer in `peers`. All
contestants of a table take turns within one run, with Python's garbage collector on, and their
medians are compared. A peer that is not installed is reported as missing.
"""
