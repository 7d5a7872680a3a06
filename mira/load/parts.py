"""Settings that name a model in; what it speaks with, loaded and checked against each other, out.

Downloads and converts what has to be. published.py and converted.py load the two forms of a model.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from mira.errors import InvalidSettings, one_line
from mira.load.ears import load_ears
from mira.load.facts import facts_here, located, short
from mira.load.plan import Plan, extra_of, install, plan
from mira.progress import Report, quiet
from mira.settings import Settings
from mira.synthesizer import Synthesizer
from mira.types import Voice

if TYPE_CHECKING:
    from mira.model.codec.base import Codec
    from mira.model.lm.base import LanguageModel
    from mira.model.lm.prompt import PromptBuilder

FINGERPRINT_DIGITS = 32  # 128 bits; it is part of files' names


@dataclass(frozen=True, slots=True)
class Parts:
    """What a model speaks with."""

    language_model: "LanguageModel"
    codec: "Codec"
    prompts: "PromptBuilder"
    hears: tuple[Path, ...]  # the files that decide which tokens a recording becomes
    spans_at_once: int  # that the codec renders faster in one pass than one by one
    processors: "threading.Lock | None" = None  # held while one computes, if both share them

    def close(self) -> None:
        """Stop what runs for them."""
        self.language_model.close()
        self.codec.close()


@contextmanager
def closed_on_failure(parts: Parts) -> Iterator[None]:
    """Close the parts if the block fails, whoever would have had them."""
    try:
        yield
    except BaseException:
        parts.close()
        raise


def load_synthesizer(settings: Settings, report: Report) -> Synthesizer:
    """Load a model, with the sample voice; arguments and errors as for `load_parts`."""
    parts = load_parts(settings, report)
    from mira.model.checkpoint.converted import fingerprint
    from mira.model.codec.batch import BatchingCodec
    from mira.model.codec.stream import Window
    from mira.model.synthesizer import MiraSynthesizer
    from mira.voices.sample import SAMPLE_VOICE, sample_recording, sample_transcript

    with closed_on_failure(parts):
        codec, recording, said = parts.codec, sample_recording(), sample_transcript()
        tokens = codec.encode(*recording), codec.speech_tokens(*recording)
        hears = fingerprint(parts.hears)[:FINGERPRINT_DIGITS]
        # Once nothing else can fail: it runs a thread.
        batching = BatchingCodec(codec, max_spans=parts.spans_at_once, processors=parts.processors)
        return MiraSynthesizer(
            parts.language_model,
            parts.prompts,
            batching,
            Window(look_ahead=settings.look_ahead_frames),
            voices=(Voice(SAMPLE_VOICE, *tokens, said),),
            fingerprint=hears,
            ears=load_ears(settings.guard_words),
        )


def load_parts(settings: Settings, report: Report = quiet) -> Parts:
    """Load the model that the settings name, as `plan` decides.

    Args:
        settings: Name it.
        report: Told how far downloads, a conversion and loading are.

    Raises:
        CheckpointError: The model's files can't be used.
        InvalidSettings: The settings ask for what the model can't do, or a library is missing.
    """
    planned = plan(settings, facts_here(settings))
    if planned.refusals:
        raise InvalidSettings(str(planned.refusals[0]))
    # Importing LMDeploy changes what the process logs, which its own loader undoes.
    require(extra_of(planned.engine), *(name for name in planned.libraries if name != "lmdeploy"))
    _check_first(settings, planned, report)
    directory = located("model", settings, report)
    other = located("codec_model", settings, report)
    wav2vec2 = located("semantic_model", settings, report)
    assert directory is not None  # or the built-in voice would speak
    from mira.load.converted import load_converted, prepared
    from mira.model.checkpoint.converted import is_converted, open_converted
    from mira.model.checkpoint.layout import open_checkpoint

    if is_converted(directory):
        return load_converted(settings, open_converted(directory), report)
    checkpoint = open_checkpoint(directory, other)
    if planned.converts:
        return load_converted(settings, prepared(checkpoint, settings, report), report)
    from mira.load.published import load_published

    return load_published(settings, planned, checkpoint, wav2vec2, report)


def _check_first(settings: Settings, planned: Plan, report: Report) -> None:
    """Refuse what can be refused before anything is downloaded."""
    if planned.engine == "openvino":
        from mira.model.lm.openvino import check_processor

        check_processor()
    if planned.converts and settings.model in planned.downloads:  # else it may be converted
        from mira.load.converted import require_cache

        require_cache(settings.cache_dir)
    from mira.model.checkpoint.hub import check_known

    for name in planned.downloads[1:]:
        check_known(name, report)


def require(extra: str, *libraries: str) -> None:
    """Raise InvalidSettings, saying what to install, if a library is missing or broken.

    Args:
        extra: Of this package, that brings them.
        libraries: By the names that they are imported by.
    """
    for library in libraries:
        try:
            import_module(library)
        except Exception as error:  # whatever a broken installation leads to
            raise InvalidSettings(
                f"model: this Mira model needs {library} ({one_line(error)}). Install it "
                f"{install(extra)}"
            ) from error


def loading(
    report: Report, settings: Settings, directory: Path, *steps: Iterable[Path]
) -> Callable[[], None]:
    """Report that a model begins to be loaded.

    Args:
        report: Told of the bytes of its files.
        settings: Name the model.
        directory: Of the model.
        steps: Files that will be loaded together, in order.

    Returns:
        To be called after each step.
    """
    what = f"loading {short(settings.model)} from {directory}"
    left = [sum(path.stat().st_size for path in files) for files in steps]
    total = sum(left)

    def did() -> None:
        del left[0]
        report(what, total - sum(left), total)

    report(what, 0, total)
    return did
