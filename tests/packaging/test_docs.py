"""The documentation builds without a warning, its links lead somewhere, and its pictures are up to date."""

from __future__ import annotations

import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer
import typer.core
import yaml

import hifi_portrait
from hifi_portrait.cli.app import app

ROOT = Path(__file__).parents[2]
FOLDERS = {
    path.name for place in (ROOT, ROOT / "src", ROOT / "src" / "hifi_portrait") for path in place.iterdir()
}
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md")]

PRESENT = [page for page in PAGES if page.name != "CHANGELOG.md"]
"""Pages on the code as it is; the changelog also names what is gone."""


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs", reason="needs the extra docs")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "api" / "portraits.html").read_text(encoding="utf-8")
    assert all(f'id="hifi_portrait.{name}"' in page for name in ("Identity", "Target", "HeadPose"))
    home = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert 'src="rooms.svg"' in home
    fetched = re.findall(r'<(?:link|script|img)[^>]+(?:href|src)="https?://[^"]+"', home + page)
    assert not [tag for tag in fetched if 'rel="canonical"' not in tag]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_lead_to_files(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    targets = [target.split("#")[0] for target in re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", text)]
    made_from_root = {"contributing.md", "changelog.md", "index.md"}
    assert [
        target
        for target in targets
        if not (page.parent / target).exists() and Path(target).name not in made_from_root
    ] == []


def test_the_picture_of_the_rooms_is_that_of_the_imports():
    pytest.importorskip("grimp", reason="needs the extra dev")
    spec = importlib.util.spec_from_file_location("draw_rooms", ROOT / "scripts" / "draw_rooms.py")
    rooms = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rooms)
    picture = rooms.draw(rooms.imports())
    assert picture == (ROOT / "docs" / "rooms.svg").read_text(encoding="utf-8"), "run scripts/draw_rooms.py"


def test_workflows_call_targets_of_the_makefile():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    called = set()
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        jobs = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]
        steps = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
        called |= set(re.findall(r"\bmake ([\w-]+)", "\n".join(steps)))
    assert called
    assert called <= targets


def test_the_citation_names_the_version_and_the_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{citation["version"]}"' in project
    assert citation["version"] == hifi_portrait.__version__
    assert citation["preferred-citation"]["doi"] == "10.1109/CVPR52734.2025.00528"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_code_files_that_pages_name_exist(page):
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"(?<![\w./-])((?:[\w.-]+/)+[\w-]+\.(?:py|toml|safetensors))(?![\w*])", text)
    places = (ROOT, ROOT / "src", ROOT / "src" / "hifi_portrait")
    ours = [name for name in named if name.split("/")[0] in FOLDERS]
    assert [name for name in ours if not any((place / name).exists() for place in places)] == []


@pytest.mark.parametrize("page", PRESENT, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_modules_that_pages_name_exist(page):
    for name in re.findall(r"\bhifi_portrait(?:\.\w+)+", page.read_text(encoding="utf-8")):
        assert _found(name), name


def _found(name: str) -> bool:
    """Whether a dotted name is a module, or an attribute of one."""
    place, *rest = name.split(".")
    value = importlib.import_module(place)
    for part in rest:
        place = f"{place}.{part}"
        if not hasattr(value, part):
            try:
                value = importlib.import_module(place)
            except ModuleNotFoundError:
                return False
        else:
            value = getattr(value, part)
    return True


@pytest.mark.parametrize("page", PRESENT, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_and_options_that_pages_show_exist(page):
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.S)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    inline = [" ".join(line.split()) for line in re.findall(r"`(hifi-portrait [^`]+)`", text)]
    for line in [*lines, *inline]:
        if line.startswith("hifi-portrait ") and "COMMAND" not in line:
            _check_command(line.split("#")[0].split()[1:])


def _check_command(words: list[str]) -> None:
    """Check that a command line names a command, and options that it has."""
    command = typer.main.get_command(app)
    while words and isinstance(command, click.Group | typer.core.TyperGroup) and not words[0].startswith("-"):
        assert words[0] in command.commands, words
        command = command.commands[words[0]]
        words = words[1:]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert {word for word in words if re.match(r"--\w", word)} <= known, words
