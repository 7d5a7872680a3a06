"""Speech tokens to samples, and a reference recording to the tokens of its speaker.

`base` is the seam and `stream` renders a stream through it; both need numpy alone. `pytorch`
is the reference implementation, and the only way to import torch from here.

Knows nothing about text, files, sockets or the names of voices. Source: BiCodec, Spark-TTS,
arXiv:2503.01710.
"""
