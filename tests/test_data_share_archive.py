"""The content of an untrusted zip is refused in one sentence, or is valid."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from replay_episodes import record

from data.clip import Clip, Verdict
from data.errors import CoachError
from data.label_exchange import labels_text
from data.library import Library
from data.share_archive import LABELS, MANIFEST, MAX_EPISODES, Manifest, ShareArchive, is_episode_id, member_of
from data.share_export import write_share
from data.share_import import ShareImporter

MUTATIONS = 600
MUTATED_REPLAYS = 40


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(Library(tmp_path_factory.mktemp("library")), 80, "Pong")


@pytest.fixture(scope="module")
def honest(episode: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("share") / "honest.zip"
    library = Library(episode.parent.parent)
    write_share(path, library.episodes(), [Verdict(Clip(episode.stem, 0, 60), "Ada", "good")])
    return path.read_bytes()


Members = dict[str, bytes]


def members_of(honest: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def described(members: Members) -> Members:
    """The members with a manifest that tells the truth of them."""
    others = {name: data for name, data in members.items() if name != MANIFEST}

    def listed(data: bytes) -> dict[str, Any]:
        return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    about = {
        "format": "replay-coach-share",
        "version": 1,
        "episodes": [
            {"id": name.removeprefix("replays/").removesuffix(".h5"), **listed(data)}
            for name, data in others.items()
            if name.endswith(".h5")
        ],
        "labels": listed(others[LABELS]) if LABELS in others else None,
    }
    return {**others, MANIFEST: json.dumps(about).encode()}


def zipped(members: Members, packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", packing) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return memory.getvalue()


def the_replay(members: Members) -> str:
    return next(name for name in members if name.endswith(".h5"))


def renamed(name: str) -> Callable[[bytes], bytes]:
    """The replay file under another name, which the manifest confirms."""

    def make(honest: bytes) -> bytes:
        members = members_of(honest)
        members[name] = members.pop(the_replay(members))
        members.pop(LABELS)
        return zipped(described(members))

    return make


def with_member(name: str, data: bytes = b"x") -> Callable[[bytes], bytes]:
    return lambda honest: zipped({**members_of(honest), name: data})


def with_info(**changes: Any) -> Callable[[bytes], bytes]:
    """The replay file's entry changed in the zip's directory."""

    def make(honest: bytes) -> bytes:
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w") as archive:
            for name, data in members_of(honest).items():
                info = zipfile.ZipInfo(name)
                if name.endswith(".h5"):
                    for key, value in changes.items():
                        setattr(info, key, value)
                archive.writestr(info, data)
        return memory.getvalue()

    return make


def in_manifest(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def make(honest: bytes) -> bytes:
        members = members_of(honest)
        about = json.loads(members[MANIFEST])
        changed = change(about)
        members[MANIFEST] = json.dumps(changed if changed is not None else about).encode()
        return zipped(members)

    return make


def twice(honest: bytes) -> bytes:
    members = members_of(honest)
    memory = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(memory, "w") as archive:
            for name, data in [*members.items(), (the_replay(members), b"another")]:
                archive.writestr(name, data)
    return memory.getvalue()


def twice_but_for_the_case(honest: bytes) -> bytes:
    members = members_of(honest)
    name = the_replay(members)
    members[name.replace("Pong", "PONG")] = members[name]
    return zipped(described(members))


def bomb(honest: bytes) -> bytes:
    members = members_of(honest)
    members[the_replay(members)] = bytes(2**25)
    return zipped(described(members))


def overlapping(honest: bytes) -> bytes:
    """Two entries of the directory that lead to the same bytes: a bomb without any nesting."""
    members = members_of(honest)
    name = the_replay(members)
    members[name.replace("Pong", "Fong")] = members[name]
    data = bytearray(zipped(described(members), zipfile.ZIP_STORED))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        first, second = (i.header_offset for i in archive.infolist() if i.filename.endswith(".h5"))
        directory = archive.start_dir
    at = data.index(struct.pack("<L", second), directory)
    data[at : at + 4] = struct.pack("<L", first)
    return bytes(data)


def encrypted(honest: bytes) -> bytes:
    data = bytearray(honest)
    directory = data.index(b"PK\x01\x02")
    data[directory + 8] |= 1
    return bytes(data)


def lying_about_size(honest: bytes) -> bytes:
    """The directory says that a member unpacks to little; it unpacks to 64 MiB."""
    members = members_of(honest)
    members[LABELS] = bytes(2**26)
    data = bytearray(zipped(described(members)))
    while (at := data.find(struct.pack("<L", 2**26))) >= 0:
        data[at : at + 4] = struct.pack("<L", 1000)
    members[LABELS] = bytes(1000)
    return bytes(data)


def with_a_zero_byte(honest: bytes) -> bytes:
    return renamed("replays/aZ.h5")(honest).replace(b"replays/aZ.h5", b"replays/a\0.h5")


def crowded(_: bytes) -> bytes:
    return zipped({f"replays/{number}.h5": b"" for number in range(MAX_EPISODES + 3)}, zipfile.ZIP_STORED)


def deep(honest: bytes) -> bytes:
    return zipped({**members_of(honest), MANIFEST: b"[" * 100_000}, zipfile.ZIP_STORED)


HOSTILE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "no zip": (lambda _: b"this is no zip, but it is longer than an end record", "not a share"),
    "an empty file": (lambda _: b"", "not a share"),
    "an empty zip": (lambda _: zipped({}), "no manifest"),
    "a zip cut short": (lambda honest: honest[:-200], "not a share"),
    "a zip with something before it": (lambda honest: b"#!/bin/sh\n" + honest, "not a share"),
    "a zip with something behind it": (lambda honest: honest + b"more", "not a share"),
    "a way up": (renamed("../../evil.h5"), "which shares do not"),
    "a way up from replays": (renamed("replays/../evil.h5"), "which shares do not"),
    "an absolute path": (renamed("/tmp/evil.h5"), "which shares do not"),
    "a path of another system": (renamed("replays/..\\evil.h5"), "which shares do not"),
    "a drive of another system": (renamed("replays/C:evil.h5"), "which shares do not"),
    "a hidden file": (renamed("replays/.evil.h5"), "which shares do not"),
    "a folder in replays": (renamed("replays/a/evil.h5"), "which shares do not"),
    "a name with a zero byte": (with_a_zero_byte, "which shares do not"),
    "a name with control characters": (renamed("replays/\x1b[2J.h5"), "which shares do not"),
    "a name that is too long": (renamed(f"replays/{'a' * 200}.h5"), "which shares do not"),
    "a member that nobody expects": (with_member("run.sh"), "run.sh"),
    "a zip in the zip": (with_member("replays/inner.zip"), "which shares do not"),
    "a folder packed again by hand": (with_member("__MACOSX/x"), "not a new zip"),
    "an episode that the manifest does not list": (with_member("replays/x.h5"), "not in its manifest"),
    "the same name twice": (twice, "twice"),
    "the same name twice but for its case": (twice_but_for_the_case, "twice"),
    "a link": (with_info(external_attr=(stat.S_IFLNK | 0o777) << 16), "a link or a folder"),
    "a device": (with_info(external_attr=(stat.S_IFCHR | 0o777) << 16), "a link or a folder"),
    "a folder with a file's name": (with_info(external_attr=0x10), "a link or a folder"),
    "another way of packing": (with_info(compress_type=zipfile.ZIP_LZMA), "compression that shares do not use"),
    "encryption": (encrypted, "encrypted"),
    "a bomb": (bomb, "would decompress to"),
    "a member within another": (overlapping, "overlaps another"),
    "too many members": (crowded, "more files than a share may"),
    "a manifest of a thousand brackets": (deep, "not readable"),
    "a manifest that is a list": (in_manifest(lambda _: []), "not that of a share"),
    "a manifest of another format": (in_manifest(lambda m: m.update(format="x")), "not that of a share"),
    "a manifest of a later version": (in_manifest(lambda m: m.update(version=2)), "a later version of Replay Coach"),
    "a manifest of version true": (in_manifest(lambda m: m.update(version=True)), "does not state its version"),
    "a manifest with a number for episodes": (in_manifest(lambda m: m.update(episodes=3)), "lists no episodes"),
    "a manifest with an invalid name": (
        in_manifest(lambda m: m["episodes"][0].update(id="../x")),
        "an invalid name",
    ),
    "a manifest with an episode twice": (in_manifest(lambda m: m["episodes"].append(m["episodes"][0])), "twice"),
    "a manifest with a negative size": (in_manifest(lambda m: m["episodes"][0].update(bytes=-1)), "invalid size"),
    "a manifest with a size of 10^400": (in_manifest(lambda m: m["episodes"][0].update(bytes=10**400)), "invalid"),
    "a manifest without a SHA-256": (in_manifest(lambda m: m["episodes"][0].update(sha256="x")), "no SHA-256"),
    "a manifest of an episode that is missing": (
        in_manifest(lambda m: m["episodes"].append({**m["episodes"][0], "id": "missing"})),
        "in the manifest but not in the zip",
    ),
    "a manifest of verdicts that are missing": (
        lambda honest: zipped({n: d for n, d in members_of(honest).items() if n != LABELS}),
        "in the manifest but not in the zip",
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_zip_is_refused_in_one_sentence(what: str, honest: bytes, tmp_path: Path) -> None:
    make, because = HOSTILE[what]
    path, library = tmp_path / "hostile.zip", Library(tmp_path / "library")
    path.write_bytes(make(honest))
    with ShareImporter(library) as importer:
        result = importer.import_share(path)
    assert result.is_refused
    assert because in result.problem, result.problem
    assert result.problem.startswith(str(path)) and result.problem.endswith(".") and "\n" not in result.problem
    assert "\x1b" not in result.problem
    assert not list(library.replays.iterdir()) and not library.labels.exists()
    assert sorted(item.name for item in tmp_path.iterdir()) == ["hostile.zip", "library"]


BAD_CONTENT: dict[str, tuple[Callable[[Members], Members], str]] = {
    "a replay file that is text": (lambda m: described({**m, the_replay(m): b"text" * 99}), "not a replay file"),
    "a replay file of another digest": (lambda m: {**m, the_replay(m): b"text" * 99}, "manifest"),
    "a replay file cut short": (lambda m: described({**m, the_replay(m): m[the_replay(m)][:-500]}), "truncated"),
    "verdicts that are binary": (lambda m: described({**m, LABELS: bytes(range(256))}), "labels.jsonl"),
    "verdicts of another digest": (lambda m: {**m, LABELS: m[LABELS] + b" "}, "manifest"),
    "verdicts nested without end": (
        lambda m: described({**m, LABELS: m[LABELS].splitlines()[0] + b"\n" + b"[" * 90_000}),
        "line 2",
    ),
}


@pytest.mark.parametrize("what", BAD_CONTENT)
def test_bad_content_is_refused_in_one_sentence_that_names_it(what: str, honest: bytes, tmp_path: Path) -> None:
    change, because = BAD_CONTENT[what]
    path, library = tmp_path / "bad.zip", Library(tmp_path / "library")
    path.write_bytes(zipped(change(members_of(honest)), zipfile.ZIP_STORED))
    with ShareImporter(library) as importer:
        result = importer.import_share(path)
    reasons = [refusal.reason for refusal in result.refused] + [result.problem] * bool(result.problem)
    assert len(reasons) == 1 and because in reasons[0] and str(path) in reasons[0], reasons
    assert "incoming" not in reasons[0] and "\n" not in reasons[0]
    assert not library.labels.exists()
    assert len(list(library.replays.iterdir())) == (0 if "replay file" in what else 1)


def test_a_member_is_never_unpacked_beyond_what_was_said(honest: bytes, tmp_path: Path) -> None:
    path = tmp_path / "lying.zip"
    path.write_bytes(lying_about_size(honest))
    unpacked: list[int] = []
    with pytest.raises(CoachError):
        unpack_labels(path, unpacked)
    assert sum(unpacked) <= 2**20


def unpack_labels(path: Path, unpacked: list[int]) -> None:
    with ShareArchive(path) as archive:
        unpacked.extend(len(part) for part in archive.parts_of_labels())


def test_what_another_program_packed_is_taken_as_long_as_it_is_a_share(honest: bytes, tmp_path: Path) -> None:
    """Mail filters and clouds pack zips again; that alone is no harm."""
    path = tmp_path / "again.zip"
    path.write_bytes(zipped(members_of(honest)))
    with ShareArchive(path) as archive:
        assert len(archive.manifest.episodes) == 1
        assert b"".join(archive.parts_of_labels()).startswith(b'{"format"')


def test_damaged_shares_never_bring_in_what_is_not_true(honest: bytes, episode: Path, tmp_path: Path) -> None:
    """Bytes flipped, cut out, put in and copied all over the zip."""
    rng = np.random.default_rng(7)
    library, path = Library(tmp_path / "library"), tmp_path / "mutated.zip"
    outcomes = {"refused": 0, "came in": 0}
    with ShareImporter(library) as importer:
        for _ in range(MUTATIONS):
            path.write_bytes(mutated(honest, rng))
            result = importer.import_share(path)
            outcomes["refused" if not result.ok else "came in"] += 1
            for file in library.replays.iterdir():
                assert file.read_bytes() == episode.read_bytes()
            assert all("\n" not in text and text.endswith(".") for text in [result.problem] if text)
    assert outcomes["refused"] > MUTATIONS / 2, outcomes
    assert sorted(item.name for item in tmp_path.iterdir()) == ["library", "mutated.zip"]


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Where the zip's own structures lie (its end), one mutation in two strikes."""
    out = bytearray(data)
    tail = len(data) - data.index(b"PK\x01\x02") + 900
    for _ in range(int(rng.integers(1, 4))):
        low = max(0, len(out) - tail) if rng.random() < 0.5 else 0
        at = int(rng.integers(low, len(out)))
        length = int(rng.integers(1, 40))
        match int(rng.integers(5)):
            case 0:
                out[at] ^= 1 << int(rng.integers(8))
            case 1:
                out[at : at + length] = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
            case 2:
                del out[at : at + length]
            case 3:
                out[at:at] = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
            case 4:
                source = int(rng.integers(len(out)))
                out[at : at + length] = out[source : source + length]
    return bytes(out)


def test_damaged_episodes_in_a_sound_share_are_refused_or_true(honest: bytes, tmp_path: Path) -> None:
    """The manifest confirms the damaged bytes, so that only reading and simulating can tell."""
    rng = np.random.default_rng(11)
    members = members_of(honest)
    original, name = members[the_replay(members)], the_replay(members)
    library, path = Library(tmp_path / "library"), tmp_path / "mutated.zip"
    refused = 0
    with ShareImporter(library) as importer:
        for _ in range(MUTATED_REPLAYS):
            data = bytearray(original)
            for at in rng.integers(0, len(data), 3):
                data[at] ^= int(rng.integers(1, 256))
            path.write_bytes(zipped(described({name: bytes(data)}), zipfile.ZIP_STORED))
            result = importer.import_share(path)
            assert not result.problem
            refused += len(result.refused)
            for file in library.replays.iterdir():
                # A byte that nothing reads may differ; everything that is read is proved.
                assert file.name == Path(name).name and result.imported
                file.unlink()
    assert refused > MUTATED_REPLAYS / 4


@pytest.mark.parametrize("name", ["", ".", "..", ".h5", "a/b", "a\\b", "a:b", "-a", "a b", "ä", "a.", "a\0", "a" * 151])
def test_no_name_leads_out_of_the_library(name: str) -> None:
    assert not is_episode_id(name)


def test_a_manifest_is_read_as_it_was_written(honest: bytes) -> None:
    text = members_of(honest)[MANIFEST]
    assert Manifest.from_json(text).to_json() == text


def test_many_verdicts_are_not_taken_for_a_bomb(episode: Path, tmp_path: Path) -> None:
    """A rule's verdicts are as alike as lines can be."""
    library = Library(episode.parent.parent)
    many = [Verdict(Clip(episode.stem, 0, 1), f"rule:{number}", "good") for number in range(20_000)]
    write_share(tmp_path / "many.zip", library.episodes(), many)
    with ShareArchive(tmp_path / "many.zip") as archive:
        assert sum(len(part) for part in archive.parts_of_labels()) == len(labels_text(many))


def test_an_episode_with_an_impossible_name_is_not_shared(episode: Path, tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    library.prepare()
    path = library.replays / "my best play.h5"
    path.write_bytes(episode.read_bytes())
    with h5py.File(path, "r+") as file:
        del file.attrs["id"]  # a file of an earlier version: its name is its id
    with pytest.raises(CoachError, match="rename it"):
        write_share(tmp_path / "s.zip", library.episodes(), [])
    assert member_of("x") == "replays/x.h5" and not (tmp_path / "s.zip").exists()
