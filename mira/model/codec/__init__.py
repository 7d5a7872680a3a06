"""Speech tokens to samples, and a reference recording to the tokens of its speaker.

`base` is the seam and `stream` renders a stream through it; both need numpy alone. `pytorch` and
`torch_card` implement it in PyTorch, `openvino` in OpenVINO.

Knows nothing about text, files, sockets or the names of voices. Source: BiCodec, Spark-TTS,
arXiv:2503.01710.
"""
