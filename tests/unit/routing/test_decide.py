"""The decision itself: where, how urgent, how sure, and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.desk.seeds import CATEGORIES
from services.routing.domain import Decision, RuleSet, Submission, check_rules, decide
from services.routing.seeds import load_rules
from shared.contracts.vocabulary import CaseType, Priority

SHIPPED = RuleSet(load_rules())


def on(text: str, **known: object) -> Decision:
    return decide(SHIPPED, Submission.model_validate({"text": text, **known}))


@pytest.mark.parametrize(
    ("text", "department"),
    [
        ("男厕第二个水龙头关不上，水漫到走廊了，快来人！！", "facilities"),
        ("有人晕倒了", "security"),
        ("东侧消防门被一摞椅子堵住，已经三天。", "security"),
        ("配电箱冒烟", "security"),
        ("饮水机漏电，碰一下手发麻", "facilities"),
        ("你们的数据泄露了，网上能查到学生的手机号", "it"),
        ("整个系统瘫痪了", "it"),
        ("电梯里困了三个人", "security"),
        ("没有人管，有人晕倒了", "security"),
        ("听完消防讲座出来，发现消防通道堆满箱子", "security"),
        ("Ｓｍｏｋｅ coming out of the printer", "security"),
        ("水 漫 到 走 廊", "facilities"),
    ],
)
def test_an_emergency_goes_out_at_once_at_p1(text: str, department: str) -> None:
    decision = on(text)
    assert (decision.priority, decision.emergency, decision.confident) == (Priority.P1, True, True)
    assert decision.department == department
    assert decision.candidates[0].department == department
    assert decision.reasons


@pytest.mark.parametrize(
    "text",
    [
        "开学第一天水漫金山般的人流",
        "排队排到我差点晕倒哈哈",
        "没有人晕倒，只是太挤了",
        "消防讲座的海报挡住了展板",
        "万一着火了从哪里跑？",
        "气得我七窍冒烟",
        "去年夏天漏过一次电，早就修好了",
        "想借《着火的世界》",
        "请不要泄露我的学号",
        "水龙头有点漏水",
        "思想的火花四射，讲座太好了",
    ],
)
def test_a_word_of_alarm_in_the_wrong_place_is_no_emergency(text: str) -> None:
    decision = on(text)
    assert not decision.emergency
    assert decision.priority is not Priority.P1


def test_an_emergency_beats_thanks_confidentiality_and_the_chosen_category() -> None:
    decision = on("谢谢馆员，有人晕倒了！", category="praise", confidential=True)
    assert (decision.department, decision.priority) == ("security", Priority.P1)


def test_two_emergencies_go_to_one_department_and_name_the_other() -> None:
    decision = on("水管爆了，有同学触电晕倒了")
    assert decision.department == "security"
    assert "facilities" in [c.department for c in decision.candidates]


def test_staff_conduct_goes_to_user_relations_at_p2() -> None:
    decision = on("流通台的阿姨把书甩给我，还骂我，书也没续借上")
    assert (decision.department, decision.category) == ("relations", "conduct")
    assert (decision.priority, decision.confident) == (Priority.P2, True)


def test_what_is_confidential_goes_to_user_relations_and_keeps_its_topic() -> None:
    decision = on("三楼空调坏了", confidential=True)
    assert (decision.department, decision.confident) == ("relations", True)
    assert decision.category == "facilities"
    assert [c.department for c in decision.candidates][:2] == ["relations", "facilities"]


def test_what_is_not_ours_is_left_to_a_person_with_the_reason() -> None:
    decision = on("宿舍 WiFi 慢。")
    assert (decision.category, decision.confident) == ("not_ours", False)
    assert any("不是图书馆" in r.text and r.text_en for r in decision.reasons)


def test_dormitory_words_beside_the_library_are_ours() -> None:
    assert on("图书馆的WiFi比宿舍还慢，老掉线").category == "systems"
    assert on("在宿舍用不了VPN，知网打不开").department == "it"


def test_two_topics_of_equal_weight_are_left_to_a_person() -> None:
    decision = on("空调不冷，打印机卡纸")
    assert not decision.confident
    assert {c.department for c in decision.candidates[:2]} == {"facilities", "space"}
    assert any("两件事" in r.text for r in decision.reasons)


@pytest.mark.parametrize("text", ["嗯", "…", "asdf", "123", "🙂"])
def test_what_no_rule_knows_is_left_with_three_candidates_and_no_category(text: str) -> None:
    decision = on(text)
    assert (decision.confident, decision.confidence, decision.category) == (False, 0.0, None)
    assert len({c.department for c in decision.candidates}) == 3
    assert decision.reasons


def test_the_chosen_category_helps_but_does_not_decide() -> None:
    assert not on("帮我看看这个", category="events").confident
    assert on("帮我看看这个", category="events").department == "events"
    helped = on("那个座一直空着", category="seats")
    assert helped.confident
    assert helped.confidence > on("那个座一直空着").confidence
    contradicted = on("校外访问VPN登录失败，统一认证打不开", category="events")
    assert (contradicted.department, contradicted.confident) == ("it", True)
    assert on("嗯", category="bogus").category is None


def test_a_chosen_category_that_no_rule_names_belongs_to_the_department_it_was_listed_with() -> (
    None
):
    listed = {"makerspace": ("创客空间", "Makerspace", "archives")}
    said = Submission(text="帮我看看这个", category="makerspace")
    decision = decide(SHIPPED, said, listed)
    assert (decision.department, decision.category) == ("archives", "makerspace")
    # A clerk may have: nobody says that it was the reporter.
    assert decision.reasons[0].text == "填写的人选择了类别“创客空间”"
    assert decision.reasons[0].text_en == "Whoever wrote it down chose the category “Makerspace”"
    assert decide(SHIPPED, said, {"makerspace": ("创客空间", "Makerspace")}).category is None

    book = check_rules({"owners": {"makerspace": "space"}, "rules": []})
    assert decide(RuleSet(book), said, listed).department == "space"


def test_place_and_channel_are_hints() -> None:
    assert on("一直没人管", place="三层东区").candidates[0].department == "space"
    book = check_rules(
        {
            "rules": [
                {
                    "id": "mail",
                    "channels": ["email"],
                    "category": "ill",
                    "weight": 0.7,
                    "note": "邮件",
                    "note_en": "Mail",
                }
            ]
        }
    )
    rules = RuleSet(book)
    assert decide(rules, Submission(text="x", channel="email")).department == "ill"
    assert decide(rules, Submission(text="x", channel="web")).category is None


@pytest.mark.parametrize(
    ("text", "kind", "priority"),
    [
        ("请问国庆放假图书馆开几天？", CaseType.INQUIRY, Priority.P3),
        ("感谢四楼的王老师，太暖心了", CaseType.PRAISE, Priority.P4),
        ("建议考试周通宵开放", CaseType.SUGGESTION, Priority.P4),
        ("荐购《三体》", CaseType.REQUEST, Priority.P4),
        ("二层空调坏了，没人管", CaseType.COMPLAINT, Priority.P3),
        ("期末周抢不到座，全被占了！", CaseType.COMPLAINT, Priority.P2),
        ("全馆的打印机都坏了", CaseType.COMPLAINT, Priority.P2),
    ],
)
def test_type_and_priority_follow_the_table(text: str, kind: CaseType, priority: Priority) -> None:
    decision = on(text)
    assert (decision.type, decision.priority) == (kind, priority)


def test_irony_is_not_counted_as_praise() -> None:
    assert on("真厉害，催还短信半夜发三遍").category != "praise"
    assert on("服务态度可真好，保安翻了三个白眼，我得谢谢他").department == "relations"
    assert on("服务态度可真好，保安翻了三个白眼，我得谢谢他").category == "conduct"


def test_reasons_never_repeat_what_identifies_the_reporter() -> None:
    decision = on("统一认证登录失败，学号 2100012345，电话 13800001234，a@b.cn")
    said = decision.model_dump_json()
    assert "2100012345" not in said
    assert "13800001234" not in said
    assert "a@b.cn" not in said
    assert any("统一认证" in r.text for r in decision.reasons)


@given(
    st.text(max_size=300),
    st.sampled_from([None, *CATEGORIES, "bogus"]),
    st.text(max_size=30),
    st.booleans(),
)
def test_any_text_gets_a_whole_decision(
    text: str, category: str | None, place: str, confidential: bool
) -> None:
    decision = on(text, category=category, place=place, confidential=confidential)
    assert 0 <= decision.confidence <= 1
    assert len({c.department for c in decision.candidates}) == 3
    assert decision.candidates[0].department == decision.department
    assert all(r.text and r.text_en for r in decision.reasons)
    assert decision.reasons
    assert decision == on(text, category=category, place=place, confidential=confidential)


@pytest.mark.parametrize(
    "unit", ["占座", "漏水，", "没有", "《", "a ", "ﷺ", "消防门", "冒", "!", "\u0300\u0315"]
)
def test_fifty_thousand_hostile_characters_come_to_an_end(unit: str) -> None:
    text = (unit * 50_000)[:49_000]
    assert on(text).candidates
    assert on("有人晕倒了。" + text).emergency


def test_the_title_is_read_too() -> None:
    assert on("如题", title="打印机卡纸").department == "space"


@pytest.mark.parametrize(
    ("text", "emergency"),
    [
        ("同一地点的空调又坏了，报修三次没人来", False),
        ("每一地段的空调温度都不一样", False),
        ("空调下面有人大声喧哗", False),
        ("读者涌入，空调不够冷", False),
        ("地铁站满地铁的人，图书馆空调坏了", False),
        ("同一地方水管又爆了，水哗哗地流", True),
        ("饮水机漏了一地", True),
        ("空调漏水，水淌满地了", True),
    ],
)
def test_a_burst_pipe_is_not_heard_inside_other_words(
    shipped: RuleSet, text: str, emergency: bool
) -> None:
    assert decide(shipped, Submission(text=text)).emergency is emergency


@pytest.mark.parametrize(
    "text",
    [
        "请问AED在哪里",
        "馆里的急救AED电池是不是该换了",
        "听说去年有同学在馆里晕倒，你们后来配 AED 了吗？放在哪里",
        "楼下着火锅店味道太大",
        "玩失火密室逃脱的社团想借场地",
    ],
)
def test_a_word_of_danger_in_passing_raises_no_p1(shipped: RuleSet, text: str) -> None:
    assert not decide(shipped, Submission(text=text)).emergency


@pytest.mark.parametrize(
    "text",
    [
        "快，AED在哪",
        "需要AED，二楼",
        "有人倒了快拿AED",
        "Bring the AED to the second floor",
        "火锅店着火了",
        "密室逃脱那边失火了快来人",
        "二楼失火",
    ],
)
def test_the_same_words_in_earnest_are_an_emergency(shipped: RuleSet, text: str) -> None:
    assert decide(shipped, Submission(text=text)).emergency


@pytest.mark.parametrize(
    ("text", "emergency"),
    [
        ("Seats in the second floor reading room have no power outlets", False),
        ("There are no power sockets near the windows", False),
        ("There are no power strips at the long tables", False),
        ("No power outlet works on the second floor", False),
        ("There is no power at the outlets by the window", False),
        ("The socket at seat 23 has no power", False),
        ("There's no power bank rental any more", False),
        ("My laptop has no power and I can't find a seat", False),
        ("My phone lost power in the middle of booking", False),
        ("The staff have no power to waive fines", False),
        ("The blackout curtains on the third floor are torn", False),
        ("No power in the whole building", True),
        ("There is no power on the third floor", True),
        ("The library has no power to the third floor", True),
        ("We lost power on the whole floor", True),
        ("No power anywhere, even the sockets are dead", True),
        ("No power in the library, my laptop is dying", True),
        ("No power outlets near the window. The building has no power now", True),
        ("Blackout in the library", True),
    ],
)
def test_a_seat_without_a_socket_is_no_outage(shipped: RuleSet, text: str, emergency: bool) -> None:
    decision = decide(shipped, Submission(text=text))
    assert decision.emergency is emergency
    assert (decision.priority == "P1") is emergency


@pytest.mark.parametrize(
    "text",
    [
        # Of all of something, and not that it is down.
        "None of the machines accept coins",
        "All gates should have a sign",
        "应急灯有一盏不亮",
        "Everything is down to you",
        "Do you have a plan for a power outage?",
        # Things that are attacked, flooded, leaked, faint.
        "My account was attacked",
        "The gate attacked my suitcase",
        "The website was flooded with bots",
        "My pen leaked all over a library book, what do I pay?",
        "There is a faint smell of coffee on the third floor",
        "The heating killed my plant",
        "I'm dying for a coffee machine",
        "The printer is on fire today, prints so fast",
        "your prices are giving me a heart attack",
        "That overdue fee hit me like a truck",
        # Wishes, policy, and what is long past.
        "I wish we had more fire drills",
        "Could we have a defibrillator on every floor?",
        "What is your policy if a reader is injured in the building?",
        "Two years ago somebody collapsed here and was saved",
        "Thank you for helping when the student fainted yesterday",
        # Books and papers.
        "My thesis is on suicide notes in newspapers",
        "想借林觉民写了遗书之后的研究",
        "I need statistics on knife crime in Glasgow",
        "bomb calorimeter manual, any copy?",
        "My desk is on the ground floor, my friend says",
        "梦见图书馆着火了",
        "三楼灭火系统说明书在哪",
        "校园网防火墙是不是把知网拦了,一直打不开",
        "我带的打火机被收了",
    ],
)
def test_words_of_danger_about_other_things_raise_no_p1(shipped: RuleSet, text: str) -> None:
    assert not decide(shipped, Submission(text=text)).emergency


@pytest.mark.parametrize(
    "text",
    [
        "None of the gates open",
        "All the kiosks are down",
        "所有自助机都坏了",
        "Someone attacked my friend at the gate",
        "There is a flood in the basement",
        "Student phone numbers were leaked",
        "My friend fainted on the third floor",
        "The printer is on fire",
        "A man has a heart attack",
        "A reader is injured and bleeding",
        "someone wrote that he is going to shoot up the library at noon",
        "有人拿着打火机说要烧书",
        "a man poured petrol on the carpet and is holding a lighter",
        "My wife's water broke in the reading room",
        "有人在做心肺复苏",
        "有人说中午要来馆里开枪，截图我有",
        "A note in the toilet says a device will go off at three",
        "My brother sent a farewell voice note from your terrace",
        "My neighbour at the desk is blue around the mouth",
        "The bin by the lockers is alight",
        "我同学写了遗书，现在电话关机",
        "This is not a drill: fire on 2F",
        "我要炸了图书馆",
    ],
)
def test_of_people_and_in_earnest_they_do(shipped: RuleSet, text: str) -> None:
    decision = decide(shipped, Submission(text=text))
    assert (decision.priority, decision.confident) == (Priority.P1, True)
