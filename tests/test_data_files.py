"""Files appear whole or not at all, and locks say why they cannot be had."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import filelock
import pytest

from data.errors import CoachError
from data.files import LocksUnavailable, atomic_path, hold_lock, is_locked, publish_new, try_lock, write_atomic
from data.label_database import LabelDatabase

ROOT = Path(__file__).parent.parent
NO_LOCKS = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
static int is_lock(int c) { return c == F_SETLK || c == F_SETLKW || c == F_GETLK || c == F_OFD_SETLK; }
int flock(int fd, int operation) { errno = ENOLCK; return -1; }
#define WITHOUT_LOCKS(NAME) int NAME(int fd, int command, ...) { \\
    va_list rest; va_start(rest, command); void *argument = va_arg(rest, void *); va_end(rest); \\
    if (is_lock(command)) { errno = ENOLCK; return -1; } \\
    return ((int (*)(int, int, ...)) dlsym(RTLD_NEXT, #NAME))(fd, command, argument); }
WITHOUT_LOCKS(fcntl)
WITHOUT_LOCKS(fcntl64)
"""
"""What an NFS mount without a lock service does, as a library to be preloaded."""


def test_an_atomic_write_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    write_atomic(path, "old")
    write_atomic(path, b"new", mode=0o444)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o444
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["write", "fsync", "fchmod", "replace"])
def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.json"
    write_atomic(path, "old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(OSError, match="No space left"):
            write_atomic(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_written_by_another_library_appears_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with atomic_path(path) as partial:
        assert partial.suffix == ".mp4"
        partial.write_bytes(b"half")
        assert not path.exists()
        partial.write_bytes(b"whole")
    assert path.read_bytes() == b"whole"
    with pytest.raises(RuntimeError):
        encode_and_fail(path)
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def encode_and_fail(path: Path) -> None:
    with atomic_path(path) as partial:
        partial.write_bytes(b"half")
        raise RuntimeError("the encoder failed")


@pytest.mark.parametrize("has_hard_links", [True, False], ids=["hard links", "no hard links"])
def test_of_two_new_files_with_one_name_the_first_stays(
    has_hard_links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if not has_hard_links:
        monkeypatch.setattr(os, "link", refused)
    first, second, path = tmp_path / "first", tmp_path / "second", tmp_path / "name"
    first.write_text("first")
    second.write_text("second")
    assert publish_new(first, path)
    assert not publish_new(second, path)
    assert path.read_text() == "first"
    assert not first.exists()


def test_a_lock_excludes_others_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    assert not is_locked(path)
    with hold_lock(path) as held:
        assert held is not None
        assert is_locked(path)
        with hold_lock(path) as second:
            assert second is None
    assert not is_locked(path)


def test_a_child_that_inherits_the_lock_holds_it_when_its_parent_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with hold_lock(path) as held:
        assert held is not None
        child = subprocess.Popen(["sleep", "60"], pass_fds=(held.fileno(),))
    assert is_locked(path)
    child.kill()
    child.wait()
    assert not is_locked(path)


def test_looking_whether_a_lock_is_held_does_not_keep_others_from_it(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    path.touch()
    with path.open("rb") as looking:
        assert try_lock(looking.fileno(), path, shared=True)
        assert not is_locked(path)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_named_at_once(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> bool:
        raise OSError(number, os.strerror(number))

    for name in ("flock", "lockf"):
        monkeypatch.setattr(fcntl, name, refused)
    before = time.monotonic()
    with pytest.raises(LocksUnavailable, match=f"file system of {tmp_path} does not support file locks"):
        filelock_of(tmp_path / "run.lock")
    with pytest.raises(CoachError, match=f"file system of {tmp_path} does not support file locks"):
        LabelDatabase(tmp_path / "labels.sqlite")
    assert time.monotonic() - before < 5.0
    assert not is_locked(tmp_path / "run.lock"), "where there are no locks nobody holds one"


def filelock_of(path: Path) -> None:
    with hold_lock(path):
        raise AssertionError("locked")


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
@pytest.mark.parametrize(
    "command",
    [
        ("record", "--by", "random", "--episodes", "1", "--max-frames", "40"),
        ("train", "--run", "first", "--steps", "4"),
        ("library",),
    ],
)
def test_commands_say_that_the_file_system_has_no_locks(command: tuple[str, ...], tmp_path: Path) -> None:
    source, library = tmp_path / "no_locks.c", tmp_path / "no_locks.so"
    source.write_text(NO_LOCKS)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    folder = tmp_path / "library"
    if command[0] == "library":
        folder.mkdir()
        LabelDatabase(folder / "labels.sqlite").close()
    before = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "coach", "--library", str(folder), *command],
        cwd=ROOT,
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == CoachError.exit_code, done.stdout + done.stderr
    assert "does not support file locks" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert time.monotonic() - before < 25.0


def test_the_lock_is_that_of_earlier_versions(tmp_path: Path) -> None:
    """Two versions of the program may use one library: both take ``flock`` on the same file."""
    path = tmp_path / "run.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert is_locked(path)
        with path.open("rb") as other:
            assert not filelock.lock_descriptor(other.fileno(), blocking=False)
