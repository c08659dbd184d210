"""Emergencies that are typed in pinyin: "zhao huo le" is 着火了.

Rules know characters. Of a run of Latin letters that is pinyin throughout, what may be an
emergency is put into characters, and with it the words by which rules tell that it is none (没有,
如果, 演习); the rest stays as it is. A syllable is many characters: 晕倒 sounds like 运到, 着火
like 找货. So a word is listed with what tells it from the other, or counts where a run
holds little else.
"""

from __future__ import annotations

import re
import unicodedata

from shared.pinyin import syllables

LONGEST = 2_000
"""Characters that are looked at."""
_LONGEST_WORD = 40
_FEWEST = 5
"""Syllables."""
_RUN = re.compile(r"[a-z]+[1-5]?(?:[ '’]+[a-z]+[1-5]?)*")
_WORD = re.compile("[a-z]+")

_SAID = """
zhao huo le 着火了 | zhao huo la 着火了 | qi huo le 起火了 | shi huo le 失火了
fa sheng huo zai 着火 | mao yan le 冒烟了 | zai mao yan 在冒烟 | mao hei yan 冒黑烟
mao bai yan 冒白烟 | shao qi lai le 烧起来了 | mao huo hua 冒火花 | mei qi wei 煤气味
ran qi wei 燃气味 | mei qi xie lou 煤气泄漏 | ran qi xie lou 燃气泄漏 | mei qi lou 煤气泄漏
lou mei qi 煤气泄漏 | lou qi le 燃气泄漏 | lou dian le 漏电了 | chu dian le 触电了
bei dian le 被电了 | bao zha le 炸弹 | you zha dan 有炸弹 | shui guan bao 水管爆
fa da shui 发大水 | ren yun dao 人晕倒 | tong xue yun dao 同学晕倒 | sheng yun dao 生晕倒
lao shi yun dao 老师晕倒 | ta yun dao 他晕倒 | ren hun dao 人昏倒 | hun dao le 昏倒了
hun mi le 昏迷了 | yun guo qu 晕过去 | hun guo qu 昏过去 | shi qu yi shi 失去意识
bu xing ren shi 不省人事 | mei you hu xi 没有呼吸 | mei hu xi 没呼吸 | hu xi kun nan 呼吸困难
chuan bu shang qi 喘不上气 | chuan bu guo qi 喘不过气 | jiao bu xing 叫不醒 | zai chou chu 在抽搐
kou tu bai mo 口吐白沫 | liu xue bu zhi 流血不止 | liu le hen duo xue 流血 | liu hen duo xue 流血
xin zang bing fa 心脏病发 | shuai dao le 摔倒了 | shuai xia lou 摔下楼 | gu zhe le 骨折了
ya dao ren 压到人 | za dao ren 砸到人 | ye zhu le 噎住了 | dian ti kun ren 电梯困人
dian ti kun zhu 电梯困住 | kun zai dian ti 困在电梯 | ka zai dian ti 卡在电梯
guan zai dian ti 关在电梯 | ren bei kun 人被困 | shui man dao 水漫到
bei kun zai 被困在 | suo zai li mian 锁在里面
guan zai li mian 关在里面 | suo zai tu shu guan 锁在图书馆 | chu bu qu le 出不去了
jiu ming a 救命 | jiu ming ya 救命 | jiu jiu wo 救命 | kuai lai ren 快来人 | lai ren a 来人啊
chu ren ming 出人命 | kuai bao jing 快报警 | jiu hu che 救护车 | ren da jia 人打架
ren zai da jia 人在打架 | da qi lai le 打起来了 | na zhe dao 拿着刀 | yao sha ren 要杀
xiang zi sha 想自杀 | yao zi sha 要自杀 | yao tiao lou 要跳楼 | xiang tiao lou 想跳楼
bu xiang huo le 不想活了 | zai ge wan 割腕 | xing sao rao 性骚扰 | bei tou pai 被偷拍
zai tou pai 在偷拍 | gen zong wo 跟踪我 | quan guan ting dian 全馆停电 | xi tong tan huan 系统瘫痪
shu jia ta le 书架塌 | tong dao bei du 消防通道被堵
"""
_ALONE = """
zhao huo 着火 | shi huo 失火 | lou qi 燃气泄漏 | mei qi 煤气 | lou dian 漏电 | chu dian 触电
yun dao 晕倒 | jiu ming 救命 | bao zha 炸弹 | kun ren 被困
"""
"""In a run that holds nothing else, besides what is said with it (`_BESIDE`)."""
_BESIDE = """
le la a ya na ne ba de zhe li kuai lai ren you zai wo men dou yi er san si wu liu qi lou ceng dong
xi nan bei ce tu shu guan dian ti hao da hen xian zen me ban
"""
_GUARDS = """
mei you 没有 | mei 没 | bu shi 不是 | bu hui 不会 | ru guo 如果 | wan yi 万一 | jia ru 假如
yao shi 要是 | yan xi 演习 | yan lian 演练 | dan xin 担心 | fang zhi 防止 | cha dian 差点
jiang zuo 讲座 | pei xun 培训 | xiao shuo 小说 | dian ying 电影 | qu nian 去年 | shang zhou 上周
shang ge yue 上个月 | yi qian 以前 | qing wen 请问 | shu li 书里 | gu shi 故事
"""


def _table(lines: str) -> dict[tuple[str, ...], str]:
    """By their syllables."""
    found = {}
    for entry in lines.replace("\n", "|").split("|"):
        *said, meant = entry.split() or [""]
        if said:
            found[tuple(said)] = meant
    return found


_EMERGENCIES, _BY_ITSELF, _MORE = _table(_SAID), _table(_ALONE), _table(_GUARDS)
_WORDS = _MORE | _EMERGENCIES
_BESIDES = frozenset(_BESIDE.split())
_MOST = max(map(len, _WORDS))
_HINT = re.compile("|".join(sorted({"".join(said) for said in _EMERGENCIES | _BY_ITSELF})))


def from_pinyin(folded: str) -> str:
    """What `fold` made of a text, with what may be an emergency in characters; empty where nothing
    may be."""
    said = folded[:LONGEST]
    if not said.isascii():
        said = "".join(
            c for c in unicodedata.normalize("NFKD", said) if not unicodedata.combining(c)
        )
    if not _HINT.search(re.sub("[^a-z]", "", said)):
        return ""
    read = _RUN.sub(lambda run: _read(run[0]) or run[0], said)
    return read if read != said else ""


def is_pinyin(folded: str) -> bool:
    """Whether a text is pinyin throughout: so many syllables are no English by chance."""
    return folded.isascii() and len(_cut(folded)) >= _FEWEST


def _cut(said: str) -> list[str]:
    """The syllables of all its words; none where one is no pinyin."""
    cut: list[str] = []
    for word in _WORD.findall(said):
        parts = syllables(word) if len(word) <= _LONGEST_WORD else None
        if parts is None:
            return []
        cut += parts
    return cut


def _read(run: str) -> str:
    """The same in characters; empty where it is no pinyin, or nothing of the kind."""
    cut = _cut(run)
    words = _WORDS
    if any(tuple(cut[n : n + 2]) in _BY_ITSELF for n in range(len(cut))) and _is_all(cut):
        words = _BY_ITSELF | _WORDS
    read, meant, at = [], False, 0
    while at < len(cut):
        for length in range(min(_MOST, len(cut) - at), 0, -1):
            part = tuple(cut[at : at + length])
            if part in words:
                meant |= part not in _MORE
                read.append(words[part])
                at += length
                break
        else:
            read.append(cut[at])
            at += 1
    return " ".join(read) if meant else ""


def _is_all(cut: list[str]) -> bool:
    """Whether nothing is said but words that count alone, and what goes with them."""
    pairs = {n for n in range(len(cut)) if tuple(cut[n : n + 2]) in _BY_ITSELF}
    return all(n in pairs or n - 1 in pairs or one in _BESIDES for n, one in enumerate(cut))
