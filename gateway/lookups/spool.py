"""The folder of files that customers sent and of results they may fetch: bounded, and emptied of what nobody owns.

A file counts from the moment its first octets are written, so many uploads at once cannot pass the limit together by
more than one chunk each. What must not enter: rows, what a file says.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

UPLOAD: Final = ".upload.csv"
RESULT: Final = ".result.csv"
NAME_OCTETS: Final = 16
ORPHANED_S: Final = 3600.0  # chosen: an upload takes less, so a file of no row that is so old has no owner
LOOK_EVERY_OCTETS: Final = 8 * 1024 * 1024  # chosen: between two measurements of the folder while a file grows


class SpoolFull(Exception):
    """The folder has no room for this file."""


class Upload:
    """A file that is being written. Close it, then keep it or drop it."""

    def __init__(self, spool: Spool, name: str, file: BinaryIO) -> None:
        self.name = name
        self.octets = 0
        self._spool = spool
        self._file = file
        self._looked_at = 0

    def write(self, chunk: bytes) -> None:
        """Append. Raises SpoolFull, and OSError of the disk."""
        self._file.write(chunk)
        self.octets += len(chunk)
        if self.octets - self._looked_at >= LOOK_EVERY_OCTETS:
            self._looked_at = self.octets
            self._spool.refuse_when_full()

    def keep(self) -> None:
        """Bring it to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def drop(self) -> None:
        """Remove it."""
        self._file.close()
        self._spool.remove(self.name)


class Spool:
    """One folder."""

    def __init__(self, folder: Path, limit_octets: int) -> None:
        self.folder = folder
        self._limit_octets = limit_octets

    def begin(self) -> Upload:
        """A new file. Raises SpoolFull, and OSError of the disk."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.refuse_when_full()
        name = secrets.token_hex(NAME_OCTETS)
        return Upload(self, name, self.upload_of(name).open("xb"))

    def refuse_when_full(self) -> None:
        """Raises SpoolFull."""
        if sum(_octets(file) for file in self.folder.iterdir()) >= self._limit_octets:
            raise SpoolFull

    def upload_of(self, name: str) -> Path:
        """Where a customer's file lies."""
        return self.folder / f"{name}{UPLOAD}"

    def result_of(self, name: str, attempt: int) -> Path:
        """Where its result lies, of one attempt."""
        return self.folder / f"{name}.{attempt}{RESULT}"

    def remove(self, name: str) -> None:
        """All files of a name."""
        for file in self.folder.glob(f"{name}.*"):
            file.unlink(missing_ok=True)

    def names(self) -> set[str]:
        """Of all files that are older than an upload may take."""
        if not self.folder.is_dir():
            return set()
        before = time.time() - ORPHANED_S
        return {file.name.partition(".")[0] for file in self.folder.iterdir() if _changed_at(file) < before}

    def remove_all(self, names: Iterable[str]) -> None:
        """All files of these names."""
        for name in names:
            self.remove(name)


def _octets(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # removed meanwhile
        return 0


def _changed_at(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return time.time()
