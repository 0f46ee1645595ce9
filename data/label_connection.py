"""SQLAlchemy engines of label databases: SQLite files, read-write or read-only, and database servers."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from data.errors import CoachError
from data.files import require_locks

BUSY_SECONDS = 30.0
"""How long a process waits for another's write before it gives up."""


def shown(path_or_url: Path | str) -> str:
    """Return the database's name for messages: a path as it is, a URL without its password."""
    if isinstance(path_or_url, Path) or "://" not in path_or_url:
        return str(path_or_url)
    try:
        return sa.make_url(path_or_url).render_as_string(hide_password=True)
    except ArgumentError as error:
        raise CoachError(
            "The address of the label database is not valid; write it as "
            "postgresql+psycopg://user:password@host/name, or give a file."
        ) from error


def file_has_content(path: Path) -> bool:
    """Return whether the file exists and is not empty. Raises CoachError for a folder."""
    if path.is_dir():
        raise CoachError(f"{path} is a folder, not a label database.")
    return path.exists() and path.stat().st_size > 0


def engine_for_url(url: str) -> sa.Engine:
    """Return an engine for a server. Raises CoachError if its driver is not installed."""
    try:
        return sa.create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise CoachError(
            f"This label database needs the package {error.name}, which is not installed; run: pip install {error.name}"
        ) from error
    except NoSuchModuleError as error:
        raise CoachError(
            f"No driver is known for the label database {shown(url)}; "
            "write postgresql+psycopg://host/name, or give a file."
        ) from error


def sqlite_engine(path: Path) -> sa.Engine:
    """Return an engine for reading and writing a file, which is created if there is none. Raises LocksUnavailable."""
    require_locks(path.parent)
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_SECONDS})

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # Transactions are started below, not by the driver.
        give_up = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                break
            except engine.dialect.loaded_dbapi.OperationalError as error:
                # SQLite does not wait here when two processes create the database at the same moment.
                if "locked" not in str(error) or time.monotonic() > give_up:
                    raise
                time.sleep(0.01)
        connection.execute("PRAGMA synchronous=FULL")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A writer takes the write lock immediately, so that what it reads cannot change before it writes.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def sqlite_engine_for_reading(path: Path) -> sa.Engine:
    """Return a read-only engine for a file, which may be in a read-only folder. Raises LocksUnavailable."""
    require_locks(path.parent)
    query = {"uri": "true", "mode": "rw"}  # "rw" lets SQLite clean up its -wal and -shm; query_only prevents writes.
    copies = None
    if not os.access(path.parent, os.W_OK):
        query = {"uri": "true", "mode": "ro", "immutable": "1"}  # otherwise SQLite would want to make a -shm file
        if Path(f"{path}-wal").exists():
            # Its newest verdicts are in the -wal file, which SQLite only reads beside a -shm file.
            path = copies = _copied(path)
            query = {"uri": "true", "mode": "rw"}
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=path.absolute().as_uri(), query=query), connect_args={"timeout": BUSY_SECONDS}
    )

    if copies is not None:
        weakref.finalize(engine, shutil.rmtree, copies.parent, ignore_errors=True)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA query_only=ON")

    return engine


def _copied(path: Path) -> Path:
    """Copy a database and its -wal file into a temporary folder; return the copy's path. Raises CoachError."""
    folder = Path(tempfile.mkdtemp(prefix="replay-coach-labels-"))
    try:
        for name in (path.name, f"{path.name}-wal"):
            shutil.copyfile(path.with_name(name), folder / name)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise CoachError(f"Cannot read the label database {path} ({error.strerror or error}).") from error
    return folder / path.name


@contextmanager
def engine_for_reading(path: Path) -> Iterator[sa.Engine]:
    """Yield ``sqlite_engine_for_reading`` and dispose of it at the end."""
    engine = sqlite_engine_for_reading(path)
    try:
        yield engine
    finally:
        engine.dispose()
