"""Output that goes nowhere, to who stops reading, to a full disk, or to a terminal without letters."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

COMMAND = f'"{sys.executable}" -m hifi_portrait'


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which H is the command."""
    return subprocess.run(
        ["bash", "-c", line.replace("H ", f"{COMMAND} ")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_who_stops_reading_is_no_error():
    done = shell("H presets | head -1; exit ${PIPESTATUS[0]}")
    assert done.stdout == "neutral: all 0\n"
    assert done.stderr == ""
    assert done.returncode in (0, 141)  # as it had all been written or not


@pytest.mark.parametrize("command", ["presets", "recipes list", "presets --json"])
def test_a_full_standard_output_is_named(command):
    done = shell(f"H {command} > /dev/full")
    assert done.returncode == 2
    assert done.stderr == "error: the standard output cannot be written to: No space left on device\n"


@pytest.mark.parametrize(("closed", "code"), [(">&-", 0), ("2>&-", 0), (">&- 2>&-", 0)])
def test_a_process_without_streams_does_its_work(closed, code):
    assert shell(f"H presets {closed}").returncode == code


def test_a_process_without_streams_says_by_its_code_that_it_failed(tmp_path):
    assert shell(f"H warp {tmp_path}/none.jpg 2>&-").returncode == 2


@pytest.mark.parametrize("name", ["nöpe.jpg", "\U0001f600.jpg", "名.jpg"])
def test_a_name_is_told_where_the_system_knows_ascii_alone(name):
    done = shell(f"H warp {name}", LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii:backslashreplace")
    assert done.returncode == 2
    assert "does not exist" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["presets", "warp a.jpg", "--help"])
def test_a_working_folder_that_was_deleted_is_named(tmp_path, command):
    done = shell(f"mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir ../gone && H {command}")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: the folder in which this runs does not exist")
