"""The settings that every process shares."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.__main__ import cli
from shared.process import servers_for
from shared.security import Signer
from shared.settings import Settings, read_settings

NO_DATA = Path("/proc/self/fx")
"""Nobody makes a directory there, not even root."""
OLD, NEW = "the first secret of all", "the secret after that one"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"host": "localhost"}, "http://localhost:8080"),
        ({"host": "::1"}, "http://[::1]:8080"),
        ({"host": "[::1]"}, "http://[::1]:8080"),
        ({"host": "fe80::1%eth0"}, "http://[fe80::1%25eth0]:8080"),
        ({"host": "0.0.0.0", "base_url": "https://fx.test/"}, "https://fx.test"),
        ({"base_url": "https://lib.test/feedback/"}, "https://lib.test/feedback"),
    ],
)
def test_links_begin_with_an_address_that_can_be_opened(given: dict[str, Any], url: str) -> None:
    assert Settings(**given).url == url


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "[::]", "::ffff:0.0.0.0", "0:0:0:0:0:0:0:0", "0"]
)
def test_every_address_is_no_address_for_links(
    host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EXPRESS_HOST", host)
    monkeypatch.delenv("EXPRESS_BASE_URL", raising=False)
    with pytest.raises(SystemExit) as stopped:
        read_settings()
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("EXPRESS_BASE_URL: is needed")


@pytest.mark.parametrize(
    ("host", "own"),
    [("0.0.0.0", "http://127.0.0.1:8080"), ("::", "http://[::1]:8080")],
)
def test_a_process_knows_its_own_address(host: str, own: str) -> None:
    assert Settings(host=host, base_url="https://fx.test").own_url == own


@pytest.mark.parametrize(
    ("url", "path"),
    [("https://fx.test", ""), ("https://fx.test/", ""), ("https://lib.test/a/b/", "/a/b")],
)
def test_the_path_before_everything(url: str, path: str) -> None:
    assert Settings(base_url=url).base_path == path


@pytest.mark.parametrize(
    "url",
    [
        *("fx.test", "https://", "https://x/?a=1", "https://x/#a", "https://x//a"),
        *("https://x/../a", "http://0.0.0.0:8080", "http://[::]:8080", "http://0:8080"),
    ],
)
def test_a_base_url_that_links_cannot_begin_with_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must"):
        Settings(base_url=url)


@pytest.mark.parametrize("url", ["https://x:99999", "https://x:port", "https://x:-1/a"])
def test_a_port_that_does_not_exist_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="port"):
        Settings(base_url=url)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        *(("short", "16 characters"), (f"{OLD},short", "16 characters"), ("x" * 15, "16 char")),
        *((",", "nothing left blank"), (f"{OLD},", "blank"), (f",{OLD}", "blank"), ("\n", "blank")),
        *((" ", "blank"), (f"{OLD},,{NEW}", "blank"), (f"{OLD}, \n,{NEW}", "blank")),
        *((f"{OLD},{OLD}", "same key twice"), (f"{OLD}\n{NEW}\n {OLD}", "same key twice")),
    ],
)
@pytest.mark.parametrize("variable", ["EXPRESS_SECRET", "EXPRESS_CODE_SECRET"])
def test_each_key_is_there_and_long_and_no_other(
    variable: str,
    value: str,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit) as stopped:
        read_settings()
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{variable}: ")
    assert why in line
    assert OLD not in line


def test_a_line_end_after_the_last_key_is_none_of_it() -> None:
    assert Settings(secret=f"{OLD}\n").signing_keys() == (OLD,)
    assert Settings(secret=f"{NEW}\r\n\r\n{OLD}\r\n").signing_keys() == (NEW, OLD)


def test_data_that_cannot_be_a_directory_names_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300)):
        monkeypatch.setenv("EXPRESS_DATA", str(path))
        with pytest.raises(SystemExit) as stopped:
            read_settings()
        assert stopped.value.code == 2
        assert capsys.readouterr().err.startswith("EXPRESS_DATA: ")
    assert not (tmp_path / "below").exists()


def test_data_that_cannot_be_written_is_said_before_a_server_is_started(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = Settings(data=NO_DATA)

    async def start() -> None:
        async with servers_for(settings):
            pytest.fail("nothing is started")

    for use in (lambda: asyncio.run(start()), settings.signing_keys):
        with pytest.raises(SystemExit) as stopped:
            use()
        assert stopped.value.code == 2
        assert capsys.readouterr().err.startswith(f"EXPRESS_DATA: {NO_DATA}")


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("EXPRESS_DATA", str(Path(__file__)), "is a file"),
        ("EXPRESS_SECRET", ",", "nothing left blank"),
        ("EXPRESS_WECHAT", "/nosuch", "the file cannot be read"),
        ("EXPRESS_WECHAT", "[{}]", "entry 1"),
        ("EXPRESS_SMTP", "smtp://u:p@mail.example:25", "would send the password in clear"),
        ("EXPRESS_SMTP", "smtps://mail.example:465/?cafile=/nosuch", "cafile"),
        ("EXPRESS_MAIL_FROM", "意见@library.example", "in ASCII before the @"),
        ("EXPRESS_EMBEDDINGS", "nonsense", ""),
    ],
)
@pytest.mark.parametrize("command", [[], ["status"]])
def test_a_wrong_value_is_said_before_anything_starts_and_by_status(
    command: list[str], variable: str, value: str, why: str, tmp_path: Path
) -> None:
    given = {"EXPRESS_DATA": str(tmp_path / "data"), "EXPRESS_SMTP": "smtp://mail.example:25"}
    done = CliRunner().invoke(cli, command, env=given | {variable: value})
    assert (done.exit_code, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{variable}: ")
    assert why in line
    assert not (tmp_path / "data").exists()


def signer(data: Path, **given: str) -> Signer:
    settings = Settings(data=data, **given)
    return Signer(settings.signing_keys(), settings.code_keys())


@pytest.mark.parametrize("between", [",", "\n", " ,\r\n"])
def test_a_secret_is_changed_without_an_end_of_what_the_old_one_signed(
    tmp_path: Path, between: str
) -> None:
    token = signer(tmp_path, secret=OLD).adapter_token("1", "adapter")
    both = signer(tmp_path, secret=f"{NEW}{between}{OLD}")
    assert both.read_adapter_token(token) is not None
    after = signer(tmp_path, secret=NEW)
    assert after.read_adapter_token(token) is None
    assert after.read_adapter_token(both.adapter_token("1", "adapter")) is not None


def test_tracking_codes_outlive_the_secret(tmp_path: Path) -> None:
    codes = [signer(tmp_path, secret=OLD).tracking_code()]
    codes.append(signer(tmp_path, secret=f"{NEW},{OLD}").tracking_code())
    after = signer(tmp_path, secret=NEW)
    assert all(after.is_genuine(code) for code in codes)
    assert not after.is_genuine(Signer("another secret of all").tracking_code())
    assert (tmp_path / "code-key").stat().st_mode & 0o777 == 0o600
    assert OLD not in (tmp_path / "code-key").read_text()


def test_a_key_for_codes_alone_ends_no_code_from_before_it(tmp_path: Path) -> None:
    code = signer(tmp_path, secret=OLD).tracking_code()
    after = signer(tmp_path, secret=NEW, code_secret="a key for codes alone")
    assert after.is_genuine(code)
    assert Signer("a key for codes alone").is_genuine(after.tracking_code())


def test_services_apart_agree_by_settings_alone(tmp_path: Path) -> None:
    kept = "a key for codes alone"
    code = signer(tmp_path / "intake", secret=OLD, code_secret=kept).tracking_code()
    assert signer(tmp_path / "tracking", secret=NEW, code_secret=kept).is_genuine(code)
    # A key of its own can follow the secret that codes came from, and be followed by another.
    before = signer(tmp_path / "before", secret=OLD).tracking_code()
    later = signer(tmp_path / "later", secret=NEW, code_secret=f"{kept}, {OLD}")
    assert later.is_genuine(before)
    assert later.is_genuine(code)
    assert not (tmp_path / "later").exists()


def test_apart_and_without_a_key_for_codes_the_oldest_secret_makes_them(tmp_path: Path) -> None:
    code = signer(tmp_path / "a", secret=f"{NEW},{OLD}").tracking_code()
    assert Signer(OLD).is_genuine(code)
    assert not Signer(NEW).is_genuine(code)


def test_a_directory_that_cannot_be_written_costs_no_code() -> None:
    assert Signer(OLD).is_genuine(signer(NO_DATA, secret=OLD).tracking_code())


def test_what_is_made_once_is_the_same_for_all(tmp_path: Path) -> None:
    assert Settings(data=tmp_path).signing_keys() == Settings(data=tmp_path).signing_keys()
    assert Settings(data=tmp_path).demo_secret() == Settings(data=tmp_path).demo_secret()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["demo-password", "secret"]


@pytest.mark.parametrize("scheme", ["smtp", "smtps", "smtp+starttls"])
def test_mail_is_handed_in_by_one_of_three_ways(scheme: str) -> None:
    for rest in ("mail.example:25", "desk:p%40ss@mail.example:587/?cafile=/etc/express/mail.pem"):
        assert Settings(smtp=f"{scheme}://{rest}").smtp
    for wrong in (f"{scheme}:mail.example:25", f"{scheme}://mail.example", f"x{scheme}://h:25"):
        with pytest.raises(ValueError, match=r"must be smtp\+starttls"):
            Settings(smtp=wrong)
