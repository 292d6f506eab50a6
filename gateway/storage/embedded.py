"""The embedded PostgreSQL: a server of our own over a data folder, on a private Unix socket, started and stopped here.

Several processes may use one folder at once (a node and the command line): the first starts the server, the last one
that says stop ends it; a server whose owner was killed is found again by postmaster.pid (PostgreSQL documentation,
"Server Programs", postgres) and used further. fsync stays on: promise P1.
What must not enter: tables, SQL of the product, a server that somebody else installed ([storage] dsn).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import quote

import asyncpg

from gateway.storage.database import CONNECTION_FAULTS
from gateway.storage.postgres_programs import Coat, PostgresFault, PostgresPrograms, find_coat, find_programs

USER = "passerelle"
DATABASE = "passerelle"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 107  # octets of sun_path without its zero: unix(7)
READY_TIMEOUT_S = 60.0  # chosen: crash recovery of max_wal_size takes some seconds
START_TRIES = 3  # chosen: a server may be killed again while it recovers; what ends thrice has another reason
STOP_TIMEOUT_S = 30.0  # chosen: a shutdown checkpoint; the drain of the whole daemon has 30 s
LOOK_AGAIN_S = 0.01  # chosen: between two looks at postmaster.pid
LOG_KEPT_OCTETS = 8 * 1024 * 1024  # chosen: a longer server.log is begun anew at start
LOG_TAIL_LINES = 8  # chosen: enough to see why, short enough to read
PID_FILE_STATUS_LINE = 7  # miscadmin.h, LOCK_FILE_LINE_PM_STATUS, counted from 0

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "50",
    "shared_buffers": "128MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # fewer checkpoints: fewer full pages in the WAL, and the disk is free for commits
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "wal_buffers": "16MB",
    # one node, no replica: nothing reads more of the WAL than recovery does
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # rows are updated soon after their birth: vacuum early, in small steps
    "autovacuum_naptime": "20s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_insert_scale_factor": "0.5",
    "jit": "off",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
}

# What the server's own words mean, and what to do: (pattern, remedy)
REMEDIES = (
    ("No space left on device", "the disk is full: free space there, or move [node] data_dir"),
    ("Permission denied", "a file there belongs to somebody else: give the folder to who runs passerelle"),
    ("has wrong ownership", "the folder belongs to somebody else: start passerelle as its owner"),
    (
        "could not create shared memory",
        "the machine is out of (shared) memory: free some, or use [storage] dsn",
    ),
    (
        "is not compatible with this version|incompatible with server",
        "the folder was made by another version",
    ),
)


class EmbeddedPostgres:
    """One user of the server over `data_dir`; `start` gives the DSN, `stop` ends the server after its last user.

    die_with_owner: the server ends when the process that started it does, however that ends (tests); otherwise it
    outlives a killed owner, and the next start finds it again.
    """

    def __init__(self, data_dir: Path, die_with_owner: bool = False) -> None:
        self.data_dir = data_dir.absolute()
        self.log_path = self.data_dir.with_name(self.data_dir.name + ".log")
        self._die_with_owner = die_with_owner
        self._users: int | None = None  # descriptor that holds the shared lock while we use the server
        self._child: int | None = None  # pid of the server while it is ours to reap

    @property
    def dsn(self) -> str:
        return f"postgresql://{USER}@/{DATABASE}?host={quote(str(self._socket_dir()))}"

    async def start(self) -> str:
        """Make the server run (or find it running) and return its DSN.

        Raises PostgresFault. Safe to repeat: after the server was killed it is started again.
        """
        self._make_parent()
        async with self._one_at_a_time():
            if self._users is None:
                self._users = _open_lock(self._lock_path("users"))
                fcntl.flock(self._users, fcntl.LOCK_SH)
            try:
                await self._start_unless_running()
            except BaseException:  # also a cancelled start must let go of the lock
                self._forget_use()
                raise
        return self.dsn

    async def stop(self) -> None:
        """Say that we use it no longer; when nobody else does, shut it down (fast, then immediate)."""
        if self._users is None:
            return
        async with self._one_at_a_time():
            fcntl.flock(self._users, fcntl.LOCK_UN)
            last = _take_lock(self._users)
            self._forget_use()
            if last:
                await self._shut_down()

    async def keep_running(self) -> None:
        """Start the server again whenever it ends by itself (killed, out of memory); runs until cancelled.

        Raises PostgresFault when it cannot be started again.
        """
        while True:
            pid = self.server_pid()
            while pid is not None and _is_postmaster(pid, self.data_dir):
                await asyncio.sleep(LOOK_AGAIN_S * 10)
            for tries_left in reversed(range(START_TRIES)):
                try:
                    await self.start()
                    break
                except PostgresFault:
                    if not tries_left:
                        raise

    def server_pid(self) -> int | None:
        """The pid of the server over this folder, None when there is none."""
        lines = self._pid_file_lines()
        pid = int(lines[0]) if lines and lines[0].isdigit() else None
        return pid if pid is not None and _is_postmaster(pid, self.data_dir) else None

    # -- starting

    async def _start_unless_running(self) -> None:
        if await self._answers():
            return
        programs, coat = find_programs(), find_coat()
        await self._make_cluster(programs, coat)
        self._check_version(programs)
        await self._clear_leftovers()
        self._make_socket_dir(coat)
        self._child = self._launch(self._server_command(programs, coat))
        await self._wait_until_ready()
        await self._make_database()

    async def _answers(self) -> bool:
        """Whether a server over this folder takes connections; one that is starting or stopping is waited for."""
        async with self._patience(READY_TIMEOUT_S, "the PostgreSQL that runs already does not answer"):
            while self.server_pid() is not None:
                with contextlib.suppress(*CONNECTION_FAULTS):
                    connection = await self._connect(DATABASE)
                    await connection.close()
                    return True
                await asyncio.sleep(LOOK_AGAIN_S)
        return False

    def _launch(self, command: tuple[str, ...]) -> int:
        """The pid of the server. No child of asyncio: that would be killed when its loop ends; this may outlive us."""
        with self._server_log() as log, open(os.devnull, "rb") as nothing:
            redirect = [(os.POSIX_SPAWN_DUP2, nothing.fileno(), 0)]
            redirect += [(os.POSIX_SPAWN_DUP2, log, descriptor) for descriptor in (1, 2)]
            # a session of its own: an operator's Ctrl-C reaches us, and we stop the server in order
            return os.posix_spawnp(command[0], command, os.environ, file_actions=redirect, setsid=True)

    def _child_ended(self) -> bool:
        """Whether the server we started is gone; reaps it."""
        if self._child is not None:
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(self._child, os.WNOHANG) == (0, 0):
                    return False
            self._child = None
        return True

    def _server_command(self, programs: PostgresPrograms, coat: Coat) -> tuple[str, ...]:
        settings = dict(SETTINGS, unix_socket_directories=str(self._socket_dir()))
        if programs.has_lz4:
            settings["wal_compression"] = "lz4"
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        die = ("setpriv", "--pdeathsig", "INT") if self._die_with_owner and shutil.which("setpriv") else ()
        return coat.clothe(*die, programs.path("postgres"), "-D", str(self.data_dir), *words)

    async def _make_cluster(self, programs: PostgresPrograms, coat: Coat) -> None:
        """initdb beside, then rename: a folder that is there is whole."""
        if (self.data_dir / "PG_VERSION").is_file():
            return
        if self.data_dir.is_dir() and any(self.data_dir.iterdir()):
            raise PostgresFault(
                f"{self.data_dir} holds files but no database: empty it, or set [node] data_dir to another folder"
            )
        unfinished = self.data_dir.with_name(self.data_dir.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if coat.owner is not None:
            os.chown(unfinished, coat.owner, coat.owner)
        words = (
            "-D",
            str(unfinished),
            "-U",
            USER,
            "-A",
            "trust",
            "--locale=C",
            "-E",
            "UTF8",
            "--no-instructions",
        )
        initdb = await asyncio.create_subprocess_exec(
            *coat.clothe(programs.path("initdb"), *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd="/",
        )
        said, _ = await initdb.communicate()
        if initdb.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            last_words = said.decode(errors="replace").strip().splitlines()[-LOG_TAIL_LINES:]
            raise self._fault("initdb cannot make the database", "\n".join(last_words))
        if self.data_dir.is_dir():
            self.data_dir.rmdir()
        unfinished.rename(self.data_dir)

    async def _wait_until_ready(self) -> None:
        async with self._patience(READY_TIMEOUT_S, "PostgreSQL is not ready in time"):
            while not self._child_ended():
                lines = self._pid_file_lines()
                if lines[:1] == [str(self._child)] and lines[PID_FILE_STATUS_LINE:] == ["ready"]:
                    return
                await asyncio.sleep(LOOK_AGAIN_S)
        raise self._fault("PostgreSQL does not start", self._log_tail())

    @contextlib.asynccontextmanager
    async def _patience(self, limit_s: float, otherwise: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError as fault:
            raise self._fault(f"{otherwise} ({limit_s:.0f} s)", self._log_tail()) from fault

    async def _connect(self, database: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=str(self._socket_dir()), user=USER, database=database, ssl=False, timeout=READY_TIMEOUT_S
        )

    async def _make_database(self) -> None:
        try:
            connection = await self._connect("postgres")
            try:
                if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
                    await connection.execute(f"CREATE DATABASE {DATABASE}")
            finally:
                await connection.close()
        except CONNECTION_FAULTS as fault:  # killed again, the moment it was ready
            raise self._fault("PostgreSQL ended as soon as it was ready", self._log_tail()) from fault

    # -- stopping

    async def _shut_down(self) -> None:
        pid = self.server_pid()
        if pid is None:
            return
        # fast: sessions are broken off; immediate: no checkpoint, the next start recovers (postgres, "Signals")
        for kind in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, kind)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    while _is_postmaster(pid, self.data_dir) or (pid == self._child and not self._child_ended()):
                        await asyncio.sleep(LOOK_AGAIN_S)
                    return

    def _forget_use(self) -> None:
        if self._users is not None:
            os.close(self._users)
            self._users = None

    # -- files

    def _make_parent(self) -> None:
        try:
            self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise PostgresFault(
                f"{self.data_dir.parent} cannot be made ({fault.strerror}): set [node] data_dir to a folder of ours"
            ) from fault

    def _lock_path(self, word: str) -> Path:
        return self.data_dir.with_name(f"{self.data_dir.name}.{word}.lock")

    @contextlib.asynccontextmanager
    async def _one_at_a_time(self) -> AsyncIterator[None]:
        """Starting and stopping exclude each other, over all processes."""
        try:
            descriptor = _open_lock(self._lock_path("start"))
        except OSError as fault:
            raise self._fault(f"{self.data_dir.parent} is not writable", fault.strerror or "") from fault
        try:
            async with self._patience(READY_TIMEOUT_S + STOP_TIMEOUT_S, "another process starts or stops PostgreSQL"):
                while not _take_lock(descriptor):
                    await asyncio.sleep(LOOK_AGAIN_S)
            yield
        finally:
            os.close(descriptor)

    def _pid_file_lines(self) -> list[str]:
        try:
            text = (self.data_dir / "postmaster.pid").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return []
        except PermissionError as fault:
            raise PostgresFault(
                f"{self.data_dir} belongs to another user: run passerelle as its owner, or set [node] data_dir"
            ) from fault
        return [line.strip() for line in text.splitlines()]

    async def _clear_leftovers(self) -> None:
        """Wait for the processes a killed postmaster left behind, then drop lock files that mean nobody.

        The pid in them may be another program's by now, and PostgreSQL would refuse to start for ever; but they
        guard against leftovers as well, so they go only after these.
        """
        self._child_ended()
        async with self._patience(STOP_TIMEOUT_S, "processes of a killed PostgreSQL do not end"):
            while any(_is_postmaster(pid, self.data_dir) for pid in _all_pids()):
                await asyncio.sleep(LOOK_AGAIN_S)
        for lock_file in (self.data_dir / "postmaster.pid", self._socket_dir() / f"{SOCKET_NAME}.lock"):
            lock_file.unlink(missing_ok=True)

    def _check_version(self, programs: PostgresPrograms) -> None:
        made_by = (self.data_dir / "PG_VERSION").read_text(encoding="ascii").strip()
        if made_by != str(programs.major):
            raise PostgresFault(
                f"{self.data_dir} was made by PostgreSQL {made_by}, and {programs.folder} is {programs.major}: set "
                f"PASSERELLE_POSTGRES_BIN to a PostgreSQL {made_by}, or move the data over by pg_dump or pg_upgrade"
            )

    def _socket_dir(self) -> Path:
        """Beside the data while the path is short enough, else a folder named after it in the temporary folder."""
        beside = self.data_dir.with_name(self.data_dir.name + ".socket")
        if len(os.fsencode(beside / SOCKET_NAME)) <= SOCKET_PATH_LIMIT:
            return beside
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"passerelle-{os.geteuid()}-{digest}"

    def _make_socket_dir(self, coat: Coat) -> None:
        folder = self._socket_dir()
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = os.geteuid() if coat.owner is None else coat.owner
        stat = folder.lstat()
        if folder.is_symlink() or stat.st_uid not in (os.geteuid(), owner):
            raise PostgresFault(f"{folder} belongs to somebody else: remove it; passerelle makes its own")
        if stat.st_uid != owner:
            os.chown(folder, owner, owner)
        folder.chmod(0o700)

    @contextlib.contextmanager
    def _server_log(self) -> Iterator[int]:
        anew = self.log_path.exists() and self.log_path.stat().st_size > LOG_KEPT_OCTETS
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if anew else 0)
        try:
            descriptor = os.open(self.log_path, flags, 0o600)
        except OSError as fault:
            raise self._fault(f"{self.log_path} cannot be written", fault.strerror or "") from fault
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _log_tail(self) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
        return ""

    def _fault(self, what: str, said: str) -> PostgresFault:
        """The fault with PostgreSQL's own words and, where they are known, their remedy."""
        remedy = next((remedy for pattern, remedy in REMEDIES if re.search(pattern, said)), "see the log")
        return PostgresFault(f"{what} in {self.data_dir}: {remedy} (log {self.log_path}: {said.strip()})")


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _take_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _is_postmaster(pid: int, data_dir: Path) -> bool:
    """Whether a process of PostgreSQL lives over this folder under this pid (its working folder is the data)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        where = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return False
    name_and_state = re.match(r"\d+ \((.*)\) (\S)", status, re.DOTALL)
    if name_and_state is None or name_and_state[2] in "ZX":
        return False
    return name_and_state[1].startswith("postgres") and where == os.path.realpath(data_dir)
