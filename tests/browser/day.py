"""A day at a library, so that pages are looked at with something on them."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.browser.people import People

SOCKETS = "四层阅览室靠窗那排插座今天都没电，只好抱着电脑坐在走廊里写论文。能请人看看吗？"
BOOK = "想借《敦煌变文校注》的新版，馆里检索不到。可以采购一本吗？"
LAPTOP = "借书机旁边的电脑开机要十分钟，而且登录以后网页打不开，排队的人都走了。"
NOTE = "四号机，和昨天服务台记下的是同一台。硬盘快满了。"
DISK = "换硬盘要等这个月的采购，四台一起换。"
WHICH = "谢谢您告诉我们。是靠门的那台，还是靠窗的那台？登录用的是校园卡账号吗？"
THIS = "靠窗的那台，用的是校园卡账号。"
UNCLEAR = "The e-book of our course reader opens as a blank page since this morning."
LAMP = "六层自习区 118 座的台灯一闪一闪，看书看得眼睛疼。"
THANKS = "昨天闭馆前那首轻音乐很温柔，谢谢放音乐的老师，一天的累都没有了。"

_OPEN: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "二层自助还书机把书吐出来三次，屏幕一直停在“请稍候”，后面排了七八个人。",
        {"place": "二层还书处"},
    ),
    ("研讨间 305 约的是下午两点，进去以后里面的同学说他们约了一整天。", {"place": "研讨间 305"}),
    ("一层女洗手间的水龙头关不紧，地上已经有一片水了。", {"place": "一层西侧"}),
    ("打印机扣了我两次钱，只出来一份，屏幕上说请联系管理员。", {"place": "B1 打印区"}),
    ("A reading lamp at seat 118 flickers all evening.", {"locale": "en", "place": "Seat 118"}),
    ("新生讲座能不能录下来放到网上？那个时间我们有实验课。", {}),
)
_IN_HAND: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("在家连校外访问，登录成功以后又跳回登录页，来来回回好几次。", "it", {}),
    ("书架上《量子力学》卷一的位置放的是卷二，找了三排都没找到卷一。", "catalogue", {}),
)
_ANSWERED: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
    (
        "寒假开放时间什么时候公布？要买回家的车票了。",
        "office",
        "您好，寒假开放时间已经定下来，今天下午会在主页公布：一月十八日起每天九点到十七点。祝您一路平安。",
        "solved",
        {"stars": 5, "solved": "yes"},
    ),
    (
        "三层自习区空调对着人吹，坐一会儿就头疼。",
        "facilities",
        "谢谢您告诉我们。师傅已经把三层东侧的出风口调高，温度也回调了两度。如果还觉得冷，请直接找台口老师。",
        "solved",
        {"stars": 4, "solved": "partly", "comment": "好多了，谢谢。"},
    ),
)


async def spend(people: People) -> None:
    """What came in on one day, some of it answered."""
    for text, more in _OPEN:
        await people.say(text, **more)
    await asyncio.gather(*(_in_hand(people, *one) for one in _IN_HAND))
    await asyncio.gather(*(_answered(people, *one) for one in _ANSWERED))
    said = await people.say(THANKS)
    await people.sorted(said["feedback_id"])


async def _in_hand(people: People, text: str, department: str, more: dict[str, Any]) -> None:
    said = await people.say(text, **more)
    await people.in_hand(said["feedback_id"], department)


async def _answered(
    people: People, text: str, department: str, reply: str, outcome: str, rating: dict[str, Any]
) -> None:
    said = await people.say(text)
    await people.answered(said["feedback_id"], department, reply, outcome)
    await people.later(said["tracking_code"], "rate", **rating)
