"""An untrusted file is refused in one sentence: without a crash, a hang, exhausted memory or a silent change."""

from __future__ import annotations

import os
import resource
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from replay_episodes import record, writable_copy

from data import verification
from data.errors import CoachError
from data.library import Library
from data.quarantine import MEMORY_BYTES, vetted
from data.replay_file import ReplayFile, portable_image
from data.simulation import Emulator

BOMB_BYTES = 2**28
MUTATIONS = 2_000
SOAK_MUTATIONS = 20_000
BATCH = 100
PROCESSES = 2
BATCH_SECONDS = 240.0


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(Library(tmp_path_factory.mktemp("recorded")), 80, "Pong")


def replace(file: h5py.File, name: str, **options: Any) -> h5py.Dataset:
    """A dataset of the same name, made otherwise."""
    old = file[name]
    options = {"shape": old.shape, "dtype": old.dtype} | options
    del file[name]
    return file.create_dataset(name, **options)


def link_softly(file: h5py.File) -> None:
    del file["ram"]
    file["ram"] = h5py.SoftLink("/frames")


def link_outside(file: h5py.File) -> None:
    del file["ram"]
    file["ram"] = h5py.ExternalLink("/etc/passwd", "/")


def link_deep_inside(file: h5py.File) -> None:
    file.create_group("a/b/c")["way out"] = h5py.SoftLink("/frames")


def link_in_a_circle(file: h5py.File) -> None:
    file.create_group("circle")["circle"] = file["/"]


def store_outside(file: h5py.File) -> None:
    replace(file, "actions", external=[("/etc/passwd", 0, 80)])


def store_virtually(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(file["actions"].shape, np.uint8)
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=file["actions"].shape)
    del file["actions"]
    file.create_virtual_dataset("actions", layout)


def hold_references(file: h5py.File) -> None:
    file.create_dataset("pointers", data=np.array([file.ref], h5py.ref_dtype), dtype=h5py.ref_dtype)


def hold_objects(file: h5py.File) -> None:
    file.create_dataset("texts", data=np.array(["a", "b"], object), dtype=h5py.string_dtype())


def hold_compounds(file: h5py.File) -> None:
    file["records"] = np.zeros(3, [("a", "u1"), ("b", "f4")])


def hold_a_named_type(file: h5py.File) -> None:
    file["type"] = np.dtype("f8")


def attribute_of_references(file: h5py.File) -> None:
    file.attrs.create("pointer", file.ref, dtype=h5py.ref_dtype)


def attribute_of_lists(file: h5py.File) -> None:
    file.attrs.create("lists", np.array([np.arange(3), np.arange(2)], object), dtype=h5py.vlen_dtype(np.int32))


def declare_a_universe(file: h5py.File) -> None:
    replace(file, "frames", shape=(10**9, 210, 160), maxshape=(None, 210, 160), chunks=(64, 210, 160))


def declare_wide_pictures(file: h5py.File) -> None:
    replace(file, "frames", shape=(81, 210, 10**6), chunks=(1, 210, 1000))


def declare_huge_blocks(file: h5py.File) -> None:
    replace(file, "ram", shape=(81, 128), maxshape=(None, 128), chunks=(2**24, 128), compression="gzip")


def declare_other_numbers(file: h5py.File) -> None:
    replace(file, "rewards", dtype=np.float64)


def declare_more_rows(file: h5py.File) -> None:
    replace(file, "lives", shape=(200,))


def leave_blocks_out(file: h5py.File) -> None:
    replace(file, "frames", chunks=(64, 210, 160), **hdf5plugin.Zstd())


def use_another_filter(file: h5py.File) -> None:
    replace(file, "ram", data=np.zeros((81, 128), np.uint8), chunks=(64, 128), **hdf5plugin.Blosc())


def use_two_filters(file: h5py.File) -> None:
    replace(file, "ram", data=np.zeros((81, 128), np.uint8), chunks=(64, 128), compression="gzip", shuffle=True)


def skip_the_filter(file: h5py.File) -> None:
    ram = replace(file, "ram", chunks=(81, 128), compression="gzip")
    ram.id.write_direct_chunk((0, 0), bytes(81 * 128), filter_mask=1)


def bomb_of_zstd(file: h5py.File) -> None:
    bomb = h5py.File("bomb", "w", driver="core", backing_store=False)
    big = bomb.create_dataset("b", (BOMB_BYTES,), np.uint8, chunks=(BOMB_BYTES,), **hdf5plugin.Zstd())
    big[:] = 0
    ram = replace(file, "ram", chunks=(81, 128), **hdf5plugin.Zstd())
    ram.id.write_direct_chunk((0, 0), big.id.read_direct_chunk((0,))[1])


def bomb_of_gzip(file: h5py.File) -> None:
    packer = zlib.compressobj()
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(BOMB_BYTES // 2**20)) + packer.flush()
    ram = replace(file, "ram", chunks=(81, 128), compression="gzip")
    ram.id.write_direct_chunk((0, 0), packed)


def flood_with_objects(file: h5py.File) -> None:
    for number in range(1000):
        file[f"x{number}"] = 0


def flood_with_attributes(file: h5py.File) -> None:
    for number in range(1000):
        file.attrs[f"x{number}"] = 0


def an_attribute_too_large(file: h5py.File) -> None:
    file.attrs.create("novel", np.zeros(60_000, np.uint32))


def a_game_in_another_folder(file: h5py.File) -> None:
    file.attrs["game"] = "../../etc/passwd"


def an_action_that_is_not_named(file: h5py.File) -> None:
    file["actions"][40] = 18


def an_action_that_is_code(file: h5py.File) -> None:
    file.attrs["action_meanings"] = ["__class__"] * 6
    del file.attrs["attributes_sha256"]


def a_marker_beyond_the_end(file: h5py.File) -> None:
    replace(file, "markers", shape=(1,), data=np.array([10**12]))


def a_reward_that_is_no_number(file: h5py.File) -> None:
    file["rewards"][3] = np.nan


def settings_nested_without_end(file: h5py.File) -> None:
    file.attrs["settings"] = "[" * 50_000


def settings_that_are_no_settings(file: h5py.File) -> None:
    file.attrs["settings"] = '{"seed": "zero"}'


def names_that_are_numbers(file: h5py.File) -> None:
    file.attrs["action_meanings"] = np.arange(6)


def a_column_that_is_a_group(file: h5py.File) -> None:
    del file["lives"]
    file.create_group("lives")


HOSTILE: list[Callable[[h5py.File], None]] = [
    link_softly,
    link_outside,
    link_deep_inside,
    link_in_a_circle,
    store_outside,
    store_virtually,
    hold_references,
    hold_objects,
    hold_compounds,
    hold_a_named_type,
    attribute_of_references,
    attribute_of_lists,
    declare_a_universe,
    declare_wide_pictures,
    declare_huge_blocks,
    declare_other_numbers,
    declare_more_rows,
    leave_blocks_out,
    use_another_filter,
    use_two_filters,
    skip_the_filter,
    bomb_of_zstd,
    bomb_of_gzip,
    flood_with_objects,
    flood_with_attributes,
    an_attribute_too_large,
    a_game_in_another_folder,
    an_action_that_is_not_named,
    an_action_that_is_code,
    a_marker_beyond_the_end,
    a_reward_that_is_no_number,
    settings_nested_without_end,
    settings_that_are_no_settings,
    names_that_are_numbers,
    a_column_that_is_a_group,
]


def peak_bytes() -> int:
    """The most memory that this process has held since the peak was last reset (Linux alone can tell)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory can be measured on Linux alone")
@pytest.mark.parametrize("make_hostile", HOSTILE, ids=lambda f: f.__name__)
def test_a_hostile_file_is_refused_in_one_sentence_and_takes_no_memory(
    make_hostile: Callable[[h5py.File], None], recorded: Path, tmp_path: Path
) -> None:
    copy = writable_copy(recorded, tmp_path)
    with h5py.File(copy, "r+", libver="latest") as file:
        make_hostile(file)
    Path("/proc/self/clear_refs").write_text("5")  # start measuring the peak again
    before = peak_bytes()
    answer = verification.verify(copy)
    grown_bytes = peak_bytes() - before
    assert (answer.ok, answer.kind) == (False, "structure"), answer.sentence
    assert "\n" not in answer.sentence
    assert grown_bytes < 100 * 2**20


def test_links_and_ids_that_leave_the_library_are_refused(recorded: Path, tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.prepare()
    (library.replays / "link.h5").symlink_to(recorded)
    for name in ("link", "../secret", "/etc/passwd", "..", "a/../b", ""):
        with pytest.raises(CoachError, match="has no episode"):
            library.episode_path(name)
    assert library.episodes() == []
    assert [path.name for path, _ in library.broken()] == ["link.h5"]


def test_vetting_passes_whole_files_and_does_not_read_the_librarys_own_again(recorded: Path) -> None:
    assert vetted(recorded) == recorded
    broken = recorded.with_name("broken.h5")
    broken.write_bytes(recorded.read_bytes()[:5000])
    assert vetted(broken, trusted=recorded.parent) == broken
    with pytest.raises(CoachError, match=r"broken\.h5"):
        vetted(broken)
    broken.unlink()


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """A few bytes changed, a stretch overwritten, moved, cut out or left off: what accidents and fuzzers do."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        at, length = int(rng.integers(len(changed))), int(rng.integers(1, 64))
        match int(rng.integers(7)):
            case 0 | 1:
                changed[at] ^= 1 << int(rng.integers(8))
            case 2:
                changed[at] = int(rng.integers(256))
            case 3:
                changed[at : at + 8] = (0, 1, 2**31, 2**63, 2**64 - 1)[int(rng.integers(5))].to_bytes(8, "little")
            case 4:
                other = int(rng.integers(len(changed)))
                changed[at : at + length] = changed[other : other + length]
            case 5:
                del changed[at : at + length]
            case 6:
                del changed[at:]
        if len(changed) < 16:
            break
    return bytes(changed)


_emulators: dict[Any, tuple[Emulator, Any]] = {}


def _kept_emulator(*arguments: Any) -> Emulator:
    """Loading a ROM takes longer than simulating these short episodes: keep the emulator and its first state."""
    if arguments not in _emulators:
        emulator = Emulator(*arguments)
        _emulators[arguments] = emulator, emulator.snapshot()
    emulator, start = _emulators[arguments]
    emulator.restore(start)
    return emulator


def _begin_fuzzing() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    verification.Emulator = _kept_emulator  # type: ignore[misc, assignment]


def _contents(path: Path) -> tuple[Any, ...]:
    with ReplayFile(path) as replay:
        columns = (replay.actions, replay.rewards, replay.lives, replay.demonstrator, replay.markers, replay.palette)
        return (*(column.tobytes() for column in (*columns, replay.frames(), replay.ram())), replay.attributes)


def fuzz(paths: list[str], folder: str, first: int) -> Counter[str]:
    """Verify BATCH mutated files; what came of them."""
    outcomes: Counter[str] = Counter()
    copy = Path(folder) / f"{os.getpid()}.h5"
    for seed in range(first, first + BATCH):
        rng = np.random.default_rng(seed)
        original = Path(paths[seed % len(paths)])
        copy.write_bytes(mutated(original.read_bytes(), rng))
        answer = verification.verify(copy)
        if "\n" in answer.sentence or not answer.sentence:
            outcomes["unclear"] += 1
        if not answer.ok:
            outcomes[f"refused: {answer.kind}"] += 1
        elif _contents(copy) == _contents(original):
            outcomes["unharmed"] += 1
        else:
            outcomes["ACCEPTED"] += 1
            print(f"seed {seed} was accepted")
    return outcomes


def check_fuzz(recorded: Path, folder: Path, count: int) -> None:
    portable = folder / "portable.h5"
    with ReplayFile(recorded) as replay:
        portable.write_bytes(portable_image(replay))
    outcomes: Counter[str] = Counter()
    context = get_context("forkserver")
    with ProcessPoolExecutor(PROCESSES, context, _begin_fuzzing) as pool:
        batches = [
            pool.submit(fuzz, [str(recorded), str(portable)], str(folder), first) for first in range(0, count, BATCH)
        ]
        for batch in batches:
            outcomes += batch.result(timeout=BATCH_SECONDS)
    print(f"{count} mutated files: " + ", ".join(f"{number} {what}" for what, number in outcomes.most_common()))
    assert outcomes.total() == count
    assert outcomes["ACCEPTED"] == outcomes["unclear"] == 0
    assert len(outcomes) > 5


@pytest.mark.timeout(600)
def test_mutated_files_never_crash_hang_or_pass_with_changed_data(recorded: Path, tmp_path: Path) -> None:
    check_fuzz(recorded, tmp_path, MUTATIONS)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_many_mutated_files_never_crash_hang_or_pass_with_changed_data(recorded: Path, tmp_path: Path) -> None:
    check_fuzz(recorded, tmp_path, SOAK_MUTATIONS)
