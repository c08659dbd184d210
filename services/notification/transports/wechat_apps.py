"""What sending needs of ``EXPRESS_WECHAT``. The rest of each entry is for the callbacks."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError


class WechatApp(BaseModel):
    """One official account as a sender."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    account: str
    appid: str
    secret: SecretStr = SecretStr("")
    api_base: str = "https://api.weixin.qq.com"


class WechatAppsError(ValueError):
    """``EXPRESS_WECHAT`` cannot be used. Never repeats it: secrets stand there."""

    def __init__(self, why: str) -> None:
        super().__init__(f"EXPRESS_WECHAT: {why}")


def apps_from_setting(raw: str) -> dict[str, WechatApp]:
    """The senders by account name; empty without the setting."""
    raw = raw.strip()
    if not raw:
        return {}
    try:
        text = raw if raw[0] in "[{" else Path(raw).expanduser().read_text(encoding="utf-8")
        apps = TypeAdapter(list[WechatApp]).validate_python(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WechatAppsError(f"{where or 'list'}: {first['msg']}") from None
    except OSError as error:
        raise WechatAppsError(f"the file cannot be read ({error.strerror})") from None
    except ValueError:
        raise WechatAppsError("is not valid JSON, nor the path of a JSON file") from None
    return {app.account: app for app in apps}
