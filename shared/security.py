"""Signed things: sessions, adapter tokens, tracking codes. All hang on the one secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from itsdangerous import BadSignature, URLSafeSerializer

SESSION_LIFE = timedelta(hours=12)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": "", "—": "", "–": ""})
_RANDOM, _CHECK = 16, 4


@dataclass(frozen=True)
class Session:
    """Who is signed in, until when."""

    session_id: str
    username: str
    display: str
    role: str
    department: str | None
    expires: datetime


@dataclass(frozen=True)
class AdapterToken:
    """A program that may submit feedback."""

    token_id: str
    name: str


class Signer:
    """Makes and reads signed values. A value signed with another secret reads as None."""

    def __init__(self, secret: str) -> None:
        self._sessions = URLSafeSerializer(secret, salt="session", signer_kwargs=_SHA256)
        self._tokens = URLSafeSerializer(secret, salt="adapter", signer_kwargs=_SHA256)
        self.read_adapter_token = lru_cache(1024)(self._read_adapter_token)
        """The adapter a token stands for, unless it is forged; the same few come all day."""
        self._code_key = hmac.digest(secret.encode(), b"tracking-code", "sha256")

    def session(
        self, *, username: str, display: str, role: str, department: str | None, now: datetime
    ) -> tuple[str, Session]:
        """A new session and the token that stands for it."""
        session = Session(
            secrets.token_urlsafe(12), username, display, role, department, now + SESSION_LIFE
        )
        token = self._sessions.dumps(
            [session.session_id, username, display, role, department, int(_stamp(session.expires))]
        )
        return str(token), session

    def read_session(self, token: str, now: datetime) -> Session | None:
        """The session a token stands for, unless it is forged or over."""
        try:
            sid, username, display, role, department, expires = self._sessions.loads(token)
            until = datetime.fromtimestamp(expires, UTC)
        except (BadSignature, ValueError, TypeError):
            return None
        session = Session(sid, username, display, role, department, until)
        return session if until > now else None

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

    def tracking_code(self) -> str:
        """A new code: 80 random bits and 20 that prove it came from here, in five groups."""
        # Five of the eight random bits of each byte.
        body = "".join([_ALPHABET[byte & 31] for byte in secrets.token_bytes(_RANDOM)])
        code = body + self._check(body)
        return f"{code[:4]}-{code[4:8]}-{code[8:12]}-{code[12:16]}-{code[16:]}"

    def is_genuine(self, code: str) -> bool:
        """True for a code made here, whether or not anything was ever stored under it."""
        plain = plain_code(code)
        if len(plain) != _RANDOM + _CHECK:
            return False
        return hmac.compare_digest(plain[_RANDOM:], self._check(plain[:_RANDOM]))

    def _check(self, body: str) -> str:
        digest = hmac.digest(self._code_key, body.encode(), "sha256")
        number = int.from_bytes(digest[:3], "big")
        return "".join([_ALPHABET[(number >> 5 * n) & 31] for n in range(_CHECK)])


def plain_code(code: str) -> str:
    """The code as typed by anybody: upper case, no dashes, O read as 0, I and L as 1."""
    plain = code.strip().upper().translate(_MISREAD)
    return plain if plain.isascii() else ""


def code_hash(code: str) -> str:
    """What is stored and looked up instead of the code."""
    return hashlib.sha256(plain_code(code).encode()).hexdigest()


def secret_hash(value: str) -> str:
    """A one-way fingerprint of a secret that is long and random already."""
    return base64.urlsafe_b64encode(hashlib.sha256(value.encode()).digest()).decode()


def _stamp(moment: datetime) -> float:
    return moment.timestamp()


_SHA256 = {"digest_method": hashlib.sha256}
