"""What docs/benchmarks.md states, measured: each module is one `python -m tools.bench NAME`.

Each prints a table for people, then one JSON line for scripts. Knows everything that it measures.
"""
