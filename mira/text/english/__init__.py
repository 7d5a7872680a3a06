"""English as it is written in, as it is said out: rules by subject, and the words that they know.

Knows nothing about sentences, mark-up or dictionaries.
"""
