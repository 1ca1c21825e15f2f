"""A web server for tests, on a free port of this machine, that answers byte for byte what it is told to, even half of it."""

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Question:
    """What a client sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Said:
    """What to answer.

    Attributes:
        ending: how the client is told the end: by `length`, by `chunked` pieces, or by nothing (`close`).
        cut_after: bytes of the body after which the connection is dropped; None sends it whole.
        pause: an event waited for before the answer begins.
        pause_in_body: an event waited for after the first byte of the body.
        seconds_between_bytes: of the body.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    ending: str = "length"
    cut_after: int | None = None
    pause: threading.Event | None = None
    pause_in_body: threading.Event | None = None
    seconds_between_bytes: float = 0.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        said = self.server.answer(Question(self.command, self.path, headers, body))
        if said.pause is not None:
            said.pause.wait(10)
        self.send_response_only(said.status)
        if "Date" not in said.headers:
            self.send_header("Date", self.date_time_string())
        for name, value in said.headers.items():
            self.send_header(name, value)
        ending = {"length": ("Content-Length", str(len(said.body))), "chunked": ("Transfer-Encoding", "chunked")}
        self.send_header(*ending.get(said.ending, ("Connection", "close")))
        self.end_headers()
        self.close_connection = said.ending == "close" or said.cut_after is not None
        try:
            self._send(said)
        except OSError:
            self.close_connection = True

    def _send(self, said):
        body = said.body if said.cut_after is None else said.body[: said.cut_after]
        if said.pause_in_body is not None:
            self._send_part(said, body[:1])
            said.pause_in_body.wait(10)
            body = body[1:]
        step = 1 if said.seconds_between_bytes else max(1, len(body))
        for at in range(0, len(body), step):
            self._send_part(said, body[at : at + step])
            time.sleep(said.seconds_between_bytes)
        if said.cut_after is not None:
            self.connection.shutdown(socket.SHUT_RDWR)
        elif said.ending == "chunked":
            self.wfile.write(b"0\r\n\r\n")

    def _send_part(self, said, part):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if said.ending == "chunked" else part)
        self.wfile.flush()

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the library's names

    def log_message(self, *words):
        """Nothing is told of what was asked."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *words):
        """A client that goes away in the middle is what some tests are about."""


@contextmanager
def http_server(answer, *, context=None):
    """A server's address.

    Args:
        answer: `answer(question) -> Said`, asked by several threads at once.
        context: of TLS; None speaks plain.
    """
    server = _Server(("127.0.0.1", 0), _Handler)
    server.answer = answer
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'http' if context is None else 'https'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
