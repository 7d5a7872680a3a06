"""Prompt in, speech tokens out.

Knows nothing of audio. Backends are imported from their own modules, since each brings a large
library along.
"""

from mira.model.lm.base import LanguageModel, SpeechVocabulary
from mira.model.lm.prompt import PromptBuilder

__all__ = ["LanguageModel", "PromptBuilder", "SpeechVocabulary"]
