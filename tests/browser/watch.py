"""What no page may ever do: errors in the console, failed requests, words to a foreign origin."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request

_OF_A_REQUEST = ("htmx:afterRequest", "htmx:sendError", "htmx:sendAbort")
"""What htmx says of a request that failed: the request itself is judged, see `_failed`."""
_BEING_REGISTERED = re.compile(r"status of 503 .*/track/[^/]+\)$")
"""Where a reader is faster than the log: the page says so, and looks again by itself."""


@dataclass
class Watch:
    """Everything that went wrong in the pages of one test."""

    origin: str
    troubles: list[str] = field(default_factory=list)
    _expected: list[str] = field(default_factory=list)

    def expect(self, *words: str) -> None:
        """A trouble with these words in it is what the test is about."""
        self._expected += words

    def over(self, context: BrowserContext) -> None:
        """Watch every page of a context, those it has and those to come."""
        context.on("page", self._page)
        context.on("request", self._request)
        context.on("requestfailed", self._failed)

    def leave(self, context: BrowserContext) -> None:
        """Its pages are closed, and it is somebody else's now."""
        context.remove_listener("page", self._page)
        context.remove_listener("request", self._request)
        context.remove_listener("requestfailed", self._failed)

    def unexpected(self) -> list[str]:
        return [t for t in self.troubles if not any(words in t for words in self._expected)]

    def _page(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.troubles.append(f"error in a script: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_OF_A_REQUEST):
            where = message.location.get("url", "")
            said = f"console {message.type}: {message.text} ({where})"
            if not _BEING_REGISTERED.search(said):
                self.troubles.append(said)

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("data", "blob", "about"):
            return
        if f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.troubles.append(f"left the origin: {request.url}")

    def _failed(self, request: Request) -> None:
        # A page that is left gives up what it was still asking for.
        if request.failure != "net::ERR_ABORTED":
            self.troubles.append(f"request failed: {request.url} {request.failure}")
