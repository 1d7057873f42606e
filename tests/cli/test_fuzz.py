"""A share of `scripts/fuzz_inputs.py`."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "fuzz_inputs.py"


@pytest.mark.slow
def test_bad_files_folders_and_arguments_are_answered_and_nothing_is_lost(tmp_path):
    spec = importlib.util.spec_from_file_location("fuzz_inputs", SCRIPT)
    assert spec is not None and spec.loader is not None
    fuzzing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzzing)
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        kinds, faults = fuzzing.run_cases(tmp_path, range(30), seed=1)
    finally:
        os.chdir(here)
    assert len(kinds) > 3
    assert faults == []
