"""What the project claims about its speed and size, one module a claim, each measured as a ratio within one run.

A module here holds `run(**options)`, which returns a `BenchResult`. Tests of correctness belong in `tests`.
"""
