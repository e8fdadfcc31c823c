"""A tool for GradBench: twelve problems of automatic differentiation, written for this library.

GradBench (github.com/gradbench/gradbench) compares systems of automatic differentiation. An *eval*
sends inputs as lines of JSON, and a *tool* answers with results and times; here the tool is
`python -m tests.gradbench`, with a module for each eval.
"""
