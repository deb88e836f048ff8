"""The store never loses, mixes or silently replaces a result, whoever writes, dies or damages a file."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from _histories import A_SESSION, a_history

from benchmarks._training.starting import context
from results import Certificate, Lock, Run, States, Store, StoreError, Stores, _arrays, _sealed, disagreement
from results._arrays import packed
from results._run import content

KEY = "MADDPG/CN-V1/0123456789ab"
HARD = [0.1, -0.0, 0.0, 1 / 3, np.nan, np.inf, -np.inf, 1e-45, 1.1754944e-38, 3.4028235e38, -16777217.0, 2.0**-24]


def settings(**algorithm: Any) -> dict[str, Any]:
    nets = [{"class": "MLP", "widths": [64, 64]}]
    return {"algorithm": {"class": "MADDPG", "version": 1, "lr": 0.01, "nets": nets, **algorithm}, "dtype": "float32"}


@dataclass(frozen=True)
class Cell:
    key: str = KEY
    settings: dict[str, Any] = field(default_factory=settings)


def a_run(n: int = 4, seed: int = 3, key: str = KEY, shift: float = 0.0, device: str = "here") -> Run:
    """The first `n` tests of a fixed curve. Shapes: [n]."""
    values = np.sin(np.arange(n) + seed).astype(np.float32) + np.float32(shift)
    history = a_history(device=device)
    return Run(key, seed, 1000.0 * np.arange(1.0, n + 1), {"return": values}, {"return": "sum"}, history)


def with_arrays(run: Run, shift: float = 0.0) -> Run:
    """The same run, with what its last test has left."""
    value = np.arange(12, dtype=np.float32).reshape(1, 3, 4) * np.float32(run.n_steps) + np.float32(shift)
    arrays = {"välue/max": value, "counted": np.array([[1, -2]], np.int64), "file": np.array(True)}
    return replace(run, arrays=arrays, units={**run.units, **dict.fromkeys(arrays, "drawn")})


def files(folder: Path) -> dict[str, bytes]:
    """What a store holds, without its locks."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def same(one: Run | None, other: Run) -> bool:
    return (
        one is not None
        and (one.key, one.seed, one.units, one.history) == (other.key, other.seed, other.units, other.history)
        and one.steps.tobytes() == other.steps.tobytes()
        and {name: values.tobytes() for name, values in one.metrics.items()}
        == {name: values.tobytes() for name, values in other.metrics.items()}
        and {name: (array.dtype, array.shape, array.tobytes()) for name, array in one.arrays.items()}
        == {name: (array.dtype, array.shape, array.tobytes()) for name, array in other.arrays.items()}
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def states(tmp_path: Path) -> States:
    return States(tmp_path / "states")


# ---- a run ----------------------------------------------------------------------------------------------------------


def test_a_run_comes_back_bit_for_bit(store: Store) -> None:
    values = np.array(HARD, dtype=np.float32)
    history = (*a_history(first=None, arithmetic="MKL_CBWR=AVX2"), replace(A_SESSION, device="Prozeßor", first=7))
    steps = np.arange(0.5, len(HARD)) * 1e9
    run = Run(KEY, 3, steps, {"return": values, "ünit": -values}, {"return": "a", "ünit": "b"}, history)
    store.save(Cell(), run)
    back = store.load(Cell(), 3)
    # a NaN comes back as a NaN, without its sign
    for name in run.metrics:
        run.metrics[name][np.isnan(values)] = np.nan
    assert same(back, run)


def test_every_kind_of_float32_survives_the_file(store: Store) -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, 100_000, dtype=np.uint32)
    values = bits.view(np.float32)
    values[np.isnan(values)] = np.nan
    run = Run(KEY, 0, np.arange(1.0, values.size + 1), {"x": values}, {"x": "1"})
    store.save(Cell(), run)
    assert same(store.load(Cell(), 0), run)


def test_numbers_are_written_short_and_the_file_is_strict_json(store: Store) -> None:
    run = Run(KEY, 3, np.array([1000.0, 2000.0, 3000.0]), {"x": np.array([0.1, np.nan, 1e-45], np.float32)}, {"x": "1"})
    store.save(Cell(), run)
    text = (store.folder / KEY / "seed-003.json").read_text()
    assert ' "steps": [1000, 2000, 3000],\n' in text
    assert '  "x": [0.1, null, 1e-45]\n' in text

    def refuse(name: str) -> None:
        raise AssertionError(name)

    read = json.loads(text, parse_constant=refuse)
    assert (read["key"], read["seed"], read["format"]) == (KEY, 3, 1)
    assert json.loads((store.folder / KEY / "cell.json").read_text())["settings"] == settings()


def test_upto_is_the_first_part_of_the_curve() -> None:
    assert same(a_run(9).upto(4000), a_run(4))
    assert same(a_run(9).upto(4999), a_run(4))
    assert same(a_run(9).upto(1e9), a_run(9))
    assert a_run(9).upto(10).n_steps == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": -1},
        {"steps": np.array([1.0, 1.0, 2.0, 3.0])},
        {"steps": np.array([1.0, 2.0, 3.0, np.nan])},
        {"steps": np.arange(4)},
        {"metrics": {"return": np.zeros(4)}},
        {"metrics": {"return": np.zeros(3, np.float32)}},
        {"units": {}},
    ],
)
def test_a_run_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|needs"):
        replace(a_run(), **wrong)


# ---- what is there and what is missing ------------------------------------------------------------------------------


def test_an_empty_store_holds_nothing_and_reading_creates_nothing(store: Store) -> None:
    assert store.load(Cell(), 0) is None
    assert store.keys() == () and store.seeds(KEY) == ()
    assert store.missing(Cell(), [0, 1], 10) == (0, 1)
    assert not store.folder.exists()


def test_absent_and_short_seeds_are_missing(store: Store) -> None:
    for seed, n in [(0, 4), (2, 3), (1000, 5)]:
        store.save(Cell(), a_run(n, seed))
    assert store.seeds(KEY) == (0, 2, 1000)
    assert store.keys() == (KEY,)
    assert store.missing(Cell(), [0, 1, 2, 1000], 4000) == (1, 2)


@pytest.mark.parametrize("key", ["a/b", "a/b/c/d", "a/../c", "/a/b", "a//c", "../a/b", "a/.b/c"])
def test_a_key_cannot_leave_the_folder(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match="key must be"):
        store.load(Cell(key), 0)


def test_a_run_of_another_cell_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="was expected"):
        store.save(Cell(), a_run(key="MADDPG/CN-V1/other"))


# ---- writing twice --------------------------------------------------------------------------------------------------


def test_the_second_writer_of_the_same_numbers_loses_quietly(store: Store) -> None:
    store.save(Cell(), a_run(device="first"))
    before = files(store.folder)
    store.save(Cell(), a_run(device="second"))
    assert files(store.folder) == before


def test_a_longer_run_replaces_one_that_it_begins_with_and_a_shorter_one_is_dropped(store: Store) -> None:
    store.save(Cell(), a_run(3))
    store.save(Cell(), a_run(7))
    assert same(store.load(Cell(), 3), a_run(7))
    store.save(Cell(), a_run(5))
    assert same(store.load(Cell(), 3), a_run(7))


def test_nan_agrees_with_nan_and_zero_not_with_minus_zero(store: Store) -> None:
    def run(*values: float) -> Run:
        return Run(KEY, 3, np.array([1.0, 2.0]), {"x": np.array(values, np.float32)}, {"x": "1"})

    store.save(Cell(), run(np.nan, 0.0))
    store.save(Cell(), run(-np.nan, 0.0))
    with pytest.raises(StoreError, match=r"x at step 2 is 0\.0 there and -0\.0 here"):
        store.save(Cell(), run(np.nan, -0.0))


@pytest.mark.parametrize("n", [2, 4, 7])
def test_other_numbers_are_an_error_and_change_nothing(store: Store, n: int) -> None:
    store.save(Cell(), a_run(4))
    before = files(store.folder)
    run = a_run(n)
    run.metrics["return"][1] = np.nextafter(run.metrics["return"][1], np.float32(9))
    with pytest.raises(StoreError, match=r"seed-003.json .*return at step 2000 .*train into another store"):
        store.save(Cell(), run)
    assert files(store.folder) == before


def test_other_steps_metrics_or_units_are_an_error(store: Store) -> None:
    store.save(Cell(), a_run(4))
    values = a_run(5).metrics["return"]
    for run in (
        replace(a_run(4), steps=np.array([1000.0, 2000.0, 3000.0, 4001.0])),
        replace(a_run(5), units={"return": "mean"}),
        replace(a_run(5), units={"return": "sum", "more": "1"}, metrics={"return": values, "more": values}),
    ):
        with pytest.raises(StoreError, match="train into another store"):
            store.save(Cell(), run)
    assert same(store.load(Cell(), 3), a_run(4))


# ---- arrays ---------------------------------------------------------------------------------------------------------

SEED_3 = f"{KEY}/seed-003.json"
ARRAYS_3 = f"{KEY}/seed-003-4000.npz"
DRAWN = with_arrays(a_run(4))


def test_arrays_come_back_bit_for_bit_and_any_numpy_reads_them(store: Store) -> None:
    run = with_arrays(a_run(4))
    run.arrays["välue/max"][0, 0, :3] = np.nan, -0.0, np.inf
    store.save(Cell(), run)
    assert same(store.load(Cell(), 3), run)
    said = json.loads((store.folder / SEED_3).read_text())["arrays"]
    data = (store.folder / ARRAYS_3).read_bytes()
    assert said == {"file": "seed-003-4000.npz", "sha256": hashlib.sha256(data).hexdigest()}
    with np.load(store.folder / ARRAYS_3, allow_pickle=False) as archive:
        assert archive["counted"].tolist() == [[1, -2]] and set(archive.files) == set(run.arrays)


def test_the_same_arrays_have_the_same_bytes_on_another_day(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = with_arrays(a_run(4)).arrays
    before = packed(arrays)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert packed({name: np.asarray(arrays[name], order="F") for name in reversed(list(arrays))}) == before
    with zipfile.ZipFile(io.BytesIO(before)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_run_without_arrays_says_nothing_of_them(store: Store) -> None:
    store.save(Cell(), a_run(4))
    assert sorted(files(store.folder)) == [f"{KEY}/cell.json", SEED_3]
    assert b"arrays" not in files(store.folder)[SEED_3]


def test_arrays_are_of_the_last_test_and_go_with_it() -> None:
    assert same(with_arrays(a_run(9)).upto(9000), with_arrays(a_run(9)))
    assert same(with_arrays(a_run(9)).upto(8999), a_run(8))
    assert a_run(9).upto(0).arrays == with_arrays(a_run(9)).upto(0).arrays == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"units": {"return": "sum"}},
        {"arrays": {}},
        {"arrays": dict.fromkeys(("välue/max", "counted", "file"), np.array([None]))},
        {"metrics": {name: np.zeros(4, np.float32) for name in ("return", "counted")}},
        {"steps": np.zeros(0), "metrics": {"return": np.zeros(0, np.float32)}},
    ],
)
def test_arrays_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be of numbers and of a test|needs its own name and unit"):
        replace(with_arrays(a_run(4)), **wrong)


def test_a_longer_run_replaces_the_arrays_too_and_a_shorter_one_leaves_them(store: Store) -> None:
    store.save(Cell(), with_arrays(a_run(4, seed=1000)))
    for n, expected in ((3, 3), (7, 7), (7, 7), (5, 7)):
        store.save(Cell(), with_arrays(a_run(n, seed=100)))
        assert same(store.load(Cell(), 100), with_arrays(a_run(expected, seed=100)))
        arrays = sorted(path.name for path in (store.folder / KEY).glob("*.npz"))
        assert arrays == [f"seed-100-{expected}000.npz", "seed-1000-4000.npz"]
    store.save(Cell(), with_arrays(a_run(9, seed=100)).upto(8000))
    assert same(store.load(Cell(), 100), a_run(8, seed=100)) and store.seeds(KEY) == (100, 1000)
    assert [path.name for path in (store.folder / KEY).glob("*.npz")] == ["seed-1000-4000.npz"]


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (with_arrays(a_run(4), shift=1), r"array välue/max at 0 is 0\.0 there and 1\.0 here"),
        (a_run(4), r"arrays are \{.*'counted'.*\} there and \{\} here"),
        (replace(DRAWN, units={**DRAWN.units, "file": "else"}), r"arrays are .*drawn.* there and .*else.* here"),
        (
            replace(DRAWN, arrays={**DRAWN.arrays, "counted": np.array([[1, -3]])}),
            "array counted at 1 is -2 there and -3",
        ),
        (with_arrays(a_run(7, shift=1)), "return at step 1000"),
    ],
)
def test_other_arrays_are_an_error_and_change_nothing(store: Store, other: Run, sentence: str) -> None:
    store.save(Cell(), with_arrays(a_run(4)))
    before = files(store.folder)
    with pytest.raises(StoreError, match=rf"seed-003\.json holds other numbers \({sentence}.*train into another store"):
        store.save(Cell(), other)
    assert files(store.folder) == before


def test_damage_of_arrays_is_noticed_and_kept(store: Store) -> None:
    run = with_arrays(a_run(4))
    store.save(Cell(), run)
    path = store.folder / ARRAYS_3
    whole = path.read_bytes()
    flipped = [whole[:i] + bytes([whole[i] ^ 1 << i % 8]) + whole[i + 1 :] for i in range(len(whole))]
    for data in [*flipped, *(whole[:n] for n in range(0, len(whole), 7)), whole + b"\n"]:
        path.write_bytes(data)
        with pytest.raises(StoreError, match=r"seed-003-4000\.npz is absent, damaged or of another run: .*\w$"):
            store.load(Cell(), 3)
        assert path.read_bytes() == data
    for attempt in (lambda: store.save(Cell(), with_arrays(a_run(5))), lambda: store.missing(Cell(), [3], 1)):
        with pytest.raises(StoreError, match="restore it from git"):
            attempt()
    path.write_bytes(whole)
    assert same(store.load(Cell(), 3), run)


def test_absent_and_foreign_arrays_are_an_error(store: Store) -> None:
    store.save(Cell(), with_arrays(a_run(4)))
    store.save(Cell(), with_arrays(a_run(4, seed=4), shift=1))
    path = store.folder / ARRAYS_3
    path.write_bytes(path.with_name("seed-004-4000.npz").read_bytes())
    with pytest.raises(StoreError, match=r"seed-003-4000\.npz is absent, damaged or of another run"):
        store.load(Cell(), 3)
    path.unlink()
    with pytest.raises(StoreError, match=r"seed-003-4000\.npz is absent.*, got no file; restore it"):
        store.load(Cell(), 3)
    assert store.load(Cell(), 4) is not None


def test_what_is_said_of_arrays_must_make_sense(store: Store) -> None:
    store.save(Cell(), with_arrays(a_run(4)))
    stored = json.loads((store.folder / SEED_3).read_text())
    del stored["format"], stored["sha256"]
    wrong: list[dict[str, Any]] = [{"arrays": {}}, {"arrays": ["seed-003-4000.npz"]}, {"units": {"return": "sum"}}]
    for changed in wrong:
        _sealed.write(store.folder / SEED_3, {**stored, **changed})
        with pytest.raises(StoreError, match=r"seed-003\.json must hold a run, got .*: move it away"):
            store.load(Cell(), 3)


class Killed(BaseException):
    """What a test dies of."""


@pytest.mark.parametrize("n_written", [0, 1])
def test_death_while_arrays_are_replaced_loses_neither_the_old_run_nor_the_new_one(
    store: Store, monkeypatch: pytest.MonkeyPatch, n_written: int
) -> None:
    store.save(Cell(), with_arrays(a_run(4)))
    rename, calls = Path.replace, iter(range(n_written))

    def dying(path: Path, target: Path) -> Path:
        if next(calls, None) is None:
            raise Killed
        return rename(path, target)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Path, "replace", dying)
        store.save(Cell(), with_arrays(a_run(7)))
    assert same(store.load(Cell(), 3), with_arrays(a_run(4)))
    assert (store.folder / KEY / "seed-003-7000.npz").exists() is (n_written == 1)
    store.save(Cell(), with_arrays(a_run(7)))
    assert same(store.load(Cell(), 3), with_arrays(a_run(7)))
    assert not (store.folder / ARRAYS_3).exists()


def test_death_before_the_earlier_arrays_are_gone_leaves_the_new_run_whole_and_them_where_they_are(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(Cell(), with_arrays(a_run(4)))

    def dying(path: Path, missing_ok: bool = False) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Path, "unlink", dying)
        store.save(Cell(), with_arrays(a_run(7)))
    assert same(store.load(Cell(), 3), with_arrays(a_run(7)))
    store.save(Cell(), with_arrays(a_run(8)))
    arrays = sorted(path.name for path in (store.folder / KEY).glob("*.npz"))
    assert arrays == ["seed-003-4000.npz", "seed-003-8000.npz"]  # no run names the first: it might be anybody's


def test_who_reads_while_a_longer_run_is_written_gets_one_or_the_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(Cell(), with_arrays(a_run(4)))
    read, longer = _arrays.read, iter([5, 6])

    def meanwhile(folder: Path, said: dict[str, Any]) -> Any:
        n = next(longer, None)
        if n is not None:
            with monkeypatch.context() as undisturbed:
                undisturbed.setattr(_arrays, "read", read)
                store.save(Cell(), with_arrays(a_run(n)))
        return read(folder, said)

    monkeypatch.setattr(_arrays, "read", meanwhile)
    assert same(store.load(Cell(), 3), with_arrays(a_run(6)))


# ---- settings -------------------------------------------------------------------------------------------------------


def test_a_setting_that_is_new_in_the_code_leaves_results_valid(store: Store) -> None:
    store.save(Cell(), a_run(4))
    newer = Cell(settings=settings(added=0.5))
    assert same(store.load(newer, 3), a_run(4))
    store.save(newer, a_run(5))
    assert same(store.load(newer, 3), a_run(5))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (settings(lr=0.02), r"algorithm\.lr is 0\.01 in the file and 0\.02 in the code"),
        (settings(version=True), r"algorithm\.version is 1 in the file and true"),
        (settings(nets=[{"class": "MLP", "widths": [64, 32]}]), r"algorithm\.nets\[0\]\.widths\[1\] is 64"),
        (settings(nets=[{"class": "MLP"}]), r"algorithm\.nets\[0\]\.widths is stored and no longer exists"),
        (settings(nets=[]), r"algorithm\.nets is "),
        ({"algorithm": settings()["algorithm"]}, "dtype is stored and no longer exists"),
    ],
)
def test_a_changed_or_vanished_setting_is_an_error(store: Store, changed: dict[str, Any], field: str) -> None:
    store.save(Cell(), a_run(4))
    before = files(store.folder)
    cell = Cell(settings=changed)
    attempts: list[Callable[[], object]] = [
        lambda: store.load(cell, 3),
        lambda: store.load(cell, 4),
        lambda: store.missing(cell, [3], 1),
        lambda: store.save(cell, a_run(5)),
    ]
    for attempt in attempts:
        with pytest.raises(StoreError, match=rf"cell\.json .*{field}"):
            attempt()
    assert files(store.folder) == before


def test_seeds_without_their_settings_are_an_error(store: Store) -> None:
    store.save(Cell(), a_run(4))
    (store.folder / KEY / "cell.json").unlink()
    with pytest.raises(StoreError, match=r"cell\.json must hold the settings"):
        store.load(Cell(), 3)
    with pytest.raises(StoreError, match=r"cell\.json must hold the settings"):
        store.save(Cell(), a_run(4, seed=5))


# ---- damage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cell.json", "seed-003.json"])
def test_a_flipped_bit_anywhere_is_noticed(store: Store, name: str) -> None:
    store.save(Cell(), a_run(2))
    path = store.folder / KEY / name
    whole = path.read_bytes()
    for position in range(len(whole)):
        bit = 1 << position % 8
        path.write_bytes(whole[:position] + bytes([whole[position] ^ bit]) + whole[position + 1 :])
        with pytest.raises(StoreError, match=f"{name} is damaged"):
            store.load(Cell(), 3)
    path.write_bytes(whole)
    assert same(store.load(Cell(), 3), a_run(2))


@pytest.mark.parametrize("name", ["cell.json", "seed-003.json"])
def test_a_truncated_or_lengthened_file_is_noticed_and_kept(store: Store, name: str) -> None:
    store.save(Cell(), a_run(2))
    path = store.folder / KEY / name
    whole = path.read_bytes()
    spaced = [whole + b"\n", whole.replace(b"\n  ", b"\n   "), whole.replace(b"\n", b"\r\n")]
    for data in [*(whole[:n] for n in range(len(whole))), *spaced, b"not JSON"]:
        path.write_bytes(data)
        with pytest.raises(StoreError, match=f"{name} is damaged"):
            store.load(Cell(), 3)
        assert path.read_bytes() == data
    with pytest.raises(StoreError, match="is damaged"):
        store.save(Cell(), a_run(2))
    with pytest.raises(StoreError, match="is damaged"):
        store.missing(Cell(), [3], 1)
    assert path.read_bytes() == data


def test_a_file_in_the_place_of_another_is_an_error(store: Store) -> None:
    other = Cell("MADDPG/CN-V1/other")
    store.save(Cell(), with_arrays(a_run()))
    store.save(other, a_run(key=other.key))
    here, there = store.folder / KEY, store.folder / other.key
    (here / "seed-004.json").write_bytes((here / "seed-003.json").read_bytes())
    with pytest.raises(StoreError, match=r"seed-004.json must hold seed 4 .* got seed 3"):
        store.load(Cell(), 4)
    (there / "seed-003.json").write_bytes((here / "seed-003.json").read_bytes())  # and its arrays are not here
    with pytest.raises(StoreError, match=r"seed-003.json must hold seed 3 of MADDPG/CN-V1/other"):
        store.load(other, 3)
    (there / "cell.json").write_bytes((here / "cell.json").read_bytes())
    with pytest.raises(StoreError, match=r"cell.json must be of MADDPG/CN-V1/other"):
        store.load(other, 5)


def test_a_file_of_another_format_is_an_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setattr("results._sealed.FORMAT", 2)
        store.save(Cell(), a_run())
    with pytest.raises(StoreError, match="of another format than 1"):
        store.load(Cell(), 3)


def test_stray_temporary_files_are_ignored(store: Store) -> None:
    store.save(Cell(), a_run())
    for name in (".seed-004.json.77-abcd.tmp", ".cell.json.77-abcd.tmp", "seed-004.json~", "notes.txt"):
        (store.folder / KEY / name).write_text("half")
    assert store.seeds(KEY) == (3,) and store.keys() == (KEY,)
    assert store.load(Cell(), 4) is None
    store.save(Cell(), a_run(seed=4))
    assert store.seeds(KEY) == (3, 4)


# ---- whole files with wrong content ---------------------------------------------------------------------------------

HUGE = "1" + "0" * 400
WRONG = {
    "null": "null",
    "true": "true",
    "minus one": "-1",
    "a half": "0.5",
    "infinite": "1e400",
    "huge": HUGE,
    "Infinity": "Infinity",
    "NaN": "NaN",
    "no text": '""',
    "a text": '"x"',
    "nan as text": '"nan"',
    "inf as text": '"inf"',
    "no list": "[]",
    "a list": '["x", null]',
    "huge in a list": f"[{HUGE}]",
    "a session": '[{"commit": 1}]',
    "no object": "{}",
    "an object": '{"x": 1, "": {}}',
    "deep": "[" * 3000 + "]" * 3000,
    "a surrogate": '"\\ud800"',
    "a path": '"../../seed-003-4000.npz"',
}
GONE = object()


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there is something in JSON, from the outermost; of a long list its ends only."""
    yield path
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = [(at, value[at]) for at in sorted({0, len(value) - 1})] if value else []
    for name, item in items:
        yield from places(item, (*path, name))


def with_instead(value: Any, path: tuple[Any, ...], new: object) -> Any:
    """The same JSON with something else in one place, or with nothing there."""
    if not path:
        return new
    name, *rest = path
    copied: Any = dict(value) if isinstance(value, dict) else list(value)
    if not rest and new is GONE:
        del copied[name]
    else:
        copied[name] = with_instead(value[name], tuple(rest), new)
    return copied


def resealed(path: Path, value: Any, text: str) -> None:
    """Writes JSON under a valid seal; `text` stands where `value` has a mark, as JSON that nobody would write."""
    body = json.dumps(value, indent=0).replace('"a mark"', text).removeprefix("{").lstrip("\n").encode() + b"\n"
    path.write_bytes(_sealed._sealed(body))


def spoilt(path: Path) -> Iterator[str]:
    """Puts everything wrong in every place of a sealed file, one after the other, and says which; mends it at last."""
    whole = path.read_bytes()
    stored = json.loads(whole)
    del stored["sha256"]
    for where in list(places(stored))[1:]:
        for name, text in [*WRONG.items(), ("nothing", None)]:
            if isinstance(stored, dict):
                resealed(path, with_instead(stored, where, GONE if text is None else "a mark"), text or "")
                yield f"{name} at {'.'.join(map(str, where))}"
    path.write_bytes(whole)


def survives(attempt: Callable[[], object], what: str) -> bool:
    """Whether something comes of it; what does not must be one sentence."""
    try:
        attempt()
    except StoreError as error:
        assert len(str(error)) < 20_000, what
        return False
    except BaseException as error:
        raise AssertionError(f"{what} ends as {error!r}") from error
    return True


@pytest.fixture
def sealed(store: Store) -> Store:
    """A store with every kind of file: two sessions, arrays, settings and a certificate."""
    history = (*a_history(), replace(A_SESSION, first=2000, arithmetic="MKL_CBWR=AVX2"))
    store.save(Cell(), with_arrays(replace(a_run(4), history=history)))
    store.certify(KEY, Certificate("now", ("then",), 3, 4, 4000.0, True, "abc", "chip"))
    return store


def used(run: Run) -> None:
    """Does with a run what plans, reports and certificates do."""
    for session in run.history:
        assert isinstance(session.sources + session.commit + session.arithmetic, str)
        assert session.wall_seconds / session.seeds_together >= 0 and session.elsewhere(A_SESSION) is not None
        assert (session.first or 0) >= 0 and session.changed in (True, False)
        hash(session)
    assert run.upto(2000).n_steps <= 2000 and disagreement(run, run) is None
    content(run)


def test_whatever_a_whole_file_holds_is_a_run_or_one_sentence(sealed: Store) -> None:
    tried = kept = 0
    for what in spoilt(sealed.folder / SEED_3):

        def attempt() -> None:
            run = sealed.load(Cell(), 3)
            assert run is not None
            used(run)

        kept += survives(attempt, what)
        survives(lambda: sealed.save(Cell(), with_arrays(a_run(2))), what)
        tried += 1
    assert tried > 500 and kept < tried / 4
    assert same(sealed.load(Cell(), 3), replace(with_arrays(a_run(4)), history=sealed.load(Cell(), 3).history))  # type: ignore[union-attr]


def test_whatever_whole_settings_hold_is_one_sentence_or_nothing_of_importance(sealed: Store) -> None:
    for what in spoilt(sealed.folder / KEY / "cell.json"):
        survives(lambda: sealed.load(Cell(), 3), what)
        survives(sealed.keys, what)


def test_whatever_whole_certificates_hold_is_one_sentence_or_certificates(sealed: Store) -> None:
    for what in spoilt(sealed.folder / KEY / "certificates.json"):

        def attempt() -> None:
            for one in sealed.certificates(KEY):
                assert {one.sources, *one.of} and hash(one) is not None

        survives(attempt, what)
        survives(lambda: sealed.certify(KEY, Certificate("x", (), 1, 1, 1.0, True, "", "")), what)
        (sealed.folder / KEY / "certificates.json").unlink(missing_ok=True)


@pytest.mark.parametrize("body", ["[1]\n", "\n", '"format": 1}\n', '"format": 1', "}\n", "\xff\n", '"format": 1}}\n'])
def test_a_seal_over_no_object_is_one_sentence(sealed: Store, body: str) -> None:
    (sealed.folder / SEED_3).write_bytes(_sealed._sealed(body.encode("latin-1")))
    assert not survives(lambda: sealed.load(Cell(), 3), body)


# ---- what a name stands for -----------------------------------------------------------------------------------------


def test_a_link_that_leads_nowhere_is_not_absent(store: Store, states: States) -> None:
    store.save(Cell(), a_run())
    states.save(KEY, 3, 1, TENSORS)
    kinds: dict[str, Callable[[Path], object]] = {
        "nowhere": lambda path: path.symlink_to("nowhere"),
        "itself": lambda path: path.symlink_to(path.name),
        "a folder": lambda path: path.mkdir(),
    }
    for name, put in kinds.items():
        run, state = store.folder / KEY / "seed-003.json", states.folder / KEY / "seed-003.safetensors"
        for path in (run, state):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
            put(path)
        attempts: list[Callable[[], object]] = [
            lambda: store.load(Cell(), 3),
            lambda: store.missing(Cell(), [3], 1),
            lambda: store.save(Cell(), a_run()),
            lambda: states.latest(KEY, 3),
            lambda: states.steps(KEY, 3),
        ]
        assert [survives(attempt, name) for attempt in attempts] == [False] * len(attempts)


def test_a_file_where_a_folder_should_be_is_not_absence(store: Store, states: States) -> None:
    for folder in (store.folder, states.folder):
        folder.mkdir()
        (folder / "MADDPG").write_text("in the way")
    attempts: list[Callable[[], object]] = [
        lambda: store.load(Cell(), 3),
        lambda: store.seeds(KEY),
        lambda: store.missing(Cell(), [3], 1),
        lambda: store.certificates(KEY),
        lambda: states.latest(KEY, 3),
        lambda: states.steps(KEY, 3),
        lambda: states.try_lock(KEY, 3),
    ]
    assert [survives(attempt, "ENOTDIR") for attempt in attempts] == [False] * len(attempts)


def test_files_of_ones_own_beside_those_of_the_store_survive_saving(store: Store) -> None:
    store.save(Cell(), with_arrays(a_run(4)))
    mine = [store.folder / KEY / name for name in ("seed-003-mine.npz", "seed-003-4000-copy.npz", "seed-0030-9.npz")]
    for path in mine:
        path.write_bytes(b"mine")
    for n in (5, 7):
        store.save(Cell(), with_arrays(a_run(n)))
    assert [path.read_bytes() for path in mine] == [b"mine"] * 3
    assert same(store.load(Cell(), 3), with_arrays(a_run(7))) and not (store.folder / ARRAYS_3).exists()


# ---- folders that do not serve --------------------------------------------------------------------------------------


def test_a_good_folder_is_left_as_it_was(store: Store) -> None:
    store.writable()
    assert list(store.folder.iterdir()) == []


def test_a_folder_that_cannot_be_created_shows_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for kind in (Store, States):
        with pytest.raises(StoreError, match="cannot be read or written"):
            kind(tmp_path / "file" / "store").writable()
    with pytest.raises(StoreError, match="choose another folder"):
        Store(tmp_path / "file").save(Cell(), a_run())
    with pytest.raises(StoreError, match="choose another folder"):
        States(tmp_path / "file").save(KEY, 3, 1, {"x": torch.zeros(1)})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_shows_before_training(store: Store) -> None:
    store.folder.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="Permission denied"):
        store.writable()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody can write to")
def test_a_folder_that_nobody_can_write_to_shows_before_training() -> None:
    with pytest.raises(StoreError, match="/proc"):
        Store(Path("/proc")).writable()


def test_a_full_disk_keeps_the_old_run_and_leaves_no_temporary_file(
    store: Store, states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(Cell(), a_run(4))
    states.save(KEY, 3, 1, {"x": torch.zeros(1)})
    before = files(store.folder) | files(states.folder)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        store.save(Cell(), a_run(5))
    with pytest.raises(StoreError, match="No space left"):
        states.save(KEY, 3, 2, {"x": torch.ones(1)})
    assert files(store.folder) | files(states.folder) == before


def test_data_is_on_the_disk_before_its_name_and_the_name_before_saving_returns(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(Cell(), a_run(4))
    events: list[str] = []
    sync, rename = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        events.append(f"sync {Path(f'/proc/self/fd/{descriptor}').readlink().suffix or 'folder'}")
        sync(descriptor)

    def replacing(path: Path, target: Path) -> Path:
        events.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replacing)
    store.save(Cell(), a_run(5))
    assert events == ["sync .tmp", "rename", "sync folder"]
    events.clear()
    store.save(Cell(), with_arrays(a_run(6)))
    assert events == ["sync .tmp", "rename", "sync folder"] * 2


# ---- one's own store and the recorded one ---------------------------------------------------------------------------


def test_ones_own_run_comes_first_where_it_is_long_enough(tmp_path: Path) -> None:
    own, recorded = Store(tmp_path / "own"), Store(tmp_path / "recorded")
    recorded.save(Cell(), a_run(8))
    recorded.save(Cell(), a_run(8, seed=4))
    own.save(Cell(), a_run(4, shift=1))
    before = files(recorded.folder)
    stores = Stores(own, recorded)
    assert same(stores.load(Cell(), 3, 4000), a_run(4, shift=1))
    assert same(stores.load(Cell(), 3, 8000), a_run(8))
    assert same(stores.load(Cell(), 3, 9000), a_run(8))
    assert same(stores.load(Cell(), 4, 1000), a_run(8, seed=4))
    assert stores.load(Cell(), 5, 1000) is None
    assert stores.missing(Cell(), [3, 4, 5], 8000) == (5,)
    assert Stores(own).missing(Cell(), [3, 4, 5], 4000) == (4, 5)
    stores.save(Cell(), a_run(9, seed=4, shift=1))
    assert own.seeds(KEY) == (3, 4)
    assert files(recorded.folder) == before


# ---- training states ------------------------------------------------------------------------------------------------

TENSORS = {
    "actor": torch.arange(6.0).reshape(2, 3),
    "generator": torch.arange(9, dtype=torch.uint8),
    "updates": torch.tensor(7),
    "done": torch.tensor([True, False]),
    "empty": torch.zeros(0, 3),
    "half": torch.ones(2, dtype=torch.bfloat16),
    "curve": torch.tensor([1.0, float("nan")], dtype=torch.float64),
}


def test_a_state_comes_back_bit_for_bit(states: States) -> None:
    assert states.latest(KEY, 3) is None
    states.save(KEY, 3, 4000, TENSORS, {"format": "mine", "ünit": "{}"})
    state = states.latest(KEY, 3)
    assert state is not None
    assert (state.steps, state.metadata) == (4000, {"format": "mine", "ünit": "{}"})
    assert state.tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert state.tensors[name].dtype == tensor.dtype
        torch.testing.assert_close(state.tensors[name], tensor, rtol=0, atol=0, equal_nan=True)
    state.tensors["actor"].add_(1)
    states.save(KEY, 3, 5000, state.tensors)  # while the tensors are still mapped to the file that it replaces
    again = states.latest(KEY, 3)
    assert again is not None and again.steps == 5000
    assert torch.equal(again.tensors["actor"], TENSORS["actor"] + 1)


def test_rows_of_one_tensor_can_be_saved_whether_contiguous_or_not(states: States) -> None:
    stacked = torch.arange(24.0).reshape(2, 3, 4).requires_grad_()
    states.save(KEY, 0, 1, {"row": stacked[1], "first": stacked[0], "column": stacked[..., 2]})
    state = states.latest(KEY, 0)
    assert state is not None
    assert torch.equal(state.tensors["row"], stacked[1]) and torch.equal(state.tensors["column"], stacked[..., 2])


def test_a_seed_keeps_one_state_and_strays_of_killed_writers_go(states: States) -> None:
    for seed, steps in [(3, 9000), (4, 100), (3, 500)]:  # the later one counts, also where training began anew
        states.save(KEY, seed, steps, TENSORS)
        (states.folder / KEY / ".seed-003.safetensors.77-abcd.tmp").write_text("half")
    states.save(KEY, 3, 600, TENSORS)
    assert sorted(files(states.folder)) == [f"{KEY}/seed-003.safetensors", f"{KEY}/seed-004.safetensors"]
    assert [state.steps for seed in (3, 4) if (state := states.latest(KEY, seed))] == [600, 100]


def test_a_state_that_is_replaced_while_it_is_read_is_read_again(
    states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mapped(*arguments: Any, **named: Any) -> Any:  # the second time that safetensors opens the file
        monkeypatch.undo()
        states.save(KEY, 3, 2, {"x": torch.full((5,), 2.0)})
        return torch.UntypedStorage.from_file(*arguments, **named)

    states.save(KEY, 3, 1, {"x": torch.full((5,), 1.0)})
    monkeypatch.setattr(torch, "UntypedStorage", SimpleNamespace(from_file=mapped))
    state = states.latest(KEY, 3)
    assert state is not None and state.steps == 2
    assert torch.equal(state.tensors["x"], torch.full((5,), 2.0))


def test_damage_of_a_state_is_noticed(states: States) -> None:
    states.save(KEY, 3, 4000, {"x": torch.arange(4.0)}, {"note": "y"})
    path = states.folder / KEY / "seed-003.safetensors"
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1 << position % 8]) + whole[position + 1 :])
        try:
            state = states.latest(KEY, 3)
        except StoreError as error:
            assert "seed-003.safetensors is damaged" in str(error)
        else:  # blanks that pad the header say nothing
            assert whole[position : position + 1] == b" "
            assert state is not None and state.steps == 4000 and torch.equal(state.tensors["x"], torch.arange(4.0))
    for n in range(len(whole)):
        path.write_bytes(whole[:n])
        with pytest.raises(StoreError, match="is damaged"):
            states.latest(KEY, 3)


def test_a_state_in_the_place_of_another_is_an_error(states: States) -> None:
    states.save(KEY, 3, 4000, TENSORS)
    (states.folder / KEY / "seed-003.safetensors").rename(states.folder / KEY / "seed-004.safetensors")
    with pytest.raises(StoreError, match="must hold seed 4"):
        states.latest(KEY, 4)


# ---- other processes ------------------------------------------------------------------------------------------------

Start = Callable[..., tuple[BaseProcess, Connection]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a function in another process, with a connection to it as first argument; ends it with the test."""
    starts = context("cpu")  # imports torch once for all of them
    begun: list[tuple[BaseProcess, Connection]] = []

    def begin(target: Callable[..., None], *arguments: object) -> tuple[BaseProcess, Connection]:
        here, there = starts.Pipe()
        process = starts.Process(target=target, args=(there, *arguments), daemon=True)
        process.start()
        there.close()
        begun.append((process, here))
        return process, here

    yield begin
    for process, connection in begun:
        process.kill()
        process.join()
        connection.close()


def killed(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def raced(seed: int, shift: float, device: str) -> Run:
    """What is shifted is the curve of an even seed, and of an odd one the arrays."""
    if seed % 2 == 0:
        return a_run(40, seed, shift=shift, device=device)
    return with_arrays(a_run(40, seed, device=device), shift=shift)


def write_on_signal(connection: Connection, folder: Path, rounds: int, shift: float) -> None:
    """Saves one seed a round, as soon as it is told to, and answers with the seeds that were refused."""
    connection.send("ready")
    connection.recv()
    refused = []
    for seed in range(rounds):
        try:
            Store(folder).save(Cell(), raced(seed, shift, device=str(os.getpid())))
        except StoreError:
            refused.append(seed)
    connection.send(refused)


def race(start: Start, folder: Path, rounds: int, shifts: tuple[float, float]) -> list[int]:
    """The refused seeds of two processes that write the same seeds at once."""
    connections = [start(write_on_signal, folder, rounds, shift)[1] for shift in shifts]
    for connection in connections:
        connection.recv()
    for connection in connections:
        connection.send("go")
    return [seed for connection in connections for seed in connection.recv()]


def test_two_processes_with_the_same_numbers_leave_one_file_and_no_error(start: Start, store: Store) -> None:
    assert race(start, store.folder, 30, (0.0, 0.0)) == []
    names = [f"seed-{seed:03d}.json" for seed in range(30)] + [f"seed-{seed:03d}-40000.npz" for seed in range(1, 30, 2)]
    assert sorted(files(store.folder)) == sorted(f"{KEY}/{name}" for name in ("cell.json", *names))
    assert store.missing(Cell(), range(30), 40_000) == ()


def test_two_processes_with_different_numbers_get_exactly_one_error_a_seed(start: Start, store: Store) -> None:
    assert sorted(race(start, store.folder, 30, (0.0, 1.0))) == list(range(30))
    for seed in range(30):
        run = store.load(Cell(), seed)
        assert run is not None
        expected = [raced(seed, shift, device=run.history[0].device) for shift in (0.0, 1.0)]
        assert same(run, expected[0]) or same(run, expected[1])


def certify_on_signal(connection: Connection, folder: Path, who: int) -> None:
    """Certifies a cell again and again, once for every seed."""
    connection.send("ready")
    connection.recv()
    for seed in range(20):
        Store(folder).certify(KEY, Certificate(f"code {who}", ("then",), seed, 4, 4000.0, True, "abc", "chip"))
    connection.send("done")


def test_certificates_of_several_writers_are_all_kept(start: Start, store: Store) -> None:
    store.save(Cell(), a_run())
    connections = [start(certify_on_signal, store.folder, who)[1] for who in range(3)]
    for connection in connections:
        connection.recv()
    for connection in connections:
        connection.send("go")
    for connection in connections:
        assert connection.recv() == "done"
    kept = {(one.sources, one.seed) for one in store.certificates(KEY)}
    assert kept == {(f"code {who}", seed) for who in range(3) for seed in range(20)}
    store.certify(KEY, Certificate("code 0", ("others",), 0, 1, 1.0, False, "abc", "chip"))
    assert len(store.certificates(KEY)) == 60 and store.certificates(KEY)[-1].of == ("others",)


def write_for_ever(connection: Connection, folder: Path) -> None:
    """Extends one seed again and again, and saves its state; says so before every round."""
    for n in range(1, 100_000):
        connection.send("ready")
        Store(folder / "store").save(Cell(), with_arrays(a_run(n)))
        States(folder / "states").save(KEY, 3, n, {"x": torch.full((50_000,), float(n))})


def test_kill_leaves_only_whole_files(start: Start, tmp_path: Path) -> None:
    store, states = Store(tmp_path / "store"), States(tmp_path / "states")
    reached = 0
    for n_rounds, milliseconds in enumerate((1, 20, 33, 47, 61, 80, 95, 110)):
        process, connection = start(write_for_ever, tmp_path)
        for _ in range(1 + n_rounds):
            connection.recv()
        time.sleep(milliseconds / 1000)
        killed(process)
        run, state = store.load(Cell(), 3), states.latest(KEY, 3)
        if run is not None:
            assert same(run, with_arrays(a_run(run.steps.size)))
            assert run.steps.size >= reached
            reached = run.steps.size
        if state is not None:
            assert torch.equal(state.tensors["x"], torch.full((50_000,), float(state.steps)))
    assert reached > 3
    store.save(Cell(), with_arrays(a_run(reached + 1)))  # the dead hold no lock


def held(states: States, seed: int = 3) -> Lock:
    """The right to train a seed."""
    lock = states.try_lock(KEY, seed)
    assert lock is not None
    return lock


def hold(connection: Connection, folder: Path) -> None:
    """Holds the lock of a seed until killed."""
    with held(States(folder)):
        connection.send("held")
        time.sleep(600)


def test_a_seed_is_trained_by_one_process_and_by_the_next_after_a_kill(start: Start, states: States) -> None:
    process, connection = start(hold, states.folder)
    connection.recv()
    assert states.try_lock(KEY, 3) is None and not states.drop(KEY, 3)
    for key, seed in [(KEY, 4), ("MADDPG/CN-V1/other", 3)]:
        other = states.try_lock(key, seed)
        assert other is not None
        other.release()
    killed(process)
    with held(states) as lock:
        assert states.try_lock(KEY, 3) is None
        states.save(KEY, 3, 1, TENSORS)  # the holder saves
    lock.release()
    with held(states):
        assert states.latest(KEY, 3) is not None


def test_a_store_in_the_folder_of_the_states_does_not_wait_for_its_own_trainer(states: States) -> None:
    with held(states):
        Store(states.folder).save(Cell(), a_run())
