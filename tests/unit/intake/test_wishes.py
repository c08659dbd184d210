"""What is asked for by one word in a chat, and what says nothing yet."""

from __future__ import annotations

import pytest

from services.intake.domain.wishes import Wish, says_nothing_yet, wish_of

ASKED = {
    Wish.URGE: "催一催|催一下！|催催|麻烦帮我催一下|请帮我催一催这件事，谢谢|老师，催一下吧|Urge|"
    "please hurry up|could you speed it up?",
    Wish.WITHDRAW: "撤回|撤回。|我想撤回|撤回这条反馈|我要撤销|“撤回”|不用处理了|"
    "withdraw|Withdraw it|take it back please|I want to withdraw my comment",
    Wish.YES: "确认撤回|确认|是的|确定|yes|Confirm!",
    Wish.PROGRESS: "查询|查进展|进展|进展怎么样了|进展怎么样了？|老师好，进展如何|怎么样了|"
    "请问现在到哪一步了|有结果了吗|办得怎么样了|我的反馈怎么样了|你好，请问有消息吗？|status|"
    "What's the status?|How is it going?|any news?|How far is it",
    Wish.HELP: "帮助|help|怎么用？|菜单",
}
SAID = """座位催一催|催缴通知发错了|不要撤回|撤回的书没上架|打印进度条不动|进展厅的路不通|
查询机坏了|空调怎么样才能开|帮助台没人|请帮助我，三层有人晕倒|快点|好的|谢谢|没解决|新|5|
status page is down|withdraw the book list|help me find a book|
结果不对|已经好了|是三层|确认书在哪儿领|
where is the toilet"""
NOTHING = """你好|您好！|老师好|在吗？|人工|转人工客服|hi|Hello!|5|１２|😀|😡😡|[微笑]|[发怒]|
你好😀|？？？|1."""
SOMETHING = """有人吗|快来人|急|投诉|我要投诉|2100012345|217|13800001234|三层|测试|﷽|[图片]|新|
你好，三层空调太冷|hi there is water on the floor|🔥三层|着火了|救命"""


@pytest.mark.parametrize(
    ("wish", "words"), [(wish, one) for wish, some in ASKED.items() for one in some.split("|")]
)
def test_a_wish(wish: Wish, words: str) -> None:
    assert wish_of(words) is wish


@pytest.mark.parametrize("words", SAID.replace("\n", "").split("|"))
def test_what_says_something_is_no_wish(words: str) -> None:
    assert wish_of(words) is None


@pytest.mark.parametrize("words", NOTHING.replace("\n", "").split("|"))
def test_what_says_nothing_yet(words: str) -> None:
    assert says_nothing_yet(words)


@pytest.mark.parametrize("words", SOMETHING.replace("\n", "").split("|"))
def test_what_may_be_a_matter_or_a_cry(words: str) -> None:
    assert not says_nothing_yet(words)


@pytest.mark.parametrize("one", ["催", "请", "查", "进展", "[强]", "可以", "please "])
def test_what_repeats_itself_is_read_in_one_pass(one: str) -> None:
    words = (one * 40)[:29] + "龘"
    assert wish_of(words) is None
    assert not says_nothing_yet(words)
