"""A report by mail: what tracking says, as plain text and as a page."""

from __future__ import annotations

from html import escape

from services.notification.wording.details import Details
from shared.contracts.tracking import ReportFigure, ReportWords
from shared.moments import exact_words

KINDS = {"week": "周报", "month": "月报", "term": "学期报告"}


def _subject(f: Details) -> str:
    whose = f.department if f.params.get("department") else f.say("全馆")
    kind = f.say(KINDS.get(f.params["kind"], "报告"))
    return f"{kind} · {whose} · {f.params['first']} – {f.params['last']}"


def _words(f: Details) -> ReportWords:
    return ReportWords.model_validate(f.params.get("words") or {"sections": (), "figures": ()})


def _rests_on(f: Details, figure: ReportFigure) -> str:
    """``n = 12；前一段 90%，n = 10``."""
    if not figure.before_n:
        return f"n = {figure.n}"
    earlier = f.say("；前一段 {before}，n = {n}", before=figure.before, n=str(figure.before_n))
    return f"n = {figure.n}{earlier}"


def _as_of(f: Details) -> str:
    at = f.params.get("at")
    return f.say("数据截至 {at}。", at=exact_words(at, f.locale)) if at else ""


def _no_more(f: Details) -> str:
    return f.say("不想再收到这样的邮件，可以在“我的账号”里关掉：")


def _which(f: Details) -> str:
    return f.say("每个数是哪几件，在页面上点开看：")


def _how(f: Details) -> str:
    return f.say("每个数怎么算")


def _figure(f: Details, one: ReportFigure) -> str:
    said = f.say("{name}：{said}", name=one.name, said=one.said)
    return f"{said} ({_rests_on(f, one)})\n  {one.means}"


def _write(f: Details) -> list[str]:
    words = _words(f)
    sections = [
        "\n".join([one.heading, *(f"- {sentence}" for sentence in one.sentences)])
        for one in words.sections
    ]
    figures = [_figure(f, one) for one in words.figures]
    return [
        _subject(f),
        _as_of(f),
        *sections,
        "\n".join([_how(f), *figures]),
        f"{_which(f)}\n{f.url}",
        f"{_no_more(f)}\n{f.site}/desk/account",
    ]


def page_of(f: Details) -> str:
    """The same as HTML; nothing in it is loaded from anywhere."""
    words, title = _words(f), escape(_subject(f))
    parts = [
        f"<h2>{escape(one.heading)}</h2><ul>"
        + "".join(f"<li>{escape(sentence)}</li>" for sentence in one.sentences)
        + "</ul>"
        for one in words.sections
    ]
    rows = "".join(
        f'<tr><th align="left">{escape(one.name)}</th><td><strong>{escape(one.said)}</strong></td>'
        f"<td>{escape(_rests_on(f, one))}</td></tr>"
        f'<tr><td colspan="3"><small>{escape(one.means)}</small></td></tr>'
        for one in words.figures
    )
    account = escape(f"{f.site}/desk/account", quote=True)
    language = "en" if f.locale == "en" else "zh-CN"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title></head>"
        '<body style="max-width:40em;margin:1em auto;font-family:sans-serif;line-height:1.5">'
        f"<h1>{title}</h1><p>{escape(_as_of(f))}</p>{''.join(parts)}"
        f'<h2>{escape(_how(f))}</h2><table cellpadding="4">{rows}</table>'
        f"<p>{escape(_which(f))}<br>"
        f'<a href="{escape(f.url, quote=True)}">{escape(f.url)}</a></p>'
        f'<p>{escape(_no_more(f))}<br><a href="{account}">{account}</a></p></body></html>\n'
    )


WRITERS = {"report": _write}
