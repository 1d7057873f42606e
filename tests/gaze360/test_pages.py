"""The pages of MMRGaze360 name commands, options, files and modules that exist."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import typer.main

from mmrgaze360.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = [*(ROOT / "docs" / "gaze360").glob("*.md"), ROOT / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    lines = "\n".join(re.findall(r"```\w*\n(.*?)```", text, re.S)).splitlines()
    lines += [" ".join(line.split()) for line in re.findall(r"`(mmrgaze360 [^`]+)`", text)]
    commands = typer.main.get_command(app).commands
    for line in lines:
        if not line.startswith("mmrgaze360 "):
            continue
        name, *rest = line.split("#")[0].split()[1:]
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert {word.split("=")[0] for word in rest if word.startswith("--")} <= known, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_modules_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`(mmrgaze360/[\w/]+\.py|scripts/\w+\.py|tests/gaze360/\w+\.py)", text):
        assert (ROOT / name).exists() or (ROOT / "src" / name).exists(), name
    for name in re.findall(r"`(mmrgaze360(?:\.\w+)+)", text):
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name
