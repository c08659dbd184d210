"""What is settled when a template is compiled, and what is left to the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.messaging.directory import Directory
from shared.web.pages import Pages
from tests.unit.web.test_pages import CLOCK, request

WORDS = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "草稿"
msgstr "It's a <draft>"

msgid "%(n)s 件"
msgstr "%(n)s cases"

msgid "一成（10%%）"
msgstr "a tenth (10%%)"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "templates").mkdir()
    (tmp_path / "locales").mkdir()
    (tmp_path / "locales/en.po").write_text(WORDS)
    return tmp_path


def shown(folder: Path, template: str, query: str = "lang=zh", **context: object) -> str:
    (folder / "templates/one.html").write_text(template)
    pages = Pages(
        "test", folder / "templates", clock=CLOCK, asset=lambda n: f"/s/{n}", base_path="/x"
    )
    return bytes(pages.render(request(query=query), "one.html", **context).body).decode()


def test_a_constant_reads_as_the_call_did(folder: Path) -> None:
    page = (
        '{{ _("草稿") }} {{ ui.icon("pin") }} {{ asset_url("a.js") }} {{ base }}/desk {{ locale }}'
    )
    svg = '<svg class="icon" aria-hidden="true"><use href="/x/s/icons.svg#pin"></use></svg>'
    assert shown(folder, page) == f"草稿 {svg} /x/s/a.js /x/desk zh"
    # A translation is ours and stands as it was written, as with the call.
    english = shown(folder, page, "lang=en")
    assert english == f"It's a <draft> {svg} /x/s/a.js /x/desk en"


def test_the_languages_do_not_share_what_was_compiled(folder: Path) -> None:
    assert [shown(folder, '{{ _("草稿") }}', f"lang={one}") for one in ("en", "zh", "en")] == [
        "It's a <draft>",
        "草稿",
        "It's a <draft>",
    ]


def test_a_message_with_values_and_names_of_the_page_are_left_alone(folder: Path) -> None:
    page = (
        '{{ _("%(n)s 件", n=3) }} {{ _("一成（10%%）") }} {{ it.base }} {{ it["locale"] }} '
        "{{ _(it.word) }}"
        '{% set asset = "草稿" %} {{ _(asset) }}'
    )
    it = {"base": "b", "locale": "l", "word": "w"}
    assert shown(folder, page, "lang=en", it=it) == "3 cases a tenth (10%) b l w It's a <draft>"


def test_a_body_is_read_by_its_keys_first(folder: Path) -> None:
    page = "{{ it.items }} {{ it.left or '–' }} {{ it.n }} {{ more.items()|list|length }}"
    assert shown(folder, page, it={"items": 7, "n": 1}, more={"a": 1}) == "7 – 1 1"


def test_pieces_escape_what_they_are_given(folder: Path) -> None:
    hostile = '"><b>'
    page = (
        "{{ at|when }}{{ ui.by(at) }}{{ code|state }}{{ code|channel }}{{ code|priority }}"
        "{{ ui.icon(code) }}{{ ui.state(code, code) }}"
    )
    said = shown(folder, page, at=hostile, code=hostile)
    assert "<b>" not in said
    assert said.count("&#34;&gt;&lt;b&gt;") > 5


def test_a_piece_without_a_code_is_nothing(folder: Path) -> None:
    assert shown(folder, "{{ none|channel }}{{ none|priority }}") == ""


def test_names_from_the_directory_are_never_settled(folder: Path) -> None:
    listed = Directory()
    listed.departments["it"] = ("信息部", "IT")
    (folder / "templates/one.html").write_text('{{ "it"|department_name }}')
    pages = Pages("test", folder / "templates", clock=CLOCK, asset=lambda n: n, listed=listed)
    assert pages.render(request(), "one.html").body.decode() == "信息部"
    listed.departments["it"] = ("系统部", "Systems")
    assert pages.render(request(), "one.html").body.decode() == "系统部"
