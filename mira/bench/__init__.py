"""What docs/benchmarks.md states, measured: each module is one `mira bench NAME`.

Each prints a table for people, then one JSON line for scripts. Knows everything that it measures,
and only the command line knows it.
"""
