"""A load generator that costs the same whomever it asks: raw sockets, one prepared request, no HTTP library.

Every connection sends its next request as soon as the answer to the last one is there (a closed loop). It runs in one
thread beside the servers, on the same cores, so rates are of server and client together; the ratio of two rates is
nearer to 1 than that of the servers alone.
"""

import selectors
import socket
import time
from dataclasses import dataclass

HOST = "127.0.0.1"
_LIMIT_S = 60.0


class LoadError(Exception):
    """A server answered something else than 200, or nothing."""


@dataclass(frozen=True, kw_only=True)
class Lane:
    """A server's port, the request it gets, and what its first answer must be, to know that it does the work."""

    name: str
    port: int
    request: bytes


@dataclass(frozen=True, kw_only=True)
class Run:
    """The seconds that each request took, and requests a second over all of them."""

    latencies: list[float]
    rate: float


def prepared(body: bytes, *, kind: str) -> bytes:
    """A request to /invocations whose answer is wanted in the form it is asked in."""
    head = f"POST /invocations HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {kind}\r\nAccept: {kind}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def asked_once(lane: Lane) -> bytes:
    """The body of one answer."""
    with _connected(lane.port) as connection:
        connection.sendall(lane.request)
        return _received(connection)[1]


def run(lane: Lane, *, requests: int, connections: int) -> Run:
    """Send `requests` over `connections`, which are opened before the clock starts.

    Raises:
        LoadError: An answer is not a 200.
    """
    latencies: list[float] = []
    with selectors.DefaultSelector() as selector:
        opened = [_connected(lane.port) for _ in range(connections)]
        try:
            begun = {}
            started = time.perf_counter()
            for connection in opened:
                selector.register(connection, selectors.EVENT_READ)
                begun[connection] = time.perf_counter()
                connection.sendall(lane.request)
            sent = connections
            while len(latencies) < requests:
                for key, _ in selector.select(_LIMIT_S) or _silent(lane):
                    connection = key.fileobj
                    _received(connection)
                    now = time.perf_counter()
                    latencies.append(now - begun[connection])
                    if sent < requests:
                        begun[connection], sent = now, sent + 1
                        connection.sendall(lane.request)
            return Run(latencies=latencies, rate=len(latencies) / (time.perf_counter() - started))
        finally:
            for connection in opened:
                connection.close()


def _connected(port: int) -> socket.socket:
    connection = socket.create_connection((HOST, port), timeout=_LIMIT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _silent(lane: Lane) -> list[tuple[selectors.SelectorKey, int]]:
    raise LoadError(f"{lane.name} did not answer within {_LIMIT_S:.0f} s")


def _received(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of one answer."""
    received = bytearray()
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _more(connection)
    head = bytes(received[:end]).lower()
    if head[9:12] != b"200":
        raise LoadError(f"{bytes(received[:300])!r}")
    chunked = b"transfer-encoding: chunked" in head
    length = 0 if chunked else int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(received) < end + 4 + length or (chunked and not received.endswith(b"0\r\n\r\n")):
        received += _more(connection)
    return head, bytes(received[end + 4 :])


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 18)
    if not data:
        raise LoadError("the server ended the connection")
    return data
