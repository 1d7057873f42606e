"""Command-line options and fixtures that several rooms' tests share."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import numpy as np
import pytest

if TYPE_CHECKING:
    from hifi_portrait.head import HeadModel
    from hifi_portrait.person.identity import Identity
    from hifi_portrait.pipeline import HiFiPortraitPipeline

# One thread a process: `make test` runs one process a core, and a test must not depend on how many there are.
# Set before NumPy, OpenCV and PyTorch are imported, which read these once.
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
    os.environ.setdefault(_threads, "1")
os.environ.setdefault("GLOG_minloglevel", "3")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# The same examples in every run, however long one takes: no test may depend on chance or on a busy machine.
hypothesis.settings.register_profile(
    "repeatable", max_examples=50, derandomize=True, deadline=None, database=None
)
hypothesis.settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--scoring", type=Path, help="folder of weights used only to score results")
    parser.addoption("--photos", type=Path, help="folder of real photos, one sub-folder a person")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that the processes of `make test` end at about the same time."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


def _folder(request: pytest.FixtureRequest, option: str) -> Path:
    folder = request.config.getoption(option)
    if folder is None:
        pytest.skip(f"needs {option} DIR")
    if not folder.is_dir():
        pytest.skip(f"{option} {folder} is not a folder")
    return folder


@pytest.fixture(scope="session")
def scoring_dir(request: pytest.FixtureRequest) -> Path:
    """The folder of scoring weights; the test is skipped where it is absent."""
    return _folder(request, "--scoring")


@pytest.fixture(scope="session")
def photos_dir(request: pytest.FixtureRequest) -> Path:
    """A folder of real photos, one sub-folder a person; the test is skipped where it is absent."""
    return _folder(request, "--photos")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved pipeline of the tiny size with random weights."""
    from hifi_portrait.models import build
    from hifi_portrait.pipeline import HiFiPortraitPipeline
    from hifi_portrait.training.data.tokenizer import train_tokenizer

    parts = build("tiny", seed=0)
    tokenizer = train_tokenizer(["a photo of a man", "a photo of a woman"], 514)
    folder = tmp_path_factory.mktemp("tiny") / "model"
    HiFiPortraitPipeline(**parts, tokenizer=tokenizer, tokenizer_2=tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def pipe() -> HiFiPortraitPipeline:
    """A tiny pipeline with random weights; a module's tests share it and leave it as it was."""
    from tiny_pipelines import a_pipeline

    return a_pipeline()


@pytest.fixture(scope="module")
def identity() -> Identity:
    """A painted person of two photos."""
    from tiny_pipelines import an_identity

    return an_identity()


@pytest.fixture(scope="session")
def model() -> HeadModel:
    """The head model that comes with the package."""
    from hifi_portrait.head import HeadModel

    return HeadModel.load()


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same in every test."""
    return np.random.default_rng(0)
