"""Imports go one way, and importing the package is cheap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]


def test_imports_go_one_way(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None) == 0


def test_importing_the_package_or_the_command_line_loads_no_heavy_library():
    heavy = ("torch", "diffusers", "transformers", "mediapipe", "cv2", "numba", "scipy")
    code = (
        f"import sys, hifi_portrait, hifi_portrait.cli.app; print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
