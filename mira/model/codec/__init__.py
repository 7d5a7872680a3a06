"""Speech tokens to samples, and a reference recording to the tokens of its speaker.

`base` is the seam and `stream` renders a stream through it; both need numpy alone. `decoder`,
`encoder` and `upsampler` say what is computed; `pytorch` computes it, and `openvino`.

Knows nothing about text, files, sockets or the names of voices. Source: BiCodec, Spark-TTS,
arXiv:2503.01710.
"""
