"""ElevenLabs' endpoints: speech, with times of its characters; voices, models, the user."""
