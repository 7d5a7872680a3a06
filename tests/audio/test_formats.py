"""The table is whole, and asking for what it lacks is refused with the field's name."""

import pytest

from mira.audio.formats import FORMATS, SAMPLE_RATES, find_format, format_of_suffix
from mira.errors import InvalidRequest


def test_names():
    names = "pcm wav mp3 opus aac flac ulaw alaw f32 wav_ulaw wav_alaw wav_f32"
    assert list(FORMATS) == names.split()
    assert all(found.name == name for name, found in FORMATS.items())


@pytest.mark.parametrize("name", FORMATS)
def test_every_rate_has_one_that_the_codec_takes(name):
    encoded = [find_format(name).encoded_rate(rate) for rate in SAMPLE_RATES]
    expected = (8000, 16000, 24000, 24000, 48000, 48000, 48000) if name == "opus" else SAMPLE_RATES
    assert encoded == list(expected)


def test_a_file_name_tells_the_format():
    assert format_of_suffix(".OGG") is FORMATS["opus"]
    assert format_of_suffix(".ul") is FORMATS["ulaw"]
    assert format_of_suffix(".txt") is None
    suffixes = [suffix for found in FORMATS.values() for suffix in found.suffixes]
    assert len(set(suffixes)) == len(suffixes)


@pytest.mark.parametrize("name", ["", "MP3", "vorbis"])
def test_an_unknown_format_is_refused(name):
    with pytest.raises(InvalidRequest, match="Use one of: pcm, wav") as refused:
        find_format(name)
    assert refused.value.param == "response_format"


@pytest.mark.parametrize("sample_rate", [0, -8000, 11025, 96000])
def test_an_unknown_rate_is_refused(sample_rate):
    with pytest.raises(InvalidRequest, match="Use one of: 8000") as refused:
        FORMATS["mp3"].encoded_rate(sample_rate)
    assert refused.value.param == "sample_rate"
