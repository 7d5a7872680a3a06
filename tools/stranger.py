"""What somebody does who comes to this project with a bare machine, step by step.

python3 tools/stranger.py [FOLDER]

A copy of what git tracks, `make serve` as the first command, then every example of the README that
needs no model, in its order; a wrong request, an interrupted one, and the end. Nothing that another
step installed is used. What was saved is left in FOLDER for somebody to listen to; tools/hears.py
does. Exits with 1 at the first thing that is not as promised.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from service import Failed, Service, blocks, running

ROOT = Path(__file__).parent.parent
INSTALL_S = 900
NEEDS_A_MODEL = ("MODEL=", "--model")
BY_HAND = ("make ", "git clone")  # done already, or not to be done here: they run for ever
LEFT_ALONE = {".venv", "build", "voices", "__pycache__"}  # what git ignores
SHOWN = {  # file that an example saves -> what is said in it
    "hello.mp3": "Hello there. How are you today?",
    "booking.wav": "Your table for two is booked at seven thirty PM.",
    "hold.ulaw": "Please hold the line.",
    "hold.s16le": "Please hold the line.",
    "hello.flac": "Hello there.",
    "read.wav": "Read me aloud.",
    "reading.mp3": "Mister Win is in the customer list, Monday to Friday.",
    "booked.wav": "It is booked, for one hundred dollars.",
    "clara.mp3": "It is me.",
    "clara.wav": "Hello, my name is Clara, and this is how I sound.",
}
READ = {  # file that says when words are heard -> what stands in it
    "booked.jsonl": '"word": "$100."',
    "booked.srt": "It is booked, for $100.",
}


def main() -> None:
    """Do all of it, and say how long each step took."""
    kept = Path(sys.argv[1]).absolute() if sys.argv[1:] else None
    with tempfile.TemporaryDirectory(prefix="mira-stranger-") as name:
        try:
            visit(Path(name), kept or Path(name) / "saved")
        except Failed as error:
            sys.exit(f"A stranger would be lost: {error}")


def visit(folder: Path, saved: Path) -> None:
    """Clone, serve, try everything, stop."""
    copy, log = folder / "mira", folder / "log"
    clone(copy)
    saved.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with running(["make", "serve"], copy, log, INSTALL_S) as service:
        step(began, "make serve: installed, listening")
        print(f"  ready {service.ready_s:.1f} s after it listened")
        before = files_of(copy)
        began = time.monotonic()
        examples(copy, service, saved)
        step(began, "the README's examples")
        if left := files_of(copy) - before:
            raise Failed(f"the examples left files in the checkout: {sorted(map(str, left))}")
        began = time.monotonic()
        wrong(service)
        interrupted(service)
        step(began, "wrong requests and an interrupted one")
        began = time.monotonic()
    step(began, "SIGTERM: ended")


def step(began: float, what: str) -> None:
    """Say that something is done."""
    print(f"{what} ({time.monotonic() - began:.1f} s)", flush=True)


def clone(copy: Path) -> None:
    """Copy what git tracks, as it is now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)


def files_of(copy: Path) -> set[Path]:
    """List the files of a checkout that git would see."""
    return {
        path
        for path in (file.relative_to(copy) for file in copy.rglob("*") if file.is_file())
        if not LEFT_ALONE & set(path.parts) and not re.search(r"\.egg-info/", str(path))
    }


def examples(copy: Path, service: Service, saved: Path) -> None:
    """Run what the README shows, and look at what it saved."""
    for code in blocks((copy / "README.md").read_text("utf-8"), "sh", "python"):
        if code.startswith(BY_HAND) or any(word in code for word in NEEDS_A_MODEL):
            continue
        code = code.replace("localhost:5100", f"127.0.0.1:{service.port}")
        code = code.replace("/tmp/", f"{saved}/")
        python = str(copy / ".venv" / "bin" / "python")
        is_python = re.search(r"^(from|import) ", code, re.MULTILINE)
        command = [python, "-c", code] if is_python else ["bash", "-euc", code]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=300
        )
        if done.returncode:
            raise Failed(f"an example fails:\n{code}\n{done.stdout}{done.stderr}")
        if "Traceback" in done.stderr:
            raise Failed(f"an example prints a traceback:\n{code}\n{done.stderr}")
    found = {path.name for path in saved.iterdir() if path.suffix != ".voice"}
    expected = {*SHOWN, *READ}
    if found != expected:
        raise Failed(f"the examples saved {sorted(found)}; expected {sorted(expected)}")
    for path in saved.iterdir():
        if path.read_bytes().startswith(b'{"error"'):
            raise Failed(f"{path.name} is an error: {path.read_text()}")
    for name, words in READ.items():
        if words not in (text := (saved / name).read_text("utf-8")):
            raise Failed(f"{name} should have {words!r}: {text}")
    (saved / "said.json").write_text(json.dumps(SHOWN))


def wrong(service: Service) -> None:
    """Check that mistakes get a status and words that help."""
    mistakes = [
        (400, "mp3", service.speak("Hello.", response_format="mp4")),
        (400, "input", service.ask("POST", "/v1/audio/speech", {"model": "mira", "voice": "x"})),
        (400, "nothing to say", service.speak("...")),
        (400, "limit", service.speak("Hello. " * 2000)),
        (404, "/v1/audio/speech", service.ask("POST", "/audio/speech", {})),
    ]
    for status, words, (found, _, body) in mistakes:
        message = str(json.loads(body)["error"]["message"])
        if found != status or words not in message:
            raise Failed(f"expected {status} and {words!r}, got {found}: {message}")
    _, headers, audio = service.speak("Hello.", voice="nobody", response_format="pcm")
    if {k.lower(): v for k, v in headers.items()}.get("x-voice-used") != "heart" or not audio:
        raise Failed("an unknown voice is not spoken by the default one")


def interrupted(service: Service) -> None:
    """Check that a caller who hangs up in the middle frees its place."""
    body = json.dumps({"input": "This is going to be a long story. " * 100}).encode()
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as call:
        head = f"POST /v1/audio/speech-stream HTTP/1.1\r\nHost: localhost\r\n" \
               f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"  # fmt: skip
        call.sendall(head.encode() + body)
        if not call.recv(4096).startswith(b"HTTP/1.1 200"):
            raise Failed("a long text is not spoken")
        if service.active() != 1:
            raise Failed("/health does not count a stream that speaks")
    deadline = time.monotonic() + 5
    while service.active():
        if time.monotonic() > deadline:
            raise Failed("a place is not free 5 s after its caller hung up")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
