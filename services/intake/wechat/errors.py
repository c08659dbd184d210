"""What may be wrong with a push, as small exceptions that know their HTTP status."""

from __future__ import annotations


class WechatRefusal(Exception):
    """The push is not taken. The text is fixed: it never repeats what was sent."""

    status = 400
    title = "refused"

    def __init__(self) -> None:
        super().__init__(self.title)


class BadSignature(WechatRefusal):
    """No signature, or not ours."""

    status = 401
    title = "signature"


class StaleTimestamp(WechatRefusal):
    """Older than the window, in the future, or no moment at all."""

    status = 401
    title = "timestamp"


class MalformedBody(WechatRefusal):
    """Not the XML we agreed on: broken, too deep, with a DOCTYPE, or without a sender."""

    title = "malformed body"


class BadCipher(WechatRefusal):
    """The encrypted part cannot be opened; why is nobody's business."""

    title = "cipher"


class BodyTooLarge(WechatRefusal):
    """More bytes than any message of the platform has."""

    status = 413
    title = "body too large"
