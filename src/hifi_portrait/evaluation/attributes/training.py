"""Training the classifier on synthetic photos and their truth."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from hifi_portrait.dataset.format import IDDataset, split_of
from hifi_portrait.errors import DatasetError
from hifi_portrait.evaluation.attributes.classes import HEADS, UNKNOWN, read_labels
from hifi_portrait.evaluation.attributes.network import SIZE, AttributeNet, scale_pictures
from hifi_portrait.evaluation.attributes.reader import AttributeReader
from hifi_portrait.head.arrays import Array, ByteArray, IntArray
from hifi_portrait.training.engine.precision import autocast_where_fast

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How the classifier is trained."""

    epochs: int = 12
    """How often every photo is seen."""
    batch: int = 64
    """Photos in a step."""
    learning_rate: float = 4e-3
    """Of AdamW, the highest of a one-cycle schedule."""
    weight_decay: float = 0.02
    """Of AdamW."""
    label_smoothing: float = 0.05
    """Probability that is spread over the wrong classes."""
    shift: int = 12
    """Farthest random shift, in pixels of `SIZE`."""
    soften: float = 0.5
    """Fraction of the pictures that are blurred or compressed."""
    seed: int = 0
    """Of the first weights, the order of the photos and their augmentation."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Pictures and their labels."""

    pictures: ByteArray
    """RGB (N, SIZE, SIZE, 3)."""
    labels: IntArray
    """Class indices (N, heads); `UNKNOWN` where not defined."""

    def __len__(self) -> int:
        return len(self.pictures)


def read_examples(folders: Sequence[str | Path], *, held_out: bool | None = None) -> Examples:
    """Read the photos of ID data sets with synthetic truth.

    Parameters
    ----------
    held_out
        True for identities of the splits validation and test only, False for those of the training split.

    Raises
    ------
    DatasetError
        If a folder is no ID data set, a photo lacks an attribute, or nothing is left.
    """
    pictures, labels = [], []
    for folder in folders:
        dataset = IDDataset(folder)
        for identity, places in dataset.identities.items():
            if held_out is not None and (split_of(identity) != "train") is not held_out:
                continue
            for place in places:
                record = dataset[place]
                try:
                    labels.append(read_labels(record.attributes))
                except (KeyError, ValueError) as error:
                    raise DatasetError(
                        f"photo {identity}/{record.photo_id} of {folder} has no usable attribute {error}: "
                        "take a data set written by `hifi-portrait people`"
                    ) from error
                pictures.append(cv2.resize(record.pixels(), (SIZE, SIZE), interpolation=cv2.INTER_AREA))
    if not pictures:
        raise DatasetError(f"no photo to read in {', '.join(map(str, folders))}")
    return Examples(np.stack(pictures), np.array(labels, dtype=np.int64))


def train(examples: Examples, settings: TrainingSettings | None = None) -> AttributeReader:
    """Train a classifier from nothing."""
    settings = settings or TrainingSettings()
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    network = AttributeNet([len(head.classes) for head in HEADS])
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    steps = settings.epochs * (len(examples) // settings.batch + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=steps, pct_start=0.15
    )
    bar = tqdm(total=steps, unit="step")
    for _ in range(settings.epochs):
        for rows in _batches(len(examples), settings.batch, rng):
            pictures = np.stack([augment(examples.pictures[row], settings, rng) for row in rows])
            with autocast_where_fast(torch.device("cpu")):
                logits = network(scale_pictures(pictures))
            loss = _loss(logits, torch.from_numpy(examples.labels[rows]), settings)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            bar.update()
            bar.set_postfix(loss=f"{loss.item():.3f}")
    bar.close()
    return AttributeReader(network)


def augment(picture: ByteArray, settings: TrainingSettings, rng: np.random.Generator) -> Array:
    """Mirror, shift, blur or compress a uint8 RGB picture (H, W, 3) by chance; its colours stay."""
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    across, down = rng.integers(-settings.shift, settings.shift + 1, 2)
    step = np.array([[1, 0, across], [0, 1, down]], dtype=np.float32)
    shifted = cv2.warpAffine(picture, step, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    picture = np.asarray(shifted, np.uint8)
    if rng.random() >= settings.soften:
        return picture
    if rng.random() < 0.6:
        return cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 1.6)))
    quality = int(rng.integers(35, 90))
    compressed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(compressed, cv2.IMREAD_COLOR))


def _batches(count: int, size: int, rng: np.random.Generator) -> Iterator[Array]:
    order = rng.permutation(count)
    # The last batch may be small: too small for the batch statistics is left out.
    return (order[start : start + size] for start in range(0, count, size) if count - start > 1)


def _loss(logits: Sequence[Tensor], labels: Tensor, settings: TrainingSettings) -> Tensor:
    total = torch.zeros(())
    for values, label in zip(logits, labels.T, strict=True):
        if (label != UNKNOWN).any():
            total = total + F.cross_entropy(
                values.float(), label, ignore_index=UNKNOWN, label_smoothing=settings.label_smoothing
            )
    return total
