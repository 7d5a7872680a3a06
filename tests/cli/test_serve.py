"""mira serve: what keeps it from starting is one line."""

import socket

from tests.cli.running import mira


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = mira("serve", "--port", str(port))
    assert done.returncode == 1
    assert "Choose another with --port" in done.stderr.decode()
    assert len(done.stderr.decode().splitlines()) == 1
    assert str(port) in done.stderr.decode()
