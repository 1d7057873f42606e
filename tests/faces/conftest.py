from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hifi_portrait.faces import FaceAnalyser, default_analyser, load_image

DATA = Path(__file__).parent.parent / "pictures"


@pytest.fixture(scope="session")
def portrait_path() -> Path:
    return DATA / "person_a_1.jpg"


@pytest.fixture(scope="session")
def portrait(portrait_path: Path) -> np.ndarray:
    return load_image(portrait_path)


@pytest.fixture(scope="session")
def other_portrait() -> np.ndarray:
    return load_image(DATA / "person_b_1.jpg")


@pytest.fixture(scope="session")
def analyser() -> FaceAnalyser:
    return default_analyser()
