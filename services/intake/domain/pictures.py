"""Pictures that come with words: how many, how large, and what is said where one is not taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from shared.contracts.intake import SentPicture
from shared.contracts.refusal import Unacceptable

FIELD = "pictures"
"""Under which name they are sent."""
MOST_OF_A_MESSAGE = 3
MOST_OF_A_CASE = 12
LARGEST = 8_000_000
"""Bytes of one as it is sent."""
KEPT_AS = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is kept: made small, and with nothing in it but what is seen."""

    picture_id: str
    width: int
    height: int
    content: bytes = field(repr=False)

    @property
    def sent(self) -> SentPicture:
        """What the whole system may know of it."""
        return SentPicture(picture_id=self.picture_id, width=self.width, height=self.height)

    @property
    def digest(self) -> str:
        """The same for the same picture, sent once more."""
        return sha256(self.content).hexdigest()


class Flaw(StrEnum):
    """Why a file is not taken."""

    EMPTY = "empty"
    HEIC = "heic"
    FOREIGN = "foreign"
    BROKEN = "broken"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"


Words = tuple[str, str]

_CAN: Words = (
    f"可以发 JPEG、PNG、WebP 照片，每张不超过 {LARGEST // 1_000_000} MB。",
    f"JPEG, PNG and WebP can be sent, up to {LARGEST // 1_000_000} MB each.",
)
_SENTENCES: dict[Flaw, Words] = {
    Flaw.EMPTY: ("里面什么也没有，请重新选。", "has nothing in it; please choose it again."),
    Flaw.HEIC: (
        "是 HEIC 格式，这里打不开。请在手机相机的设置里选“兼容性最佳”再拍，或者发一张截屏。",
        "is in the HEIC format, which cannot be opened here. Please choose “Most Compatible” in "
        "your phone's camera settings, or send a screenshot of it.",
    ),
    Flaw.FOREIGN: ("不是能看的照片。", "is no picture that can be shown here."),
    Flaw.BROKEN: (
        "打不开，可能没有传完。请重新选，或者换一张。",
        "cannot be opened, perhaps it did not come whole. Please choose it again, or another.",
    ),
    Flaw.TOO_LARGE: ("太大。", "is too large."),
    Flaw.TOO_MANY_PIXELS: (
        "尺寸太大，请缩小或截屏后再发。",
        "has too many pixels; please make it smaller, or send a screenshot of it.",
    ),
}
_SAYS_WHAT_CAN_BE = frozenset({Flaw.FOREIGN, Flaw.TOO_LARGE})


def not_taken(number: int, of: int, flaw: Flaw) -> Unacceptable:
    """That the picture with this number, from 1, is not taken, and what can be sent."""
    zh, en = _SENTENCES[flaw]
    if flaw in _SAYS_WHAT_CAN_BE:
        zh, en = zh + _CAN[0], f"{en} {_CAN[1]}"
    which = (f"第 {number} 张照片", f"Picture {number}") if of > 1 else ("这张照片", "The picture")
    return _refusal(f"{which[0]}{zh}", f"{which[1]} {en}")


def check_number(sent: int) -> None:
    """`Unacceptable` where there are more than a message may have."""
    if sent > MOST_OF_A_MESSAGE:
        raise _refusal(
            f"一次最多发 {MOST_OF_A_MESSAGE} 张照片，其余的可以随后补充。",
            f"At most {MOST_OF_A_MESSAGE} pictures at once; the others can be added afterwards.",
        )


def check_room(kept: int, sent: Sequence[Picture]) -> None:
    """`Unacceptable` where a case would have more than it may; words alone it still takes."""
    if sent and kept + len(sent) > MOST_OF_A_CASE:
        left = max(0, MOST_OF_A_CASE - kept)
        more = (
            (f"这次还可以发 {left} 张。", f"{left} more can be sent.")
            if left
            else ("请只写文字。", "Please send words alone.")
        )
        raise _refusal(
            f"一件事最多 {MOST_OF_A_CASE} 张照片，已经有 {kept} 张。{more[0]}",
            f"A matter has at most {MOST_OF_A_CASE} pictures, and this one has {kept}. {more[1]}",
        )


def none_after_erasure() -> Unacceptable:
    """Of whoever was erased words are kept masked; in a picture nothing can be masked."""
    return _refusal(
        "您的个人信息已经删除，照片没法遮住里面的人，所以不再收。请只写文字。",
        "Your personal data were erased, and in a picture nobody can be masked, so none is taken "
        "any more. Please send words alone.",
    )


def _refusal(zh: str, en: str) -> Unacceptable:
    return Unacceptable(zh, en, errors={FIELD: f"{zh} | {en}"})
