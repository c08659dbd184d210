"""The timeline in plain words, of a case that does not go the ordinary way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.contracts.vocabulary import BREACH_NAMES, CLOCK_NAMES, Clock
from shared.moments import day_and_hour

Data = Mapping[str, Any]
NameOf = Callable[[str | None], str]
Pair = tuple[str, str]
"""Chinese, English."""
Build = Callable[[Data, NameOf], Pair]

CORRECTED: dict[str, Pair] = {
    "category": ("类别", "category"),
    "case_type": ("类型", "type"),
    "priority": ("轻重缓急", "priority"),
    "title": ("标题", "title"),
    "confidential": ("是否保密", "confidentiality"),
}
BREACH_CODES: dict[str, Pair] = {code.value: pair for code, pair in BREACH_NAMES.items()}
CLOCKS: dict[str, Pair] = {clock.value: pair for clock, pair in CLOCK_NAMES.items()}
SOLVED: dict[str, Pair] = {
    "yes": ("已解决", "solved"),
    "partly": ("部分解决", "partly solved"),
    "no": ("没有解决", "not solved"),
}
AGAIN: Pair = ("（再次回访，以这一次为准）", " (asked again; this counts)")
EXPLAINED_AGAIN: Pair = ("；再次说明，以这一次为准", "; said again, this counts")
HOW: dict[str, Pair] = {
    "phone": ("电话", "by phone"),
    "wechat": ("微信", "through WeChat"),
    "mail": ("邮件", "by mail"),
    "in_person": ("当面", "in person"),
}


def said(zh: str, en: str) -> Build:
    """A sentence in which fields of the data stand in braces; `{where}` is the department."""

    def build(data: Data, name: NameOf) -> Pair:
        values = {key: str(value) for key, value in data.items() if value is not None}
        values["where"] = name(data.get("department")) if data.get("department") else ""
        in_english = dict(values)
        if data.get("until"):
            values["until"] = day_and_hour(data["until"])
            in_english["until"] = day_and_hour(data["until"], "en")
        return _fill(zh, values), _fill(en, in_english)

    return build


def _fill(sentence: str, values: Mapping[str, str]) -> str:
    """Parts in ``[]`` are left out where a value in them is missing; people's words come as they
    are, whatever braces they hold."""
    made, rest = "", sentence
    while rest:
        plain, opened, rest = rest.partition("[")
        made += _put(plain, values, missing="") or ""
        if opened:
            optional, _, rest = rest.partition("]")
            made += _put(optional, values, missing=None) or ""
    return made


def _put(part: str, values: Mapping[str, str], *, missing: str | None) -> str | None:
    made, rest = "", part
    while rest:
        plain, opened, rest = rest.partition("{")
        made += plain
        if opened:
            name, _, rest = rest.partition("}")
            value = values.get(name) or missing
            if value is None:
                return None
            made += value
    return made


def _department_removed(data: Data, name: NameOf) -> Pair:
    if data.get("reason") == "not_needed":
        return said(
            "{where}还没有回音，这件事已经有了结果，不再等他们",
            "{where} had not answered, and is no longer waited for",
        )(data, name)
    return said("{where}不再协办", "{where} no longer helps")(data, name)


def _corrected(data: Data, name: NameOf) -> Pair:
    pairs = [CORRECTED[field] for field in data.get("changed", ()) if field in CORRECTED]
    zh = "、".join(pair[0] for pair in pairs) or "登记的内容"
    en = ", ".join(pair[1] for pair in pairs) or "what was entered"
    build = said(f"更正了{zh}[：{{reason}}]", f"Corrected: {en}[ ({{reason}})]")
    return build(data, name)


def _explained(data: Data, name: NameOf) -> Pair:
    clock = str(data.get("clock") or Clock.RESOLUTION)
    zh_clock, en_clock = CLOCKS.get(clock, (clock, clock))
    zh, en = BREACH_CODES.get(str(data.get("code")), BREACH_CODES["other"])
    zh_again, en_again = EXPLAINED_AGAIN if data.get("again") else ("", "")
    build = said(
        f"说明“{zh_clock}”超期的原因（{zh}{zh_again}）[：{{text}}][，改期到 {{until}}]",
        f"Why {en_clock} came late ({en}{en_again})[: {{text}}][, now promised for {{until}}]",
    )
    return build(data, name)


def _progressed(data: Data, name: NameOf) -> Pair:
    build = said("告知用户进展[：{text}]", "Told the reporter how it goes[: {text}]")
    if data.get("amends"):
        build = said("补充了答复[：{text}]", "Added to the reply[: {text}]")
    return build(data, name)


def _followed_up(data: Data, name: NameOf) -> Pair:
    zh, en = HOW.get(str(data.get("how")), ("", ""))
    zh_solved, en_solved = SOLVED.get(str(data.get("solved")), ("", ""))
    zh_again, en_again = AGAIN if data.get("again") else ("", "")
    zh_said, en_said = zh_solved and f"：{zh_solved}", en_solved and f": {en_solved}"
    build = said(
        f"{zh}回访{zh_said}[，{{stars}} 星]{zh_again}",
        f"Asked the reporter {en}{en_said}[, {{stars}} of 5]{en_again}",
    )
    return build(data, name)


def _merged(data: Data, name: NameOf) -> Pair:
    zh, en = ("合回原来的一件", "Put back into its whole")
    if not data.get("put_back"):
        zh, en = ("并入同一件事", "Joined to another case")
    return said(f"{zh}[：{{reason}}]", f"{en}[: {{reason}}]")(data, name)


def _unmerged(data: Data, name: NameOf) -> Pair:
    zh, en = ("撤销拆分，合在一起办理", "Put together again")
    if not data.get("children"):
        zh, en = ("撤销并案，单独办理", "Parted from the other case")
    return said(f"{zh}[：{{reason}}]", f"{en}[: {{reason}}]")(data, name)


SENTENCES: dict[str, Build] = {
    "case.recalled": said(
        "用户关系办公室收回[：{reason}]", "Fetched back by the office[: {reason}]"
    ),
    "case.corrected": _corrected,
    "case.marked_as_spam": said("标为无效[：{reason}]", "Marked as invalid[: {reason}]"),
    "case.restored": said("恢复办理[：{reason}]", "Work goes on[: {reason}]"),
    "case.merged": _merged,
    "case.absorbed": said("另一件并入这一件", "Another case was joined to this one"),
    "case.answered_through": said(
        "并入的那一件已答复，也告诉了这位用户", "Answered through the case it was joined to"
    ),
    "case.unmerged": _unmerged,
    "case.words_owed": said(
        "并入的一件的用户在答复后又说了话", "A reporter joined to it spoke after the reply"
    ),
    "case.released": said("并入的一件已经分出去", "A case that had been joined was parted again"),
    "case.split": said("拆成几件分别办理", "Split into several cases"),
    "case.split_off": said("从另一件拆分而来", "Split off from another case"),
    "case.linked": said("关联了另一件", "Linked to another case"),
    "case.unlinked": said("取消了一处关联", "A link was removed"),
    "case.joined_incident": said("归入“{title}”", "Part of “{title}”"),
    "case.left_incident": said("不再归入那一事件", "No longer part of that incident"),
    "case.department_added": said(
        "请{where}协办[：{question}]", "{where} was asked to help[: {question}]"
    ),
    "case.department_removed": _department_removed,
    "case.part_finished": said("{where}完成协办[：{text}]", "{where} did its part[: {text}]"),
    "case.followed_up": _followed_up,
    "case.supervised": said("督办[：{text}]", "Supervised[: {text}]"),
    "case.progressed": _progressed,
    "case.waiting_external": said(
        "等{waiting_for}[，{until} 再看][：{reason}]",
        "Waiting for {waiting_for}[, to look again {until}][: {reason}]",
    ),
    "case.extension_asked": said(
        "申请延期到 {until}[：{reason}]", "Asked for more time, until {until}[: {reason}]"
    ),
    "case.extension_granted": said(
        "同意延期到 {until}[：{reason}]", "More time granted, until {until}[: {reason}]"
    ),
    "case.extension_refused": said("没有同意延期[：{reason}]", "No more time[: {reason}]"),
    "case.reply_submitted": said("答复送审", "A reply waits to be approved"),
    "case.reply_sent_back": said("答复退回修改", "The reply was sent back to be changed"),
    "case.breach_explained": _explained,
    "case.appealed": said("进入复核", "A leader looks again"),
    "case.appeal_upheld": said("复核成立，重新办理[：{reason}]", "Appeal upheld[: {reason}]"),
    "case.appeal_dismissed": said("复核维持原处理[：{reason}]", "Appeal dismissed[: {reason}]"),
    "case.personal_data_read": said("查看了用户的个人信息", "Looked at who the reporter is"),
    "sla.segment_ended": said("{where}的办理时段结束", "The time of {where} with it is over"),
}
"""Type without version → how its line is said, from what `domain.lines` keeps."""
