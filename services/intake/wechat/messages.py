"""One message or event as the rest of intake sees it, whatever the platform called its fields."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.intake.wechat.errors import MalformedBody

_MAX_OPENID = 128
_MAX_KEY = 200  # Longer than this would not fit into an index entry everywhere.
# How a sticker, a shared file, a mini program arrives: as a text that nobody typed.
_PLACEHOLDER = re.compile(
    r"[【\[]?收到不支[持援]的?(?:消息|訊息|讯息)(?:类型|類型)?[,，]?[暂暫](?:时|時)?[无無]法[显顯]示[。.]?[】\]]?"
)
_SAID_IN = {
    "text": ("Content",),
    "voice": ("Recognition",),
    "link": ("Title", "Description", "Url"),
    "location": ("Label",),
}
"""The fields with words, by type of message."""
_OPENS = frozenset({"subscribe", "scan", "click"})
"""What a follower does without a word, and may be written to for it, if for a minute only."""


@dataclass(frozen=True)
class Media:
    """What came instead of, or beside, words."""

    media_id: str
    pic_url: str = ""
    format: str = ""


@dataclass(frozen=True)
class WechatMessage:
    """What a follower of `account` sent or did. Strange values are kept as text."""

    account: str
    openid: str = field(repr=False)
    platform_id: str
    """The account's own id (``ToUserName``); an answer goes out under it."""
    msg_type: str
    text: str = field(repr=False)
    """The words: text as typed, what was recognised in a voice message, title of a link …"""
    msg_id: str
    create_time: str
    event: str = ""
    event_key: str = ""
    media: Media | None = None

    @property
    def is_event(self) -> bool:
        """Something done (followed, scanned, chose from the menu), not said."""
        return self.msg_type == "event"

    @property
    def is_placeholder(self) -> bool:
        """A text that stands for something the platform does not pass on."""
        return self.msg_type == "text" and bool(_PLACEHOLDER.fullmatch("".join(self.text.split())))

    @property
    def opens_window(self) -> bool:
        """Whether the platform passes on what we send now: not by what goes on without a person."""
        return not self.is_event or self.event.lower() in _OPENS

    @property
    def created_at(self) -> datetime | None:
        """`create_time` as a moment, where it is one."""
        if not (self.create_time.isascii() and self.create_time.isdigit()):
            return None
        if len(self.create_time) > 11:
            return None
        return datetime.fromtimestamp(int(self.create_time), UTC)

    @property
    def dedupe_key(self) -> str:
        """The same for every copy of this message within its account, at most 200 characters."""
        if self.is_event:
            key = "|".join((self.openid, self.create_time, self.event, self.event_key))
        elif self.msg_id:
            key = self.msg_id
        else:
            said = "\0".join((self.msg_type, self.text, self.media.media_id if self.media else ""))
            key = f"{self.openid}|{self.create_time}|{_digest(said.encode())[:32]}"
        return key if len(key) <= _MAX_KEY else "sha256:" + _digest(key.encode())


def message_from(fields: Mapping[str, str], account: str) -> WechatMessage:
    """Normalise the fields of one push; `MalformedBody` when nobody sent it."""
    openid = fields.get("FromUserName", "").strip()
    if not openid or len(openid) > _MAX_OPENID:
        raise MalformedBody
    msg_type = fields.get("MsgType", "").strip().lower()
    return WechatMessage(
        account=account,
        openid=openid,
        platform_id=fields.get("ToUserName", "").strip(),
        msg_type=msg_type,
        text=_words(fields, msg_type),
        msg_id=(fields.get("MsgId") or fields.get("MsgID") or "").strip(),
        create_time=fields.get("CreateTime", "").strip(),
        event=fields.get("Event", "").strip(),
        event_key=fields.get("EventKey", "").strip(),
        media=_media(fields),
    )


def nonce_key(account: str, nonce: str) -> str:
    """Under which the service remembers that a nonce was used (64 hexadecimal digits)."""
    return _digest(f"{account}\0{nonce}".encode("utf-8", "surrogatepass"))


def body_hash(body: bytes) -> str:
    """What was said under a nonce: the same again is a retry, anything else is a replay."""
    return _digest(body)


def _words(fields: Mapping[str, str], msg_type: str) -> str:
    return "\n".join(fields[name] for name in _SAID_IN.get(msg_type, ()) if fields.get(name))


def _media(fields: Mapping[str, str]) -> Media | None:
    media = Media(
        media_id=fields.get("MediaId", "").strip(),
        pic_url=fields.get("PicUrl", "").strip(),
        format=fields.get("Format", "").strip(),
    )
    return media if media.media_id or media.pic_url else None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
