"""Two people to run the benchmark on: the example person, and somebody whose photo shows no face."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

EXAMPLE = Path(__file__).parents[2] / "examples" / "person"


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory) -> Path:
    """A folder of real photos as `evaluate real` takes it: one sub-folder a person."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "anna").mkdir()
    (folder / "nobody").mkdir()
    (folder / "empty").mkdir()
    for photo in sorted(EXAMPLE.glob("*.jpg"))[:2]:
        shutil.copy(photo, folder / "anna")
    Image.new("RGB", (300, 300), (90, 120, 200)).save(folder / "nobody" / "sky.png")
    return folder
