"""Files in, weights out: finds, reads and verifies a model's checkpoint.

Knows nothing of speech: what the weights compute is codec/ and lm/.
"""
