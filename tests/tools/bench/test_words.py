"""A short run of each table."""

import json
import shutil
from pathlib import Path

import pytest

from mira.builtin.synthesizer import BuiltinSynthesizer
from mira.engine import Engine
from tools.bench import words
from tools.bench.words import Bench, alignment, builtin, hard, known, people, stream_of
from tools.word_times.spoken import sentences


@pytest.mark.slow
def test_a_short_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(words, "LONG", 1)
    monkeypatch.setattr(words, "FLITE", ())
    one_each = {kind: texts[-1:] for kind, texts in words.hard_cases.SENTENCES.items()}
    monkeypatch.setattr(words.hard_cases, "SENTENCES", one_each)
    for path in words.RECORDINGS.glob("allison.*"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(words, "RECORDINGS", tmp_path)
    bench, spoken = Bench(worst=1), sentences("Your table is booked, at half past seven.")
    known(bench, spoken)
    builtin(bench, spoken)
    alignment(bench, spoken)
    people(bench)
    hard(bench, spoken)
    said = capsys.readouterr().out
    tables = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [len(table["rows"]) for table in tables] == [8, 7, 14, 6, 23]
    rows = {row["compared"]: row for table in tables for row in table["rows"]}
    assert rows["aligner, 24 kHz, network"]["words"] == 8
    assert rows["aligner, 24 kHz, network"]["start p50 ms"] < 60
    assert rows["repeated words, 8 kHz mu-law"]["words"] == 4
    assert "[seven.]" in said or "[booked,]" in said  # the worst


def test_a_stream_has_one_clock() -> None:
    text = "Hello there. One moment, please."
    speech, told = stream_of(Engine(BuiltinSynthesizer()), text)
    assert [word.text for word in speech.sentence.words] == text.split()
    starts = told.times[:, 0]
    assert (starts[1:] > starts[:-1]).all()
    assert told.times[0, 0] < 0.1 and starts[-1] < speech.audio_s
