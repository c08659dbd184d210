"""A library's past replayed: a file in, marks and a summary out, no server."""

from __future__ import annotations

import csv
import json
import random
import statistics
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner, Result

from services.desk.seeds import DEPARTMENTS
from services.sla.commands import cli, past_file
from services.sla.domain import replay_summary
from services.sla.domain.policy import due_times
from services.sla.domain.replay_summary import HOURS
from services.sla.seeds import load_departments, shipped_rules
from shared.contracts.vocabulary import Clock, Priority
from shared.moments import LOCAL

NOW = "2024-06-01T00:00+08:00"


def _run(tmp_path: Path, file: Path, *arguments: str, out: str = "out.json") -> Result:
    return CliRunner().invoke(
        cli,
        ["replay", str(file), "--out", str(tmp_path / out), "--now", NOW, *arguments],
        env={"EXPRESS_DATA": str(tmp_path / "data"), "EXPRESS_LOCALE": "en"},
    )


def _replayed(tmp_path: Path, file: Path, *arguments: str) -> dict[str, Any]:
    done = _run(tmp_path, file, *arguments)
    assert done.exit_code == 0, done.stderr
    made: dict[str, Any] = json.loads((tmp_path / "out.json").read_text("utf-8"))
    return made


def _csv(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "past.csv"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def test_a_log_with_due_dates_gets_its_own_marks(tmp_path: Path) -> None:
    chance = random.Random(7)
    start = datetime.fromisoformat("2024-01-02T08:00")
    rows, marks = ["case_enquiry_id,open_dt,sla_target_dt,closed_dt,on_time,queue"], []
    for number in range(100):
        opened = start + timedelta(minutes=chance.randrange(200_000))
        due = opened + timedelta(minutes=chance.randrange(20_000))
        closed = due + timedelta(minutes=chance.choice((-90, -1, 0, 1, 600)))
        done = chance.random() < 0.8
        late = closed > due if done else due < datetime.fromisoformat("2024-06-01")
        marks.append("OVERDUE" if late else "ONTIME")
        rows.append(
            f"{101004113298 + number},{opened},{due},{closed if done else ''},{marks[-1]},q"
        )
    made = _replayed(tmp_path, _csv(tmp_path, *rows))
    told = ["OVERDUE" if "overdue" in case["mark"] else "ONTIME" for case in made["cases"]]
    assert told == marks
    assert made["cases"][0]["id"] == "101004113298"
    assert {case["due_from"] for case in made["cases"]} == {"due column"}
    assert made["summary"]["by_due_column"] == 100


def test_letters_come_out_as_a_short_script_has_them(tmp_path: Path) -> None:
    chance = random.Random(3)
    start = datetime.fromisoformat("2023-01-03T08:00")
    letters = []
    for number in range(400):
        received = start + timedelta(minutes=chance.randrange(300_000))
        answered = received + timedelta(minutes=chance.randrange(30_000))
        letters.append((number, f"部门{number % 3}", received, answered))
    rows = ["编号\t部门\t来信时间\t回复时间"]
    rows += [f"{n}\t{d}\t{r:%Y/%-m/%-d %-H:%M}\t{a:%Y年%-m月%-d日 %H:%M}" for n, d, r, a in letters]
    file = tmp_path / "来信.csv"
    file.write_bytes("\r\n".join(rows).encode("gb18030"))
    summary = _replayed(tmp_path, file)["summary"]
    for within in summary["answer"]["within"]:
        n = sum(a - r <= timedelta(hours=within["hours"]) for _, _, r, a in letters)
        assert (within["n"], within["of_all"]) == (n, n / 400)
    rules = shipped_rules()
    for name, group in summary["departments"].items():
        mine = [(r, a) for _, d, r, a in letters if d == name]
        hours = [(a - r) / timedelta(hours=1) for r, a in mine]
        assert group["answer"]["elapsed_hours"]["p50"] == round(statistics.median(hours), 2)
        late = 0
        for received, answered in mine:
            at = received.replace(tzinfo=LOCAL)
            due = due_times(rules.policy, rules.calendars, priority=Priority.P3, at=at)
            late += answered.replace(tzinfo=LOCAL) > due[Clock.RESOLUTION]
        assert (group["overdue"], group["on_time"]) == (late, len(mine) - late)


def test_departments_are_ours_by_code_or_name_and_others_are_listed(tmp_path: Path) -> None:
    chance = random.Random(11)
    ours = {"流通服务部": "circulation", "circulation": "circulation", " Security": "security"}
    names = [*ours, "宿舍管理中心", ""]
    hour, start = timedelta(hours=1), datetime.fromisoformat("2023-01-03T08:00")
    rows, log = ["部门,来信时间,回复时间,办理期限"], []
    for _ in range(300):
        name, received = chance.choice(names), start + chance.randrange(9000) * hour
        answered = received + chance.choice((3, 4, 5, 8, 9, 24, 30, 48, 72, 100, 168, 169)) * hour
        due = received + chance.choice((4, 24, 48, 100)) * hour
        log.append((ours.get(name, name), received, answered, due))
        rows.append(f"{name},{received},{answered},{due}")
    summary = _replayed(tmp_path, _csv(tmp_path, *rows))["summary"]
    assert set(summary["departments"]) == {"circulation", "security", "宿舍管理中心", ""}
    for name, group in summary["departments"].items():
        mine = [(r, a, d) for n, r, a, d in log if n == name]
        assert group["overdue"] == sum(a > d for _, a, d in mine)
        within = {w["hours"]: w["n"] for w in group["answer"]["within"]}
        assert within == {h: sum(a - r <= h * hour for r, a, _ in mine) for h in HOURS}
        assert group["cases"] == len(mine)
    assert summary["cases"] == 300
    assert summary["our_departments"] == {"Security": "security", "流通服务部": "circulation"}
    n = sum(name == "宿舍管理中心" for name, *_ in log)
    assert summary["unknown_departments"] == {"宿舍管理中心": n}
    done = _run(tmp_path, tmp_path / "past.csv")
    assert f"counted by the name that is written: 宿舍管理中心（{n}）" in done.stdout
    assert "— Circulation" in done.stdout


def test_departments_of_a_file_take_the_place_of_those_shipped(tmp_path: Path) -> None:
    (tmp_path / "ours.json").write_text('{"dorm": ["宿舍管理中心", "Dormitories"]}', "utf-8")
    file = _csv(tmp_path, "dept,received", "dormitories,2024-03-05", "it,2024-03-05")
    made = _replayed(tmp_path, file, "--departments", str(tmp_path / "ours.json"))
    assert [case["our_department"] for case in made["cases"]] == ["dorm", None]
    assert made["summary"]["unknown_departments"] == {"it": 1}


def test_the_shipped_departments_are_those_of_the_desk() -> None:
    assert load_departments() == DEPARTMENTS


def test_a_column_of_a_thousand_names_takes_no_more_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_summary, "MOST_DEPARTMENTS", 3)
    file = _csv(tmp_path, "dept,received", *[f"d{n % 5},2024-03-05" for n in range(10)])
    departments = _replayed(tmp_path, file)["summary"]["departments"]
    assert {name: group["cases"] for name, group in departments.items()} == {
        "*": 4,
        "d0": 2,
        "d1": 2,
        "d2": 2,
    }


def test_the_policy_is_counted_in_working_time(tmp_path: Path) -> None:
    # 1wd and 5wd of P3; 4 October is in the holiday, 12 October is a make-up day.
    file = _csv(
        tmp_path,
        "received,responded,closed,priority",
        "2025-09-30 10:00,2025-10-09 10:00,2025-10-14 10:01,普通",
        "2025-09-30 10:00,,,特急",
    )
    done = _run(tmp_path, file, "--now", "2025-10-01T10:00+08:00")
    assert done.exit_code == 0, done.stderr
    first, second = json.loads((tmp_path / "out.json").read_text("utf-8"))["cases"]
    assert first["first_response_due"] == "2025-10-09T10:00:00+08:00"
    assert first["first_response_mark"] == "on time"
    assert first["due"] == "2025-10-14T10:00:00+08:00"
    assert (first["mark"], first["answer_working_hours"]) == ("overdue", 7.5)
    assert (second["mark"], second["due"]) == ("open", "2025-10-01T10:00:00+08:00")
    assert "P1: 24h 24x7" in second["why"]


def test_a_day_that_is_due_lasts_until_its_end(tmp_path: Path) -> None:
    made = _replayed(
        tmp_path,
        _csv(
            tmp_path,
            "id,received,due_date,closed",
            "1,2024-03-01 09:00,2024-03-05,2024-03-05 23:59",
            "2,2024-03-01 09:00,2024-03-05,2024-03-06 00:01",
            "3,2024-03-01 09:00,2024-06-01,",
            "4,2024-03-01 09:00,2024-05-31,",
        ),
    )
    marks = [case["mark"] for case in made["cases"]]
    assert marks == ["on time", "overdue", "open", "open overdue"]


@pytest.mark.parametrize(
    ("dates", "words", "mark"),
    [
        # Another value leaves no choice.
        (["03/04/2024,03/09/2024,03/05/2024", "01/25/2024,02/01/2024,"], "month/day", "on time"),
        (["03/04/2024,09/04/2024,05/04/2024", "25/01/2024,01/02/2024,"], "day/month", "on time"),
        # Either would be possible, but one makes a case of half a year, ended before it began.
        (["10/03/2024,12/03/2024,11/03/2024", "05/04/2024,07/04/2024,"], "day/month", "on time"),
    ],
)
def test_a_column_decides_whether_the_month_comes_first(
    tmp_path: Path, dates: list[str], words: str, mark: str
) -> None:
    made = _replayed(tmp_path, _csv(tmp_path, "opened,due,closed", *dates))
    assert made["cases"][0]["mark"] == mark
    assert any(words in note for note in made["summary"]["notes"])


def test_odd_rows_are_listed_with_line_and_reason(tmp_path: Path) -> None:
    file = _csv(
        tmp_path,
        "id,received,closed,priority",
        "1,,2024-03-05,",
        "2,2024-03-05 09:00,2024-03-04 09:00,",
        "3,soon,,",
        '4,"2024-03-05\n",2024-03-05,rubbish',
        "5,2024-03-05 09:00,2030-01-01,",
        "6,2024-03-05 09:00,2024-03-05 10:00,P2",
    )
    done = _run(tmp_path, file)
    made = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert [(odd["line"], odd["odd"]) for odd in made["odd"]] == [
        (2, "no received date"),
        (3, "closed before received"),
        (4, "no received date; unreadable date; received: 'soon'"),
        (5, "unknown priority"),
        (7, "after now"),
    ]
    assert len(made["cases"]) == 6
    assert "line 3: closed before received" in done.stderr
    # Nothing is measured by an order that cannot be.
    assert made["summary"]["answer"]["n"] == 3


def test_an_end_or_a_due_date_that_cannot_be_read_is_neither_open_nor_by_policy(
    tmp_path: Path,
) -> None:
    file = _csv(
        tmp_path,
        "id,received,first_response,closed,due",
        "1,2024-03-05 09:00,2024-03-05 10:00,2024-02-30,2024-03-06",
        "2,2024-03-05 09:00,2024-03-05 10:00,2024-03-05 11:00,2024-13-06",
        "3,2024-03-05 09:00,2024-03-05 10:00,2024-02-30,",
        "4,2024-03-05 09:00,soon,2024-03-05 11:00,",
        "5,2024-03-05 09:00,2024-03-05 10:00,,2024-03-06",
    )
    made = _replayed(tmp_path, file)
    assert [case["mark"] for case in made["cases"]] == [
        None,
        None,
        None,
        "on time",
        "open overdue",
    ]
    assert [case["first_response_mark"] for case in made["cases"]] == [
        None,
        None,
        "on time",
        None,
        None,
    ]
    assert made["cases"][0]["why"] == "Without a usable date this cannot be judged."
    assert made["summary"]["not_judged"] == 3
    assert [odd["line"] for odd in made["odd"]] == [2, 3, 4, 5]


def test_a_workbook_in_and_out(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["信件编号", "收到时间", "截止日期", "办结时间", "承办单位"])
    received, due = datetime.fromisoformat("2024-03-05T08:30"), datetime.fromisoformat("2024-03-08")
    sheet.append([101004113298, received, due, datetime.fromisoformat("2024-03-08T17:00"), "=1+1"])
    book.save(tmp_path / "past.xlsx")
    done = _run(tmp_path, tmp_path / "past.xlsx", out="out.xlsx")
    assert done.exit_code == 0, done.stderr
    made = load_workbook(tmp_path / "out.xlsx")
    assert made.sheetnames == ["Cases", "Odd rows", "Summary"]
    header, case = list(made["Cases"].iter_rows(values_only=True))
    told = dict(zip(header, case, strict=True))
    assert told["Id"] == "101004113298"
    assert (told["Received"], told["Due"], told["Mark"]) == (received, due, "on time")
    assert not [c for row in made["Cases"].iter_rows() for c in row if c.data_type == "f"]


def test_a_csv_out_is_for_programs(tmp_path: Path) -> None:
    file = _csv(tmp_path, "id,received,closed,dept", "007,2024-03-05 09:00,2024-03-05 10:00,=x")
    done = _run(tmp_path, file, out="out.csv")
    assert done.exit_code == 0, done.stderr
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as made:
        (case,) = csv.DictReader(made)
    assert (case["id"], case["mark"], case["department"]) == ("007", "on time", "'=x")
    assert case["closed"] == "2024-03-05T10:00:00+08:00"
    assert "1 cases" in done.stdout
    # By the name of the machine's data nothing was made.
    assert not (tmp_path / "data").exists()


def test_columns_policy_and_calendar_can_be_named(tmp_path: Path) -> None:
    policy = json.loads(Path("services/sla/data/policy.json").read_text("utf-8"))
    policy["rows"]["P3"]["clocks"]["RESOLUTION"] = "1wd"
    del policy["version"]
    (tmp_path / "policy.json").write_text(json.dumps(policy), "utf-8")
    notice = {"days": [{"name": "校庆", "date": "2024-03-06", "isOffDay": True}]}
    (tmp_path / "notice.json").write_text(json.dumps(notice), "utf-8")
    made = _replayed(
        tmp_path,
        _csv(tmp_path, "a,b,c", "2024-03-05 09:00,2024-03-06 09:00,x"),
        *("--received", "a", "--closed", "2", "--department", "C"),
        *("--policy", str(tmp_path / "policy.json"), "--calendar", str(tmp_path / "notice.json")),
    )
    (case,) = made["cases"]
    assert (case["due"], case["mark"]) == ("2024-03-07T09:00:00+08:00", "on time")
    assert made["summary"]["columns"] == {"received": "a", "closed": "b", "department": "c"}


def test_progress_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past_file, "EVERY", 2)
    file = _csv(tmp_path, "received,closed", *["2024-03-05 09:00,2024-03-05 10:00"] * 4)
    assert "judged: 2 rows (50%)" in _run(tmp_path, file).stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--received", "nothing"], "there is no column 'nothing'. There are: received, closed"),
        (["--now", "soon"], "--now"),
        (["--policy", "missing.json"], "--policy missing.json"),
        (["--calendar", "past.csv"], "--calendar past.csv"),
        (["--calendar", "deep.json"], "--calendar deep.json: not JSON"),
        (["--out", "out.pdf"], "must end in .csv, .xlsx or .json"),
        (["--out", "past.csv"], "that is the file that is read"),
        (["--out", "no/where.csv"], "no/where.csv: No such file"),
        (["--departments", "twice.json"], "it and it2 are both called '信息 系统部'"),
        (["--policy", "nodep.json"], "rows.ours.when.department: no such department: nodep"),
        (["--policy", "alone.json"], "rows.students.when: “students” does not say which cases"),
    ],
)
def test_what_is_wrong_is_one_line_and_status_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    policy = json.loads(Path("services/sla/data/policy.json").read_text("utf-8"))
    monkeypatch.chdir(tmp_path)
    file = _csv(tmp_path, "received,closed", "2024-03-05,2024-03-06")
    (tmp_path / "deep.json").write_text("[" * 50_000, "utf-8")
    for name, row in {
        "nodep": {"ours": {"clocks": {}, "when": {"department": ["nodep"]}}},
        "alone": {"students": {"clocks": {}}},
    }.items():
        body = policy | {"rows": policy["rows"] | row}
        (tmp_path / f"{name}.json").write_text(json.dumps(body), "utf-8")
    twice = {"it": ["信息系统部", "IT"], "it2": ["信息 系统部", "IT, too"]}
    (tmp_path / "twice.json").write_text(json.dumps(twice), "utf-8")
    before = sorted(path.name for path in tmp_path.iterdir())
    done = _run(tmp_path, file, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr.splitlines()[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_an_output_that_cannot_be_put_there_is_named_as_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "there.csv").mkdir()
    file = _csv(tmp_path, "received,closed", "2024-03-05,2024-03-06")
    done = _run(tmp_path, file, out="there.csv")
    assert done.exit_code == 2
    assert f"{tmp_path / 'there.csv'}: Is a directory" in done.stderr.splitlines()[-1]
    assert ".part" not in done.stderr
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            ["received,closed,received", "2024-03-05 09:00,2024-03-06 09:00,2024-03-01 09:00"],
            ["received: 2 columns are called 'received'; number 1 is read"],
        ),
        (
            ["created,closed,opened", "2024-03-05 09:00,2024-03-06 09:00,2024-03-01 09:00"],
            ["received: not read, though its name fits: 'created'"],
        ),
        (
            ["received,closed", "1e9,2024-03-06 09:00", "2001-09-09 10:00,45000.5"],
            [
                "'received': numbers, read as seconds since 1970: 1 of 2 values",
                "'closed': numbers, read as days since 1899-12-30: 1 of 2 values",
            ],
        ),
        (
            ["received,closed", "5-Mar-24 09:00,Tue Mar 5 10:00:00 CST 2024"],
            [
                "'received': years of two digits, read as 1970 to 2069: 1 of 1 values",
                "'closed': CST, read as the time of China: 1 of 1 values",
            ],
        ),
        (
            ["received,closed,due", "2024-03-05,2024-03-06 09:00,2024-03-07"],
            [
                "'received': days without a time; promises and hours are counted from the begin",
                "'due': days without a time; a day that is due lasts until its end",
            ],
        ),
        (
            ["received,closed", "2026-03-02 09:00,2026-03-04", "2026-03-02 09:00,2026-03-04 10:00"],
            ["'closed': days without a time (1 of 2 values); whoever ends on the day that is due"],
        ),
    ],
)
def test_what_is_guessed_is_told(tmp_path: Path, rows: list[str], told: list[str]) -> None:
    done = _run(tmp_path, _csv(tmp_path, *rows))
    assert done.exit_code == 0, done.stderr
    for words in told:
        assert [line for line in done.stderr.splitlines() if line.startswith(words)], done.stderr


def test_hours_to_a_day_are_to_its_beginning_as_is_told(tmp_path: Path) -> None:
    file = _csv(tmp_path, "received,closed", "2024-03-04 09:00,2024-03-06")
    made = _replayed(tmp_path, file)
    assert made["cases"][0]["end_elapsed_hours"] == 39.0
    (note,) = [n for n in made["summary"]["notes"] if n.startswith("'closed'")]
    assert note.endswith("hours are counted to the beginning of the day")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("when,until\nyesterday,today\n", "no column of the receipt was found; name it"),
        ("nothing\n", "no table in this file"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "past.csv"
    file.write_text(content, "utf-8")
    done = _run(tmp_path, file)
    assert done.exit_code == 2
    assert words in done.stderr
    assert _run(tmp_path, tmp_path / "missing.csv").exit_code == 2
