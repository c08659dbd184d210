"""HTTP as we speak it: uvicorn's, with limits to time and to the size of a head."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 65_536
"""Bytes of the request line and all header lines."""
MAX_HEADERS = 100
"""Header lines; a browser behind a gateway sends some forty."""
LINGER = 1.0
"""Seconds that are left to a client whose request was refused, to read why."""
_WORDS = {
    400: "无法读取这个请求。 / This request cannot be read.",
    431: "请求头太大了。 / The header of this request is too large.",
}


class BoundedProtocol(HttpToolsProtocol):
    """Refuses a head without end (431), and cuts whoever sends or reads too slowly to be meant."""

    timeout = 30.0
    """Seconds until a request is here whole, and until a client reads on."""
    _head = 0
    _reading_head = True
    _refusal = 400
    _refused = False
    _sending: asyncio.TimerHandle | None = None
    _not_reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there; a request has to follow."""
        super().connection_made(transport)
        self._sending = self.loop.call_later(self.timeout, self._cut)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._sending = _ended(self._sending)
        self._not_reading = _ended(self._not_reading)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on, counting those of a head."""
        if self._refused:
            return
        if self._sending is None and self._reading_head:
            self._sending = self.loop.call_later(self.timeout, self._cut)
        # Counted here: the parser keeps a header line to itself until it ends.
        self._head += len(data)
        super().data_received(data)
        if self._reading_head and self._head > MAX_HEAD and not self._refused:
            self._refusal = 431
            self.send_400_response("")

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the head is too large."""
        self._reading_head = False
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if len(self.headers) > MAX_HEADERS or size > MAX_HEAD:
            self._refusal = 431
            raise ValueError("head too large")  # the parser stops, and a refusal is sent
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is here whole."""
        self._reading_head, self._head = True, 0
        self._sending = _ended(self._sending)
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        if self._not_reading is None:
            self._not_reading = self.loop.call_later(self.timeout, self._cut)

    def resume_writing(self) -> None:
        """It reads again."""
        self._not_reading = _ended(self._not_reading)
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what never became a request, as every other error is answered."""
        status = self._refusal
        body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
        content = json.dumps(body | {"detail": _WORDS[status]}, ensure_ascii=False).encode()
        self.transport.write(
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
            "content-type: application/problem+json\r\n"
            f"content-length: {len(content)}\r\nconnection: close\r\n\r\n".encode()
            + content
        )
        # Closed at once, what is still on its way here would make the client lose the answer.
        self._refused = True
        self.transport.write_eof()
        self._sending = _ended(self._sending)
        self._sending = self.loop.call_later(LINGER, self._cut)

    def _cut(self) -> None:
        self.transport.abort()


def _ended(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    if timer is not None:
        timer.cancel()
    return None
