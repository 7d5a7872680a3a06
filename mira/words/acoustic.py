"""The acoustic model's files in; what sounds are made of, and how well they fit a frame, out.

A phone between two others is three states; each is a mixture of the 128 densities that its phone
has, in each of three streams of features. Knows nothing about words.

Source: the model en-us in the wheel of pocketsphinx 5.1 (BSD-2-Clause), of which no code is used.
"""

import struct
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mira.errors import CheckpointError
from mira.words.features import CEPSTRA, STREAMS

Floats = npt.NDArray[np.float32]

STATES = 3
DENSITIES = 128
SILENCE = "SIL"
_NOISES = ("+NSN+", "+SPN+")

_LOG_UNIT = 1024 * np.log(1.0001)  # of the weights, which are whole numbers
_SMALLEST_VARIANCE = 1e-4
_LEAST_CHANCE = 1e-4  # of a transition
_KEY = np.array([64**3, 64**2, 64, 1], np.int32)  # makes one number of a phone in its place
_TINY = np.float32(1e-30)
_COUNTS = struct.Struct("<10i")
_PHONE = np.dtype([("states", "<i4"), ("transitions", "<i4"), ("place", "u1"), ("around", "u1", 3)])


class Place(IntEnum):
    """Where in its word a phone is; the numbers are the model's."""

    INSIDE = 0
    FIRST = 1
    LAST = 2
    ALONE = 3


class AcousticModel:
    """What all sentences share; nothing in it changes.

    Attributes:
        names: Of the phones.
        stays: [phones, STATES] logarithms: of a frame more in a state.
        moves: [phones, STATES]: of going on to the next.

    Args:
        folder: With the model's files.

    Raises:
        CheckpointError: One is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        """Read it: takes about 40 ms, and 6 MB."""
        try:
            self._read_phones((folder / "mdef").read_bytes())
            self._read_densities(folder)
            self._read_weights((folder / "sendump").read_bytes())
            chances = _parameters(folder / "transition_matrices", 4)
        except (OSError, ValueError, struct.error) as error:
            raise CheckpointError(
                f"{folder} can't be read: {error}. Install pocketsphinx again."
            ) from error
        chances = chances.reshape(len(self.names), STATES, STATES + 1)
        logs = np.log(np.maximum(chances / chances.sum(2, keepdims=True), _LEAST_CHANCE))
        self.stays = np.stack([logs[:, state, state] for state in range(STATES)], axis=1)
        self.moves = np.stack([logs[:, state, state + 1] for state in range(STATES)], axis=1)

    def number(self, phone: str) -> int:
        """Return the number of a phone."""
        return self._numbers[phone]

    def between(self, phone: int, left: int, right: int, place: Place) -> tuple[int, ...]:
        """Return the mixtures of a phone's states between two others."""
        for where in (place, *(other for other in Place if other != place)):
            key = np.dot((where, phone, left, right), _KEY)
            at = int(np.searchsorted(self._keys, key))
            if at < len(self._keys) and self._keys[at] == key:
                return tuple(self._states[self._sequences[at]].tolist())
        return self.anywhere(phone)

    def anywhere(self, phone: int) -> tuple[int, ...]:
        """Return the mixtures of a phone's states, whatever is around it."""
        return tuple(self._states[self._alone[phone]].tolist())

    def phone_of(self, mixture: int) -> int:
        """Return which phone's densities a mixture weighs."""
        return int(self._phones_of[mixture])

    def speech(self) -> list[int]:
        """Return the mixtures of all phones whatever is around them: all that speech can be."""
        silent = {self._numbers[name] for name in (SILENCE, *_NOISES)}
        return [
            m
            for phone in range(len(self.names))
            if phone not in silent
            for m in self.anywhere(phone)
        ]

    def weights(self, mixtures: Sequence[int]) -> Floats:
        """Return [STREAMS, DENSITIES, mixtures]."""
        weights: Floats = np.exp(self._weights[:, :, mixtures] * np.float32(-_LOG_UNIT))
        return weights

    def densities(self, phones: npt.NDArray[np.intp]) -> Floats:
        """Return [STREAMS, phones, 2 * CEPSTRA + 1, DENSITIES] for `Scorer`; phones in order."""
        first, stop = int(phones[0]), int(phones[-1]) + 1
        if stop - first == len(phones):  # as those of every sentence: no copy of 1.7 MB for each
            return self._densities[:, first:stop]
        return self._densities[:, phones]

    def _read_phones(self, data: bytes) -> None:
        at = 12 + struct.unpack_from("<i", data, 8)[0]
        phones, all_, _, _, mixtures, _, sequences, _, nodes, _ = _COUNTS.unpack_from(data, at)
        names = at + _COUNTS.size
        at = names
        for _ in range(phones):
            at = data.index(b"\0", at) + 1
        self.names = data[names : at - 1].decode().split("\0")
        self._numbers = {name: number for number, name in enumerate(self.names)}
        at += -(at - names) % 4 + 8 * nodes  # those are a tree to search; a sorted list does too
        known = np.frombuffer(data, _PHONE, all_, at)
        at += known.nbytes + 4
        self._states = np.frombuffer(data, "<u2", sequences * STATES, at).reshape(-1, STATES)
        self._alone = known["states"][:phones]
        placed = known[phones:]
        parts = np.stack([placed["place"], *placed["around"].T], axis=1, dtype=np.int32)
        keys = parts @ _KEY
        order = np.argsort(keys)
        self._keys, self._sequences = keys[order], placed["states"][order]
        self._phones_of = np.zeros(mixtures, np.int32)
        whose = np.concatenate([np.arange(phones), placed["around"][:, 0]])
        self._phones_of[self._states[known["states"]]] = whose[:, None]

    def _read_densities(self, folder: Path) -> None:
        shape = (len(self.names), STREAMS, DENSITIES, CEPSTRA)
        means = _parameters(folder / "means", 7).reshape(shape)
        variances = np.maximum(_parameters(folder / "variances", 7), _SMALLEST_VARIANCE)
        variances = variances.reshape(shape)
        constant = -0.5 * (np.log(2 * np.pi * variances) + means**2 / variances).sum(3)
        parts = [means / variances, -0.5 / variances, constant[..., None]]
        joined = np.concatenate(parts, axis=3).transpose(1, 0, 3, 2)
        self._densities = np.ascontiguousarray(joined, np.float32)

    def _read_weights(self, data: bytes) -> None:
        at = 0
        while length := struct.unpack_from("<i", data, at)[0]:  # of a line of its head
            at += 4 + length
        densities, mixtures = struct.unpack_from("<2i", data, at + 4)
        weights = np.frombuffer(data, np.uint8, STREAMS * densities * mixtures, at + 12)
        self._weights = weights.reshape(STREAMS, densities, mixtures)


class Scorer:
    """Says how well frames fit the states of one sentence.

    Args:
        model: Knows how each sounds.
        mixtures: Of the states.
    """

    def __init__(self, model: AcousticModel, mixtures: Sequence[int]) -> None:
        speech = model.speech()
        all_ = [*mixtures, *speech]
        phones, which = np.unique([*map(model.phone_of, all_)], return_inverse=True)
        # The mixtures of a phone side by side, as many places for each phone.
        places = np.zeros(len(all_), np.intp)
        for phone in range(len(phones)):
            of = np.flatnonzero(which == phone)
            places[of] = np.arange(len(of))
        width = int(places.max()) + 1
        self._weights = np.zeros((STREAMS, len(phones), DENSITIES, width), np.float32)
        weights = model.weights(all_)
        self._weights[:, which, :, places] = weights.transpose(2, 0, 1)
        self._densities = model.densities(phones)
        columns = which * width + places
        self._columns, self._speech = np.split(columns, [len(columns) - len(speech)])

    def __call__(self, features: Floats) -> tuple[Floats, Floats]:
        """Score [frames, STREAMS, CEPSTRA].

        Returns:
            [frames, mixtures] logarithms of densities, and [frames]: of whatever sound fits best.
        """
        streams = features.transpose(1, 0, 2)
        ones = np.ones((*streams.shape[:2], 1), np.float32)
        terms = np.concatenate([streams, streams**2, ones], axis=2)
        fits = terms[:, None] @ self._densities  # [STREAMS, phones, frames, DENSITIES]
        best = fits.max(3, keepdims=True)
        np.exp(fits - best, out=fits)
        scores = (np.log(fits @ self._weights + _TINY) + best).sum(0)  # [phones, frames, width]
        scores = scores.transpose(1, 0, 2).reshape(len(features), -1)
        return scores[:, self._columns], scores[:, self._speech].max(1)


def _parameters(path: Path, num_counts: int) -> Floats:
    """Return the numbers of a file, after its head and the counts, of which the last is theirs."""
    data = path.read_bytes()
    at = data.index(b"endhdr\n") + 7
    counts = struct.unpack_from(f"<{num_counts + 1}I", data, at)
    return np.frombuffer(data, "<f4", counts[-1], at + 4 * len(counts))
