import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

from hifi_portrait.dataset.format import IDDataset
from hifi_portrait.errors import DatasetError
from hifi_portrait.synthetic import write_people

SMALL = {"photos": 2, "size": 32}


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_people(tmp_path_factory.mktemp("whole") / "people", 3, progress=lambda done: None, **SMALL)


def test_every_person_has_every_photo(whole: Path):
    assert {name: len(rows) for name, rows in IDDataset(whole).identities.items()} == {
        f"person-{seed:08d}": 2 for seed in range(3)
    }


def test_rows_carry_caption_attributes_and_truth(whole: Path):
    record = IDDataset(whole)[0]
    assert record.caption and record.attributes["hair_style"]
    assert record.truth is not None and record.truth.camera.width == 32


def test_a_killed_run_goes_on_to_the_same_data_set(whole: Path, tmp_path: Path):
    def stop_after_two(done: int) -> None:
        if done == 2:
            raise KilledError

    with pytest.raises(KilledError):
        write_people(tmp_path, 3, progress=stop_after_two, **SMALL)
    write_people(tmp_path, 3, progress=lambda done: None, **SMALL)
    resumed, expected = IDDataset(tmp_path), IDDataset(whole)
    assert len(resumed) == len(expected)
    assert all(np.array_equal(a.pixels(), b.pixels()) for a, b in zip(resumed, expected, strict=True))


@pytest.mark.slow
def test_workers_of_a_killed_run_end(tmp_path: Path):
    call = (
        f"from hifi_portrait.synthetic import write_people; write_people({str(tmp_path)!r}, 999, workers=2)"
    )
    guarded = f"if __name__ == '__main__':\n    {call}"
    script = tmp_path / "render.py"
    script.write_text(guarded)
    run = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL)
    _wait_for(lambda: len(_children(run.pid)) >= 2)
    workers = _children(run.pid)
    run.kill()
    run.wait()
    _wait_for(lambda: not any(_runs(pid) for pid in workers))


def _wait_for(happened: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.2)


def _children(pid: int) -> list[int]:
    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


def _runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_larger_call_keeps_the_people_there(whole: Path, tmp_path: Path):
    write_people(tmp_path, 1, progress=lambda done: None, **SMALL)
    seen: list[int] = []
    write_people(tmp_path, 2, progress=seen.append, **SMALL)
    assert seen == [1, 2]


@pytest.mark.slow
def test_several_processes_write_the_same_people(whole: Path, tmp_path: Path):
    write_people(tmp_path, 3, workers=2, progress=lambda done: None, **SMALL)
    first, second = IDDataset(whole), IDDataset(tmp_path)
    assert [a.caption for a in first] == [b.caption for b in second]


@pytest.mark.parametrize("wrong", [{"count": 0}, {"photos": 0}, {"photos": 101}, {"workers": 0}])
def test_a_count_out_of_range_is_refused_by_name(tmp_path: Path, wrong: dict[str, int]):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        write_people(tmp_path, **{"count": 1, "photos": 1, **wrong})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"size": 48}, "size 32, not 48"),
        ({"photos": 3}, "photos 2, not 3"),
        ({"per_sitting": 2}, "per-sitting 1, not 2"),
        ({"restyled": 0.5}, "restyled 0.0, not 0.5"),
        ({"variety": "world"}, "variety studio, not world"),
    ],
)
def test_people_who_are_there_with_other_settings_are_not_passed_off(
    whole: Path, changed: dict[str, Any], said: str
):
    with pytest.raises(DatasetError, match=f"person-00000000 of .* made with {said}: .*another folder"):
        write_people(whole, 4, progress=lambda done: None, **{**SMALL, **changed})


def test_other_people_may_be_added_with_other_settings(tmp_path: Path):
    write_people(tmp_path, 1, progress=lambda done: None, photos=1, size=32)
    write_people(tmp_path, 1, seed=300, progress=lambda done: None, photos=2, size=48)
    assert [record.width for record in IDDataset(tmp_path)] == [32, 48, 48]


def _forget_settings(people: Path) -> None:
    """Make a data set what older releases wrote."""
    for file in (people / "photos").glob("*.parquet"):
        pq.write_table(pq.read_table(file).replace_schema_metadata(None), file)


def test_people_of_older_releases_are_gone_on_with(whole: Path, tmp_path: Path):
    old = shutil.copytree(whole, tmp_path / "old")
    _forget_settings(old)
    seen: list[int] = []
    write_people(old, 3, per_sitting=2, progress=seen.append, **SMALL)
    assert seen == [3]


@pytest.mark.parametrize("changed", [{"size": 48}, {"photos": 3}])
def test_what_pictures_of_older_releases_show_is_compared(
    whole: Path, tmp_path: Path, changed: dict[str, int]
):
    old = shutil.copytree(whole, tmp_path / "old")
    _forget_settings(old)
    with pytest.raises(DatasetError, match=next(iter(changed))):
        write_people(old, 3, progress=lambda done: None, **{**SMALL, **changed})
