"""Every template: complete in English, clean under the content policy, labelled."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file

from services.desk.wording import labels
from services.tracking.wording import journey
from shared.privacy import PLACEHOLDERS
from shared.web import catalogue, names
from shared.web.pages import ONCE

ROOT = Path(__file__).parents[3]
FOLDERS = sorted(
    path for path in [ROOT / "shared/web", *(ROOT / "services").iterdir()] if path.is_dir()
)
TEMPLATES = sorted(page for folder in FOLDERS for page in folder.glob("templates/**/*.html"))
OURS = ROOT / "shared/web/static"
HAN = re.compile("[\u4e00-\u9fff]")
WIDE = re.compile("[\u3000-\u303f\uff00-\uffef]")
"""Signs of Chinese, which no English page has."""
COMMENTS = re.compile(r"{#.*?#}", re.DOTALL)
JINJA = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}", re.DOTALL)
VALUES = re.compile(r"%\(\w+\)s|{\w+}")
FIELDS = {"input", "textarea", "select"}
BY_PATH = {"ids": lambda path: str(path.relative_to(ROOT))}


def messages(page: Path) -> Iterator[str]:
    for _, message, _, _ in extract_from_file("jinja2", page):
        yield str(message)


@pytest.mark.parametrize("page", TEMPLATES, **BY_PATH)
def test_every_address_begins_with_the_path_before_everything(page: Path) -> None:
    source = COMMENTS.sub("", page.read_text())
    assert re.findall(r"""[\w-]+=["']/[^"']*""", source) == []


@pytest.mark.parametrize("page", TEMPLATES, **BY_PATH)
def test_what_was_done_just_now_is_said_once(page: Path) -> None:
    source = COMMENTS.sub("", page.read_text())
    # What is said only because the address asks for it goes with `once`.
    asked = re.findall(r"{% (?:el)?if [^%]*query_params\.get\([^%]*%}(?!{{ ui\.once\()", source)
    assert asked == []
    for named in re.findall(r'ui\.once\(.*?, "([^"]+)"\)|data-once="(\w+)"', source):
        assert set("".join(named).split()) <= ONCE | {"at"}


@pytest.mark.parametrize("page", TEMPLATES, **BY_PATH)
def test_every_message_has_an_english_translation(page: Path) -> None:
    service = next(folder for folder in page.parents if folder.name == "templates").parent
    english = catalogue.load([ROOT / "shared/web/locales", service / "locales"], "en")
    missing = [text for text in messages(page) if not english.get(text)]
    assert missing == []


@pytest.mark.parametrize("page", TEMPLATES, **BY_PATH)
def test_no_chinese_stands_outside_a_message(page: Path) -> None:
    text = COMMENTS.sub("", page.read_text())
    for message in sorted(messages(page), key=len, reverse=True):
        text = text.replace(message, "")
    text = text.replace('lang="zh-CN"', "").replace(">中文<", "")
    assert HAN.findall(text) == []


@pytest.mark.parametrize("page", TEMPLATES, **BY_PATH)
def test_no_sign_of_chinese_stands_outside_a_message(page: Path) -> None:
    assert WIDE.findall(JINJA.sub("", page.read_text())) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_no_translation_is_left_over_or_loses_a_value(folder: Path) -> None:
    english = catalogue.load([folder / "locales"], "en")
    used = {text for page in folder.glob("templates/**/*.html") for text in messages(page)}
    used |= {
        node.value
        for source in folder.rglob("*.py")
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    used |= set(PLACEHOLDERS)
    assert {text.rpartition("\x04")[2] for text in english} - used == set()
    for text, translated in english.items():
        assert set(VALUES.findall(text)) == set(VALUES.findall(translated))


class Markup(HTMLParser):
    """Collects what the content policy forbids and what a label must name."""

    def __init__(self) -> None:
        super().__init__()
        self.forbidden: list[str] = []
        self.fields: list[dict[str, str]] = []
        self.labels: set[str] = set()
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        self.forbidden += [
            f"<{tag} {key}>"
            for key in given
            if key == "style" or key.startswith(("on", "hx-on", "hx-vals"))
        ]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.forbidden.append(f"<{tag}>")
        if any(str(value).startswith(("javascript:", "data:")) for value in given.values()):
            self.forbidden.append(f"<{tag}> with a script address")
        if tag in FIELDS and given.get("type") != "hidden":
            self.fields.append({"tag": tag, **given})
        if tag == "label":
            self.labels.add(given.get("for", ""))


def markup(page: Path) -> Markup:
    """The page with expressions as placeholders, so that ids made by macros still pair up."""
    text = COMMENTS.sub("", page.read_text())
    text = re.sub(r"{{(.*?)}}", lambda m: "x" + re.sub(r"\W", "", m[1]), text, flags=re.DOTALL)
    text = re.sub(r"{%.*?%}", " ", text, flags=re.DOTALL)
    parser = Markup()
    parser.feed(text)
    return parser


@pytest.mark.parametrize("page", TEMPLATES, **BY_PATH)
def test_nothing_on_a_page_needs_an_unsafe_content_policy(page: Path) -> None:
    assert markup(page).forbidden == []


@pytest.mark.parametrize("page", TEMPLATES, **BY_PATH)
def test_every_field_has_a_label(page: Path) -> None:
    found = markup(page)
    nameless = [f for f in found.fields if f.get("id", "") not in found.labels or not f.get("id")]
    assert nameless == []


@pytest.mark.parametrize("page", TEMPLATES, **BY_PATH)
def test_words_of_others_are_never_marked_safe(page: Path) -> None:
    assert not re.search(r"\|\s*safe\b|autoescape\s+false", page.read_text())


@pytest.mark.parametrize("page", ["intake/templates/say.html", "tracking/templates/track.html"])
def test_reporters_never_read_our_jargon(page: str) -> None:
    english = catalogue.load([(ROOT / "services" / page).parents[1] / "locales"], "en")
    for text in messages(ROOT / "services" / page):
        for word in ("工单", "派单", "退单", "签收", "SLA"):
            assert word not in text
        for word in ("case", "ticket", "sla"):
            assert not re.search(rf"\b{word}\b", english[text], re.IGNORECASE)


@pytest.mark.parametrize("script", sorted(OURS.glob("*.js")), ids=lambda path: path.name)
def test_our_scripts_evaluate_no_text_and_write_no_markup(script: Path) -> None:
    assert not re.search(r"\beval\(|new Function|innerHTML|document\.write", script.read_text())


def test_every_icon_a_page_or_a_name_asks_for_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (OURS / "icons.svg").read_text()))
    asked = {*names.STATE_ICONS.values(), *labels.QUEUE_ICONS.values()}
    asked |= set(names.CHANNEL_ICONS.values()) | {step[1] for step in journey.STEPS}
    for page in TEMPLATES:
        asked |= set(re.findall(r'ui\.icon\("([\w-]+)"', page.read_text()))
    assert asked - drawn == set()
