"""What a command does not import."""

from __future__ import annotations

import subprocess
import sys


def said(code: str) -> str:
    """What a process of its own prints."""
    start = (
        "import sys; from hifi_portrait.cli.quick_imports import make_imports_quick; make_imports_quick(); "
    )
    done = subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_module_that_waits_is_imported_when_something_of_it_is_used():
    inside = "numpy.f2py.crackfortran"
    waits = f"print({inside!r} not in sys.modules)"
    code = f"import numpy.f2py as f; {waits}; print(callable(f.get_include)); {waits}"
    assert said(code).split() == ["True", "True", "False"]


def test_looking_through_the_modules_imports_none_that_waits():
    code = "import inspect, numpy.f2py; inspect.getmodule(inspect.getmodule)"
    assert said(f"{code}; print('numpy.f2py.crackfortran' in sys.modules)") == "False"
