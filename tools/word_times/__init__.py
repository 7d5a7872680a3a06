"""Speech of which it is known when each word is heard, and who says when they hear it.

Nothing here uses the word times of `mira`: those are what is measured.
"""
