"""The tests, a package so that they and the benchmarks share helpers."""
