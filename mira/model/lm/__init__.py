"""Prompt in, speech tokens out.

Knows nothing of audio. Backends are imported from their own modules, since each brings a large
library along.
"""
