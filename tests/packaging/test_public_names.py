"""The names of ``import hifi_portrait``: typed, lazy, and enough for the README's example."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

import hifi_portrait
from hifi_portrait import errors

ROOT = Path(__file__).parents[2]


def _typed_names() -> dict[str, str]:
    """What the block under TYPE_CHECKING imports: name -> module."""
    tree = ast.parse(Path(hifi_portrait.__file__).read_text(encoding="utf-8"))
    block = next(
        node
        for node in tree.body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    )
    return {
        alias.name: str(node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_lazy_names_are_those_that_type_checkers_see():
    assert _typed_names() == hifi_portrait._LAZY


@pytest.mark.parametrize("name", hifi_portrait.__all__)
def test_every_public_name_is_there_and_listed(name):
    assert getattr(hifi_portrait, name) is not None
    assert name in dir(hifi_portrait)


def test_lazy_names_are_the_objects_of_their_modules():
    for name, module in hifi_portrait._LAZY.items():
        assert getattr(hifi_portrait, name) is getattr(importlib.import_module(module), name)


def test_a_misspelt_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Identiy"):
        hifi_portrait.Identiy  # noqa: B018


def test_all_errors_are_public():
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.HiFiPortraitError)
    }
    assert classes <= set(hifi_portrait.__all__)


def test_the_readme_imports_public_names_only():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", readme, re.S))
    imports = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
    ours = [node for node in imports if str(node.module).startswith("hifi_portrait")]
    assert ours
    assert all(node.module == "hifi_portrait" for node in ours)
    assert {alias.name for node in ours for alias in node.names} <= set(hifi_portrait.__all__)


def test_a_missing_package_is_named_with_the_extra_that_brings_it():
    with (
        pytest.raises(hifi_portrait.MissingExtraError, match=r"no_such_package.*hifi-portrait\[train\]"),
        errors.needs_extra("train"),
    ):
        importlib.import_module("no_such_package")


def test_extras_that_errors_name_exist():
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    code = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "src").rglob("*.py"))
    named = set(re.findall(r'needs_extra\("(\w+)"\)', code)) | set(
        re.findall(r"hifi-portrait\[(\w+)\]'", code)
    )
    assert named
    assert named <= set(extras)
    assert all(extras.values())
