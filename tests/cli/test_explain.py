"""What `mira say --explain` prints, run as a person runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import bare
from tests.cli.conftest import Here
from tests.cli.running import mira

TEXT = "Hi **Siobhan**, it is $5. Call <break time='500ms'/> us.[pause:1.5s]"
LINES = """\
pause 0.00 s
Hi	Hi	0-2	
Shi vawn,	Siobhan	5-12	ʃəvˈɔn
it	it	16-18	
is	is	19-21	
five	$5	22-24	
dollars.	$5	22-24	
pause 0.41 s
Call	Call	26-30	
pause 0.50 s
us.	us	53-55	
pause 1.50 s
"""


@pytest.fixture
def words(tmp_path: Path) -> str:
    path = tmp_path / "words.toml"
    path.write_text('Siobhan = { say = "shi vawn", ipa = "ʃəˈvɔːn" }', "utf-8")
    return f"dictionary={path}"


def test_words_with_their_characters_and_sounds(words: str, here: Here) -> None:
    done = here("say", "--explain", TEXT, "--set", words)
    assert (done.status, done.err) == (0, "")
    assert done.out.decode() == LINES


def test_it_reads_standard_input_and_needs_no_engine(words: str, tmp_path: Path) -> None:
    """In an environment of the core alone, with the libraries that speak taken away too."""
    code = (
        "import sys; "
        "sys.modules.update(dict.fromkeys(('onnxruntime', 'onnx', 'hibari', 'av', 'torch')));"
        f"sys.argv = ['mira', 'say', '--explain', '-', '--set', {words!r}];"
        "from mira.cli.main import main; main()"
    )
    done = subprocess.run(
        [bare.python(), "-c", code],
        cwd=tmp_path,
        env=bare.environment(),
        input=TEXT.encode(),
        capture_output=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == LINES


def test_a_piece_is_printed_as_soon_as_it_is_certain() -> None:
    command = [sys.executable, "-m", "mira", "say", "--explain", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"Hello there. How")
        process.stdin.flush()
        for line in (b"pause 0.00 s\n", b"Hello\tHello\t0-5\t\n", b"there.\tthere\t6-11\t\n"):
            assert process.stdout.readline() == line
        process.stdin.close()
        assert process.stdout.read() == b"pause 0.41 s\nHow\tHow\t13-16\t\n"
    assert process.returncode == 0


def test_on_a_terminal_it_is_a_table(words: str) -> None:
    keyboard, terminal = os.openpty()
    command = [sys.executable, "-m", "mira", "say", "--explain", "[a] Siobhan", "--set", words]
    done = subprocess.run(
        command, stdout=terminal, timeout=120, env={"PATH": "/usr/bin:/bin", "COLUMNS": "100"}
    )
    os.close(terminal)
    shown = os.read(keyboard, 1 << 16).decode()
    os.close(keyboard)
    assert done.returncode == 0
    for part in ("said", "stands for", "characters", "sounds", "pause 0.00 s", "ʃəvˈɔn", "4-11"):
        assert part in shown
    assert "\t" not in shown


def test_what_is_written_can_not_steer_the_terminal(here: Here) -> None:
    done = here("say", "--explain", "a\x1bb c\u202ed [red]x[/red]")
    assert done.status == 0
    assert done.out.decode().splitlines()[1:3] == ["ab\ta\ufffdb\t0-3\t", "cd\tc\ufffdd\t4-7\t"]


@pytest.mark.parametrize("text", ["", "...", "👍"])
def test_nothing_to_say_is_one_line(text: str, here: Here) -> None:
    done = here("say", "--explain", text)
    assert (done.status, done.out) == (2, b"")
    assert done.err.startswith("mira: The input has nothing to say")


def test_it_says_nothing(here: Here, tmp_path: Path) -> None:
    done = here("say", "--explain", "Hi.", "-o", str(tmp_path / "hi.wav"))
    assert done.status == 2
    assert "--explain says nothing: leave it out, or -o, --play and --words" in done.err
    assert not list(tmp_path.iterdir())


def test_a_dictionary_that_can_not_be_used_is_one_line(here: Here, tmp_path: Path) -> None:
    path = tmp_path / "words.toml"
    for command in (("--explain",), ("-o", "-")):
        done = here("say", "Hi.", *command, "--set", f"dictionary={path}")
        assert (done.status, done.out) == (1, b"")
        assert done.err == f"mira: dictionary: {path} is no file. Write one, or unset it.\n"


def test_say_reads_the_dictionary_of_the_settings(words: str) -> None:
    one, other = (
        mira("say", text, "-o", "-", "-f", "pcm", "--set", words)
        for text in ("Siobhan", "Shi vawn")
    )
    assert one.returncode == other.returncode == 0
    plain = mira("say", "Siobhan", "-o", "-", "-f", "pcm")
    assert one.stdout != plain.stdout
