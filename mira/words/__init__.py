"""When each word is spoken, in the characters of whoever sent the text.

Knows nothing about voices, models, sockets or files.
"""
