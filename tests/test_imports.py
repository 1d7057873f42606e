"""Imports go one way, and importing the package is cheap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_imports_go_one_way():
    """In a process of its own: import-linter's set-up of logging turns off the loggers of this one."""
    lint = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    done = subprocess.run([sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_importing_the_package_or_the_command_line_loads_no_heavy_library():
    heavy = ("torch", "diffusers", "transformers", "mediapipe", "cv2", "numba", "scipy")
    code = (
        f"import sys, hifi_portrait, hifi_portrait.cli.app; print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
