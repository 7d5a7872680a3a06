"""Everything Mira raises on purpose, as one small family.

    MiraError
    ├── InvalidRequest       the caller's input; `param` names the field
    │   └── NothingToSay     text without a single speakable word
    ├── InvalidSettings      a setting that does not exist or can't be used
    ├── CheckpointError      model files missing, damaged or of another shape
    │   └── NotDownloaded    an id's files aren't all on this machine
    ├── VoiceNotFound        no such voice, and no substitute allowed
    ├── ModelNotFound        no such model
    ├── ConsentNotFound      no such consent
    ├── InvalidKey           no API key, or none that is known here
    ├── NotAllowed           the settings forbid it, or the key does
    ├── StorageFailed        the disk can't be written
    ├── Overloaded           every stream is taken; come back after `retry_after_s`
    ├── NotReady             the engine has not spoken its warm-up sentence yet; as Overloaded
    ├── SynthesisFailed      the engine broke while speaking
    └── PlaybackFailed       no loudspeaker can be used

Errors of other libraries are translated where they enter, with `raise ... from`. How each is
answered over HTTP is in server/errors.py alone.
"""

GIVE_UP_AFTER = 8
"""Failures in a row after which a language model or a codec counts as broken for good."""


class MiraError(Exception):
    """Root of the family: the message says what is wrong and what to do."""


class InvalidRequest(MiraError):
    """The caller's input can't be used."""

    def __init__(self, message: str, param: str | None = None, code: str = "invalid_value") -> None:
        super().__init__(message)
        self.param = param
        self.code = code


class NothingToSay(InvalidRequest):
    """The text holds no word, number or symbol that can be spoken."""

    def __init__(
        self,
        message: str = "The input has nothing to say: it is empty, or only spaces, punctuation and "
        "mark-up. Send at least one word.",
    ) -> None:
        super().__init__(message, "input")


class InvalidSettings(MiraError):
    """A setting does not exist or its value can't be used."""


class CheckpointError(MiraError):
    """A model's files can't be used: names the file, the tensor, the expected and the found."""


class NotDownloaded(CheckpointError):
    """Not all files of a Hugging Face id are on this machine, and could not be had."""


class VoiceNotFound(MiraError):
    """No voice has this name, and the settings forbid a substitute."""


class ModelNotFound(MiraError):
    """No model has this name."""


class ConsentNotFound(MiraError):
    """No consent has this id."""


class InvalidKey(MiraError):
    """No API key was sent, or none that is known here; which of the two is not told."""


class NotAllowed(MiraError):
    """The settings forbid what was asked for, or forbid it to whoever asked."""


class StorageFailed(MiraError):
    """What was to be kept can't be written; nothing has changed."""


class Overloaded(MiraError):
    """As many streams are speaking as the settings allow."""

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotReady(MiraError):
    """The engine is still starting, or has failed."""

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SynthesisFailed(MiraError):
    """The engine broke while speaking; what was sent so far is all there will be."""


class PlaybackFailed(MiraError):
    """No program could play the audio aloud."""


def one_line(error: BaseException) -> str:
    """Name an error's kind and what it says; one of ours just says it."""
    kind = "" if isinstance(error, MiraError) else f"{type(error).__name__}: "
    return " ".join(f"{kind}{error}".split())
