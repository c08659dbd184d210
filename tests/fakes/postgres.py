"""The embedded PostgreSQL behind an address, with TLS: its wheel is built without.

Whoever connects speaks PostgreSQL's own negotiation (``SSLRequest``) and TLS with what stands here;
behind it is the real server.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections.abc import AsyncIterator
from pathlib import Path

_SSL_REQUEST = struct.pack(">ii", 8, 80877103)


class DatabaseAddress:
    """Where the server is reached, and how many connections came by TLS and in clear."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.encrypted = self.clear = 0

    def url(self, **options: str) -> str:
        """``EXPRESS_DATABASE`` with these options of libpq."""
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres?{query}"


@contextlib.asynccontextmanager
async def reached_by(
    server: Path, certificate: tuple[Path, Path] | None
) -> AsyncIterator[DatabaseAddress]:
    """`server` is the socket of a PostgreSQL server; without a `certificate` it speaks no TLS."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            first = await reader.readexactly(8)
            if first == _SSL_REQUEST and context is None:
                writer.write(b"N")
                # Who asked may go on in clear, or go away.
                first = await reader.readexactly(8)
            if first == _SSL_REQUEST and context is not None:
                writer.write(b"S")
                await writer.start_tls(context)
                address.encrypted += 1
                first = b""
            else:
                address.clear += 1
            behind, beyond = await asyncio.open_unix_connection(server)
            beyond.write(first)
            await asyncio.gather(_copy(reader, beyond), _copy(behind, writer))

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = DatabaseAddress(listening.sockets[0].getsockname()[1])
    try:
        yield address
    finally:
        listening.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while some := await source.read(65536):
            target.write(some)
            await target.drain()
    finally:
        target.close()
