"""Data small enough for tests: painted heads as photos of three people, analysed and prepared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from diffusers import AutoencoderKL

from hifi_objectives import BASE_PARTS
from hifi_portrait.dataset.format import IDDatasetWriter, PhotoAnalysis, PhotoRecord
from hifi_portrait.head import HeadModel
from hifi_portrait.models.build import build
from hifi_portrait.training.data.labelled_photos import write_labelled_photos
from hifi_portrait.training.data.prepare import prepare
from hifi_portrait.training.data.prepared import Prepared
from painted_heads import geometry, paint

SIZE = 64
PEOPLE = ("person-0", "person-1", "person-2")


def painted_photo(person: int, number: int) -> PhotoRecord:
    model = HeadModel.load()
    truth = geometry(yaw=15 * number - 15, size=SIZE, seed=person, jawOpen=0.2 * number)
    drawn = paint(model, truth)
    rng = np.random.default_rng([person, number])
    embedding = rng.normal(size=128)
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[:, :2] = rng.uniform(20, 44, (478, 2))
    landmarks[[33, 133, 362, 263, 2], :2] = [[22, 28], [28, 29], [36, 29], [42, 28], [32, 38]]
    analysis = PhotoAnalysis(
        found=True,
        landmarks=landmarks,
        crop_transform=np.eye(3),
        crop_size=SIZE,
        embedding=embedding / np.linalg.norm(embedding),
        quality=0.8,
        matte=drawn.mask,
        fit=truth.replace(expression=truth.expression * 0.9),
        residual=0.01,
    )
    return PhotoRecord.from_pixels(
        drawn.image,
        identity_id=PEOPLE[person],
        photo_id=str(number),
        caption=f"a portrait of person {person}, photo {number}, grey background",
        truth=truth,
        analysis=analysis,
    )


@pytest.fixture(scope="session")
def labelled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labelled photos of two people, two of each, in two shards."""
    folder = tmp_path_factory.mktemp("labelled")
    write_labelled_photos(folder, 2, 2, 64, seed=50, per_shard=1)
    return folder


@pytest.fixture(scope="session")
def id_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ID data set of three people with three photos each, analysis included."""
    folder = tmp_path_factory.mktemp("id_data")
    with IDDatasetWriter(folder) as dataset:
        for person, name in enumerate(PEOPLE):
            dataset.add(name, [painted_photo(person, number) for number in range(3)])
    return folder


@pytest.fixture(scope="session")
def vae_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh tiny autoencoder."""
    folder = tmp_path_factory.mktemp("models") / "vae"
    vae: AutoencoderKL = build("tiny", ["vae"], seed=0)["vae"]
    vae.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def prepared(id_data: Path, vae_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The data set, prepared for the tiny model."""
    return prepare(id_data, tmp_path_factory.mktemp("prepared"), model_size="tiny", vae=vae_folder, workers=1)


@pytest.fixture
def run_recipe(tmp_path: Path) -> Callable[..., Path]:
    """Train a tiny recipe of the package; returns the run's folder."""
    from hifi_portrait.training.run import train

    def run(objective: str, data: Path, *overrides: str, out: Path = tmp_path / "run") -> Path:
        train(f"{objective}-tiny", data, out, overrides=overrides)
        return out

    return run


@pytest.fixture(scope="module")
def base_folder(tmp_path_factory):
    """Fresh weights of a tiny base model."""
    folder = tmp_path_factory.mktemp("base")
    for name, part in build("tiny", BASE_PARTS, seed=0).items():
        part.save_pretrained(folder / name)
    return folder
