"""A folder in, a call whenever something in it changes out.

Knows nothing about what the files are.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from watchfiles import watch

log = logging.getLogger(__name__)

_DEBOUNCE_MS = 400  # a file that is being copied changes many times
_LOOK_S = 0.5  # after so long without news the folder's own time of change is compared
_LOOK_ANYWAY_S = 10.0  # some networks' file systems report nothing


class Watcher:
    """Calls `changed` on a thread of its own until it is closed.

    Args:
        folder: May be absent, disappear and come back.
        changed: Called at once, soon after each change, after several that come close together
            once, and every few seconds whether anything changed or not. What it raises is logged.
        what: Is in the folder, for the log.
    """

    def __init__(self, folder: Path, changed: Callable[[], object], what: str = "voices") -> None:
        self._what = what
        self._folder = folder
        self._changed = changed
        self._stop = threading.Event()
        self._said: set[str] = set()
        self._thread = threading.Thread(target=self._run, name=f"mira-{what}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; a call that is under way ends first. May be called again."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        there = True  # so that a folder that isn't is looked at once
        while not self._stop.is_set():
            was_there, there = there, self._state() is not None
            if there:
                self._watch()
            elif was_there:
                self._call()
            self._stop.wait(_LOOK_S)

    def _watch(self) -> None:
        """Look, and again at each change, while the folder is there."""
        # The state first: what comes meanwhile then makes it another one.
        seen, looked_at = self._state(), time.monotonic()
        self._call()
        changes = watch(
            self._folder,
            watch_filter=lambda change, path: not Path(path).name.startswith("."),
            debounce=_DEBOUNCE_MS,
            step=100,
            stop_event=self._stop,
            rust_timeout=int(_LOOK_S * 1000),
            yield_on_timeout=True,
            recursive=False,
            raise_interrupt=False,
        )
        try:
            for found in changes:
                state, now = self._state(), time.monotonic()
                if state is None:
                    return
                if found or state != seen or now - looked_at > _LOOK_ANYWAY_S:
                    seen, looked_at = state, now
                    self._call()
        except (OSError, RuntimeError) as error:  # the latter is watchfiles' own
            # A name in another encoding is enough. From here on it is looked at again and again.
            if str(error) not in self._said:
                log.warning("%s: %s can't be watched: %s", self._what, self._folder, error)
            self._said.add(str(error))

    def _state(self) -> int | None:
        """Tell when a file last came or went; None if the folder is gone."""
        try:
            return self._folder.stat().st_mtime_ns
        except OSError:
            return None

    def _call(self) -> None:
        if self._stop.is_set():
            return
        try:
            self._changed()
        except Exception:  # the next change may go better
            log.exception("%s: the folder could not be read", self._what)
