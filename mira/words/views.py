"""Words and their times in, as other programs want to have them, out: JSON, lists, characters.

Knows nothing about files or sockets. Times are seconds of the audio as it is heard.
"""

from mira.words.said import SaidWord


def word_object(text: str, word: SaidWord) -> dict[str, object]:
    """Return a word of `text` as it is in an answer or a file: JSON, times to a millisecond."""
    return {
        "word": text[word.source.start : word.source.stop],
        "start": round(word.start_s, 3),
        "end": round(word.stop_s, 3),
        "char_start": word.source.start,
        "char_end": word.source.stop,
        "estimated": word.estimated,
    }
