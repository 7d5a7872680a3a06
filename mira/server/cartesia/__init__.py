"""Cartesia's endpoints over HTTP: speech, voices."""
