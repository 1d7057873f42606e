from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from hifi_portrait.io.atomic import atomic_write


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_write(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_after_an_error_the_file_is_as_it_was_and_nothing_is_left(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(OSError, match="full"), atomic_write(path) as partial:
        partial.write_text("ne")
        raise OSError("full")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "step-1"
    with atomic_write(path) as partial:
        (partial / "part").mkdir(parents=True)
        assert not path.exists()
    assert (path / "part").is_dir()
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_behind_does_not_get_into_the_next_folder(tmp_path):
    path = tmp_path / "step-1"
    left = tmp_path / "step-1.partial"
    left.mkdir()
    (left / "half").write_text("h")
    with atomic_write(path) as partial:
        partial.mkdir()
    assert list(path.iterdir()) == []


def test_writers_at_the_same_time_do_not_share_a_partial_file(tmp_path):
    path = tmp_path / "a"
    both_write = Barrier(2)

    def write(text):
        with atomic_write(path, many_writers=True) as partial:
            partial.write_text(text)
            both_write.wait(timeout=60)
            assert partial.read_text() == text

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, ["one", "two"]))
    assert path.read_text() in ("one", "two")
    assert list(tmp_path.iterdir()) == [path]
