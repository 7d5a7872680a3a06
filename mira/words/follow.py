"""A sentence's samples in, as they are rendered; the words that leave with each block out.

The first block leaves at once: its words are guesses. Every later one was listened to, and takes
along what that corrects. Knows nothing about who speaks, or how words are found.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise

from mira.types import Samples, Sentence, TimedWord, Word
from mira.words.align import Aligner, Alignment, Findings
from mira.words.spread import Spread
from mira.words.voiced import Voiced

_AHEAD_S = 0.25
"""How much earlier than it seems a word may begin, and half of what nobody has listened to."""
_MOVED_S = 0.15  # a guess that changes by less is not told again: it will be measured
_FOUND = 0.5  # of the words; where fewer are, those may be anywhere
# In another language more of the voice is no words, and fewer of the words are in the dictionary.
_NO_WORDS = 0.3
_ENGLISH = 0.7

Turn = Callable[[], AbstractContextManager[bool]]
"""Whatever is listened to inside, it is one's turn; or False, and nothing is."""


class Follower:
    """Follows what a voice says. Safe to use from several threads at once.

    Args:
        aligner: Measures; without one, every word is a guess.
    """

    def __init__(self, aligner: Aligner | None = None) -> None:
        self._aligner = aligner

    def begin(
        self, sentence: Sentence, sample_rate: int, turn: Turn = lambda: nullcontext(True)
    ) -> "Following":
        """Begin to follow a sentence, spoken at `sample_rate` Hz, listening in turns."""
        return Following(sentence, sample_rate, self._aligner, turn)


class Following:
    """One sentence, on one thread at a time; used once, then closed.

    `push` what was rendered; `news` go with the next block that leaves, and `listen` after it.
    """

    def __init__(
        self, sentence: Sentence, sample_rate: int, aligner: Aligner | None, turn: Turn
    ) -> None:
        self.findings: Findings | None = None
        """What is odd about the sentence, once it is over; None if it could not be followed."""
        self._sentence, self._words = sentence, sentence.words
        self._sample_rate = sample_rate
        self._aligner, self._turn = aligner, turn
        self._alignment: Alignment | None = None
        self._voiced = Voiced(sample_rate)
        self._spread = Spread(sentence, self._voiced)
        self._unheard = deque[Samples]()
        self._began = False  # a block has left
        self._measured: dict[int, TimedWord] = {}
        self._told: dict[int, TimedWord] = {}
        self._together = list(_together(sentence.words))

    @property
    def beyond_s(self) -> float:
        """How much was spoken since the last word was over, in seconds; 0 before that is found."""
        last = self._measured.get(len(self._words) - 1)
        spoken = self._voiced.between(last.stop_s, self._voiced.heard_s) if last else []
        return sum(stop_s - start_s for start_s, stop_s in spoken)

    def push(self, samples: Samples) -> None:
        """Take [num_samples] more; costs next to nothing."""
        self._voiced.push(samples)
        if self._aligner:
            self._unheard.append(samples)

    def listen(self) -> None:
        """Look for the words in what was pushed, as far as there are turns for it."""
        while self._aligner and self._unheard:
            with self._turn() as granted:
                if not granted:
                    return
                if not self._alignment:
                    self._alignment = self._aligner.begin(self._sentence, self._sample_rate)
                self._measure(self._alignment.push(self._unheard.popleft()))

    def news(self) -> tuple[TimedWord, ...]:
        """Return what goes with a block that ends where `push` has come to, or before.

        That is each word that may begin in it, and what has changed of those before.
        """
        if self._began:
            self.listen()
        self._began = True
        times = self._spread.times(self._measured, over=False)
        heard_s = self._voiced.heard_s
        measured_s = max((word.stop_s for word in self._measured.values()), default=0.0)
        until_s = heard_s + _AHEAD_S + max(0.0, heard_s - measured_s) / 2
        stop = sum(word.start_s < until_s for word in times)
        stop = max(self._together[stop - 1] if stop else 0, len(self._told))
        return self._tell(times[:stop], _MOVED_S)

    def finish(self) -> tuple[TimedWord, ...]:
        """End the sentence; return each word that was not told, and all that has changed.

        There are no findings if there was no turn to listen to its end.
        """
        self.listen()
        if self._alignment and not self._unheard:
            with self._turn() as granted:
                if granted:
                    self._conclude(self._alignment)
        return self._tell(self._spread.times(self._measured, over=True), 0.0)

    def close(self) -> None:
        """Give back what it holds. May be called again."""
        if self._alignment:
            self._alignment.close()

    def _conclude(self, alignment: Alignment) -> None:
        self._measure(alignment.finish())
        if self._is_followed(alignment.findings):
            self.findings = alignment.findings
        else:
            self._measured = {}

    def _is_followed(self, findings: Findings) -> bool:
        """Tell whether what was found may be believed: not in another language."""
        if len(self._measured) < _FOUND * len(self._words):
            return False
        if findings.noise_s <= _NO_WORDS * self._voiced.voice_s:
            return True
        assert self._aligner
        return sum(map(self._aligner.knows, self._words)) >= _ENGLISH * len(self._words)

    def _measure(self, words: list[TimedWord]) -> None:
        self._measured |= {word.index: word for word in words}
        # Its neighbours' times hold, if those of one word do not fit between them.
        begun_s = 0.0
        for index in sorted(self._measured):
            if self._measured[index].start_s < begun_s:
                del self._measured[index]
            else:
                begun_s = self._measured[index].start_s

    def _tell(self, times: list[TimedWord], moved_s: float) -> tuple[TimedWord, ...]:
        """Return those that are new or have changed.

        Args:
            times: The first words, all that were told among them; starts in order.
            moved_s: A guess that has changed by no more need not be told again.
        """
        news = [word for word in times if self._is_news(word, moved_s)]
        after = self._told | {word.index: word for word in news}
        if any(a.start_s > b.start_s for a, b in pairwise(after[i] for i in range(len(times)))):
            news = [word for word in times if self._told.get(word.index) != word]
        self._told |= {word.index: word for word in news}
        return tuple(news)

    def _is_news(self, word: TimedWord, moved_s: float) -> bool:
        told = self._told.get(word.index)
        if told is None or told.estimated != word.estimated:
            return True
        off_s = max(abs(told.start_s - word.start_s), abs(told.stop_s - word.stop_s))
        return off_s > (moved_s if word.estimated else 0.0)


def _together(words: tuple[Word, ...]) -> Iterator[int]:
    """Yield for each word where those end that stand for the same characters, as "$100" does."""
    stops: list[int] = []
    for index in reversed(range(len(words))):
        following = words[index + 1] if index + 1 < len(words) else None
        same = following is not None and following.source.start < words[index].source.stop
        stops.append(stops[-1] if same else index + 1)
    yield from reversed(stops)
