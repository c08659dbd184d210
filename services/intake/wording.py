"""The short answers a follower of the official account reads at once; what pages promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.intake.domain.submission import GROUPS
from shared.contracts.vocabulary import Clock
from shared.durations import within_words
from shared.messaging.directory import Directory

_RECEIVED = {
    "zh": "收到了，谢谢您。这是一件新的反馈，用户关系办公室会认真读。\n"
    "查询码：{code}\n看进展：{url}\n十分钟内在这里接着发的，都记在这一件里；要说另一件事，请先回复“新”；"
    "还可以回复“查进展”“催一催”“撤回”。",
    "en": "Thank you, we have it as a new comment and will read it.\nTracking code: {code}\n"
    "Follow it: {url}\nWhat you send here within ten minutes goes with it; for something else "
    "reply “new” first. You can also reply “status”, “urge” or “withdraw”.",
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
_PICTURE = {
    "zh": "照片在这里还收不了，刚才这张没有记下。请用文字说一说；"
    "要带照片，请在网页上写，和话一起发：{url}",
    "en": "Pictures cannot be taken here yet, and this one was not kept. Please tell us in words, "
    "or send it with your words on the web: {url}",
}
_ANSWERED = {
    "zh": "谢谢，您的回答已经交给办理的人。\n看进展：{url}\n"
    "十分钟内在这里接着发的，都记在这一件里；刚才说的是另一件事？回复“新”，就另立一件。",
    "en": "Thank you, your answer is with those who work on it.\nFollow it: {url}\n"
    "What you send here within ten minutes goes with it. Was this about something else? Reply "
    "“new”, and it becomes a comment of its own.",
}
_WAITING = {
    "zh": "记下了。{asked}，还等您回答，直接在这里说就行；要是刚才这句就是回答，请多写几个字。\n"
    "看进展：{url}",
    "en": "Noted. We still wait for your answer to what we asked {asked}. Just tell us here; if "
    "that was it, please say it in a few more words.\nFollow it: {url}",
}
_ASKED = {"zh": "我们问您的“{question}”", "en": "you: “{question}”"}
_ASKED_ABOUT = {"zh": "您的这一件“{which}”里问您的", "en": "about your comment “{which}”"}
_ADDED = {
    "zh": "记下了，放在您的这一件里：“{which}”，办理的人看得到。\n看进展：{url}\n"
    "说的是另一件事？回复“新”，就另立一件。",
    "en": "We have put this with your comment “{which}”, where those who work on it can read it.\n"
    "Follow it: {url}\nIs it about something else? Reply “new”, and it becomes a comment of its "
    "own.",
}
_THANKED = {
    "zh": "不客气，也谢谢您告诉我们。以后有什么想说的，直接在这里说。",
    "en": "You are welcome, and thank you for telling us. If anything else comes up, say it here.",
}
_ENDED = {
    "zh": "您的这一件“{which}”不能再补充了，刚才这句没有记进去。"
    "如果还没有解决，请在这里看能怎么办，可以重办的也在这里：{url}\n要说另一件事，直接说是什么事就行。",
    "en": "Nothing can be added to your comment “{which}” any more. If it is not solved, "
    "see here what you can do, also how to have it reopened: {url}\nFor something else, just tell "
    "us what it is.",
}
_ANEW = {
    "zh": "好的，请说另一件事：您接下来发的，作为一件新的反馈。",
    "en": "Of course: what you send next is taken as a new comment.",
}
_OFFERED = {
    "zh": "\n\n说的是下面这件事吗？已经有人告诉我们了。回复数字，就和它放在一起，"
    "有了结果同样答复您；不回复也照样办理。\n{which}",
    "en": "\n\nIs it one of these? Others have told us already. Reply with the number and yours "
    "goes with it, and you get the same answer; if you do not reply, yours is handled all the same."
    "\n{which}",
}
_JOINED = {
    "zh": "好的，和“{title}”放在一起了，有了结果同样答复您。\n已经知道的：{known}\n看进展：{url}",
    "en": "Done: yours goes with “{title}”, and you get the same answer.\nWhat is known: {known}\n"
    "Follow it: {url}",
}
_OVER = {
    "zh": "这件事刚刚办结了。您说的我们单独办理。\n看进展：{url}",
    "en": "That matter has just been closed. Yours is handled by itself.\nFollow it: {url}",
}
_URGED = {
    "zh": "已经替您催了，转告了办理的人：“{which}”。\n看进展：{url}",
    "en": "We have passed on that you are waiting: “{which}”.\nFollow it: {url}",
}
_TAKE_BACK = {
    "zh": "要撤回“{which}”吗？撤回以后就不再办理了。确定的话，十分钟内回复“确认撤回”；"
    "不想撤回，不用理会。",
    "en": "Do you want to take “{which}” back? Then nobody works on it any more. If so, reply "
    "“confirm” within ten minutes; if not, do nothing.",
}
_TAKEN_BACK = {
    "zh": "已经撤回“{which}”，不再办理。有别的事，直接在这里说。\n经过都在这里：{url}",
    "en": "“{which}” is taken back, and nobody works on it any more. For anything else, just tell "
    "us here.\nWhat happened: {url}",
}
_LOOKING = {
    "zh": "“{which}”到了哪一步，马上发到这里。随时也可以自己看：{url}",
    "en": "How far “{which}” is, we tell you here in a moment. You can always look yourself: {url}",
}
_NOT_DONE = {
    "zh": "关于“{which}”：{why}\n现在可以做什么，写在这里：{url}",
    "en": "About “{which}”: {why}\nWhat you can do now: {url}",
}
_NO_CASE = {
    "zh": "这里没有找到您最近说过的事，刚才这句没有记成反馈。要查、要催、要撤回以前说过的，"
    "请打开收到时给您的链接，或在这里输入查询码：{home}/track/\n要说新的事，直接在这里打字就行。",
    "en": "We find nothing here that you told us lately, and have not taken this as a comment. For "
    "what you told us before, open the link you were given, or enter its code here: {home}/track/\n"
    "For something new, just type it here.",
}
_NOTHING_YET = {
    "zh": "您好！请直接在这里说是什么事、在哪里，每一条都有人读。刚才这句还没有说到什么事，"
    "没有记成反馈。\n要查以前说过的，回复“查进展”。",
    "en": "Hello! Please tell us here what it is about, and where; a person reads every message. "
    "What you sent says nothing of that yet, and is not taken as a comment.\nFor what you told us "
    "before, reply “status”.",
}
_HELP = {
    "zh": "直接在这里说是什么事、在哪里就行，每一条都有人读。说过以后，还可以回复：\n"
    "“查进展”：到了哪一步，谁在办，什么时候答复\n“催一催”：转告办理的人您在等\n“撤回”：不再办理\n"
    "“新”：接下来说的是另一件事\n在网页上说，或凭查询码看：{home}",
    "en": "Just tell us here what it is about, and where; a person reads every message. After that "
    "you can also reply:\n“status”: how far it is, who has it, by when you hear\n“urge”: we pass "
    "on that you are waiting\n“withdraw”: nobody works on it any more\n“new”: what you say next is "
    "about something else\nOn the web, also by code: {home}",
}
_TITLE, _KNOWN = 40, 300
"""Characters in a chat, of a title and of an explanation: the platform takes 2,048 bytes."""
_SOMETHING = {"zh": "请写点什么。", "en": "Please write something."}
_PROMISE = {
    "zh": "每一条都有人读。我们会在{within}回应您。",
    "en": "Every message is read by a person. You will hear from us {within}.",
}
_NO_FIGURE = {
    "zh": "每一条都有人读。什么时候前回应，寄出后马上告诉您。",
    "en": "Every message is read by a person. By when you hear from us is said once it is sent.",
}


def page_words(directory: Directory, locale: str) -> Mapping[str, Any]:
    """What the pages say of the promises in force, no figure until they are told; and which groups
    of readers they ask for."""

    def within(clock: str) -> str:
        told = directory.promises
        return within_words(told.time_of(clock), locale) if told else ""

    def general_promise() -> str:
        said = within(Clock.FIRST_RESPONSE)
        if not said:
            return _NO_FIGURE[locale]
        return _PROMISE[locale].format(within=f" {said}" if said[0].isdigit() else said)

    return {"within": within, "general_promise": general_promise, "groups_asked": GROUPS}


def received(locale: str, code: str, url: str) -> str:
    """The comment is here, and how to follow it."""
    return _RECEIVED[locale].format(code=code, url=url)


def answered(locale: str, url: str) -> str:
    """The message answered a question of ours, and stands in that case."""
    return _ANSWERED[locale].format(url=url)


def waiting(locale: str, which: str, question: str | None, url: str) -> str:
    """The message answers nothing that was asked; `which` is how its reporter knows the comment,
    where the question is not to be repeated."""
    if question:
        asked = _ASKED[locale].format(question=clipped(question, _KNOWN))
    else:
        asked = _ASKED_ABOUT[locale].format(which=which)
    return _WAITING[locale].format(asked=asked, url=url)


def added(locale: str, which: str, url: str) -> str:
    """The message went on about a case, and stands in it; `which` is how its reporter knows it."""
    return _ADDED[locale].format(which=which, url=url)


def ended(locale: str, which: str, url: str, *, thanks: bool) -> str:
    """A remark about a case that takes no more words: to thanks a kind word, to anything else
    where it can be reopened."""
    return thanked(locale) if thanks else _ENDED[locale].format(which=which, url=url)


def thanked(locale: str) -> str:
    """A kind word to thanks."""
    return _THANKED[locale]


def anew(locale: str) -> str:
    """What they send next belongs to nothing that was said before."""
    return _ANEW[locale]


def offered(locale: str, titles: Sequence[str]) -> str:
    """After the receipt: what others have told us, each with the number to reply with."""
    which = "\n".join(f"{n} {clipped(title)}" for n, title in enumerate(titles, 1))
    return _OFFERED[locale].format(which=which)


def joined(locale: str, title: str, known: str, url: str) -> str:
    """It goes with what many have; `known` is what the library has said of it last."""
    words = clipped(known, _KNOWN)
    return _JOINED[locale].format(title=clipped(title), known=words, url=url)


def over(locale: str, url: str) -> str:
    """What they wanted to join was closed in between."""
    return _OVER[locale].format(url=url)


def urged(locale: str, which: str, url: str) -> str:
    """It is passed on that they wait."""
    return _URGED[locale].format(which=which, url=url)


def take_back(locale: str, which: str) -> str:
    """Whether they really want to."""
    return _TAKE_BACK[locale].format(which=which)


def taken_back(locale: str, which: str, url: str) -> str:
    """It is over."""
    return _TAKEN_BACK[locale].format(which=which, url=url)


def looking(locale: str, which: str, url: str) -> str:
    """How far it is comes in a message of its own."""
    return _LOOKING[locale].format(which=which, url=url)


def not_done(locale: str, which: str, why: str, url: str) -> str:
    """Why what they asked for is not possible now, and where it stands what is."""
    return _NOT_DONE[locale].format(which=which, why=why, url=url)


def no_case(locale: str, home: str) -> str:
    """To a wish about nothing that we know of."""
    return _NO_CASE[locale].format(home=home)


def nothing_yet(locale: str) -> str:
    """To a greeting, or a sign alone."""
    return _NOTHING_YET[locale]


def help_with(locale: str, home: str) -> str:
    """What can be said here."""
    return _HELP[locale].format(home=home)


def clipped(words: str, most: int = _TITLE) -> str:
    """Words on one line of a chat."""
    line = " ".join(words.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def welcome(locale: str, url: str) -> str:
    """To somebody who just followed the account."""
    return _WELCOME[locale].format(url=url)


def in_words(locale: str, url: str) -> str:
    """A film, a voice that could not be recognised."""
    return _IN_WORDS[locale].format(url=url)


def picture(locale: str, url: str) -> str:
    """A picture, which goes on the web only."""
    return _PICTURE[locale].format(url=url)


def something(locale: str) -> str:
    """Only blanks."""
    return _SOMETHING[locale]
