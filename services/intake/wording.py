"""The short answers a follower of the official account reads at once."""

from __future__ import annotations

_RECEIVED = {
    "zh": "收到了，谢谢您。用户关系办公室会认真读。\n查询码：{code}\n看进展：{url}",
    "en": "Thank you, we have it and will read it.\nTracking code: {code}\nFollow it: {url}",
}
_WELCOME = {
    "zh": "您好，这里是图书馆用户反馈直通车。有什么想说的，直接在这里打字就行，"
    "每一条都有人读。也可以在网页上说：{url}",
    "en": "Hello, this is the library's Feedback Express. Just type what you want to tell us; "
    "somebody reads every message. Or use the web: {url}",
}
_IN_WORDS = {
    "zh": "这种消息我们还读不了。请用文字说一说，或在网页上填写：{url}",
    "en": "We cannot read this kind of message yet. Please tell us in words, or here: {url}",
}
_ADDED = {
    "zh": "谢谢，您的回答已经交给办理的人。\n看进展：{url}",
    "en": "Thank you, your answer is with those who work on it.\nFollow it: {url}",
}
_SOMETHING = {"zh": "请写点什么。", "en": "Please write something."}


def received(locale: str, code: str, url: str) -> str:
    """The comment is here, and how to follow it."""
    return _RECEIVED[locale].format(code=code, url=url)


def added(locale: str, url: str) -> str:
    """The message answered a question of ours, and stands in that case."""
    return _ADDED[locale].format(url=url)


def welcome(locale: str, url: str) -> str:
    """To somebody who just followed the account."""
    return _WELCOME[locale].format(url=url)


def in_words(locale: str, url: str) -> str:
    """A picture, a voice that could not be recognised."""
    return _IN_WORDS[locale].format(url=url)


def something(locale: str) -> str:
    """Only blanks."""
    return _SOMETHING[locale]
