"""Training the scene network: panoramas, true gazes with the head network's kind of error, and targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from hifi_portrait.errors import DatasetError
from hifi_portrait.head.arrays import Array
from hifi_portrait.training.engine.objective import Batch
from hifi_portrait.training.engine.samples import shuffled_index
from mmrgaze360.dataset.format import SceneRecord
from mmrgaze360.dataset.opening import open_split
from mmrgaze360.dataset.records import GazeRecord
from mmrgaze360.follower import read_gaze
from mmrgaze360.network.head import HeadNetwork
from mmrgaze360.network.inputs import shrink
from mmrgaze360.network.model import load_network
from mmrgaze360.network.scene import (
    MAP_SIZE,
    SceneNetwork,
    SceneNetworkConfig,
    SceneOutput,
    sphere_log_density,
)
from mmrgaze360.panorama import Panorama
from mmrgaze360.sphere import angle_between, direction_grid, rotation_about_vertical, unit
from mmrgaze360.sphere.torch_patches import directions_of_grid
from mmrgaze360.training.held_out import NetworkObjective, lay_heat_map

_SHEET = 8
_SUREST = 400.0
"""The greatest concentration of a gaze that is learnt from: 2.9 degrees."""


@dataclass(frozen=True, kw_only=True)
class SceneConfig:
    """Settings of the scene network's training."""

    network: SceneNetworkConfig = field(default_factory=SceneNetworkConfig)
    """Its sizes and parts."""
    blur: float = 60.0
    """Concentration of the target that the heat map should show: 60 for 7 degrees."""
    noise: float = 9.0
    """Error of the gazes that are learnt from, degrees: as the head network's on unseen people."""
    in_view: float = 0.5
    """Weight of whether the target is in view."""
    scores: float = 0.2
    """Weight of which patches hold the target."""
    depth: float = 0.1
    """Weight of the target's distance."""
    held_out: int = 300
    """People of the validation split that are measured, at most."""
    head: str = ""
    """Folder of a trained head network, which reads the gazes that the data do not know, as GazeFollow360
    does not. Without it such people are left out."""
    start: str = ""
    """Folder of a trained scene network to go on from, of whatever sizes. Without it one begins afresh."""


@dataclass(frozen=True)
class _Person:
    scene: int
    record: GazeRecord
    kappa: float | None
    """Concentration of the gaze if a network read it; None if it is the true one."""

    def gaze(self, spread: float, rng: np.random.Generator) -> tuple[Array, float]:
        """Give the gaze (3,) with an error: its own where it was read, else one of ``spread`` radians."""
        if self.kappa is not None:
            assert self.record.gaze is not None
            return self.record.gaze, self.kappa
        return disturb(self.record.gaze, spread, rng), 1 / spread**2


class SceneObjective(NetworkObjective):
    """Teaches the scene network.

    Parameters
    ----------
    settings
        Its settings.
    data
        Folder of a data set of panoramas, or GazeFollow360. All panoramas are kept in memory, small.
    seed
        Of fresh weights and of everything random in the samples.

    Raises
    ------
    DatasetError
        No gaze is known in the data set.
    ModelError
        There are no weights in ``settings.head`` or ``settings.start``.
    """

    def __init__(self, settings: SceneConfig, data: str, *, seed: int = 0) -> None:
        torch.manual_seed(seed)
        if settings.start:
            network = load_network(SceneNetwork, Path(settings.start))
        else:
            network = SceneNetwork(settings.network)
        super().__init__("scene", network, shown=_SHEET, columns=2)
        self.settings, self.seed = settings, seed
        head = load_network(HeadNetwork, Path(settings.head)) if settings.head else None
        self._pictures, self._people = _read(data, "train", head)
        if not self._people:
            raise DatasetError(
                f"{data} knows no gaze of its training split: give a trained head network, which reads them "
                "(--set scene.head=DIR)"
            )
        self._test_pictures, self._test = _read(data, "validation", head, settings.held_out)

    def sample(self, index: int) -> Batch:
        """Give one person's panorama, turned to them and varied, with a gaze of some error."""
        rng = np.random.default_rng([self.seed, 2, index])
        person = self._people[shuffled_index(index, len(self._people), self.seed)]
        gaze, kappa = person.gaze(np.radians(self.settings.noise) * rng.gamma(2.0, 0.5), rng)
        kappa = float(np.clip(min(kappa, _SUREST) * np.exp(rng.normal(0, 0.3)), 2, _SUREST))
        mirrored = bool(rng.random() < 0.5)
        item = prepare(self._pictures[person.scene], person.record, gaze, kappa, mirrored=mirrored)
        picture = item["panorama"] / 2 + 0.5
        tone = torch.from_numpy(np.exp(rng.normal(0, 0.1, 3))).float()[:, None, None]
        item["panorama"] = (picture ** float(np.exp(rng.normal(0, 0.2))) * tone).clamp(0, 1) * 2 - 1
        return item

    def forward(self, batch: Batch, progress: float = 0.0) -> dict[str, Tensor]:
        """Compute the loss terms."""
        out = self._run(batch)
        seen = batch["in_view"]
        settings = self.settings
        grid = directions_of_grid(*MAP_SIZE, like=batch["head"])
        log_density = sphere_log_density(out.logits)
        wanted = (grid[None] * batch["target"][:, None, None]).sum(-1)
        soft = torch.softmax((settings.blur * wanted + _log_area(grid)).flatten(1), 1).view_as(log_density)
        each = -(soft * log_density).sum((1, 2))
        count = seen.sum().clamp(min=1)
        terms = {
            "heat_map": (each * seen).sum() / count,
            "in_view": settings.in_view * F.binary_cross_entropy_with_logits(out.in_view, seen),
        }
        if out.scores is not None and out.depth is not None and out.rotations is not None:
            module = self.network.module
            holds = module.holds_target(out.rotations, batch["target"]).float() * seen[:, None]
            score = F.binary_cross_entropy_with_logits(out.scores.float(), holds)
            terms["scores"] = settings.scores * score
            known = holds * torch.isfinite(batch["depth"])[:, None]
            depth = torch.nan_to_num(batch["depth"])[:, None].expand_as(out.depth)
            off = F.smooth_l1_loss(out.depth.float(), depth, reduction="none")
            terms["depth"] = settings.depth * (off * known).sum() / known.sum().clamp(min=1)
        return terms

    def _run(self, batch: Batch) -> SceneOutput:
        out: SceneOutput = self.network(batch["panorama"], batch["head"], batch["gaze"], batch["kappa"])
        return out

    def _heat_maps(self, people: Sequence[_Person]) -> Array:
        """Find the heat maps (N, h, w) of held-out people, with gazes of the error that is learnt from."""
        maps = []
        device = next(self.parameters()).device
        rng = np.random.default_rng(0)
        for first in range(0, len(people), 16):
            items = []
            for person in people[first : first + 16]:
                gaze, kappa = person.gaze(np.radians(self.settings.noise), rng)
                items.append(prepare(self._test_pictures[person.scene], person.record, gaze, kappa))
            batch = {name: value.to(device) for name, value in self.collate(items).items()}
            with torch.no_grad():
                out = self._run(batch)
            maps.append(sphere_log_density(out.logits.float()).exp().cpu().numpy())
        return np.concatenate(maps)

    def _count_held_out(self) -> int:
        return len(self._test)

    def _measure(self) -> dict[str, float]:
        """Measure the distance in radians and in degrees, and the part of people within 10 degrees."""
        grid, area = direction_grid(*MAP_SIZE), np.sqrt(1 - direction_grid(*MAP_SIZE)[..., 2] ** 2)
        errors = []
        for heat, person in zip(self._heat_maps(self._test), self._test, strict=True):
            record = person.record
            if not record.in_view or record.target is None:
                continue
            best = grid.reshape(-1, 3)[np.argmax(heat / area)]
            azimuth = np.degrees(np.arctan2(record.head[0], record.head[1]))
            target = rotation_about_vertical(-azimuth) @ record.target
            errors.append(float(angle_between(best, target)))
        if not errors:
            return {}
        return {
            "distance": float(np.mean(errors)),
            "degrees_median": float(np.degrees(np.median(errors))),
            "within_10": float(np.mean(np.degrees(errors) < 10)),
        }

    def _draw(self, count: int) -> list[NDArray[np.uint8]]:
        """Show heat maps over the panoramas that were turned to the people."""
        shown = self._test[:count]
        return [
            lay_heat_map(turn_to(self._test_pictures[person.scene], person.record), heat)
            for person, heat in zip(shown, self._heat_maps(shown), strict=True)
        ]


def _log_area(grid: Tensor) -> Tensor:
    return torch.log((1 - grid[..., 2] ** 2).clamp(min=1e-9).sqrt())


def disturb(gaze: Array | None, spread: float, rng: np.random.Generator) -> Array:
    """Move a direction (3,) by a random error: normal, of ``spread`` radians in each of two directions."""
    assert gaze is not None
    across = np.cross(gaze, np.eye(3)[np.argmin(np.abs(gaze))])
    across = unit(across)
    a, b = rng.normal(0, spread, 2) / np.sqrt(2)
    return unit(gaze + np.tan(a) * across + np.tan(b) * np.cross(gaze, across))


def turn_to(picture: NDArray[np.uint8], record: GazeRecord) -> NDArray[np.uint8]:
    """Turn a panorama by whole columns so that the head is about in its middle."""
    width = picture.shape[1]
    return np.roll(picture, -_columns(record, width), 1)


def _columns(record: GazeRecord, width: int) -> int:
    return round(float(record.head_box[0]) / 360 * width)


def prepare(
    picture: NDArray[np.uint8], record: GazeRecord, gaze: Array, kappa: float, *, mirrored: bool = False
) -> dict[str, Tensor]:
    """Make the scene network's input of one person: the panorama turned to them by whole columns.

    Parameters
    ----------
    picture
        (256, 512, 3)
    record
        The person.
    gaze, kappa
        (3,) what is known of their gaze, and its concentration.
    mirrored
        Whether left and right are changed.
    """
    width = picture.shape[1]
    turned = turn_to(picture, record)
    rotation = rotation_about_vertical(-_columns(record, width) / width * 360)
    target = np.array((0.0, 1.0, 0.0)) if record.target is None else rotation @ record.target
    head, gaze = rotation @ record.head, rotation @ gaze
    if mirrored:
        turned = turned[:, ::-1]
        flip = np.array((-1.0, 1.0, 1.0))
        head, gaze, target = head * flip, gaze * flip, target * flip
    panorama = np.moveaxis(turned.astype(np.float32) / 127.5 - 1, -1, 0)
    with np.errstate(divide="ignore"):
        depth = float(np.log(record.depth_ratio))
    return {
        "panorama": torch.from_numpy(np.ascontiguousarray(panorama)),
        "head": torch.from_numpy(head).float(),
        "gaze": torch.from_numpy(gaze).float(),
        "kappa": torch.tensor(kappa, dtype=torch.float32),
        "target": torch.from_numpy(target).float(),
        "in_view": torch.tensor(float(record.in_view)),
        "depth": torch.tensor(depth if np.isfinite(depth) else np.nan, dtype=torch.float32),
    }


def _read(
    data: str, split: str, head: HeadNetwork | None, most: int | None = None
) -> tuple[list[NDArray[np.uint8]], list[_Person]]:
    pictures: list[NDArray[np.uint8]] = []
    people: list[_Person] = []
    for scene in open_split(data, split):
        picture = scene.picture()
        here = list(_with_gazes(scene, picture, head))
        if not here:
            continue
        people += [_Person(len(pictures), record, kappa) for record, kappa in here]
        pictures.append(shrink(picture))
        if most is not None and len(people) >= most:
            break
    return pictures, people[:most]


def _with_gazes(
    scene: SceneRecord, picture: NDArray[np.uint8], head: HeadNetwork | None
) -> Iterator[tuple[GazeRecord, float | None]]:
    """Give the people whose gazes are known, or read by a network: then with the gaze's concentration."""
    for record in scene.people:
        if record.gaze is not None:
            yield record, None
        elif head is not None:
            gaze, kappa = read_gaze(head, Panorama(picture, scene.scene_id), record.head_box)
            yield replace(record, gaze=gaze), kappa
