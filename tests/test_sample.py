"""The sample can be cloned: it is speech, and what is said in it is known."""

from mira.sample import sample_recording, sample_transcript


def test_it_is_a_few_seconds_of_speech_with_its_words() -> None:
    samples, rate = sample_recording()
    assert 3 < len(samples) / rate < 10
    assert abs(samples).max() > 0.1
    assert len(sample_transcript().split()) > 5
