"""A real PostgreSQL server, started for the tests alone: the fixtures ``postgresql`` and ``postgresql_url``."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest


def _programs() -> Path | None:
    """Folder of PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a server without databases of ours, up to the database's name."""
    programs = _programs()
    if programs is None or importlib.util.find_spec("psycopg") is None:
        pytest.skip("PostgreSQL or the package psycopg is not installed (on Debian: apt install postgresql)")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        # The server refuses to run as root.
        as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        cluster = f"{folder}/cluster"
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/"}
        trust = ["--auth=trust", "--username=coach", "--no-sync"]
        subprocess.run([*as_user, str(programs / "initdb"), "-D", cluster, *trust], **quiet)
        options = f"-c listen_addresses= -c unix_socket_directories={folder}"
        control = [*as_user, str(programs / "pg_ctl"), "-D", cluster, "-w", "-l", f"{folder}/log"]
        subprocess.run([*control, "-o", options, "start"], **quiet)
        try:
            yield f"postgresql+psycopg://coach@/{{name}}?host={folder}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **quiet)


@pytest.fixture
def postgresql_url(postgresql: str, request: pytest.FixtureRequest) -> str:
    """A new, empty database."""
    import psycopg

    name = f"test_{zlib.crc32(request.node.nodeid.encode())}"
    folder = postgresql.rpartition("=")[2]
    with psycopg.connect(f"host={folder} user=coach dbname=postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    return postgresql.format(name=name)
