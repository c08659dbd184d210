"""A name by which people introduce themselves, though they gave none as their contact.

What is looked for is a beginning (姓名：, 我叫, My name is) and right behind it what can be a name:
a common surname with one or two characters, a name with a middle dot, words with a capital. Not
recognised: a name in small letters or of a rare surname, a nickname, and anybody who is merely
spoken of (联系人：张三 is how staff name a colleague). 我是, 本人 and I am are in `presented`.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from shared.privacy.names import NAME, ordinary_words

# Surnames that are everyday words where they stand after 我叫 are left out (那, 全, 时, 车, 师).
_SINGLE = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任"
    "沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫"
    "孔向汤康易乔赖文施洪季庄柯岳温祝牛樊葛邢安齐伍庞颜倪聂章鲁殷翁申耿焦詹欧翟芦路纪关凌涂辛左苗俞尚管"
    "舒柳骆宁梅甘闵卜童柴麦裴阮鲍卓房娄饶屈符蓝游盛耶谷祁兰喻靳毕项褚瞿缪冉危霍池冼苑沙祖仇甄隋虞岑"
    "窦穆鄢晏蒲臧佟景席边仲卫艾桂匡鞠蔺栾廉荆冀滕桑储敖邬邝幸阎常成单曲简费樂乐尧古司柏闻占练靖封井阳"
    "張劉陳楊黃趙吳孫馬羅鄭謝許韓馮鄧蕭葉蘇盧蔣賈鍾鐘譚陸鄒龍賀顧龔萬錢嚴湯賴莊溫齊龐顏聶魯關塗紀閻喬韋"
)
_DOUBLE = (
    "欧阳|歐陽|司马|司馬|上官|诸葛|諸葛|夏侯|皇甫|尉迟|东方|東方|慕容|令狐|司徒|司空|端木|南宫|宇文|长孙"
    "|公孙|轩辕|独孤|呼延|澹台|淳于|申屠|钟离|濮阳|拓跋|赫连|完颜|纳兰|太史"
)
_HAN = r"[\u3400-\u9fff]"
_GIVEN = r"(?![的了着过是我你您他她它们这那哪不没叫吗呢吧啊呀么什说让姓])[\u3400-\u9fff]"
_TITLE = "同学|老师|先生|女士|小姐|教授|博士|师傅|学[长姐弟妹]|阿姨|叔叔|大爷|主任|[馆处院]长|经理"
_GOES_ON = "是|来自|今年|现在|目前|学号|工号|电话|手机|微信|邮箱|联系|同学"
CHINESE_NAME = (
    rf"(?:{_HAN}{{1,6}}(?:[·•]{_HAN}{{1,8}}){{1,2}}"
    rf"|(?:{_DOUBLE})(?:{_GIVEN}){{1,2}}|[{_SINGLE}](?!{_TITLE})(?:{_GIVEN}){{1,2}})"
)
CHINESE_END = rf"(?!〔姓名)(?=$|[^\u3400-\u9fffA-Za-z]|{_GOES_ON})"
_WORD = r"[A-ZÀ-ÖØ-Þ][A-Za-zÀ-ÖØ-öø-ÿ'’\-]{1,30}"
_ENGLISH = (
    rf"(?!(?:Not|On|In|Is|The|Still|Missing|Wrong|Misspel|Spel|None|Anonymous|Unknown)){_WORD}"
    rf"(?:[ ](?:(?:van|von|de|der|den|la|bin|al)[ ]){{0,2}}{_WORD}|[ ][A-Z]\.){{0,3}}"
)
_QUOTE = r"[“\"「『]?"
_INTRODUCED = re.compile(
    r"(?P<sure>(?:姓[ \t\u3000]{0,4}名|名字|署名|落款)[ \t\u3000]{0,3}[:：]|我名叫"
    r"|(?:^|(?<=[\n,，。.;；(（]))[ \t\u3000]{0,3}(?i:(?:full |my )?name[ \t]?[:：]))"
    r"|我叫|姓[ \t\u3000]{0,4}名[】\]]?[是为叫]?|我的?名字[是叫为]"
    r"|(?i:\bmy (?:full |real )?name(?: is|['’]s))",
)
_NAME = re.compile(rf"[ \t\u3000]{{0,3}}{_QUOTE}(?P<name>{CHINESE_NAME}{CHINESE_END}|{_ENGLISH})")
_NOBODY = frozenset(
    re.split(" ", "管理员 安保 安检 安全员 路人 白班 何人 何名 何事 左边 关门 关灯 黄牛 江湖")
)
"""Who is called, and is no name."""
_DOING = "来去到等帮看问走做"


def mask_introduced(text: str, given: Collection[str] = ()) -> str:
    """`text` with the names masked by which people introduce themselves.

    One of the `given` names, where it is longer than what is seen of it, is left to `mask_name`.
    """
    if not any(word in text for word in ("名", "我叫", "落款", "ame", "AME")):
        return text
    parts: list[str] = []
    done = 0
    for beginning in _INTRODUCED.finditer(text):
        found = _NAME.match(text, beginning.end())
        if found is None or (beginning["sure"] is None and is_word(found["name"])):
            continue
        start, end = found.span("name")
        if is_given(text, start, end, given):
            continue
        parts += [text[done:start], NAME]
        done = end
    return "".join(parts) + text[done:]


def is_given(text: str, start: int, end: int, given: Collection[str]) -> bool:
    """Whether one of the `given` names begins there and is longer."""
    return any(
        len(name) > end - start and text[start : start + len(name)].casefold() == name.casefold()
        for name in given
    )


def is_word(name: str) -> bool:
    """我叫安保, 我叫马上来: a word, or one with what somebody should do."""
    words = ordinary_words() | _NOBODY
    return name in words or (name[-1] in _DOING and name[:-1] in words)
