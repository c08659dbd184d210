"""The WeChat official account callback as pure protocol: no session, no network, no clock.

opened = open_push(accounts["main"], request.query_params, body, clock.now())
opened.message, opened.message.dedupe_key, opened.reply("已收到", clock.now())
"""

from services.intake.wechat.accounts import (
    WechatAccount,
    WechatSettingError,
    accounts_from_setting,
)
from services.intake.wechat.callback import (
    ACCEPTED,
    Opened,
    answer_url_check,
    open_push,
)
from services.intake.wechat.errors import (
    BadCipher,
    BadSignature,
    BodyTooLarge,
    MalformedBody,
    StaleTimestamp,
    WechatRefusal,
)
from services.intake.wechat.fields import MAX_BODY
from services.intake.wechat.messages import Media, WechatMessage, body_hash, nonce_key

__all__ = [
    "ACCEPTED",
    "MAX_BODY",
    "BadCipher",
    "BadSignature",
    "BodyTooLarge",
    "MalformedBody",
    "Media",
    "Opened",
    "StaleTimestamp",
    "WechatAccount",
    "WechatMessage",
    "WechatRefusal",
    "WechatSettingError",
    "accounts_from_setting",
    "answer_url_check",
    "body_hash",
    "nonce_key",
    "open_push",
]
