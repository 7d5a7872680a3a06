"""The voices that people brought: found, checked, added, replaced and removed while calls go on.

What is on the disk is the truth; what is known of it changes voice by voice, and who reads it never
waits. Knows nothing about how a model makes a voice of a recording, nor which name means which.
"""

import logging
import threading
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from typing import Protocol

from mira.errors import ConsentNotFound, InvalidRequest, NotReady, VoiceNotFound
from mira.settings import Settings
from mira.types import Samples, Voice, check_transcript
from mira.voices.archive import RECORDING, SPOKEN, Card, Clip, Consent, VoiceFile, pack, unpack
from mira.voices.cache import Cache, Report, Tokens
from mira.voices.consents import Consents
from mira.voices.files import Unreadable
from mira.voices.folder import Candidate, Folder, check_folder
from mira.voices.inspect import NEVER, Inspector
from mira.voices.known import Known, Recorded, Rejected
from mira.voices.names import clean_stored_name, owner_of, shown_name
from mira.voices.quality import Quality, assess

log = logging.getLogger(__name__)

NEEDS_MODEL = "Speaking in the voice of a recording needs a Mira model: set `model`."
EXAMINERS = 2  # recordings that are looked at at the same time


class NotPrepared(Exception):
    """A voice has to be computed before it can speak."""


class Cloner(Protocol):
    """Makes voices of recordings: an engine."""

    @property
    def fingerprint(self) -> str:
        """Name of what a clone depends on beside the recording; "" if it can't clone."""

    def clone(self, name: str, samples: Samples, sample_rate: int, transcript: str = "") -> Voice:
        """See `mira.synthesizer.Synthesizer`."""


class VoiceStore:
    """Safe to use from several threads at once, and beside other processes on the same folder.

    Everything that writes raises StorageFailed if the disk refuses; then nothing has changed. What
    needs to know every voice there is raises NotReady while `looking`.

    Args:
        settings: The folder, made when the first voice is added; and limits.
        cloner: Makes voices of recordings; None: nobody here will speak.
        taken: Names that no recording can have: those of the engine's own voices.
    """

    def __init__(
        self, settings: Settings, cloner: Cloner | None = None, taken: Sequence[str] = ()
    ) -> None:
        self.path = path = settings.voices_dir
        self._max_bytes, self._max_voices = settings.max_recording_bytes, settings.max_voices
        self.consents = Consents(path / "consents", self._max_bytes, self._max_voices)
        self.gone: Callable[[str], object] = lambda name: None
        """Told the name of each voice that is not any more what it was; must not wait."""
        self._cloner, self._taken = cloner, taken
        self._folder = Folder(path, self._max_bytes)
        self._cache = Cache(path / ".mira-cache", cloner.fingerprint if cloner else "")
        self._inspector = Inspector(settings, self._folder, self._cache, taken)
        self._stopped, self._looked = threading.Event(), threading.Event()
        self._known = Known()
        self._refreshing = threading.Lock()
        # Held while voices and consents are written, until they would survive a power cut.
        self._writing = threading.Lock()
        # Held for the moment in which what is known changes, because calls wait for it. Taken last.
        self._changing = threading.Lock()
        self._cloning = threading.Lock()  # one at a time: the processors are there for calls

    @property
    def recorded(self) -> Mapping[str, Recorded]:
        """Every voice whose recording can be used, by name: the same object until one changes."""
        return self._known.recorded

    @property
    def unusable(self) -> dict[str, str]:
        """Every file that should be a voice and can't be, and why, for the one who brought it."""
        return self._known.unusable

    @property
    def can_speak(self) -> bool:
        """Whether voices can be made of recordings at all."""
        return self._cloner is not None and bool(self._cloner.fingerprint)

    @property
    def looking(self) -> bool:
        """Whether the first look at the whole folder is not over: there may be more voices."""
        return not self._looked.is_set()

    def prepared(self, voice: Recorded) -> bool:
        """Tell whether it can speak without anything being computed first."""
        return self._cache.at_hand(voice.content)

    def hurry(self) -> None:
        """Look at no other recording of the folder than those that are being looked at."""
        self._stopped.set()

    def close(self) -> None:
        """Stop looking at the folder; wait for the recording that is being read, if one is."""
        self.hurry()
        self._inspector.close()

    def refresh(self, clean: bool = False) -> None:
        """Look at the folder again: what is new or changed is read and checked, the rest isn't.

        Args:
            clean: Remove what was computed from recordings that are gone. Not while any is
                rejected: somebody with other limits may take it.
        """
        with self._refreshing:
            candidates, self._known.misnamed = self._folder.scan()
            unknown = [each for each in candidates if not self._known.has(each)]
            with ThreadPoolExecutor(EXAMINERS, "mira-voices") as pool:
                list(pool.map(self._examine, unknown))
            names = {candidate.name for candidate in candidates}
            for name in {*self._known.recorded, *self._known.rejected} - names:
                with self._changing:
                    voice = self.recorded.get(name)
                    # Somebody may have added it since the folder was read.
                    if voice is None or not self._folder.unchanged(voice.candidate):
                        self._know(name, None)
            if self._stopped.is_set():
                return
            if self.looking:
                found, unusable = len(self.recorded), len(self.unusable)
                log.info("voices: %d in %s, and %d unusable", found, self.path, unusable)
            with self._writing:
                self._looked.set()
                if clean and not self._known.rejected:
                    voices = self.recorded.values()
                    contents = {voice.content for voice in voices}
                    self._cache.keep_only(contents | {each.candidate.place for each in voices})

    def look_for(self, name: str) -> None:
        """Look at the file of one voice, if there is one, whatever else has to be looked at."""
        candidate = self._folder.find(unicodedata.normalize("NFC", name))
        if candidate is not None and not self._known.has(candidate):
            self._examine(candidate)

    def add(
        self,
        name: str,
        recording: bytes,
        transcript: str = "",
        consent: Consent | None = None,
        spoken_consent: Clip | None = None,
        consent_is_here: bool = False,
    ) -> Recorded:
        """Make a voice, or another version of the one with this name.

        Args:
            name: See `clean_stored_name`.
            recording: A whole audio file.
            transcript: What is said in it, word for word; "" if nobody knows.
            consent: To making a voice of it.
            spoken_consent: The recording of that.
            consent_is_here: It has to be among `consents`, still.

        Raises:
            ConsentNotFound: It isn't any more.
            InvalidRequest: The name or the recording can't be used, or there are too many voices.
        """
        name = clean_stored_name(name)
        if shown_name(name) in self._taken:
            raise InvalidRequest(
                f"name: {shown_name(name)!r} is the engine's own voice. Use another.", "name"
            )
        transcript = transcript.strip()
        check_transcript(transcript)
        quality, suffix = self._inspector.assess(recording)
        now = int(time.time())
        card = Card(name=name, transcript=transcript, consent=consent, created_at=now)
        clips = {RECORDING: Clip(recording, suffix)}
        voice = VoiceFile(card, clips | {SPOKEN: spoken_consent} if spoken_consent else clips)
        report = Report(content=voice.content, quality=quality)
        with self._writing:
            if consent_is_here and consent is not None:
                self.consents.of(owner_of(name)).get(consent.id)
            if name not in self.recorded and len(self.recorded) >= self._max_voices:
                raise InvalidRequest(
                    f"There are {self._max_voices} voices already: remove some, or raise "
                    "the setting max_voices."
                )
            added = Recorded.of(self._folder.write(voice), voice, report)
            self._cache.keep_report(added.candidate.place, report)
            with self._changing:
                self._know(name, added)
        return added

    def check(self, recording: bytes) -> Quality:
        """Judge a recording, usable or not, or raise InvalidRequest if it can't be read."""
        samples, sample_rate, _ = self._inspector.decode(recording)
        return assess(samples, sample_rate)

    def remove(self, name: str) -> list[str]:
        """Remove a voice, also one that can't be used: recording, transcript, consent, and
        everything computed from them. What people put into the folder by hand is moved aside.

        Returns:
            The files that were moved, as seen from the folder.

        Raises:
            VoiceNotFound: There is none.
        """
        self._require_all()
        with self._writing:
            voice = self.recorded.get(name)
            consent = voice.consent if voice else None
            # First, because nothing would lead to it once the voice is gone. The voice has its own
            # copy, and so stays whole until its turn comes.
            if consent is not None and self._known.made_with(consent.id) == [name]:
                with suppress(ConsentNotFound):  # removed before, on another machine, or words
                    self.consents.of(owner_of(name)).remove(consent.id)
            kept = self._folder.remove(name)
            if kept is None:
                raise VoiceNotFound(f"There is no recorded voice {name!r}.")
            with self._changing:
                self._know(name, None)
        return kept

    def add_consent(self, name: str, language: str, recording: bytes, owner: str = "") -> Consent:
        """Keep somebody's consent; InvalidRequest if it can't be read, or is one too many."""
        _, _, suffix = self._inspector.decode(recording)
        clip = Clip(recording, suffix)
        with self._writing:
            return self.consents.of(owner).add(name, language, clip, int(time.time()))

    def rename_consent(self, id: str, name: str, owner: str = "") -> Consent:
        """Give a consent another name, or raise ConsentNotFound if none has this id."""
        with self._writing:  # not beside its removal
            return self.consents.of(owner).rename(id, name)

    def remove_consent(self, id: str, owner: str = "") -> None:
        """Delete a consent that no voice stands on.

        Raises:
            ConsentNotFound: There is none with this id.
            InvalidRequest: There is a voice that was made with it.
        """
        self._require_all()
        consents = self.consents.of(owner)
        with self._writing:
            consents.check(id)  # first: which voice was made with it is for its owner to know
            if users := self._known.made_with(id):
                name = shown_name(users[0])
                raise InvalidRequest(
                    f"The voice {name!r} was made with this consent: delete the voice first.",
                    "consent_id",
                )
            consents.remove(id)

    def pack(self, name: str) -> bytes:
        """Make one file of a voice, for `unpack` here or elsewhere, or raise VoiceNotFound."""
        voice = self.recorded.get(name)
        if voice is None:
            raise VoiceNotFound(f"There is no recorded voice {name!r}.")
        file = self._folder.read(voice.candidate)
        return pack(VoiceFile(file.card.model_copy(update={"name": name}), file.clips))

    def unpack(self, data: bytes, name: str | None = None) -> Recorded:
        """Add a voice that `pack` made a file of, under another `name` if one is given.

        Raises:
            InvalidRequest: The file is something else, or see `add`.
        """
        file = unpack(BytesIO(data), self._max_bytes)
        said = file.card.transcript, file.card.consent, file.clips.get(SPOKEN)
        return self.add(name or file.card.name, file.recording.data, *said)

    def remembered(self, voice: Recorded) -> Voice | None:
        """Return the voice if it is in memory."""
        tokens = self._cache.remembered(voice.content)
        return _spoken(voice, tokens) if tokens else None

    def prepare(self, voice: Recorded, compute: bool = True) -> Voice:
        """Get a voice from memory, disk or the model: nothing is computed twice.

        Args:
            voice: One of `recorded`, now or before.
            compute: Wait for the model, which may have others to clone first.

        Raises:
            NotPrepared: It is not on disk either, and `compute` is not set.
            InvalidRequest: The recording turns out unusable; it is listed as such from now on.
        """
        if known := self._recall(voice):
            return known
        if self._cloner is None or not self.can_speak:
            raise InvalidRequest(NEEDS_MODEL, "voice")
        if not compute:
            raise NotPrepared
        try:
            return self._clone(voice, self._cloner)
        except InvalidRequest as error:
            passing = isinstance(error, Unreadable)
            with self._changing:
                if self.recorded.get(voice.name) == voice:
                    rejected = None if passing else Rejected(voice.candidate, str(error))
                    self._know(voice.name, rejected)
            if passing:  # here, where others may clone again: reading takes a while
                self.look_for(voice.name)
            raise

    def clear_cache(self) -> int:
        """Drop what was computed, in memory and on disk; return of how many recordings.

        Reports stay in memory, so nothing that is listed changes.
        """
        with self._writing, self._changing:
            return self._cache.clear()

    def _examine(self, candidate: Candidate) -> None:
        if self._stopped.is_set():
            return
        found = self._inspector.look(candidate)
        with self._changing:
            if found.candidate.stamps != NEVER and (
                self._known.has(candidate)  # somebody was in a hurry for just this one
                or not self._folder.unchanged(candidate)  # being written: the next look finds it
            ):
                return
            if isinstance(found, Rejected):
                before = self._known.rejected.get(candidate.name)
                if before is None or before.why != found.why:
                    log.warning("voices: %r can't be used: %s", candidate.filename, found.why)
            self._know(candidate.name, found)

    def _recall(self, voice: Recorded) -> Voice | None:
        """Get a voice from memory or disk, waiting for nobody who computes."""
        if known := self.remembered(voice):
            return known
        if tokens := self._cache.tokens(voice.content):
            with self._changing:
                if self._known.uses(voice.content):
                    self._cache.remember(voice.content, tokens)
            return _spoken(voice, tokens)
        return None

    def _clone(self, voice: Recorded, cloner: Cloner) -> Voice:
        with self._cloning:
            if known := self._recall(voice):  # somebody else was quicker
                return known
            file = self._folder.read(voice.candidate)
            if file.content != voice.content:
                raise Unreadable("Its recording has just changed. Try again.")
            samples, sample_rate, _ = self._inspector.decode(file.recording.data)
            made = cloner.clone(voice.name, samples, sample_rate, voice.transcript)
            tokens = Tokens(global_tokens=made.global_tokens, speech_tokens=made.speech_tokens)
            with self._changing:  # not beside a removal, which would leave it behind
                if self._known.uses(voice.content):
                    self._cache.keep_tokens(voice.content, tokens)
        return _spoken(voice, tokens)

    def _know(self, name: str, found: Recorded | Rejected | None) -> None:
        """Replace what is known of a name; nothing stays of a recording that is gone.

        Under `_changing`.
        """
        before = self.recorded.get(name)
        self._known.put(name, found)
        if before is not None:
            place = before.candidate.place
            gone = set() if found and found.candidate.place == place else {place}
            if not self._known.uses(before.content):
                gone.add(before.content)
            self._cache.forget(gone)
            if not isinstance(found, Recorded) or found.version != before.version:
                self.gone(name)

    def _require_all(self) -> None:
        if self.looking:
            raise NotReady("The voices' folder is still being looked at. Try again in a moment.")


def _spoken(voice: Recorded, tokens: Tokens) -> Voice:
    return Voice(voice.name, tokens.global_tokens, tokens.speech_tokens, voice.transcript)


def open_store(
    settings: Settings, cloner: Cloner | None = None, taken: Sequence[str] = ()
) -> VoiceStore:
    """Look at the folder that the settings name, or raise InvalidSettings if it is none."""
    check_folder(settings.voices_dir)
    store = VoiceStore(settings, cloner, taken)
    store.refresh()
    return store
