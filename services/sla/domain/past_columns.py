"""Which column of a library's past is which, by the names that such columns usually have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

from shared.nfkc import nfkc


class Column(StrEnum):
    """What a column can be; the values are the options of the command."""

    ID = "id"
    RECEIVED = "received"
    RESPONDED = "responded"
    CLOSED = "closed"
    DUE = "due"
    DEPARTMENT = "department"
    PRIORITY = "priority"


DATES = (Column.RECEIVED, Column.RESPONDED, Column.CLOSED, Column.DUE)

# The likeliest first; compared without case, blanks and signs.
_NAMES = {
    Column.ID: """
        case_enquiry_id case_id caseid feedback_id request_id service_request_id unique_key
        ticket_id ticket_number ticket id case_number case_no number no 工单编号 工单号
        受理编号 信件编号 来信编号 案件编号 事项编号 办件编号 诉求编号 留言编号 编号 单号 序号
    """,
    Column.RECEIVED: """
        received_at received received_date date_received received_time open_dt opened_at
        opened open_date opened_date date_opened created_at created created_date date_created
        create_time created_time creation_date requested_datetime requested_at request_date
        submitted_at submitted submit_time submission_date date_submitted reported_at asked_at
        question_time start_date 收到时间 收到日期 受理时间 受理日期 接收时间 来信时间
        来信日期 写信时间 提交时间 提交日期 创建时间 创建日期 发布时间 留言时间 留言日期
        咨询时间 提问时间 投诉时间 反映时间 诉求时间 来电时间 登记时间 登记日期 接件时间
        发起时间 收件时间
    """,
    Column.RESPONDED: """
        first_response_at first_response first_responded_at responded_at responded
        response_time response_date replied_at replied reply_time reply_date answered_at
        answered answer_time answer_date date_answered first_reply_at 首次响应时间
        首次回复时间 首次答复时间 首次联系时间 响应时间 答复时间 答复日期 回复时间 回复日期
        回信时间 回信日期 回答时间 反馈时间 反馈日期
    """,
    Column.CLOSED: """
        closed_at closed closed_dt closed_date close_date date_closed close_time closed_time
        resolved_at resolved resolution_date resolved_date date_resolved completed_at
        completed completed_date completion_date finished_at end_date 办结时间 办结日期
        结案时间 结案日期 关闭时间 完成时间 完成日期 办理完成时间 处理完成时间 解决时间
        办毕时间 结束时间 处理时间
    """,
    Column.DUE: """
        due_at due due_date date_due sla_target_dt target_dt target_date sla_due sla_due_date
        sla_due_at due_dt deadline due_time expected_datetime expected_date promised_at
        promised_date 截止时间 截止日期 到期时间 到期日期 应办结时间 应办结日期 应结时间
        办理期限 办结期限 办理时限 要求办结时间 要求完成时间 限办时间 限办日期 承诺时间
        承诺办结时间 承诺期限 期限
    """,
    Column.DEPARTMENT: """
        department department_name dept dept_name agency agency_name responsible_agency
        responsible_department owner_department unit team division 部门 承办单位 承办部门
        办理单位 办理部门 责任部门 责任单位 处理部门 处理单位 主办单位 主办部门 受理单位
        受理部门 答复单位 答复部门 回复单位 回复部门 所属部门 归属部门 单位
    """,
    Column.PRIORITY: """
        priority priority_level urgency severity 优先级 优先级别 紧急程度 紧急级别 紧急度 缓急
        等级
    """,
}
_KNOWN = {column: tuple(names.split()) for column, names in _NAMES.items()}
_DATE_WORDS = ("时间", "日期", "期限", "time", "date", "_at", "_dt")


def candidates(header: Sequence[str], column: Column) -> list[int]:
    """Columns that may be it, the likeliest first, by name alone."""
    plain = [plainly(name) for name in header]
    found = [
        index for name in _KNOWN[column] for index, p in enumerate(plain) if p == plainly(name)
    ]
    # "受理时间（北京时间）", "Date Received (local)": the name within a longer one.
    for name in _KNOWN[column]:
        word = plainly(name)
        for index, p in enumerate(plain):
            dated = column not in DATES or any(w in header[index].lower() for w in _DATE_WORDS)
            if len(word) > 3 - 2 * (not word.isascii()) and word in p and dated:
                found.append(index)
    return list(dict.fromkeys(found))


def named(header: Sequence[str], name: str) -> int | None:
    """The column of that name, or with that number (from 1); None where there is none."""
    for known in (header, [plainly(one) for one in header]):
        wanted = name if known is header else plainly(name)
        if wanted in known:
            return list(known).index(wanted)
    if name.isdigit() and 1 <= int(name) <= len(header):
        return int(name) - 1
    return None


def first_free(found: Iterable[int], taken: Iterable[int | None]) -> int | None:
    """The likeliest column that is nothing else yet."""
    used = set(taken)
    return next((index for index in found if index not in used), None)


def plainly(name: str) -> str:
    """Without case, blanks and signs."""
    return re.sub(r"[\W_]+", "", nfkc(name).casefold())
