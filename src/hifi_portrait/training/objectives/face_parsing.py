"""Objective `face-parsing`: what each pixel of a portrait crop shows, learnt on rendered people."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from hifi_portrait.errors import ModelError
from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.faces.parsing_inputs import parsing_inputs
from hifi_portrait.faces.parsing_network import WEIGHTS_FILE, ParsingNetwork
from hifi_portrait.head.arrays import Array, ByteArray
from hifi_portrait.training.data.labelled_photos import LabelledPhoto, LabelledPhotos
from hifi_portrait.training.data.parsing_augment import ParsingAugmentation, augment
from hifi_portrait.training.engine.checkpoint import latest_checkpoint
from hifi_portrait.training.engine.objective import Batch, Objective
from hifi_portrait.training.engine.samples import shuffled_index
from hifi_portrait.training.objectives.sheets import arrange_grid

LABEL_COLOURS = np.array(
    [
        (40, 40, 40),
        (255, 200, 160),
        (255, 120, 60),
        (200, 140, 90),
        (120, 60, 200),
        (200, 60, 160),
        (255, 255, 255),
        (230, 30, 60),
        (60, 160, 80),
        (0, 220, 255),
        (250, 220, 0),
        (0, 0, 255),
    ],
    np.uint8,
)
"""Colours that label maps are shown in, by `FaceLabel`."""

_RARE = {
    FaceLabel.EARS: 3.0,
    FaceLabel.BEARD: 3.0,
    FaceLabel.EYES: 4.0,
    FaceLabel.MOUTH: 2.0,
    FaceLabel.GLASSES: 5.0,
    FaceLabel.OCCLUDER: 4.0,
}
"""Weights of labels that few pixels have; the others have 1."""


@dataclass(frozen=True, kw_only=True)
class FaceParsingConfig:
    """Settings of the face parsing recipe."""

    init_from: str = ""
    """Folder of a run or a checkpoint that the first weights are taken from; fresh ones by default."""

    held_out: int = 48
    """Photos, the last of the data, that are measured and not trained on, 1 or more."""

    overlap: float = 1.0
    """Weight of the labels' overlap (1 minus Dice's coefficient) beside the cross entropy, 0 or more."""

    augmentation: ParsingAugmentation = field(default_factory=ParsingAugmentation)
    """How photos are changed."""


class FaceParsingObjective(Objective):
    """Cross entropy and overlap of label maps.

    Raises
    ------
    ModelError
        ``init_from`` holds no weights of a parsing network.
    """

    def __init__(self, config: FaceParsingConfig, data: str | Path, *, seed: int = 0) -> None:
        torch.manual_seed(seed)
        super().__init__({"parsing": _first_network(config.init_from)}, ["parsing"])
        self.config = config
        self.seed = seed
        self.photos = LabelledPhotos(data)
        self.trained_on = max(1, len(self.photos) - config.held_out)
        weights = [_RARE.get(label, 1.0) for label in FaceLabel]
        self.register_buffer("weights", torch.tensor(weights), persistent=False)

    def sample(self, index: int) -> Batch:
        """Make ``inputs`` (channels, S, S) and ``labels`` (S, S) of one changed photo."""
        rng = np.random.default_rng([self.seed, 3, index])
        photo = self.photos[shuffled_index(index, self.trained_on, self.seed)]
        return _to_batch(augment(photo, self.config.augmentation, rng))

    def forward(self, batch: Batch, progress: float = 0.0) -> dict[str, Tensor]:
        """Compute the terms ``cross_entropy`` and ``overlap``."""
        logits = self.part("parsing")(batch["inputs"]).float()
        target = batch["labels"].long()
        terms = {"cross_entropy": cross_entropy(logits, target, self.weights)}  # type: ignore[arg-type]
        if self.config.overlap > 0:
            terms["overlap"] = self.config.overlap * overlap_loss(logits, target)
        return terms

    def sheet(self) -> ByteArray:
        """Draw held-out photos above their true labels and what the network makes of them."""
        photos = self._held_out()[:8]
        found = self._parse(photos)
        rows = [
            [photo.image for photo in photos],
            [LABEL_COLOURS[photo.labels] for photo in photos],
            [LABEL_COLOURS[labels] for labels in found],
        ]
        return arrange_grid([picture for row in rows for picture in row], columns=len(photos))

    def metrics(self) -> dict[str, float]:
        """Measure the intersection over union, ``iou_<label>``, of labels that held-out photos show."""
        photos = self._held_out()
        true, found = np.stack([photo.labels for photo in photos]), self._parse(photos)
        return {
            f"iou_{label.name.lower()}": float(((true == label) & (found == label)).sum())
            / float(((true == label) | (found == label)).sum())
            for label in FaceLabel
            if (true == label).any()
        }

    def _held_out(self) -> list[LabelledPhoto]:
        count = min(self.config.held_out, len(self.photos))
        return [
            augment(self.photos[index], self.config.augmentation, np.random.default_rng([4, index]))
            for index in range(len(self.photos) - count, len(self.photos))
        ]

    def _parse(self, photos: list[LabelledPhoto]) -> Array:
        """Label maps (N, S, S) that the network finds."""
        network = self.part("parsing")
        device = next(network.parameters()).device
        inputs = torch.stack([_to_batch(photo)["inputs"] for photo in photos]).to(device)
        return torch.cat([network(part).argmax(1) for part in inputs.split(16)]).cpu().numpy()


def overlap_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Compute 1 minus the mean Dice coefficient of the labels that a batch shows.

    Parameters
    ----------
    logits
        (B, L, H, W)
    target
        (B, H, W) numbers of labels.
    """
    found = logits.softmax(dim=1)
    true = one_hot(target, logits.shape[1]).permute(0, 3, 1, 2).to(found.dtype)
    both, either = (found * true).sum(dim=(0, 2, 3)), (found + true).sum(dim=(0, 2, 3))
    shown = true.sum(dim=(0, 2, 3)) > 0
    return (1 - (2 * both + 1) / (either + 1))[shown].mean()


def _to_batch(photo: LabelledPhoto) -> Batch:
    inputs = parsing_inputs(photo.image, photo.matte, photo.landmarks)
    return {"inputs": torch.from_numpy(inputs), "labels": torch.from_numpy(photo.labels.copy())}


def _first_network(folder: str) -> ParsingNetwork:
    if not folder:
        return ParsingNetwork()
    newest = latest_checkpoint(Path(folder)) or Path(folder)
    for place in (newest / "ema" / "parsing", newest / "parsing", newest):
        if (place / WEIGHTS_FILE).is_file():
            return ParsingNetwork.from_file(place / WEIGHTS_FILE)
    raise ModelError(f"no {WEIGHTS_FILE} in {folder}: give a run of the recipe `face-parsing`")
