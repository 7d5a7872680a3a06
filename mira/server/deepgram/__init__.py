"""Deepgram's endpoints that speak, and what their requests and sockets have in common."""
