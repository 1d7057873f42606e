"""Faces made of numbers, and a small heap of pictures of people who do not exist."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hifi_portrait.dataset.curate import BuildOptions, build_dataset
from hifi_portrait.dataset.curate.faces import Faces, compared_landmarks

ROOT = Path(__file__).parents[3]
PICTURES = ROOT / "tests" / "pictures"
SOURCES = """[[source]]
name = "album"
path = "."
licence = "CC0-1.0"
consent = "synthetic"
"""


@pytest.fixture
def make_faces() -> Callable[..., Faces]:
    """Make faces of unit vectors; everything else is harmless unless given."""

    def make(vectors: np.ndarray, **given: object) -> Faces:
        number = len(vectors)
        rng = np.random.default_rng(1)
        hashes = rng.integers(0, 256, (3, number, 32), np.uint8)
        landmarks = len(compared_landmarks()[0])
        fields: dict[str, object] = {
            "table": [0] * number,
            "row": list(range(number)),
            "original": [f"{n}.jpg" for n in range(number)],
            "source": ["album"] * number,
            "group": [""] * number,
            "track": [""] * number,
            "frame": [None] * number,
            "sha256": [f"{n:064d}" for n in range(number)],
            "pixels": [f"p{n:063d}" for n in range(number)],
            "area": np.full(number, 100_000),
            "face": np.zeros(number, np.int32),
            "picture": np.arange(number),
            "vectors": np.asarray(vectors, np.float32),
            "measures": np.ones((number, 7), np.float32),
            "quality": np.ones(number, np.float32),
            "shapes": rng.uniform(20, 130, (number, landmarks, 2)).astype(np.float32),
            "pdq": hashes[0],
            "chip_pdq": hashes[1],
            "mirrored_pdq": hashes[2],
        }
        return Faces(**(fields | given))

    return make


def write_heap(folder: Path) -> Path:
    """Two people in folders, with a copy, a damaged file, one without a face, and a picture of both."""
    for person in "ab":
        (folder / person).mkdir(parents=True)
        for number in (1, 2):
            shutil.copy(PICTURES / f"person_{person}_{number}.jpg", folder / person / f"{number}.jpg")
    with Image.open(PICTURES / "person_a_1.jpg") as first, Image.open(PICTURES / "person_b_1.jpg") as second:
        first.resize((first.width // 2, first.height // 2)).save(folder / "a" / "copy.jpg", quality=90)
        both = Image.new("RGB", (first.width + second.width, first.height))
        both.paste(first, (0, 0))
        both.paste(second, (first.width, 0))
    both.save(folder / "both.png")
    (folder / "a" / "damaged.jpg").write_bytes((PICTURES / "person_a_2.jpg").read_bytes()[:700])
    (folder / "notes.txt").write_text("no picture")
    Image.new("RGB", (128, 128), "grey").save(folder / "b" / "blank.png")
    (folder / "sources.toml").write_text(SOURCES)
    return folder


@pytest.fixture(scope="session")
def heap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_heap(tmp_path_factory.mktemp("heap") / "photos")


@pytest.fixture(scope="session")
def built(heap: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of that heap; tests leave it as it is, or change a copy."""
    out = tmp_path_factory.mktemp("built") / "set"
    build_dataset([heap], out, options=BuildOptions(), workers=0)
    return out
