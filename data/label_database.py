"""The label database, which stores verdicts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from data.clip import VERDICTS, Clip, Verdict
from data.episode import utc_now
from data.errors import CoachError
from data.label_connection import (
    BUSY_SECONDS,
    engine_for_reading,
    engine_for_url,
    file_has_content,
    shown,
    sqlite_engine,
    sqlite_engine_for_reading,
)

SCHEMA_VERSION = 1
WRITE_LOCK = 0x5265706C6179
"""Number of the advisory lock of PostgreSQL's writers; arbitrary, and unlikely to be used by other programs."""

_metadata = sa.MetaData()

_about = sa.Table(
    "replay_coach_labels",
    _metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.String(200), nullable=False),
)

_verdicts = sa.Table(
    "verdicts",
    _metadata,
    # Ids only ever grow, so that "the latest" is well defined.
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("curator", sa.String(200), nullable=False),
    sa.Column("episode_id", sa.String(250), nullable=False),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("stop", sa.Integer, nullable=False),
    sa.Column("verdict", sa.String(10), nullable=False),
    sa.Column("given", sa.String(40), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("queue", sa.String(200), nullable=False),
    sa.Column("withdrawn", sa.String(40), nullable=True),
    sa.CheckConstraint(f"verdict IN {VERDICTS}", name="known_verdict"),
    sa.CheckConstraint('0 <= "start" AND "start" < "stop"', name="proper_clip"),
    sa.Index("verdicts_by_clip", "curator", "episode_id", "start", "stop"),
    sa.Index("verdicts_by_episode", "episode_id"),
    sqlite_autoincrement=True,
)


class JudgedElsewhere(CoachError):
    """The curator has judged the clip in another window meanwhile."""

    def __init__(self, standing: Verdict) -> None:
        super().__init__(f"Also judged in another window: {standing.verdict}.")
        self.standing = standing


class LabelDatabase:
    """Permanent storage of verdicts. Each is committed before ``record`` returns.

    Nothing is overwritten. A curator who judges a clip again adds a row, and the newest row that was not withdrawn is
    the current verdict. ``undo`` withdraws the curator's newest row, which makes the one before it current again.
    Several processes may use one database at once. Each write is one transaction, and writes are serialised.
    """

    def __init__(self, path_or_url: Path | str) -> None:
        """Open a label database for reading and writing, and create it if there is none.

        A path is a SQLite file; a text with "://" is a database URL, such as ``postgresql+psycopg://host/name``.
        Raises CoachError for a file or database that is not a label database of this version, and does not change it.
        """
        self.where = shown(path_or_url)
        if isinstance(path_or_url, Path) or "://" not in path_or_url:
            path = Path(path_or_url)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise CoachError(
                    f"Cannot create the label database {self.where} ({error.strerror or error}); "
                    "choose another place with --labels."
                ) from error
            for what in (path.parent, path):
                if what.exists() and not os.access(what, os.W_OK):
                    raise CoachError(
                        f"The label database {self.where} cannot be written, because {what} is read-only; "
                        "choose another place with --labels."
                    )
            if file_has_content(path):
                # Check before the first write, so that another program's file is not changed.
                with engine_for_reading(path) as engine, self._sentences("opened"), engine.connect() as connection:
                    self._check(connection)
            self._engine = sqlite_engine(path)
        else:
            self._engine = engine_for_url(path_or_url)
        self._writer = self._engine.execution_options(writes=True)
        try:
            with self._sentences("opened"), self._write() as connection:
                if not self._check(connection):
                    _metadata.create_all(connection)
                    connection.execute(_about.insert().values(name="schema_version", value=str(SCHEMA_VERSION)))
        except CoachError:
            self.close()
            raise

    @classmethod
    def open_existing(cls, path_or_url: Path | str) -> LabelDatabase | None:
        """Open a label database read-only and return it, or None if there is none. Changes nothing."""
        self = cls.__new__(cls)
        self.where = shown(path_or_url)
        if isinstance(path_or_url, Path) or "://" not in path_or_url:
            path = Path(path_or_url)
            if not file_has_content(path):
                return None
            self._engine = sqlite_engine_for_reading(path)
        else:
            self._engine = engine_for_url(path_or_url)
        self._writer = None
        try:
            with self._sentences("opened"), self._engine.connect() as connection:
                found = self._check(connection)
        except CoachError:
            self.close()
            raise
        if not found:
            self.close()
            return None
        return self

    _engine: sa.Engine
    _writer: sa.Engine | None

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()

    def __enter__(self) -> LabelDatabase:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def record(self, verdict: Verdict) -> int:
        """Store a verdict and return its id. It is on disk when this returns.

        If its curator has judged the same clip before, this verdict becomes the current one; the earlier one stays
        in the history.
        """
        with self._sentences("written"), self._write() as connection:
            return _insert(connection, verdict)

    def record_if_unchanged(self, verdict: Verdict, known: Verdict | None) -> int:
        """Record a verdict as ``record`` does, unless its curator has judged the clip since ``known`` was read.

        ``known``: the curator's verdict on the clip as the caller knows it. Raises JudgedElsewhere, and changes
        nothing, if another verdict is current.
        """
        with self._sentences("written"), self._write() as connection:
            row = connection.execute(_LATEST_ON_CLIP, _on_clip(verdict.clip, verdict.curator)).one_or_none()
            if row is not None and (standing := _verdict(row)) != known:
                raise JudgedElsewhere(standing)
            return _insert(connection, verdict)

    def verdict_on(self, clip: Clip, curator: str) -> Verdict | None:
        """Return the curator's verdict on a clip; None for none."""
        with self._sentences("read"), self._engine.connect() as connection:
            row = connection.execute(_LATEST_ON_CLIP, _on_clip(clip, curator)).one_or_none()
            return None if row is None else _verdict(row)

    def newest_id(self, curator: str) -> int:
        """Return the id of the curator's latest verdict, 0 for none."""
        with self._sentences("read"), self._engine.connect() as connection:
            row = connection.execute(_latest(curator)).one_or_none()
            return 0 if row is None else int(row.id)

    def undo(self, curator: str, up_to: int | None = None) -> Verdict | None:
        """Withdraw the latest verdict of a curator and return it; None if none is left.

        If it had replaced an earlier verdict on the same clip, the earlier one is current again. ``up_to``: an id;
        verdicts with a higher id, which were given later, are not withdrawn.
        """
        latest = _latest(curator, up_to=up_to)
        with self._sentences("written"), self._write() as connection:
            row = connection.execute(latest).one_or_none()
            if row is None:
                return None
            connection.execute(
                _verdicts.update().where(_verdicts.c.id == row.id).values(withdrawn=utc_now().isoformat())
            )
            return _verdict(row)

    def rename_curator(self, old: str, new: str, ids: Sequence[int] | None = None) -> tuple[int, ...]:
        """Give a curator's verdicts, or those with these ids, another name; return the ids of what was changed.

        Replaced and withdrawn verdicts are renamed too. Called with the names exchanged and the ids, it undoes itself.
        """
        with self._sentences("written"), self._write() as connection:
            query = sa.select(_verdicts.c.id).where(_verdicts.c.curator == old).order_by(_verdicts.c.id)
            chosen = None if ids is None else set(ids)
            found = [row.id for row in connection.execute(query) if chosen is None or row.id in chosen]
            for part in (found[i : i + 500] for i in range(0, len(found), 500)):
                connection.execute(_verdicts.update().where(_verdicts.c.id.in_(part)).values(curator=new))
            return tuple(found)

    def replace_rule(self, curator: str, verdicts: Iterable[Verdict], episodes: Iterable[str] | None = None) -> int:
        """Replace a rule's verdicts by ``verdicts``, in one transaction, and return the number of its verdicts.

        Verdicts that are the same as before keep their rows, so running a rule again changes nothing; the others are
        withdrawn. ``episodes``: replace the verdicts on these episodes only.
        """
        wanted = {verdict.clip: verdict for verdict in verdicts}
        if others := {verdict.curator for verdict in wanted.values()} - {curator}:
            raise CoachError(f"The verdicts of {curator} cannot be given by {', '.join(sorted(others))}.")
        scope = None if episodes is None else set(episodes)
        with self._sentences("written"), self._write() as connection:
            gone = []
            for row in connection.execute(_standing(curator=curator)).all():
                old = _verdict(row)
                if scope is not None and old.clip.episode_id not in scope:
                    continue
                new = wanted.get(old.clip)
                if new is not None and (new.verdict, new.note) == (old.verdict, old.note):
                    del wanted[old.clip]
                else:
                    gone.append(row.id)
            now = utc_now().isoformat()
            for part in (gone[i : i + 500] for i in range(0, len(gone), 500)):
                # Withdraw older rows on the same clip too; otherwise they would become current again.
                same_clip = sa.select(_verdicts.c.episode_id, _verdicts.c.start, _verdicts.c.stop).where(
                    _verdicts.c.id.in_(part)
                )
                connection.execute(
                    _verdicts.update()
                    .where(_verdicts.c.curator == curator, _verdicts.c.withdrawn.is_(None))
                    .where(sa.tuple_(_verdicts.c.episode_id, _verdicts.c.start, _verdicts.c.stop).in_(same_clip))
                    .values(withdrawn=now)
                )
            if wanted:
                connection.execute(_verdicts.insert(), [_row(verdict) for verdict in wanted.values()])
            standing = _standing(curator=curator).with_only_columns(_verdicts.c.episode_id)
            return sum(scope is None or name in scope for (name,) in connection.execute(standing))

    def merge(self, verdicts: Iterable[Verdict]) -> int:
        """Add verdicts from elsewhere, in one transaction, and return how many were new.

        A verdict that is already here (same curator, clip, verdict, note and time, current or withdrawn) is not
        added again. If a curator's verdicts on one clip differ, the latest one is current.
        """
        added = 0
        with self._sentences("written"), self._write() as connection:
            known = {(_verdict(row), row.given) for row in connection.execute(sa.select(_verdicts))}
            latest = {(v.curator, v.clip): v for v in (_verdict(r) for r in connection.execute(_standing()))}
            for verdict in sorted(verdicts, key=lambda verdict: verdict.given):
                key = (verdict, verdict.given.isoformat())
                if key in known:
                    continue
                known.add(key)
                added += 1
                mine = latest.get((verdict.curator, verdict.clip))
                if mine is not None and mine.given > verdict.given:
                    # History only: a new row has the highest id and would be current, so it is stored as withdrawn.
                    connection.execute(_verdicts.insert().values(_row(verdict) | {"withdrawn": mine.given.isoformat()}))
                else:
                    _insert(connection, verdict)
                    latest[verdict.curator, verdict.clip] = verdict
        return added

    def verdicts(self, episode_id: str | None = None, curator: str | None = None) -> list[Verdict]:
        """Return the current verdicts, of one episode or one curator or all, the oldest first."""
        with self._sentences("read"), self._engine.connect() as connection:
            return [_verdict(row) for row in connection.execute(_standing(episode_id, curator))]

    def history(self, curator: str | None = None) -> list[Verdict]:
        """Return all verdicts that were not undone, including replaced ones, the oldest first."""
        query = sa.select(_verdicts).where(_verdicts.c.withdrawn.is_(None)).order_by(_verdicts.c.id)
        if curator is not None:
            query = query.where(_verdicts.c.curator == curator)
        with self._sentences("read"), self._engine.connect() as connection:
            return [_verdict(row) for row in connection.execute(query)]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return curator -> verdict -> number of current verdicts, each with all three verdicts, curators sorted."""
        standing = _standing().order_by(None).subquery()
        query = sa.select(standing.c.curator, standing.c.verdict, sa.func.count()).group_by(
            standing.c.curator, standing.c.verdict
        )
        found: dict[str, dict[str, int]] = {}
        with self._sentences("read"), self._engine.connect() as connection:
            for curator, verdict, number in connection.execute(query):
                found.setdefault(curator, dict.fromkeys(VERDICTS, 0))[verdict] = number
        return dict(sorted(found.items()))

    def state(self) -> tuple[int, int]:
        """Return two numbers that change whenever a verdict is given or withdrawn."""
        query = sa.select(sa.func.max(_verdicts.c.id), sa.func.count(_verdicts.c.withdrawn))
        with self._sentences("read"), self._engine.connect() as connection:
            newest, withdrawn = connection.execute(query).one()
        return newest or 0, withdrawn

    def curators(self) -> list[str]:
        """Return the curators with current verdicts, sorted."""
        return list(self.counts())

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        if self._writer is None:
            raise CoachError(f"The label database {self.where} was opened read-only.")
        with self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                # Serialise writers, as SQLite does: ids then follow the order of commits, and two processes that
                # start at once do not both create the tables.
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITE_LOCK)))
            yield connection

    def _check(self, connection: sa.Connection) -> bool:
        """Return whether the tables exist (False: the database is empty). Raises CoachError for unknown tables."""
        tables = set(sa.inspect(connection).get_table_names())
        if _about.name not in tables:
            # A file with other tables is not ours; on a server, other programs may have tables in the database.
            if tables and (connection.dialect.name == "sqlite" or _verdicts.name in tables):
                raise CoachError(f"{self.where} is a database, but not a label database of Replay Coach.")
            return False
        query = sa.select(_about.c.value).where(_about.c.name == "schema_version")
        version = connection.execute(query).scalar_one_or_none()
        if version != str(SCHEMA_VERSION):
            raise CoachError(
                f"The label database {self.where} has version {version}, and this program reads version "
                f"{SCHEMA_VERSION}; use the program that wrote it, or choose another with --labels."
            )
        return True

    @contextmanager
    def _sentences(self, doing: str) -> Iterator[None]:
        """Turn the database's errors into CoachError with one sentence."""
        try:
            yield
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0].rstrip(".")
            if "not a database" in reason or "malformed" in reason:
                raise CoachError(f"{self.where} is not a label database of Replay Coach ({reason}).") from error
            if "is locked" in reason:
                raise CoachError(
                    f"The label database {self.where} has been locked by another program for {BUSY_SECONDS:.0f} s; "
                    "close that program and try again."
                ) from error
            raise CoachError(f"The label database {self.where} cannot be {doing} ({reason}).") from error


def _standing(episode_id: str | None = None, curator: str | None = None) -> sa.Select[Any]:
    """Select the current rows: of each curator and clip, the newest that was not withdrawn."""
    columns = _verdicts.c
    newest = (
        sa.select(sa.func.max(columns.id))
        .where(columns.withdrawn.is_(None))
        .group_by(columns.curator, columns.episode_id, columns.start, columns.stop)
    )
    if episode_id is not None:
        newest = newest.where(columns.episode_id == episode_id)
    if curator is not None:
        newest = newest.where(columns.curator == curator)
    return sa.select(_verdicts).where(columns.id.in_(newest)).order_by(columns.id)


def _latest(curator: str, up_to: int | None = None) -> sa.Select[Any]:
    """Select the curator's newest row that was not withdrawn, with an id of at most ``up_to``."""
    columns = _verdicts.c
    query = sa.select(_verdicts).where(columns.curator == curator, columns.withdrawn.is_(None))
    if up_to is not None:
        query = query.where(columns.id <= up_to)
    return query.order_by(columns.id.desc()).limit(1)


_LATEST_ON_CLIP = (
    sa.select(_verdicts)
    .where(
        *(_verdicts.c[name] == sa.bindparam(name) for name in ("curator", "episode_id", "start", "stop")),
        _verdicts.c.withdrawn.is_(None),
    )
    .order_by(_verdicts.c.id.desc())
    .limit(1)
)
"""The newest row of a curator on a clip that was not withdrawn. It is built once, because it runs for each verdict."""


def _on_clip(clip: Clip, curator: str) -> dict[str, Any]:
    return {
        "curator": curator,
        "episode_id": clip.episode_id,
        "start": int(clip.start),
        "stop": int(clip.stop),
    }


def _row(verdict: Verdict) -> dict[str, Any]:
    return {
        "curator": verdict.curator,
        "episode_id": verdict.clip.episode_id,
        "start": int(verdict.clip.start),  # A numpy integer would be stored as bytes.
        "stop": int(verdict.clip.stop),
        "verdict": verdict.verdict,
        "given": verdict.given.isoformat(),
        "note": verdict.stored_note,
        "queue": verdict.queue,
    }


def _insert(connection: sa.Connection, verdict: Verdict) -> int:
    result = connection.execute(_verdicts.insert().values(_row(verdict)))
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def _verdict(row: sa.Row[Any]) -> Verdict:
    clip = Clip(row.episode_id, row.start, row.stop)
    return Verdict.from_stored(clip, row.curator, row.verdict, datetime.fromisoformat(row.given), row.note, row.queue)
