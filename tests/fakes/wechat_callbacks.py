"""The outgoing side of the platform: signs or encrypts a push, waits, drops the line, sends again.

Written from the protocol alone and shares no line with the code it is meant to test.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import random
import struct
import time
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

import httpx2
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from defusedxml import ElementTree  # type: ignore[import-untyped]


def sign(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def encrypt(message: bytes, aes_key: str, appid: str) -> str:
    key = base64.b64decode(aes_key + "=")
    plain = os.urandom(16) + struct.pack("!I", len(message)) + message + appid.encode()
    pad = 32 - len(plain) % 32
    cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(cipher.update(plain + bytes([pad] * pad)) + cipher.finalize()).decode()


def decrypt(text: str, aes_key: str) -> tuple[bytes, str]:
    """The message and the appid inside."""
    key = base64.b64decode(aes_key + "=")
    cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    plain = cipher.update(base64.b64decode(text)) + cipher.finalize()
    plain = plain[: -plain[-1]]
    (length,) = struct.unpack("!I", plain[16:20])
    return plain[20 : 20 + length], plain[20 + length :].decode()


@dataclass(frozen=True)
class Try:
    """One delivery attempt of a push."""

    status: int | None
    body: str = ""
    error: str = ""

    @property
    def shows_error_banner(self) -> bool:
        """What the user sees instead of an answer when ours is none of the agreed ones."""
        if self.status != 200:
            return True
        return self.body not in ("success", "") and not self.body.startswith("<xml>")


@dataclass
class CallbackSender:
    """Pushes for one official account at `url`; in safe mode when it has an `aes_key`."""

    url: str
    token: str
    appid: str
    aes_key: str | None = field(default=None, repr=False)
    platform_id: str = "gh_fake0000001"

    def text(
        self, openid: str, text: str, *, msg_id: str | None = None, created: int | None = None
    ) -> str:
        number = msg_id if msg_id is not None else str(random.getrandbits(62))
        return self.xml(
            openid,
            created,
            MsgType="text",
            Content=text,
            **({"MsgId": number} if number else {}),
        )

    def event(self, openid: str, event: str, *, key: str = "", created: int | None = None) -> str:
        return self.xml(openid, created, MsgType="event", Event=event, EventKey=key)

    def xml(self, openid: str, created: int | None = None, **fields: str) -> str:
        moment = created if created is not None else int(time.time())
        rest = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
        return (
            f"<xml><ToUserName>{self.platform_id}</ToUserName>"
            f"<FromUserName>{escape(openid)}</FromUserName>"
            f"<CreateTime>{moment}</CreateTime>{rest}</xml>"
        )

    def sealed(
        self, message: str, *, timestamp: int | None = None, nonce: str | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Query and body as they go over the line."""
        moment = str(timestamp if timestamp is not None else int(time.time()))
        nonce = nonce or str(random.randrange(10**8, 10**10))
        query = {"timestamp": moment, "nonce": nonce, "signature": sign(self.token, moment, nonce)}
        if not self.aes_key:
            return query, message.encode()
        inner = encrypt(message.encode(), self.aes_key, self.appid)
        query["encrypt_type"] = "aes"
        query["msg_signature"] = sign(self.token, moment, nonce, inner)
        outer = (
            f"<xml><ToUserName>{self.platform_id}</ToUserName>"
            f"<Encrypt><![CDATA[{inner}]]></Encrypt></xml>"
        )
        return query, outer.encode()

    async def push(
        self,
        message: str,
        *,
        wait: float = 5.0,
        tries: int = 3,
        overlap: float | None = None,
        timestamp: int | None = None,
        nonce: str | None = None,
    ) -> list[Try]:
        """Send, drop the line after `wait` seconds, send again: the same bytes, `tries` in all.

        With `overlap` all copies go out, that many seconds apart, whatever the answers.
        """
        query, body = self.sealed(message, timestamp=timestamp, nonce=nonce)
        if overlap is not None:

            async def late(n: int) -> Try:
                await asyncio.sleep(n * overlap)
                return await self._once(query, body, wait)

            return list(await asyncio.gather(*(late(n) for n in range(tries))))
        done: list[Try] = []
        for _ in range(tries):
            done.append(await self._once(query, body, wait))
            if done[-1].status is not None:
                break
        return done

    async def verify_url(self, echostr: str = "5817482312") -> Try:
        """What the platform does when somebody enters our address in its console."""
        moment, nonce = str(int(time.time())), str(random.randrange(10**9))
        query = {
            "signature": sign(self.token, moment, nonce),
            "timestamp": moment,
            "nonce": nonce,
            "echostr": echostr,
        }
        async with httpx2.AsyncClient(timeout=5.0) as client:
            response = await client.get(self.url, params=query)
        return Try(response.status_code, response.text)

    def read_reply(self, body: str) -> dict[str, str]:
        """The fields of a passive answer, its envelope checked and opened."""
        fields = {child.tag: child.text or "" for child in ElementTree.fromstring(body)}
        if "Encrypt" not in fields:
            return fields
        if self.aes_key is None:
            raise ValueError("an encrypted answer to a plain push")
        signed = sign(self.token, fields["TimeStamp"], fields["Nonce"], fields["Encrypt"])
        if signed != fields["MsgSignature"]:
            raise ValueError("the answer is not signed for us")
        message, appid = decrypt(fields["Encrypt"], self.aes_key)
        if appid != self.appid:
            raise ValueError("the answer is for another application")
        return {child.tag: child.text or "" for child in ElementTree.fromstring(message)}

    async def _once(self, query: dict[str, str], body: bytes, wait: float) -> Try:
        # A connection of its own, closed on leaving: that is the drop.
        async with httpx2.AsyncClient(timeout=None) as client:
            try:
                async with asyncio.timeout(wait):
                    response = await client.post(
                        self.url, params=query, content=body, headers={"Content-Type": "text/xml"}
                    )
            except TimeoutError:
                return Try(None, error="no answer in time")
            except httpx2.TransportError as error:
                return Try(None, error=type(error).__name__)
        return Try(response.status_code, response.text)
