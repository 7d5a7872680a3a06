"""Asterisk and baresip as tests start them: a telephone that calls an exchange, on loopback alone.

Knows nothing about Mira.
"""

import json
import os
import random
import socket
import subprocess
import time
import wave
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np

from tests.recogniser import Samples

ROOT = Path(__file__).parent.parent.parent
UNPACKED = ROOT / ".phones" / "root"  # by tools/phones.py
RATE = 8000
PATIENCE_S = 30.0
MODULES = """
    pbx_config res_sorcery_config res_sorcery_memory res_sorcery_astdb res_timing_timerfd func_uuid
    bridge_simple res_rtp_asterisk res_pjproject res_pjsip res_pjsip_session res_pjsip_pubsub
    res_pjsip_sdp_rtp res_pjsip_caller_id res_pjsip_endpoint_identifier_anonymous chan_pjsip
    codec_ulaw codec_alaw res_audiosocket app_audiosocket
"""


def _command(program: str) -> list[str]:
    """How to start what was unpacked: with the libraries beside it, not this machine's."""
    (libraries,) = UNPACKED.glob("usr/lib/*-linux-gnu")
    (loader,) = libraries.glob("ld-linux-*.so.*")
    paths = f"{libraries}:{libraries / 'pulseaudio'}"
    return [str(loader), "--library-path", paths, str(UNPACKED / "usr" / program)]


def _free_port() -> int:
    """Find one that is free, with the next: baresip takes that too, for TLS. Those that machines
    give to whoever asks for any begin at 32768."""
    while True:
        port = random.randrange(15_000, 32_000, 2)
        with ExitStack() as taken, suppress(OSError):
            for kind, number in (
                (socket.SOCK_DGRAM, port),
                (socket.SOCK_STREAM, port),
                (socket.SOCK_STREAM, port + 1),
            ):
                one = taken.enter_context(socket.socket(type=kind))
                one.bind(("127.0.0.1", number))
            return port


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def _until_said(log: Path, words: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while words not in log.read_text("utf-8", "replace"):
        assert time.monotonic() < deadline, log.read_text("utf-8", "replace")[-3000:]
        time.sleep(0.02)


@contextmanager
def exchange(folder: Path, audiosocket_port: int, codec: str) -> Iterator[int]:
    """Run Asterisk, which gives each call to an AudioSocket; yield its SIP port.

    Args:
        codec: Of its telephones: ulaw or alaw.
    """
    port = _free_port()
    (modules,) = UNPACKED.glob("usr/lib/*-linux-gnu/asterisk/modules")
    folder.mkdir()
    for name in ("lib", "run", "log", "spool"):
        (folder / name).mkdir()
    rtp = 10_000 + os.getpid() % 20 * 200
    files = {
        "asterisk.conf": "[directories]\n"
        f"astetcdir => {folder}\nastmoddir => {modules}\n"
        f"astvarlibdir => {folder}/lib\nastdbdir => {folder}/lib\nastkeydir => {folder}/lib\n"
        f"astdatadir => {UNPACKED}/usr/share/asterisk\nastagidir => {folder}/lib\n"
        f"astspooldir => {folder}/spool\nastrundir => {folder}/run\nastlogdir => {folder}/log\n",
        "modules.conf": "[modules]\nautoload=no\n"
        + "".join(f"load={module}.so\n" for module in MODULES.split()),
        "pjsip.conf": f"[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1:{port}\n"
        f"[anonymous]\ntype=endpoint\ncontext=calls\ndisallow=all\nallow={codec}\n",
        "extensions.conf": "[calls]\nexten => mira,1,Answer()\n"
        f" same => n,AudioSocket(${{UUID()}},127.0.0.1:{audiosocket_port})\n"
        " same => n,Hangup()\n",
        "rtp.conf": f"[general]\nrtpstart={rtp}\nrtpend={rtp + 200}\n",
        "logger.conf": "[logfiles]\nconsole => notice,warning,error\n",
    }
    for name, content in files.items():
        (folder / name).write_text(content)
    log = folder / "asterisk.log"
    command = [*_command("sbin/asterisk"), "-f", "-n", "-C", str(folder / "asterisk.conf")]
    with _running(command, log):
        _until_said(log, "Asterisk Ready")
        yield port


class Telephone:
    """baresip, without a loudspeaker: what it hears is in a file.

    Args:
        folder: Of its files.
        says: What its caller says from the moment of the answer on, at `RATE`.
        codec: PCMU or PCMA.
    """

    def __init__(self, folder: Path, says: Samples, codec: str) -> None:
        folder.mkdir()
        self._folder = folder
        with wave.open(str(folder / "says.wav"), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes((says * 32767).astype("<i2").tobytes())
        port, self._control = _free_port(), _free_port()
        apps = "".join(f"module_app {name}.so\n" for name in ("account", "menu", "ctrl_tcp"))
        modules = "".join(
            f"module {name}.so\n" for name in ("g711", "aufile", "aubridge", "sndfile")
        )
        (folder / "config").write_text(
            f"module_path {UNPACKED}/usr/lib/baresip/modules\n{modules}{apps}"
            f"sip_listen 127.0.0.1:{port}\nnet_interface 127.0.0.1\n"
            f"audio_source aufile,{folder}/says.wav\n"
            "audio_player aubridge,nobody\naudio_alert aubridge,nobody\n"
            f"snd_path {folder}\nctrl_tcp_listen 127.0.0.1:{self._control}\n"
        )
        account = f"<sip:caller@127.0.0.1:{port}>;regint=0;audio_codecs={codec}/8000/1\n"
        (folder / "accounts").write_text(account)
        (folder / "contacts").touch()

    @contextmanager
    def on(self) -> Iterator["Telephone"]:
        """Switch it on until the block ends."""
        log = self._folder / "baresip.log"
        command = [*_command("bin/baresip"), "-4", "-f", str(self._folder)]
        with _running(command, log):
            _until_said(log, "baresip is ready")
            yield self

    def call(self, address: str) -> None:
        """Call, and wait for the answer."""
        self._order("dial", address)
        _until_said(self._folder / "baresip.log", "Call established")

    def hang_up(self) -> None:
        """End the call."""
        self._order("hangup", "")

    @property
    def heard(self) -> Samples:
        """All that it has heard, as its codec gave it; whole once it hung up."""
        (file,) = self._folder.glob("dump-*-dec.wav")
        samples = np.frombuffer(file.read_bytes()[44:], "<i2")
        return samples.astype(np.float32) / np.float32(32768)

    def _order(self, command: str, parameters: str) -> None:
        order = json.dumps({"command": command, "params": parameters, "token": command})
        with socket.create_connection(("127.0.0.1", self._control), 10) as control:
            control.sendall(f"{len(order)}:{order},".encode())
            answer = b""  # after events, maybe; who leaves before it takes the order back
            while b'"response":true' not in answer:
                more = control.recv(4096)
                assert more, answer
                answer += more
