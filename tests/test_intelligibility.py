"""A real recogniser listens to what the real service says.

Written sentences go in over HTTP, and what is heard is compared with what a person would have
read aloud. Only wrong words count: both sides are normalised by the recogniser's own rules.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest

from mira.cli.bench.client import speech_request
from mira.cli.bench.service import Service, running
from mira.types import Samples
from tests.recogniser import Recogniser, word_errors

HEARD_S = 28.0  # at once, of the recogniser's 30
PAUSE_S = 0.7  # between sentences
SENTENCES = [
    line.split("\t")
    for line in (Path(__file__).parent / "data" / "sentences.txt").read_text("utf-8").splitlines()
    if line
]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running() as service:
        yield service


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser()


def speak(service: Service, text: str, response_format: str, sample_rate: int) -> Samples:
    """Ask the service, and decode the answer."""
    request = speech_request(text, response_format=response_format, sample_rate=sample_rate)
    with closing(service.connect()) as connection:
        connection.request("POST", "/v1/audio/speech", *request)
        response = connection.getresponse()
        data = response.read()
    assert response.status == 200, data
    raw = {"pcm": "s16le", "ulaw": "mulaw"}.get(response_format)
    options = {"sample_rate": str(sample_rate), "ch_layout": "mono"} if raw else {}
    with av.open(BytesIO(data), format=raw, options=options) as container:
        resampler = av.AudioResampler("flt", "mono", sample_rate)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def test_there_are_enough_sentences_of_every_kind() -> None:
    assert len(SENTENCES) >= 30
    written = " ".join(text for text, _ in SENTENCES)
    assert all(sign in written for sign in ("$", "@", ":", "Dr.", "%", "?"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("response_format", "sample_rate", "at_most"),
    [("pcm", 24000, 0.05), ("mp3", 24000, 0.05), ("ulaw", 8000, 0.08)],
)
def test_what_is_said_is_understood(
    service: Service,
    recogniser: Recogniser,
    response_format: str,
    sample_rate: int,
    at_most: float,
) -> None:
    errors = words = 0
    wrong = []
    for together in in_windows(service, response_format, sample_rate):
        samples = np.concatenate([part for _, part in together])
        heard = recogniser.transcribe(samples, sample_rate)
        spoken = " ".join(words for words, _ in together)
        missed, said = word_errors(spoken, heard)
        errors, words = errors + missed, words + said
        if missed:
            wrong.append(f"{missed} in {spoken!r}: {heard!r}")
    rate = errors / words
    print(json.dumps({"format": response_format, "wer": rate, "words": words}), *wrong, sep="\n")
    assert rate <= at_most, wrong


def in_windows(
    service: Service, response_format: str, sample_rate: int
) -> Iterator[list[tuple[str, Samples]]]:
    """Sentences with what is said of them, as many together as the recogniser hears at once: it
    takes as long for one word as for half a minute."""
    silence = np.zeros(int(PAUSE_S * sample_rate), np.float32)
    together: list[tuple[str, Samples]] = []
    # All as they are; two formats that take something away are heard on every third.
    step = 1 if response_format == "pcm" else 3
    for written, spoken in SENTENCES[::step]:
        samples = np.append(speak(service, written, response_format, sample_rate), silence)
        if sum(len(part) for _, part in [*together, (spoken, samples)]) > HEARD_S * sample_rate:
            yield together
            together = []
        together.append((spoken, samples))
    yield together
