"""The embedded model, for real: what strangers write, and what happens to the process."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import stat
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.embedded import EmbeddedModel
from shared.embedded.model import socket_of
from shared.embedded.model_server import LONGEST_BODY, LONGEST_TEXT, readable
from shared.embeddings import CircuitBreaker, Embedder, EmbedderAway, parse_source
from tests.messaging.embedded.users import is_running
from tests.patience import PATIENCE

HOSTILE = [
    "<script>alert(1)</script>",
    '"><svg/onload=alert(1)>{{7*7}}${7*7}</textarea><script>',
    "＜script＞".join(["字"] * 50),
    "NUL\0in the middle",
    "\ud800 lone \udfff",
    "\u202e\u2066\u200b\u200c\ufeff",
    "a" + "\u0301" * 5000,
    "ﷺ" * 10_000,
    "㍿" * 10_000,
    "\u3000 \t\n" * 1000,
    "",
    "😀👩‍👩‍👧‍👦" * 500,
    "'; DROP TABLE cases; -- %_\\",
    "=cmd|' /C calc'!A1",
    "\r\nBcc: a@example.com\x1b[31m",
    "[" * 100_000,
    "9" * 5000,
    "词" * 300_000,
    "x" * 300_000,
    "\U0010ffff\ufffe\uffff" * 300,
    "".join(chr(c) for c in range(1, 0x800)),
    "".join(chr(c) for c in range(0xFB00, 0xFFFE)),
]


@pytest.fixture(scope="module")
async def model(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedModel]:
    # Nobody is taken for hung here: on a busy machine a hostile text takes its time.
    server = EmbeddedModel(tmp_path_factory.mktemp("model"), silent_after=PATIENCE)
    server.begin()
    await until(server.answers)
    yield server
    await server.stop()


async def until(answers: object) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await answers():  # type: ignore[operator]
            await asyncio.sleep(0.05)


def client_of(model: EmbeddedModel) -> Embedder:
    return Embedder(
        parse_source("builtin"), socket=model.socket, breaker=CircuitBreaker(first=0.01)
    )


async def test_what_means_the_same_is_near_in_any_words_and_languages(
    model: EmbeddedModel,
) -> None:
    embedder = client_of(model)
    texts = ["三楼自习室有人用水杯占座", "座位一早就被书包抢了，人不在", "能买一本线性代数吗"]
    english = ["People reserve seats with cups", "Could you buy a book on algebra?"]
    held, grabbed, book = await embedder.embed(texts)
    seat, algebra = await embedder.embed(english)
    assert embedder.model.startswith("multilingual-e5-small")
    assert sum(x * x for x in held) == pytest.approx(1)
    assert cosine(held, grabbed) > cosine(held, book)
    assert cosine(held, seat) > cosine(held, algebra)
    await embedder.close()


async def test_hostile_texts_get_a_vector_each_from_the_same_process(model: EmbeddedModel) -> None:
    embedder, pid = client_of(model), model.pid
    for text in HOSTILE:
        answer = await post(model, json.dumps({"input": text[:150_000]}).encode())
        assert answer.startswith(b"HTTP/1.1 200"), (text[:20], answer[:200])
    vectors = await embedder.embed([HOSTILE[0], HOSTILE[7][:200]])
    assert len({len(v) for v in vectors}) == 1
    assert model.pid == pid
    await embedder.close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"input": []}',
        b'{"input": [1]}',
        b'{"input": {"a": 1}}',
        b'{"input": ' + b"9" * 5000 + b"}",
        b'{"input": NaN}',
        b"\xff\xfe",
        b'{"input": [' + b'"a",' * 40 + b'"a"]}',
    ],
)
async def test_what_is_no_request_is_refused(model: EmbeddedModel, body: bytes) -> None:
    answer = await post(model, body)
    assert answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 413")


async def test_a_body_without_end_or_length_is_refused(model: EmbeddedModel) -> None:
    assert b" 413 " in await raw(model, f"Content-Length: {LONGEST_BODY + 1}\r\n\r\n".encode())
    assert b" 411 " in await raw(model, b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    assert b" 411 " in await raw(model, b"Content-Length: -1\r\n\r\n")


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters(codec=None), max_size=400))
def test_any_text_gets_a_vector(model: EmbeddedModel, text: str) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(model.socket))
        body = json.dumps({"input": text}).encode()
        head = f"POST /v1/embeddings HTTP/1.1\r\nHost: m\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


@given(st.text(alphabet=st.characters(codec=None)))
def test_what_the_tokenizer_sees_is_short_and_in_normal_form(text: str) -> None:
    seen = readable(text * 100)
    assert sum(1 if one.isascii() else 3 for one in seen) <= 3 * LONGEST_TEXT
    assert "\0" not in seen
    assert seen.encode().decode() == seen
    # The tokenizer has room for four characters a byte, and would write on: U+FDFA has eighteen.
    assert "ﷺ" not in seen


def test_three_letters_count_as_one_ideograph() -> None:
    assert readable("字" * 5_000) == "字" * LONGEST_TEXT
    assert readable("w" * 5_000) == "w" * (3 * LONGEST_TEXT)
    assert readable("字" * (LONGEST_TEXT - 1) + "word") == "字" * (LONGEST_TEXT - 1) + "wor"


async def test_a_killed_and_a_hung_model_come_back(tmp_path: Path) -> None:
    model = EmbeddedModel(tmp_path, silent_after=2.0)
    model.begin()
    await until(model.answers)
    embedder = client_of(model)

    async def back(before: int | None) -> bool:
        if model.pid in (None, before):
            return False
        try:
            return len(await embedder.embed(["anything"], within=PATIENCE)) == 1
        except EmbedderAway:
            # On a busy machine it may be silent for so long that it is killed once more.
            return False

    for harm in (model.kill, model.pause):
        before = model.pid
        harm()
        with pytest.raises(EmbedderAway):
            await embedder.embed(["anything"], within=0.2)
        assert embedder.notices()
        await until(partial(back, before))
        assert not embedder.notices()
    await embedder.close()
    await model.stop()


def test_it_runs_within_limits_and_without_privileges(model: EmbeddedModel) -> None:
    assert model.pid is not None
    process = psutil.Process(model.pid)
    limits = Path(f"/proc/{model.pid}/limits").read_text()
    assert re.search(rf"Max address space +{1 << 30}", limits)
    assert re.search(r"Max core file size +0", limits)
    assert 0 not in process.uids()
    assert stat.S_IMODE(model.socket.parent.stat().st_mode) == 0o700


async def test_a_second_process_joins_and_the_model_ends_with_its_owner(tmp_path: Path) -> None:
    first, second = EmbeddedModel(tmp_path), EmbeddedModel(tmp_path)
    first.begin()
    await until(first.answers)
    pid = first.pid
    assert pid is not None
    second.begin()
    await second.stop()
    assert is_running(pid)
    await first.stop()
    assert not is_running(pid)


async def test_a_model_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom shared.embedded import EmbeddedModel\n"
        "async def main():\n"
        "    model = EmbeddedModel(Path(sys.argv[1])); model.begin()\n"
        "    while not await model.answers(): await asyncio.sleep(0.05)\n"
        "    print(model.pid, flush=True); await asyncio.sleep(600)\n"
        "asyncio.run(main())"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(PATIENCE):
        while is_running(pid):
            await asyncio.sleep(0.02)


def test_a_deep_data_directory_gets_a_short_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    assert len(os.fsencode(socket_of(deep))) <= 107


def cosine(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


async def post(model: EmbeddedModel, body: bytes) -> bytes:
    return await raw(model, f"Content-Length: {len(body)}\r\n\r\n".encode() + body)


async def raw(model: EmbeddedModel, rest: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(model.socket))
    writer.write(b"POST /v1/embeddings HTTP/1.1\r\nHost: model\r\nConnection: close\r\n" + rest)
    answer = await asyncio.wait_for(reader.readline(), PATIENCE)
    writer.close()
    return answer
