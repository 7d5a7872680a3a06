"""What docs/benchmarks.md states, measured. Each module prints a table, then one JSON line."""
