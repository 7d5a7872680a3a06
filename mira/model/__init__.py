"""Everything of a Mira model: language model, codec, checkpoints, conversion, synthesizer."""
