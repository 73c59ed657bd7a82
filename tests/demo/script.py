"""A real HTTP server that gives prepared answers, and a client of it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from demo.client import Client


class Script:
    """What the server answers in turn, and what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []

    def say(self, status: int, body: Any = None, **headers: str) -> None:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, {k.replace("_", "-"): v for k, v in headers.items()}, text))


@contextmanager
def scripted(script: Script) -> Iterator[Client]:
    """A client of the server while it stands."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {k.lower(): v for k, v in self.headers.items()}
            script.asked.append((self.command, self.path, headers, body))
            status, extra, text = script.answers.pop(0)
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = do_PUT = answer  # noqa: N815 (http.server's own names)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (theirs too)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with Client(f"http://127.0.0.1:{server.server_port}", "vx_abc_secret") as made:
        yield made
    server.shutdown()
    thread.join()
    server.server_close()
