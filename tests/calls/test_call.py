"""A telephone call, from a telephone: SIP and RTP from baresip, Asterisk, the example, Mira.

`make phones` unpacks the telephone and the exchange.
"""

import time
from pathlib import Path

import numpy as np
import pytest

from tests.audio.streams import noise
from tests.calls.exchange import RATE, UNPACKED, Telephone, exchange
from tests.conftest import Serve
from tests.ears import heard_until
from tests.examples.test_audiosocket import GREETING, Answering
from tests.recogniser import Recogniser
from tests.server.serving import Served, wait_until
from tests.toys import ToySynthesizer

pytestmark = [
    pytest.mark.skipif(
        not (UNPACKED.parent / "done").exists(), reason="`make phones` unpacks a telephone"
    ),
    pytest.mark.slow,
]
QUIET = np.zeros(60 * RATE, np.float32)


@pytest.fixture(scope="module")
def ears() -> Recogniser:
    return Recogniser()


@pytest.mark.parametrize(("codec", "name"), [("ulaw", "PCMU"), ("alaw", "PCMA")])
def test_a_caller_hears_us_and_hangs_up_in_the_middle(
    codec: str, name: str, speaker: Served, ears: Recogniser, tmp_path: Path
) -> None:
    answering = Answering(speaker)
    telephone = Telephone(tmp_path / "telephone", QUIET, name)
    with exchange(tmp_path / "exchange", answering.port, codec) as port, telephone.on():
        telephone.call(f"sip:mira@127.0.0.1:{port}")
        time.sleep(3.5)
        assert speaker.service.admission.active == 1
        telephone.hang_up()
        speaker.wait_idle()
    assert "Traceback" not in answering.close()
    samples = telephone.heard
    assert 1.5 <= len(samples) / RATE <= 4.0  # it began to write with the first it heard
    heard = heard_until(ears, GREETING, samples, RATE)
    assert 5 <= heard.words <= 14, heard
    assert heard.text.lower().startswith("thank you for calling")


def test_a_caller_interrupts(speaker: Served, ears: Recogniser, tmp_path: Path) -> None:
    """They speak after two seconds, for a second."""
    says = QUIET.copy()
    says[2 * RATE : 3 * RATE] = noise(RATE, amplitude=0.5)
    answering = Answering(speaker)
    telephone = Telephone(tmp_path / "telephone", says, "PCMU")
    with exchange(tmp_path / "exchange", answering.port, "ulaw") as port, telephone.on():
        telephone.call(f"sip:mira@127.0.0.1:{port}")
        time.sleep(6)
        telephone.hang_up()
        speaker.wait_idle()
    assert "Traceback" not in answering.close()
    heard = ears.transcribe(telephone.heard, RATE).lower()
    assert heard.startswith("thank you for calling")
    assert "course" in heard and "which time would you like" in heard
    assert "seven" not in heard


def test_the_place_is_free_at_once_and_nothing_more_is_computed(
    serve: Serve, tmp_path: Path
) -> None:
    toy = ToySynthesizer()
    served = serve(toy)
    answering = Answering(served)
    took_s = []
    for number in range(6):
        if min(took_s, default=1.0) < 0.1:
            break  # a busy machine is late now and then
        folder = tmp_path / str(number)
        folder.mkdir()
        telephone = Telephone(folder / "telephone", QUIET, "PCMU")
        with exchange(folder / "exchange", answering.port, "ulaw") as port, telephone.on():
            telephone.call(f"sip:mira@127.0.0.1:{port}")
            wait_until(lambda: served.service.admission.active == 1)
            time.sleep(0.5)
            telephone.hang_up()
            left = time.perf_counter()
            wait_until(lambda: served.service.admission.active == 0)
            took_s.append(time.perf_counter() - left)
            blocks = toy.blocks
            time.sleep(0.3)
            assert toy.blocks == blocks and toy.opened == toy.closed
    assert min(took_s) < 0.1, took_s
    answering.close()
