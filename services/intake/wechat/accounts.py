"""The official accounts we serve, from ``EXPRESS_WECHAT``: a JSON list, or the path of one."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from shared.settings import Settings

VARIABLE = "EXPRESS_WECHAT"
AES_KEY_LENGTH = 43


class WechatSettingError(ValueError):
    """The setting cannot be used. One line that names the variable and never a secret."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{VARIABLE}: {why}")


class WechatAccount(BaseModel):
    """One official account: its name in our URL, and what the platform knows it by."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, str_strip_whitespace=True
    )

    account: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    appid: str = Field(min_length=1, max_length=64)
    secret: SecretStr = SecretStr("")
    token: SecretStr
    aes_key: SecretStr | None = None
    previous_aes_key: SecretStr | None = None
    api_base: str = Field("https://api.weixin.qq.com", pattern=r"^https?://[^\s/?#]+[^\s?#]*$")
    safe_mode_only: bool = False
    """Refuse plain pushes, whose signature does not cover the body."""

    @field_validator("token")
    @classmethod
    def _some(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value():
            raise ValueError("must not be empty")
        return value

    @field_validator("aes_key", "previous_aes_key")
    @classmethod
    def _whole_key(cls, value: SecretStr | None) -> SecretStr | None:
        key = value.get_secret_value() if value else ""
        if not key:
            return None
        if len(key) != AES_KEY_LENGTH or not key.isascii() or not key.isalnum():
            raise ValueError("must be the 43 letters and digits of the EncodingAESKey")
        return value

    @property
    def keys(self) -> tuple[str, ...]:
        """The current key first, then the one before it."""
        both = (self.aes_key, self.previous_aes_key)
        return tuple(key.get_secret_value() for key in both if key is not None)


def accounts_from_setting(raw: str) -> dict[str, WechatAccount]:
    """The accounts by name; empty without the setting; `WechatSettingError` when it is wrong."""
    raw = raw.strip()
    if not raw:
        return {}
    try:
        listed = json.loads(raw if raw[0] in "[{" else _read(raw))
    except ValueError as error:
        if isinstance(error, WechatSettingError):
            raise
        raise WechatSettingError("is not valid JSON, nor the path of a JSON file") from None
    if not isinstance(listed, list):
        raise WechatSettingError("must be a JSON list of accounts")
    accounts: dict[str, WechatAccount] = {}
    for position, entry in enumerate(listed, start=1):
        account = _account(entry, position)
        if account.account in accounts:
            raise WechatSettingError(f"account {account.account!r} is listed twice")
        accounts[account.account] = account
    return accounts


def check_settings(settings: Settings) -> None:
    """`ValueError`, in one line that names the variable, for accounts that cannot be used."""
    accounts_from_setting(settings.wechat)


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        raise WechatSettingError(f"the file cannot be read ({error.strerror})") from None


def _account(entry: object, position: int) -> WechatAccount:
    try:
        return WechatAccount.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        why = first["msg"].removeprefix("Value error, ")
        where = f"entry {position}" + (f", {field}" if field else "")
        raise WechatSettingError(f"{where}: {why}") from None
