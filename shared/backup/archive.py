"""The file of a backup: a tar of one dump per service, and a manifest with their checksums."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.backup.errors import BackupError

FORMAT = 1
SUFFIX = ".backup"
_MANIFEST, _CHECKSUM = "manifest.json", "manifest.sha256"
_PIECE = 1 << 20


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


Places = dict[str, dict[int, int]]
"""Topic → partition → offset."""


class ServicePart(_Part):
    """What a backup knows of one service, besides its dump."""

    taken_at: datetime
    """When its snapshot was taken."""
    revision: str | None
    """Its tables' version."""
    bytes: int
    sha256: str
    cluster_id: str | None
    """The broker its outbox was published to."""
    generation: int
    """How often its log was sent again."""
    ends: Places
    """The last offsets it knew it had written."""
    read: Places
    """Where its consumer stood, a moment before the snapshot; empty where the broker was away."""
    outbox: int
    """Rows of its outbox, and how many of them waited to be published."""
    waiting: int


class Manifest(_Part):
    """What a backup holds."""

    format: int = FORMAT
    made_at: datetime
    """When the first snapshot was taken; the last is in `services`."""
    server: int
    """Major version of the PostgreSQL server."""
    code_keys: tuple[str, ...] = ()
    """Fingerprints of the keys that verify tracking codes, newest first."""
    services: dict[str, ServicePart]

    @property
    def taken_until(self) -> datetime:
        """When the last snapshot was taken: whatever is older is in the backup."""
        return max(part.taken_at for part in self.services.values())


def fingerprint(key: bytes) -> str:
    """What can be compared with a key and tells nothing about it, however short it is."""
    made = hashlib.scrypt(key, salt=b"feedback-express backup", n=2**14, r=8, p=1, dklen=12)
    return made.hex()


def dump_name(service: str) -> str:
    """The member that holds the dump of a service."""
    return f"{service}.dump"


@contextlib.contextmanager
def beside(target: Path) -> Iterator[Path]:
    """A folder only we may enter, on the file system of `target`; gone afterwards."""
    try:
        make_folder(target.parent)
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=target.parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise BackupError(f"{error.strerror}: {error.filename or target}") from error


def make_folder(folder: Path, *, anywhere: bool = False) -> bool:
    """Make the folder of backups where there is none; True if there was none. `BackupError`.

    Where the folder above it is missing, too, nothing is made unless `anywhere`: of a disk that is
    not mounted, or a path mistyped, the backups would fill another disk, and nobody would look
    for them there.
    """
    if folder.is_dir():
        return False
    if not (anywhere or folder.parent.is_dir()):
        raise BackupError(
            f"{folder}: no such folder, and none above it: is the disk mounted, the path right?"
        )
    try:
        folder.mkdir(parents=anywhere, exist_ok=True)
    except OSError as error:
        raise BackupError(f"{error.strerror}: {error.filename or folder}") from error
    return True


def must_be_new(target: Path) -> None:
    """`BackupError` where the file exists."""
    if target.exists():
        raise BackupError(f"{target} exists; a backup replaces nothing")


def write_archive(target: Path, manifest: Manifest, dumps: Path) -> None:
    """Make `target` of the dumps in that folder: whole or not at all, readable by its owner only.

    A dump is deleted once it is in, so that little more than the backup itself has to fit. A file
    that exists is never replaced.
    """
    unfinished = dumps / "archive"
    descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            body = manifest.model_dump_json(indent=1).encode()
            checksum = hashlib.sha256(body).hexdigest().encode()
            for name, content in ((_MANIFEST, body), (_CHECKSUM, checksum)):
                noted = dumps / name
                noted.write_bytes(content)
                tar.add(noted, name, filter=_anonymous)
            for service in manifest.services:
                dump = dumps / dump_name(service)
                tar.add(dump, dump.name, filter=_anonymous)
                dump.unlink()
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(unfinished, target)
    except FileExistsError:
        raise BackupError(f"{target} exists; a backup replaces nothing") from None
    except OSError:  # a file system without links
        must_be_new(target)
        unfinished.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def sha256_of(file: IO[bytes]) -> str:
    """The checksum of what is left to read of a file."""
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()


class Archive:
    """A backup that is read. `BackupError` where it is none, or not whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._reading(_MANIFEST) as file:
            body = file.read()
        with self._reading(_CHECKSUM) as file:
            if file.read().decode("ascii", "replace") != hashlib.sha256(body).hexdigest():
                raise BackupError(f"{path}: its manifest is damaged")
        try:
            values: dict[str, Any] = json.loads(body)
            if values.get("format") != FORMAT:
                raise BackupError(
                    f"{path} is of format {values.get('format')}, this code reads {FORMAT}"
                )
            self.manifest = Manifest.model_validate(values)
        except (ValueError, ValidationError) as error:
            raise BackupError(f"{path}: its manifest cannot be read") from error

    @contextlib.contextmanager
    def dump(self, service: str) -> Iterator[IO[bytes]]:
        """The dump of a service, to read."""
        with self._reading(dump_name(service)) as file:
            yield file

    def verify(self, report: Callable[[str], None] = lambda _: None) -> None:
        """Compare every dump with its checksum."""
        for name, part in self.manifest.services.items():
            with self.dump(name) as file:
                found = sha256_of(file)
            if found != part.sha256:
                raise BackupError(f"{self.path}: the dump of {name} is damaged")
            report(f"  {name}: {part.bytes} bytes, unharmed")

    @contextlib.contextmanager
    def _reading(self, name: str) -> Iterator[IO[bytes]]:
        try:
            with tarfile.open(self.path, mode="r:") as tar:
                file = tar.extractfile(name)
                if file is None:
                    raise KeyError(name)
                with file:
                    yield file
        except OSError as error:
            raise BackupError(f"{error.strerror or error}: {self.path}") from error
        except (tarfile.TarError, KeyError) as error:
            raise BackupError(f"{self.path} is no backup, or not a whole one") from error
