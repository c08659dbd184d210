"""Signed things: sessions, adapter tokens, tracking codes.

Keys come in lists, newest first: the first signs, each of them verifies. A key leaves the list
when nothing is in use any more that it signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from itsdangerous import BadSignature, URLSafeSerializer

from shared.ids import letters_and_digits
from shared.nfkc import nfkc

SESSION_LIFE = timedelta(hours=12)
"""Of a session that nobody uses; one that is used is renewed."""
SESSION_MAX_AGE = timedelta(days=3)
"""Then the password is asked for again, used or not."""
SESSION_TICK = timedelta(milliseconds=1)
"""As finely as sessions tell time."""
LINK_TO_MATTERS, MATTERS = "link-to-matters", "matters"
"""What is signed: the link in a letter to a reporter; all the codes that are theirs."""
MATTERS_COOKIE = "matters"
WHY = "why-this-date"
"""What is signed for a reporter who asks why: the case and the clock, `[feedback_id, clock]`."""
PICTURE = "picture"
"""What is signed for whoever may see a picture: its id."""
PICTURE_FOR = timedelta(minutes=5)
"""How long the address of a picture is good at least; at most twice that."""
RENEW_AFTER = timedelta(hours=1)
"""A renewal that would bring less is not worth a cookie."""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
_RANDOM, _CHECK = 16, 4
_GROUPS = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z0-9]{4}([\s_.·\-\u2010-\u2015\u2212]?)[A-Za-z0-9]{4}"
    r"(?:\1[A-Za-z0-9]{4}){3}(?![A-Za-z0-9])"
)
"""A code as it is printed, whatever became of its dashes."""


@dataclass(frozen=True)
class Session:
    """Who is signed in, since when, until when. A renewed one is the same session."""

    session_id: str
    username: str
    display: str
    role: str
    department: str | None
    expires: datetime

    @property
    def began(self) -> datetime:
        """When the password was typed.

        It stands in the id, where code of before leaves it alone; an id without it was never
        renewed.
        """
        stamp, dot, _ = self.session_id.partition(".")
        if not dot:
            return self.expires - SESSION_LIFE
        return datetime.fromtimestamp(int(stamp, 16) / 1000, UTC)


@dataclass(frozen=True)
class AdapterToken:
    """A program that may submit feedback."""

    token_id: str
    name: str


class Signer:
    """Makes and reads signed values. A value signed with another key reads as None.

    `keys` are those of sessions and tokens; `code_keys` those of tracking codes, derived from
    `keys` where none are given (see `code_key`).
    """

    def __init__(self, keys: str | Sequence[str], code_keys: Sequence[bytes] = ()) -> None:
        keys = [keys] if isinstance(keys, str) else list(keys)
        self._oldest_first = oldest_first = keys[::-1]
        self._sessions = URLSafeSerializer(oldest_first, salt="session", signer_kwargs=_SHA256)
        self._tokens = URLSafeSerializer(oldest_first, salt="adapter", signer_kwargs=_SHA256)
        self.read_adapter_token = lru_cache(1024)(self._read_adapter_token)
        """The adapter a token stands for, unless it is forged; the same few come all day."""
        self.seal_keys = tuple(seal_key(key) for key in keys)
        """Keys of the seals of rows, newest first, derived from `keys`."""
        self._code_keys = tuple(code_keys) or tuple(code_key(key) for key in keys)

    def session(
        self, *, username: str, display: str, role: str, department: str | None, now: datetime
    ) -> tuple[str, Session]:
        """A new session and the token that stands for it."""
        session_id = f"{round(_stamp(session_moment(now)) * 1000):x}.{secrets.token_urlsafe(12)}"
        session = Session(session_id, username, display, role, department, now + SESSION_LIFE)
        return self._token(session), session

    def renewed(self, session: Session, now: datetime) -> tuple[str, Session] | None:
        """The same session for longer; None while it is not time, and where it may not be."""
        until = min(now + SESSION_LIFE, session.began + SESSION_MAX_AGE)
        if "." not in session.session_id or until - session.expires < RENEW_AFTER:
            return None
        longer = replace(session, expires=until)
        return self._token(longer), longer

    def _token(self, session: Session) -> str:
        fields = [session.session_id, session.username, session.display, session.role]
        values = [*fields, session.department, int(_stamp(session.expires))]
        return str(self._sessions.dumps(values))

    def read_session(self, token: str, now: datetime) -> Session | None:
        """The session a token stands for, unless it is forged or over."""
        try:
            sid, username, display, role, department, expires = self._sessions.loads(token)
            until = datetime.fromtimestamp(expires, UTC)
            session = Session(sid, username, display, role, department, until)
            over = min(until, session.began + SESSION_MAX_AGE)
        except (BadSignature, ValueError, TypeError, AttributeError):
            return None
        return session if over > now else None

    def adapter_token(self, token_id: str, name: str) -> str:
        """A token for an adapter; starts with ``fx.`` so that people recognise it."""
        return f"fx.{self._tokens.dumps([token_id, name])}"

    def _read_adapter_token(self, token: str) -> AdapterToken | None:
        if not token.startswith("fx."):
            return None
        try:
            token_id, name = self._tokens.loads(token[3:])
        except (BadSignature, ValueError, TypeError):
            return None
        return AdapterToken(token_id, name)

    def signed(self, purpose: str, value: Any, *, until: datetime) -> str:
        """A value that anybody can read, and nobody change, for `purpose` and until then."""
        return str(self._of(purpose).dumps([value, int(_stamp(until))]))

    def read_signed(self, purpose: str, token: str, now: datetime) -> Any:
        """What was signed for this purpose; None where it is forged, or its time is over."""
        try:
            value, until = self._of(purpose).loads(token)
            return value if until > _stamp(now) else None
        except (BadSignature, ValueError, TypeError):
            return None

    def picture_path(self, picture_id: str, now: datetime) -> str:
        """Where a picture is shown, for minutes: for whoever may see the case it came with.

        The same for some minutes, so that a page that is looked at again is the same.
        """
        passed = timedelta(seconds=_stamp(now) % PICTURE_FOR.total_seconds())
        key = self.signed(PICTURE, picture_id, until=now - passed + 2 * PICTURE_FOR)
        return f"/pictures/{picture_id}?key={key}"

    def _of(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._oldest_first, salt=purpose, signer_kwargs=_SHA256)

    def tracking_code(self) -> str:
        """A new code: 80 random bits and 20 that prove it came from here, in five groups."""
        # Five of the eight random bits of each byte.
        body = "".join([_ALPHABET[byte & 31] for byte in secrets.token_bytes(_RANDOM)])
        code = body + _check(self._code_keys[0], body)
        return f"{code[:4]}-{code[4:8]}-{code[8:12]}-{code[12:16]}-{code[16:]}"

    def is_genuine(self, code: str) -> bool:
        """True for a code made here, whether or not anything was ever stored under it."""
        plain = plain_code(code)
        if len(plain) != _RANDOM + _CHECK:
            return False
        body, check = plain[:_RANDOM], plain[_RANDOM:]
        return any([hmac.compare_digest(check, _check(key, body)) for key in self._code_keys])


def code_key(secret: str) -> bytes:
    """The key of tracking codes that belongs to a secret."""
    return hmac.digest(secret.encode(), b"tracking-code", "sha256")


def seal_key(secret: str) -> bytes:
    """The key of seals that belongs to a secret."""
    return hmac.digest(secret.encode(), b"seal", "sha256")


def _check(key: bytes, body: str) -> str:
    number = int.from_bytes(hmac.digest(key, body.encode(), "sha256")[:3], "big")
    return "".join([_ALPHABET[(number >> 5 * n) & 31] for n in range(_CHECK)])


def code_in(typed: str) -> str:
    """The code in what somebody typed or pasted, also among words or in a link; else empty."""
    typed = nfkc(typed)
    if link := re.search(r"/track/([^/?#\s]+)", typed):
        return plain_code(unquote(link[1]))
    # English words before a code would be read as a part of it.
    found = _GROUPS.search(typed)
    return plain_code(found[0] if found else typed)


def plain_code(code: str) -> str:
    """The code as typed by anybody: letters and digits, O read as 0, I and L as 1."""
    return letters_and_digits(code).upper().translate(_MISREAD)


def code_hash(code: str) -> str:
    """What is stored and looked up instead of the code."""
    return hashlib.sha256(plain_code(code).encode()).hexdigest()


def secret_hash(value: str) -> str:
    """A one-way fingerprint of a secret that is long and random already."""
    return base64.urlsafe_b64encode(hashlib.sha256(value.encode()).digest()).decode()


def session_moment(now: datetime) -> datetime:
    """`now` as sessions tell time: to the millisecond, so that two moments can be compared."""
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _stamp(moment: datetime) -> float:
    return moment.timestamp()


_SHA256 = {"digest_method": hashlib.sha256}
