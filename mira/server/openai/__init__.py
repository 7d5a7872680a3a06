"""OpenAI's endpoints: speech, voices, consents, models."""
