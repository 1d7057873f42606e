"""A person to give to the commands: the example photos, and one of somebody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hifi_portrait.cli.app import app

EXAMPLE = Path(__file__).parents[2] / "examples" / "person"


@pytest.fixture(scope="session")
def person() -> list[Path]:
    """Four photos of one synthetic person."""
    photos = sorted(EXAMPLE.glob("*.jpg"))
    assert len(photos) == 4
    return photos


@pytest.fixture(scope="session")
def saved_identity(person, tmp_path_factory) -> Path:
    """The example person, analysed once for all tests."""
    from hifi_portrait.person.identity import Identity

    path = tmp_path_factory.mktemp("identity") / "person.safetensors"
    Identity.from_photos(person).save(path)
    return path


@pytest.fixture
def run():
    """Run the command line in this process: ``run("warp", photo, "--yaw", 5)``."""
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])
