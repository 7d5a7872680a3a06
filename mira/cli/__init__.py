"""The command line, `mira`: one module for each command."""
