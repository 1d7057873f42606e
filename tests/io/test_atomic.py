import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from hifi_portrait.errors import OutputError
from hifi_portrait.io.atomic import atomic_write, write_output


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


@pytest.mark.parametrize(("mask", "rights"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_rights_of_the_umask(tmp_path, mask, rights):
    path = tmp_path / "a"
    before = os.umask(mask)
    try:
        with atomic_write(path, many_writers=True) as partial:
            partial.touch(0o600)  # as a library does that thinks of secrets
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == rights


def test_a_replaced_file_keeps_its_rights(tmp_path):
    path = tmp_path / "a"
    path.touch(0o600)
    with atomic_write(path) as partial:
        partial.touch()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_is_followed(tmp_path):
    path = tmp_path / "there"
    path.write_text("old")
    (tmp_path / "link").symlink_to(path)
    with atomic_write(tmp_path / "link", many_writers=True) as partial:
        partial.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert path.read_text() == "new"


def test_the_next_of_many_writers_deletes_what_dead_ones_left(tmp_path):
    code = f"""
import os, signal
from pathlib import Path
from hifi_portrait.errors import OutputError
from hifi_portrait.io.atomic import atomic_write, write_output
with atomic_write(Path({str(tmp_path / "a.png")!r}), many_writers=True) as partial:
    partial.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    with atomic_write(tmp_path / "a.png", many_writers=True) as partial:
        partial.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_result_is_written_into_a_new_folder(tmp_path):
    with write_output(tmp_path / "new" / "a.txt") as partial:
        partial.write_text("all of it")
    assert (tmp_path / "new" / "a.txt").read_text() == "all of it"


def test_a_result_for_which_there_is_no_room_is_named(tmp_path):
    full = pytest.raises(OutputError, match=r"a\.txt cannot be written: No space")
    with full, write_output(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []
