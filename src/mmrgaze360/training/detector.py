"""Training the head detector: tangent views of panoramas, and the boxes of the heads in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from hifi_portrait.errors import DatasetError
from hifi_portrait.head.arrays import Array
from hifi_portrait.training.engine.objective import Batch
from hifi_portrait.training.engine.samples import shuffled_index
from mmrgaze360.dataset.format import SceneRecord, scenes_of_split
from mmrgaze360.detect_heads import LEAST_SCORE, detect_heads
from mmrgaze360.measures.finding import count_found
from mmrgaze360.network.detector import (
    HEAD_SHAPE,
    LARGEST,
    SMALLEST,
    STRIDE,
    HeadDetector,
    HeadDetectorConfig,
)
from mmrgaze360.network.inputs import to_network
from mmrgaze360.panorama import Panorama
from mmrgaze360.sphere import TangentPatch, direction_to_pixel, lonlat_to_direction, rotation_of_view, unit
from mmrgaze360.training.held_out import NetworkObjective

_SHEET = 4
_SPREAD = 0.1
"""Spread of the mark about a head's middle, as a fraction of its height."""
_TOLD = 0.5
"""Cells whose mark is at least this high learn place and size, too."""


@dataclass(frozen=True, kw_only=True)
class DetectorConfig:
    """Settings of the head detector's training."""

    network: HeadDetectorConfig = field(default_factory=HeadDetectorConfig)
    """Its sizes."""
    size: int = 128
    """Pixels of a view, a multiple of 16."""
    fov: tuple[float, float] = (45.0, 105.0)
    """Angles of view, degrees: a panorama of 512 columns has the detail of 76."""
    aimed: float = 0.75
    """Share of views in which there is a head."""
    roll: float = 12.0
    """Standard deviation of the camera's roll, degrees."""
    places: float = 0.5
    """Weight of place and size."""
    held_out: int = 30
    """Panoramas of the validation split that are measured, at most."""


class DetectorObjective(NetworkObjective):
    """Teaches the head detector.

    Parameters
    ----------
    settings
        Its settings.
    data
        Folder of a data set of panoramas. Its files are kept in memory, not decoded.
    seed
        Of fresh weights and of everything random in the samples.

    Raises
    ------
    DatasetError
        There is no person in the training split.
    """

    def __init__(self, settings: DetectorConfig, data: str, *, seed: int = 0) -> None:
        torch.manual_seed(seed)
        super().__init__("detector", HeadDetector(settings.network), shown=_SHEET)
        self.settings, self.seed = settings, seed
        self._scenes = list(scenes_of_split(data, "train"))
        if not any(scene.people for scene in self._scenes):
            raise DatasetError(f"{data} has no person in its training split")
        self._test = list(scenes_of_split(data, "validation"))[: settings.held_out]

    def sample(self, index: int) -> Batch:
        """Give a view of a panorama, with or without heads, and what the detector should say of it."""
        rng = np.random.default_rng([self.seed, 3, index])
        scene = self._scenes[shuffled_index(index, len(self._scenes), self.seed)]
        patch = draw_view(scene, self.settings, rng)
        picture = vary_view(patch.read(scene.picture()), rng)
        heads = np.array([head_in_view(person.head_box, patch) for person in scene.people]).reshape(-1, 3)
        if rng.random() < 0.5:
            picture = picture[:, ::-1]
            heads[:, 0] = patch.size - heads[:, 0]
        item = mark_heads(heads, patch.size // STRIDE)
        return {"view": torch.from_numpy(to_network(picture)), **item}

    def forward(self, batch: Batch, progress: float = 0.0) -> dict[str, Tensor]:
        """Compute the loss terms."""
        logits, places = self.network(batch["view"])
        mark, known = batch["mark"], batch["known"]
        is_head = (mark == 1).float()
        heads = is_head.sum().clamp(min=1)
        sure = logits.sigmoid()
        hit = is_head * (1 - sure) ** 2 * F.logsigmoid(logits)
        miss = known * (1 - is_head) * (1 - mark) ** 4 * sure**2 * F.logsigmoid(-logits)
        told = (mark >= _TOLD).float() * mark
        off = F.smooth_l1_loss(places, batch["places"], beta=0.2, reduction="none").sum(1)
        return {
            "heads": -(hit + miss).sum() / heads,
            "places": self.settings.places * (off * told).sum() / told.sum().clamp(min=1),
        }

    def _count_held_out(self) -> int:
        return len(self._test)

    def _measure(self) -> dict[str, float]:
        """Measure recall and precision."""
        totals = np.zeros(3)
        for scene in self._test:
            boxes, _ = self._find(scene)
            truth = [person.head_box for person in scene.people]
            totals += (count_found(boxes, truth), len(truth), len(boxes))
        hit, there, found = map(float, totals)
        return {"recall": hit / max(there, 1.0), "precision": hit / max(found, 1.0)}

    def _draw(self, count: int) -> list[NDArray[np.uint8]]:
        """Show panoramas with true heads in green and those found in red."""
        tiles = []
        for scene in self._test[:count]:
            picture = scene.picture().copy()
            draw_boxes(picture, [person.head_box for person in scene.people], (0, 220, 0))
            draw_boxes(picture, self._find(scene)[0], (230, 40, 40))
            tiles.append(np.asarray(cv2.resize(picture, (512, 256)), np.uint8))
        return tiles

    def _find(self, scene: SceneRecord) -> tuple[list[Array], list[float]]:
        network = self.network
        was_training = network.training
        found = detect_heads(network, Panorama(scene.picture(), scene.scene_id), LEAST_SCORE)
        network.train(was_training)
        return found


def draw_boxes(picture: NDArray[np.uint8], boxes: list[Array], colour: tuple[int, int, int]) -> None:
    """Draw boxes (4,) in degrees into a panorama (H, 2 H, 3), in place."""
    height, width = picture.shape[:2]
    for box in boxes:
        x, y = direction_to_pixel(lonlat_to_direction(box[0], box[1]), width, height)
        across = box[2] / np.cos(np.radians(min(abs(box[1]), 80))) / 720 * width
        up = box[3] / 360 * height
        low, high = ((round(float(x + s * across)), round(float(y + s * up))) for s in (-1, 1))
        cv2.rectangle(picture, low, high, colour, 1)


def draw_view(scene: SceneRecord, settings: DetectorConfig, rng: np.random.Generator) -> TangentPatch:
    """Draw a view of a panorama: with one of its heads in it, or anywhere."""
    fov, size = float(rng.uniform(*settings.fov)), settings.size
    towards = unit(rng.normal(size=3) * (1, 1, 0.5))
    if scene.people and rng.random() < settings.aimed:
        head = scene.people[int(rng.integers(len(scene.people)))].head
        reach = np.tan(np.radians(fov) / 2) * 0.9
        right, up = rng.uniform(-reach, reach, 2)
        towards = unit(rotation_of_view(head) @ (right, 1.0, up))
    roll = float(rng.normal(0, settings.roll))
    return TangentPatch(rotation=rotation_of_view(towards, roll), fov=fov, size=size)


def head_in_view(box: Array, patch: TangentPatch) -> Array:
    """Give x, y and height (3,) in pixels of a box (4,) in degrees; NaN for one behind the view."""
    head = rotation_of_view(lonlat_to_direction(box[0], box[1]))
    reach = np.tan(np.radians(box[3]) / 2)
    ends = np.stack([head[:, 1], head[:, 1] + reach * head[:, 2], head[:, 1] - reach * head[:, 2]])
    middle, top, bottom = patch.project(ends)
    return np.array((*middle, np.linalg.norm(top - bottom)))


def mark_heads(heads: Array, cells: int) -> dict[str, Tensor]:
    """Make what the detector should say of a view.

    Parameters
    ----------
    heads
        (N, 3) x, y and height in pixels; NaN for those behind the view.
    cells
        Of the view, across and up.

    Returns
    -------
    dict
        ``mark`` (cells, cells), 1 at middles of heads and less around; ``known``, 0 about heads that are too
        small, too large or cut off to be taught; ``places`` (3, cells, cells) as of `HeadDetector`.
    """
    rows, columns = np.mgrid[:cells, :cells] + 0.5
    mark, known = np.zeros((cells, cells)), np.ones((cells, cells))
    places = np.zeros((3, cells, cells))
    for x, y, height in heads[np.isfinite(heads).all(1)] / STRIDE:
        away = np.hypot(columns - x, rows - y)
        reach = HEAD_SHAPE * height / 2 * 0.8
        cut = not (reach < x < cells - reach and reach < y < cells - reach)
        if cut or not SMALLEST / STRIDE <= height <= LARGEST / STRIDE:
            known[away < 0.7 * height] = 0
            continue
        near = np.exp(-0.5 * ((np.maximum(away - 0.5, 0)) / max(_SPREAD * height, 0.4)) ** 2)
        near[int(y), int(x)] = 1
        own = near > mark
        mark = np.maximum(mark, near)
        told = np.stack([x - columns, y - rows, np.full_like(rows, np.log(height))])
        places = np.where(own, told, places)
    mark[(mark < 1) & (mark > 0.999)] = 0.999
    return {
        "mark": torch.from_numpy(mark).float(),
        "known": torch.from_numpy(known).float(),
        "places": torch.from_numpy(places).float(),
    }


def vary_view(view: Array, rng: np.random.Generator) -> Array:
    """Vary the look of a view (S, S, 3), 0 to 255, as other cameras would."""
    picture: Any = np.asarray(view, np.float32)
    size = len(picture)
    if rng.random() < 0.3:
        small = int(rng.uniform(0.5, 0.95) * size)
        picture = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.2))
    if rng.random() < 0.1:
        picture = np.repeat(picture.mean(-1, keepdims=True), 3, -1)
    scaled = np.clip(picture / 255, 0, 1) ** np.exp(rng.normal(0, 0.3))
    scaled = scaled * np.exp(rng.normal(0, 0.12, 3)) * np.exp(rng.normal(0, 0.15)) + rng.normal(0, 0.04)
    noisy = scaled + rng.normal(0, 0.025 * rng.random(), scaled.shape)
    return np.asarray(np.clip(noisy * 255, 0, 255), np.float32)
