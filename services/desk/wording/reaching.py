"""Why words have not reached the reporter, as people say it."""

from __future__ import annotations

Pair = tuple[str, str]
"""Chinese, English."""

_UNKNOWN: Pair = (
    "已经交出去，但对方没有回音：也许到了，也许没有",
    "it was handed over and no answer came back: it may have arrived, or not",
)
_REFUSED: Pair = (
    "对方的邮件服务器拒收，多半是地址不对或邮箱停用",
    "their mail server refuses it: as a rule the address is wrong, or not in use any more",
)
_NOT_ACCEPTED: Pair = (
    "对方的邮件服务器一直没有收下",
    "their mail server has not taken it in all the time",
)
_NO_WECHAT: Pair = ("微信没有收下这条消息", "WeChat has not taken the message")
_NO_ADDRESS: Pair = ("没有可用的联系方式", "there is no address to send it to")
_OTHER: Pair = ("原因不明", "the reason is not known")
_REASONS: dict[str, Pair] = {
    "wechat_window_over": (
        "微信超过 48 小时没有往来，公众号不能主动发；读者再来消息时会自动补发",
        "after 48 hours without a word from the reader WeChat lets us send nothing; "
        "it goes out by itself once they write there again",
    ),
    "wechat_quota_used": (
        "读者来消息后，公众号能主动发的条数已用完；读者再来消息时会自动补发",
        "WeChat lets us send only so many messages after a word from the reader; "
        "it goes out by itself once they write there again",
    ),
    "wechat_not_a_follower": (
        "读者已不再关注公众号；再关注并来消息时会自动补发",
        "the reader does not follow our account any more; "
        "it goes out by itself once they follow it and write again",
    ),
    "wechat_refused": ("读者拒收公众号的消息", "the reader takes no messages from our account"),
    "no_address": _NO_ADDRESS,
    "the contact never came": _NO_ADDRESS,
}
_BEGINNINGS: dict[str, Pair] = {
    "smtp_5": _REFUSED,
    "smtp_": _NOT_ACCEPTED,
    "wechat_": _NO_WECHAT,
}


def why_unreached(reason: str, *, uncertain: bool, locale: str) -> str:
    """Of a code of notification, which are many: a sentence without its full stop."""
    found = (pair for start, pair in _BEGINNINGS.items() if reason.startswith(start))
    pair = _UNKNOWN if uncertain else _REASONS.get(reason) or next(found, _OTHER)
    return pair[locale == "en"]
