"""TLS before a server that has none: a certificate of its own, and a port that passes bytes on."""

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOOK_S, SEND_S = 0.005, 10.0


@contextmanager
def in_tls(port: int, folder: Path) -> Iterator[tuple[int, Path]]:
    """Pass on what comes over TLS to a port of this machine; yield the other port, and the
    certificate to be trusted for `localhost`."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    request = ["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    request += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    request += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = [*request, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    accepting = threading.Thread(target=_accept, args=(listener, context, port))
    accepting.start()
    try:
        yield listener.getsockname()[1], certificate
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(10)


def _accept(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    passing = []
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            passing.append(threading.Thread(target=_serve, args=(client, context, port)))
            passing[-1].start()
    for thread in passing:
        thread.join(10)


def _serve(plain: socket.socket, context: ssl.SSLContext, port: int) -> None:
    """Copy both ways until one side ends. A socket in TLS is used by one thread at a time, so this
    one looks at both."""
    with (
        suppress(OSError),
        context.wrap_socket(plain, server_side=True) as client,
        socket.create_connection(("127.0.0.1", port)) as server,
    ):
        client.settimeout(LOOK_S)
        server.settimeout(LOOK_S)
        while _copy(client, server) and _copy(server, client):
            pass


def _copy(source: socket.socket, target: socket.socket) -> bool:
    """Pass on what is there; return whether there may be more."""
    try:
        data = source.recv(65536)
    except TimeoutError:
        return True
    target.settimeout(SEND_S)
    target.sendall(data)
    target.settimeout(LOOK_S)
    return bool(data)
