"""Who connects an official account finds every field in the README, and an example that works."""

import re
from pathlib import Path

from services.intake.wechat.accounts import WechatAccount, accounts_from_setting
from services.notification.transports import WechatApp, apps_from_setting

ROOT = Path(__file__).parents[3]
SECTION = (
    (ROOT / "services/intake/README.md")
    .read_text(encoding="utf-8")
    .partition('<a id="wechat"></a>')[2]
    .partition("\n## ")[0]
)


def test_the_readme_has_every_field_of_an_account_and_no_other():
    listed = re.findall(r"^\| `(\w+)` \|", SECTION, re.MULTILINE)

    assert sorted(listed) == sorted(WechatAccount.model_fields)
    assert set(WechatApp.model_fields) <= set(listed)


def test_the_example_is_taken_by_both_readers_of_the_setting():
    example = re.search(r"^EXPRESS_WECHAT='(.+)'$", SECTION, re.MULTILINE)
    assert example is not None
    raw = example[1].replace("…43…", "k" * 43)

    assert list(accounts_from_setting(raw)) == list(apps_from_setting(raw)) == ["library"]


def test_the_table_of_settings_leads_there():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert "(services/intake/README.md#wechat)" in readme
