"""A command in; every address that it tried to reach and every file that it left behind out.

The command runs in a network namespace of its own, whose only interface is loopback and whose every
route leads there: nothing gets out, and a packet socket sees all that would have. Its home and
temporary folders are new and empty. Linux, with namespaces that this user may make.
"""

import ctypes
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 120
SIOCSIFFLAGS, SIOCADDRT, IFF_UP, RTF_UP, RTF_LOCAL = 0x8914, 0x890B, 1, 1, 0x80000000
ETH_P_IP, ETH_P_IPV6, ETH_P_ALL, UDP, TCP, DNS = 0x0800, 0x86DD, 3, 17, 6, 53


@dataclass(frozen=True)
class Seen:
    """What a command did beside its work."""

    status: int
    output: str
    asked_for: list[str]  # names and addresses beyond loopback, each once
    left: list[str]  # files in its home and temporary folders


def possible() -> bool:
    """Whether this user may make such a namespace here."""
    if not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode == 0


def run(command: Sequence[str], cwd: Path, timeout_s: float = TIMEOUT_S, **more: str) -> Seen:
    """Run a command in the seal until it ends.

    Args:
        command: What to run, with absolute paths.
        cwd: Where.
        timeout_s: When to give up.
        more: Environment variables beside PATH, HOME and TMPDIR.
    """
    with tempfile.TemporaryDirectory() as folder:
        home, temporary, report = (Path(folder) / name for name in ("home", "tmp", "report"))
        home.mkdir()
        temporary.mkdir()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "PYTHONPATH": str(Path(__file__).parent.parent),
            **more,
        }
        done = subprocess.run(
            ["unshare", "-rn", sys.executable, __file__, str(report), *command],
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
        )
        left = [
            str(path.relative_to(folder))
            for place in (home, temporary)
            for path in place.rglob("*")
            if not path.is_dir()
        ]
        asked_for = json.loads(report.read_text())
        return Seen(done.returncode, done.stdout, asked_for, sorted(left))


class _Route(ctypes.Structure):
    """struct rtentry of <linux/route.h>."""

    _fields_ = (
        ("pad1", ctypes.c_ulong),
        ("destination", ctypes.c_char * 16),
        ("gateway", ctypes.c_char * 16),
        ("mask", ctypes.c_char * 16),
        ("flags", ctypes.c_ushort),
        ("pad2", ctypes.c_short),
        ("pad3", ctypes.c_ulong),
        ("pad4", ctypes.c_void_p),
        ("metric", ctypes.c_short),
        ("device", ctypes.c_char_p),
        ("mtu", ctypes.c_ulong),
        ("window", ctypes.c_ulong),
        ("irtt", ctypes.c_ushort),
    )


class _Route6(ctypes.Structure):
    """struct in6_rtmsg of <linux/ipv6_route.h>; 16 bytes of zero are any address."""

    _fields_ = (
        ("destination", ctypes.c_char * 16),
        ("source", ctypes.c_char * 16),
        ("gateway", ctypes.c_char * 16),
        ("kind", ctypes.c_uint32),
        ("destination_bits", ctypes.c_uint16),
        ("source_bits", ctypes.c_uint16),
        ("metric", ctypes.c_uint32),
        ("info", ctypes.c_ulong),
        ("flags", ctypes.c_uint32),
        ("device", ctypes.c_int),
    )


def has_ipv6() -> bool:
    """Whether anything here could be reached over IPv6."""
    return socket.has_ipv6 and Path("/proc/net/if_inet6").exists()


def _lead_all_to_loopback() -> None:
    anywhere = struct.pack("=H14x", socket.AF_INET)
    route = _Route(
        destination=anywhere, gateway=anywhere, mask=anywhere, flags=RTF_UP, device=b"lo"
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
        _add(control, route)
    if has_ipv6():
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
            # Not RTF_UP alone: on loopback the kernel makes that a route that refuses.
            flags, device = RTF_UP | RTF_LOCAL, socket.if_nametoindex("lo")
            _add(control, _Route6(metric=1, flags=flags, device=device))


def _add(control: socket.socket, route: ctypes.Structure) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ioctl(control.fileno(), SIOCADDRT, ctypes.byref(route)):
        raise OSError(ctypes.get_errno(), "no route could be added")


def _destination(packet: bytes) -> str | None:
    """Who a packet is for, if not for this machine: a name being looked up, or address and port."""
    kind, header = struct.unpack("!H", packet[12:14])[0], 14
    if kind == ETH_P_IP:
        protocol, body = packet[header + 9], header + (packet[header] & 15) * 4
        address = socket.inet_ntoa(packet[header + 16 : header + 20])
        here, shown = address.startswith("127."), address
    elif kind == ETH_P_IPV6:
        protocol, body = packet[header + 6], header + 40
        address = socket.inet_ntop(socket.AF_INET6, packet[header + 24 : body])
        here, shown = address == "::1", f"[{address}]"
    else:
        return None
    if protocol not in (TCP, UDP):
        return None
    port = struct.unpack("!H", packet[body + 2 : body + 4])[0]
    if protocol == UDP and port == DNS:
        return _name(packet[body + 8 + 12 :])
    return None if here else f"{shown}:{port}"


def _name(question: bytes) -> str:
    labels = []
    while question and (length := question[0]):
        labels.append(question[1 : 1 + length].decode("ascii", "replace"))
        question = question[1 + length :]
    return ".".join(labels)


def _watch(report: Path, command: Sequence[str]) -> int:
    _lead_all_to_loopback()
    sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sniffer.settimeout(0.2)
    found: dict[str, None] = {}
    ended = threading.Event()

    def listen() -> None:
        while True:
            try:
                seen = _destination(sniffer.recv(65536))
            except TimeoutError:
                if ended.is_set():
                    return
                continue
            if seen is not None:
                found[seen] = None

    watching = threading.Thread(target=listen)
    watching.start()
    status = subprocess.run(command).returncode
    ended.set()
    watching.join()
    report.write_text(json.dumps(list(found)))
    return status


if __name__ == "__main__":
    sys.exit(_watch(Path(sys.argv[1]), sys.argv[2:]))
