"""The built-in English voice: one sentence in, blocks of samples out, on any processor."""
