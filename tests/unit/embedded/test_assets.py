import json
import re

import pytest

from shared.web.assets import MANIFEST, STATIC_DIR, UnknownAsset, asset_url
from shared.web.assets.__main__ import FILES, HERE


@pytest.mark.parametrize("name", FILES)
def test_an_installed_file_is_served_under_a_name_that_changes_with_it(name: str) -> None:
    stem, _, suffix = name.rpartition(".")
    assert re.fullmatch(rf"/static/vendor/{stem}\.[0-9a-f]{{12}}\.{suffix}", asset_url(name))
    assert (STATIC_DIR / "vendor" / json.loads(MANIFEST.read_text())[name]).is_file()


def test_the_stylesheet_asks_only_for_what_the_content_policy_allows() -> None:
    path = STATIC_DIR.parent / asset_url("tabler.css").removeprefix("/")
    style = path.read_text()
    asked = set(re.findall(r"""url\(["']?([^"')]+)""", style))
    assert asked
    # Beside the stylesheet, so that it may be served below any path.
    assert all((path.parent / url).is_file() for url in asked)


def test_a_page_that_asks_for_an_unknown_file_fails_loudly() -> None:
    with pytest.raises(UnknownAsset, match="make setup"):
        asset_url("no-such.css")


def test_the_lock_of_the_pages_names_no_registry() -> None:
    assert "://" not in (HERE / "package-lock.json").read_text()
