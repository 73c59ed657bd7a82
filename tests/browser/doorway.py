"""A gateway before the service, as nginx would be one, that can be made to fail in earnest."""

import contextlib
import http.client
import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class Doorway(ThreadingHTTPServer):
    """Hands requests on; `next` says what happens to the coming requests for decisions instead.

    `busy`: 503 with Retry-After before the body is read, and the line is closed. `slow_down`: the
    same with 429. `cut`: the line is cut with no answer at all. `hold`: the answer waits for
    `release`. Everything else is handed on.
    """

    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        self.behind = (host, port)
        self.next: list[str] = []
        self.seen: list[str] = []
        self.held = threading.Event()
        self.release = threading.Event()
        super().__init__(("127.0.0.1", 0), _Request)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up is part of what is tested."""


@contextlib.contextmanager
def doorway(address: str) -> Iterator[Doorway]:
    host, port = address.removeprefix("http://").split(":")
    with Doorway(host, int(port)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.release.set()
            server.shutdown()
            thread.join()


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Doorway

    def do_GET(self) -> None:
        self._forward(b"")

    def do_POST(self) -> None:
        path = self.path.rsplit("/", 1)[-1]
        decides = path in {"authentications", "pin-authentications"}
        what = self.server.next.pop(0) if decides and self.server.next else "pass"
        self.server.seen.append(f"{path} {what}")
        if what in {"busy", "slow_down"}:
            self._refuse(503 if what == "busy" else 429)
        elif what == "cut":
            # A reset instead of a goodbye: what is left of a process that was killed.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()
        else:
            self._forward(self._body(), hold=what == "hold")

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Retry-After", "1" if status == 503 else "2")
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _forward(self, body: bytes, *, hold: bool = False) -> None:
        line = http.client.HTTPConnection(*self.server.behind, timeout=60)
        with contextlib.closing(line):
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
            line.request(self.command, self.path, body or None, headers)
            answer = line.getresponse()
            data = answer.read()
        if hold:
            self.server.held.set()
            self.server.release.wait(60)
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Requests hold keys."""
