"""Signatures and the AES envelope of the callback protocol."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from services.intake.wechat.errors import BadCipher

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

_BLOCK = 32  # The protocol pads to 32 although the cipher's own block is 16.
_CIPHER_BLOCK = 16
_HEAD = 20  # 16 random bytes, then the length.


def signature_of(*parts: str) -> str:
    """SHA-1 over the sorted parts, as both kinds of signature are made."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def same(expected: str, given: str) -> bool:
    """Whether two texts are equal, in a time that does not say where they differ."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True)
class Unsealed:
    """The inner message, and the key that opened it: the answer uses the same one."""

    message: bytes
    key: str = field(repr=False)


def unseal(encrypted: str, keys: Sequence[str], appid: str) -> Unsealed:
    """Open `encrypted` with whichever key fits. Every fault is the same `BadCipher`.

    All keys are always tried, on a substitute of equal length where the text cannot even be a
    cipher: the time of the answer says nothing about what was wrong.
    """
    raw = _decoded(encrypted)
    usable = len(raw) >= 2 * _CIPHER_BLOCK and len(raw) % _CIPHER_BLOCK == 0
    if not usable:
        length = max(2, len(encrypted) * 3 // 4 // _CIPHER_BLOCK)
        raw = bytes(length * _CIPHER_BLOCK)
    opened: Unsealed | None = None
    for key in keys:
        message, valid = _open_one(raw, key, appid)
        if valid and usable and opened is None:
            opened = Unsealed(message, key)
    if opened is None:
        raise BadCipher
    return opened


def seal(message: bytes, key: str, appid: str) -> str:
    """Encrypt an answer under `key`."""
    plain = secrets.token_bytes(16) + len(message).to_bytes(4, "big") + message + appid.encode()
    pad = _BLOCK - len(plain) % _BLOCK
    encryptor = _cipher(key).encryptor()
    sealed = encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()
    return base64.b64encode(sealed).decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _open_one(raw: bytes, key: str, appid: str) -> tuple[bytes, bool]:
    decryptor = _cipher(key).decryptor()
    plain = decryptor.update(raw) + decryptor.finalize()
    pad = plain[-1]
    valid = 1 <= pad <= _BLOCK
    size = min(max(pad, 1), _BLOCK)
    valid &= hmac.compare_digest(plain[-size:], bytes([size]) * size)
    body = plain[_HEAD : len(plain) - size]
    length = int.from_bytes(plain[16:_HEAD], "big")
    valid &= length <= len(body)
    valid &= hmac.compare_digest(body[length:], appid.encode())
    return body[:length], valid


def _cipher(key: str) -> Cipher[modes.CBC]:
    # 8 MB, for whoever has an official account with a key.
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    # binascii ignores stray bits in the last letter, as the platform's own samples need.
    aes = base64.b64decode(key + "=")
    return Cipher(algorithms.AES(aes), modes.CBC(aes[:16]))
