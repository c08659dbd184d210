"""Words that say nothing yet: a greeting, "is anybody there", a test, a sign, a number."""

from __future__ import annotations

import re

from shared.nfkc import nfkc

LONGEST = 60
"""Characters: nobody greets at greater length."""
_FEWEST = 3
"""Letters that a Latin word has to have for saying anything by itself."""
_CHINESE = """
你好 您好 你们好 您们好 大家好 各位好 老师好 老师们好 同学好 馆员好 图书馆好
早上好 上午好 中午好 下午好 晚上好 早安 午安 晚安 早 哈喽 哈啰 哈罗 嗨 嘿 喂
老师 老师们 同学 图书馆 馆员 客服 小编 亲 亲爱的 尊敬的 各位 大家 你 您 你们 您们
请问 请问一下 打扰 打扰了 打扰一下 麻烦 麻烦一下 不好意思 劳驾
在 在吗 在么 在嘛 在不在 在线 在线吗 有人 有人吗 有人么 有人嘛 有人在吗 有没有人
人工 人工客服 人工服务 转人工 测试 测试一下 测一下 试试 试一试 试一下
我想问 我想问问 我想问一下 想问 想问问 想问一下 咨询 咨询一下 我要咨询 我想咨询
投诉 我要投诉 我想投诉 反馈 我要反馈 我想反馈 反映 我要反映 我想反映 建议 意见 提意见
问题 个问题 有问题 有个问题 有一个问题 事 事情 有事 有事情 有点事 有件事 一件事 情况
快点 快一点 快些 快 赶紧 赶快 急 很急 着急 急事 没人回 没人理 没人理我 没有人回 怎么没人回
回复一下 回一下 可以 可不可以 能 能不能 这里 这儿 在这里 在这儿 反映问题 说说 说一下 说
今天 昨天 刚才 刚刚 一下 一个 个 我 想 要 有 是 这 那 了 的
啊 呀 哦 喔 噢 嗯 恩 额 呃 诶 欸 唉 哎 哈 呵 嘻 吗 嘛 么 呢 吧 啦 呐 哟
"""
_ENGLISH = """
hello hallo helo hey heya hiya good morning afternoon evening night day dear sir sirs madam miss
librarian librarians library team all everyone everybody anyone anybody someone somebody
there here are you is test testing tests excuse sorry please the and this just one some something
have question questions ask want would like can could may i'm i'd i've
feedback complaint complain comment
"""
_SAY_NOTHING = frozenset(_ENGLISH.split())
# The longest first: of 老师们好 nothing is left.
_TAKEN_AWAY = re.compile("|".join(sorted(_CHINESE.split(), key=len, reverse=True)))
_WORDS = re.compile(r"[a-z']+|[^\W\d_a-z]+")
_MASKED = re.compile("〔[^〔〕]*〕")


def says_nothing(*texts: str) -> bool:
    """True where no word is left that tells what it is about, once greetings and particles, signs,
    digits and what was masked are taken away."""
    said = nfkc(_MASKED.sub(" ", "\n".join(texts))).casefold()
    if len(said) > LONGEST:
        return False
    return not any(_tells(word) for word in _WORDS.findall(said.replace("’", "'")))


def _tells(word: str) -> bool:
    if word[0].isascii():
        return len(word) >= _FEWEST and word not in _SAY_NOTHING
    return bool(_TAKEN_AWAY.sub("", word))
