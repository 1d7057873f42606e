"""The warp's settings: immutable, comparable, and documented field by field."""

import ast
import dataclasses
from pathlib import Path

import pytest

from hifi_portrait.warp import settings
from hifi_portrait.warp.settings import WarpSettings

FILES = sorted(Path(settings.__file__).parent.glob("*.py"))


def test_settings_are_equal_by_value_and_can_be_cached_by():
    changed = dataclasses.replace(WarpSettings().scalp, rise=0.05)
    assert WarpSettings() == WarpSettings() and hash(WarpSettings()) == hash(WarpSettings())
    assert dataclasses.replace(WarpSettings(), scalp=changed) != WarpSettings()


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        WarpSettings().light.max_gain = 1.0  # type: ignore[misc]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_setting_has_a_docstring(file):
    classes = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.ClassDef)]
    assert classes
    for each in classes:
        for field, after in zip(each.body, [*each.body[1:], None], strict=True):
            if isinstance(field, ast.AnnAssign):
                documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                assert documented, f"{each.name}.{ast.unparse(field.target)}"
