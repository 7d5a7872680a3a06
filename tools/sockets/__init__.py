"""Clients of the sockets that Mira speaks: what `python -m tools.bench sockets` measures with."""
