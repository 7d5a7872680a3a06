"""A model's revision in, its wanted files in the cache out: every byte is downloaded once.

Knows nothing about what the files hold. A connection that breaks is taken up where it broke, and so
is a download whose process ended.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mira.errors import CheckpointError, NotDownloaded
from mira.model.checkpoint.hub_cache import HubCache
from mira.model.checkpoint.hub_client import HubClient, HubFile, Interrupted, Revision
from mira.progress import Report, amount

log = logging.getLogger(__name__)

LIST_PAUSES_S = (0.5, 1.0)  # then it is out of reach, and somebody waits for the answer
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)  # without one new byte
ATTEMPTS = 2  # at a file that comes damaged: what an earlier process left may be
REPORT_S = 0.2


def download(
    cache: HubCache,
    revision: str,
    wanted: Callable[[str], bool],
    report: Report,
    anew: bool = False,
) -> Path:
    """Have all wanted files of a model's revision in its cache.

    Args:
        cache: Of the model.
        revision: Branch, tag or commit.
        wanted: Tells by its name whether a file is.
        report: Told how far it is.
        anew: Ask what the revision is now, even if it is known what it was.

    Returns:
        The folder that holds them.

    Raises:
        NotDownloaded: One line that says why, and what to do.
        CheckpointError: It has no file that is wanted.
    """
    model = cache.model
    with HubClient(model) as hub:
        known = None if anew else cache.commit_of(revision)
        files = cache.listed(known) if known else None
        try:
            found = (
                Revision(known, files) if known and files else ask(hub, known or revision, report)
            )
        except Interrupted as error:
            if known and cache.snapshot(known).is_dir():  # not by us, so it may be whole
                log.warning("%s: used as it is on this machine; the hub: %s", model, error)
                return cache.snapshot(known)
            raise NotDownloaded(
                f"{model}: can't be downloaded: {hub.address} can't be reached ({error}). Look "
                "after the network, or set HF_ENDPOINT to a mirror. Or copy the files of "
                f"{hub.address}/{model} to a directory here and give that directory instead."
            ) from error
        chosen = [file for file in found.files if wanted(file.name)]
        if not chosen:
            raise CheckpointError(
                f"{model}: none of its {len(found.files)} files is one of a MiraTTS or Spark-TTS "
                "model."
            )
        if all(cache.has(found.commit, file) for file in chosen):
            with suppress(NotDownloaded):  # a cache that only others may write serves as well
                cache.remember(revision, found)
            return cache.snapshot(found.commit)
        with cache.alone(report):
            # An interrupted download goes on with the commit that it began with, and an interrupted
            # update leaves what there was.
            cache.remember(revision if cache.commit_of(revision) is None else found.commit, found)
            _Download(hub, cache, found.commit, chosen, report).run()
            cache.remember(revision, found)
            cache.remove_remains(found.files)
        return cache.snapshot(found.commit)


def ask(hub: HubClient, revision: str, report: Report) -> Revision:
    """Ask the hub what a revision holds, more than once if need be.

    Raises:
        Interrupted: It is out of reach.
        NotDownloaded: It doesn't give it to us.
    """

    def tell() -> None:
        report(f"looking for {hub.model} at {hub.address}", 0, 0)

    tell()
    pauses = iter(LIST_PAUSES_S)
    while True:
        try:
            return hub.revision(revision)
        except Interrupted as error:
            _pause(error, pauses, tell)


@dataclass(slots=True)
class _Download:
    """Downloads the files that are not whole yet; one process at a time does."""

    hub: HubClient
    cache: HubCache
    commit: str
    files: list[HubFile]
    report: Report
    done: int = 0
    total: int = 0
    told_at: float = 0.0

    def run(self) -> None:
        self.done, self.total = self._there(), sum(file.num_bytes for file in self.files)
        self.cache.require_room(self.total - self.done)
        self._tell()
        for file in self.files:
            attempts = 0
            while not self.cache.has(self.commit, file):
                if attempts == ATTEMPTS:
                    raise NotDownloaded(
                        f"{self.hub.model}: {file.name} came damaged from {self.hub.address}, "
                        "twice. Start again later; if HF_ENDPOINT is set, choose another."
                    )
                attempts += 1
                self._fetch(file)
                self.cache.finish(self.commit, file)
                self.done = self._there()  # less if it was damaged, more if two have one content
        self._tell()

    def _there(self) -> int:
        return sum(self.cache.num_bytes(self.commit, file) for file in self.files)

    def _fetch(self, file: HubFile) -> None:
        pauses = iter(PAUSES_S)
        while (start := self.cache.num_bytes(self.commit, file)) < file.num_bytes:
            try:
                self._go_on(file, start)
            except Interrupted as error:
                log.info("%s: %s, at byte %d: %s", self.hub.model, file.name, start, error)
                if self.cache.num_bytes(self.commit, file) > start:
                    pauses = iter(PAUSES_S)
                try:
                    _pause(error, pauses, self._tell)
                except Interrupted:
                    raise NotDownloaded(
                        f"{self.hub.model}: the download from {self.hub.address} broke off "
                        f"({error}). Start again: it goes on from the {amount(self.done)} of "
                        f"{amount(self.total)} that are in {self.cache.folder}."
                    ) from error

    def _go_on(self, file: HubFile, start: int) -> None:
        with (
            self.hub.content(self.commit, file, start) as (begins, blocks),
            self.cache.gathering(file, begins) as write,
        ):
            self.done += begins - start
            left = file.num_bytes - begins
            for block in blocks:
                kept = block[:left]
                write(kept)
                self.done += len(kept)
                left -= len(kept)
                if len(kept) < len(block):  # more than there should be; the digest judges the rest
                    break
                if time.monotonic() >= self.told_at + REPORT_S:
                    self._tell()
            if left:
                raise Interrupted("the file ended early")

    def _tell(self) -> None:
        self.told_at = time.monotonic()
        what = f"downloading {self.hub.model} to {self.cache.folder}"
        self.report(what, self.done, self.total)


def _pause(error: Interrupted, pauses: Iterator[float], tell: Callable[[], None]) -> None:
    """Wait for the next try, or raise `error` if there is to be none."""
    pause_s = next(pauses, None)
    if pause_s is None:
        raise error
    end = time.monotonic() + pause_s
    while (left_s := end - time.monotonic()) > 0:
        time.sleep(min(left_s, REPORT_S))
        tell()
