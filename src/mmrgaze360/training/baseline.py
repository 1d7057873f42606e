"""Training the compared networks: what is common to them, and each one's loss."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from hifi_portrait.errors import DatasetError
from hifi_portrait.training.engine.objective import Batch
from hifi_portrait.training.engine.samples import shuffled_index
from mmrgaze360.baselines.dual_pathway import MAP_CELLS, DualPathway, DualPathwayConfig
from mmrgaze360.baselines.gaze_lle import MAP_CELLS as LLE_CELLS
from mmrgaze360.baselines.gaze_lle import GazeLLE, GazeLLEConfig
from mmrgaze360.baselines.inputs import CLOSE_UP_SIZE, gaussian_map, make_inputs
from mmrgaze360.dataset.format import SceneRecord
from mmrgaze360.dataset.opening import open_split
from mmrgaze360.dataset.records import GazeRecord
from mmrgaze360.measures import great_circle_distance
from mmrgaze360.network.inputs import shrink
from mmrgaze360.network.scene import MAP_SIZE, PANORAMA_SIZE
from mmrgaze360.sphere import rotation_about_vertical
from mmrgaze360.sphere.torch_patches import view_rotations
from mmrgaze360.training.crops import read_close_up
from mmrgaze360.training.held_out import NetworkObjective, lay_heat_map

_SHEET = 8
_FLIP = np.array((-1.0, 1.0, 1.0))


class BaselineObjective(NetworkObjective):
    """Teaches a compared network: panoramas at any turn about the vertical, mirrored or not.

    Parameters
    ----------
    name, network
        Which.
    data
        Folder of a data set of panoramas, or GazeFollow360. Its files are kept in memory, not decoded.
    seed
        Of everything random in the samples.
    held_out
        People of the validation split that are measured, at most.

    Raises
    ------
    DatasetError
        No target is known in the training split.
    """

    def __init__(self, name: str, network: nn.Module, data: str, seed: int, held_out: int) -> None:
        super().__init__(name, network, shown=_SHEET)
        self.seed = seed
        self._people = _read(data, "train")
        if not any(person.in_view for _, person in self._people):
            raise DatasetError(f"{data} knows no target in view of its training split")
        in_view = [pair for pair in _read(data, "validation") if pair[1].in_view]
        self._test = in_view[:held_out]

    def sample(self, index: int) -> Batch:
        """Give one person of a panorama that is turned and varied."""
        rng = np.random.default_rng([self.seed, 4, index])
        scene, person = self._people[shuffled_index(index, len(self._people), self.seed)]
        turn, mirrored = int(rng.integers(PANORAMA_SIZE[0])), bool(rng.random() < 0.5)
        item = make_sample(scene, person, turn, mirrored)
        for name in ("panorama", "close_up"):
            tone = torch.from_numpy(np.exp(rng.normal(0, 0.1, 3))).float()[:, None, None]
            bright = (item[name] / 2 + 0.5) ** float(np.exp(rng.normal(0, 0.2)))
            item[name] = (bright * tone).clamp(0, 1) * 2 - 1
        return item

    @abstractmethod
    def forward(self, batch: Batch, progress: float = 0.0) -> dict[str, Tensor]:
        """Compute the loss terms."""

    def _heat_maps(self, people: list[tuple[SceneRecord, GazeRecord]]) -> np.ndarray:
        network, device = self.network, next(self.parameters()).device
        was_training = network.training
        network.eval()
        maps = []
        for first in range(0, len(people), 16):
            items = [make_sample(*pair, 0, False) for pair in people[first : first + 16]]
            batch = {name: value.to(device) for name, value in self.collate(items).items()}
            heat = network.heat_map(batch)[:, None].float()
            maps.append(F.interpolate(heat, size=MAP_SIZE[::-1], mode="bilinear", align_corners=False)[:, 0])
        network.train(was_training)
        return np.asarray(torch.cat(maps).cpu().numpy())

    def _count_held_out(self) -> int:
        return len(self._test)

    def _measure(self) -> dict[str, float]:
        """Measure the distance in radians, and the part of people within 10 degrees."""
        maps = self._heat_maps(self._test)
        targets = [person.target for _, person in self._test if person.target is not None]
        found = np.array([great_circle_distance(h, t) for h, t in zip(maps, targets, strict=True)])
        return {"distance": float(found.mean()), "within_10": float((np.degrees(found) < 10).mean())}

    def _draw(self, count: int) -> list[NDArray[np.uint8]]:
        """Show heat maps over the panoramas."""
        shown = self._test[:count]
        maps = self._heat_maps(shown)
        return [
            lay_heat_map(shrink(scene.picture()), heat) for (scene, _), heat in zip(shown, maps, strict=True)
        ]


def make_sample(scene: SceneRecord, person: GazeRecord, turn: int, mirrored: bool) -> dict[str, Tensor]:
    """Give one person of a panorama turned by whole columns: `inputs.make_inputs`, target and in view."""
    panorama = scene.picture()
    picture = np.roll(shrink(panorama), turn, 1)
    angle = turn / PANORAMA_SIZE[0] * 360
    close_up = read_close_up(person, panorama, CLOSE_UP_SIZE)
    box = person.head_box + np.array((angle, 0, 0, 0))
    target = np.array((0.0, 1.0, 0.0)) if person.target is None else person.target
    target = rotation_about_vertical(angle) @ target
    if mirrored:
        picture, close_up = picture[:, ::-1], close_up[:, ::-1]
        box, target = box * np.array((-1, 1, 1, 1)), target * _FLIP
    known = float(person.in_view and person.target is not None)
    return make_inputs(picture, box, close_up) | {
        "target": torch.from_numpy(target).float(),
        "in_view": torch.tensor(known),
    }


def _read(data: str, split: str) -> list[tuple[SceneRecord, GazeRecord]]:
    return [(scene, person) for scene in open_split(data, split) for person in scene.people]


@dataclass(frozen=True, kw_only=True)
class DualPathwayTraining:
    """Settings of the dual pathway's training."""

    network: DualPathwayConfig = field(default_factory=DualPathwayConfig)
    """Its sizes."""
    held_out: int = 300
    """People of the validation split that are measured, at most."""


class DualPathwayObjective(BaselineObjective):
    """Teaches the dual pathway in its authors' three stages, a third of the run each.

    Parameters
    ----------
    settings, data, seed
        As of every objective.
    """

    def __init__(self, settings: DualPathwayTraining, data: str, *, seed: int = 0) -> None:
        torch.manual_seed(seed)
        network = DualPathway(settings.network)
        super().__init__("dual_pathway", network, data, seed, settings.held_out)

    def forward(self, batch: Batch, progress: float = 0.0) -> dict[str, Tensor]:
        """Compute the loss terms: what a later stage teaches has weight 0 before it."""
        out = self.network(batch)
        head, target, seen = batch["head"], batch["target"], batch["in_view"]
        count = seen.sum().clamp(min=1)
        truth = torch.einsum("bji,bj->bi", view_rotations(head), target - head)
        wanted = gaussian_map(target, MAP_CELLS)

        def map_loss(found: Tensor) -> Tensor:
            each = ((found - wanted) ** 2).mean((1, 2)) * MAP_CELLS
            mean: Tensor = (each * seen).sum() / count
            return mean

        stage = min(int(3 * progress), 2)
        return {
            "chord": (((out.chord - truth) ** 2).sum(1) * seen).sum() / count,
            "maps": (map_loss(out.local) + map_loss(out.distant)) * float(stage >= 1),
            "joined": map_loss(out.joined) * float(stage >= 2),
        }


@dataclass(frozen=True, kw_only=True)
class GazeLLETraining:
    """Settings of the Gaze-LLE-like decoder's training."""

    network: GazeLLEConfig = field(default_factory=GazeLLEConfig)
    """Its sizes and its backbone."""
    in_view: float = 0.1
    """Weight of whether the target is in view."""
    held_out: int = 300
    """People of the validation split that are measured, at most."""


class GazeLLEObjective(BaselineObjective):
    """Teaches the Gaze-LLE-like decoder; its backbone stays as it is.

    Parameters
    ----------
    settings, data, seed
        As of every objective.
    """

    def __init__(self, settings: GazeLLETraining, data: str, *, seed: int = 0) -> None:
        torch.manual_seed(seed)
        super().__init__("gaze_lle", GazeLLE(settings.network), data, seed, settings.held_out)
        self.settings = settings

    def forward(self, batch: Batch, progress: float = 0.0) -> dict[str, Tensor]:
        """Compute the loss terms."""
        logits, in_view = self.network(batch)
        seen = batch["in_view"]
        wanted = gaussian_map(batch["target"], LLE_CELLS)
        each = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none").mean((1, 2))
        return {
            "heat_map": (each * seen).sum() / seen.sum().clamp(min=1),
            "in_view": self.settings.in_view * F.binary_cross_entropy_with_logits(in_view, seen),
        }
