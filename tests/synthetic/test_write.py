import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from hifi_portrait.dataset.format import IDDataset
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
