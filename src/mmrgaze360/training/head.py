"""Training the head network: close-ups of heads and the directions of their gaze."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hifi_portrait.errors import DatasetError
from hifi_portrait.head.arrays import ByteArray
from hifi_portrait.training.engine.objective import Batch
from hifi_portrait.training.engine.samples import shuffled_index
from mmrgaze360.dataset.format import scenes_of_split
from mmrgaze360.network.head import HeadNetwork, HeadNetworkConfig, von_mises_fisher_loss
from mmrgaze360.network.inputs import to_network
from mmrgaze360.training.crops import close_up_patch, read_close_up, vary_close_up
from mmrgaze360.training.held_out import NetworkObjective

_SHEET = 24


@dataclass(frozen=True, kw_only=True)
class HeadConfig:
    """Settings of the head network's training."""

    network: HeadNetworkConfig = field(default_factory=HeadNetworkConfig)
    """Its sizes."""
    angle: float = 0.5
    """Weight of 1 - cos of the error, beside the von Mises-Fisher likelihood."""
    held_out: int = 400
    """Heads of the validation split that are measured, at most."""


class HeadObjective(NetworkObjective):
    """Teaches the head network.

    Parameters
    ----------
    settings
        Its settings.
    data
        Folder of a data set of panoramas with known gazes. All its heads are kept in memory.
    seed
        Of fresh weights and of everything random in the samples.

    Raises
    ------
    DatasetError
        No gaze is known in the data set.
    """

    def __init__(self, settings: HeadConfig, data: str, *, seed: int = 0) -> None:
        torch.manual_seed(seed)
        super().__init__("head", HeadNetwork(settings.network), shown=_SHEET, columns=6)
        self.settings, self.seed = settings, seed
        size = settings.network.size
        self._crops, self._gazes = read_heads(data, "train", size)
        if not len(self._crops):
            raise DatasetError(f"{data} knows no gaze of its training split")
        self._test = read_heads(data, "validation", size, settings.held_out)

    def sample(self, index: int) -> Batch:
        """Give one varied close-up and its gaze."""
        rng = np.random.default_rng([self.seed, 1, index])
        place = shuffled_index(index, len(self._crops), self.seed)
        picture, gaze = vary_close_up(self._crops[place], self._gazes[place], rng)
        crop = np.ascontiguousarray(np.moveaxis(picture * 2 - 1, -1, 0))
        return {"crop": torch.from_numpy(crop), "gaze": torch.from_numpy(gaze).float()}

    def forward(self, batch: Batch, progress: float = 0.0) -> dict[str, Tensor]:
        """Compute the loss terms."""
        gaze, kappa = self.network(batch["crop"])
        truth = batch["gaze"]
        likelihood = von_mises_fisher_loss(gaze, kappa, truth).mean()
        return {
            "likelihood": likelihood,
            "angle": self.settings.angle * (1 - (gaze * truth).sum(1)).mean(),
        }

    def _count_held_out(self) -> int:
        return len(self._test[0])

    def _measure(self) -> dict[str, float]:
        """Measure mean and median error in degrees, of faces and of heads from behind."""
        _, truth = self._test
        error = self._errors()
        found = {"degrees_mean": float(error.mean()), "degrees_median": float(np.median(error))}
        towards = truth[:, 1] < 0
        for name, chosen in (("towards", towards), ("away", ~towards)):
            if chosen.any():
                found[f"degrees_{name}"] = float(error[chosen].mean())
        return found

    def _errors(self) -> np.ndarray:
        crops, truth = self._test
        cosine = np.clip((self._find_gazes(crops) * truth).sum(1), -1, 1)
        return np.asarray(np.degrees(np.arccos(cosine)))

    def _find_gazes(self, crops: ByteArray) -> np.ndarray:
        """Find the gazes (N, 3) of close-ups (N, size, size, 3)."""
        inputs = torch.from_numpy(np.stack([to_network(crop) for crop in crops]))
        device = next(self.parameters()).device
        with torch.no_grad():
            gaze = self.network(inputs.to(device))[0]
        return np.asarray(gaze.float().cpu().numpy())

    def _draw(self, count: int) -> list[NDArray[np.uint8]]:
        """Show heads, with the true gaze in green and the found one in red."""
        crops, truth = self._test
        found = self._find_gazes(crops[:count])
        tiles = []
        for k in range(count):
            tile = np.asarray(cv2.resize(crops[k], (128, 128), interpolation=cv2.INTER_CUBIC), np.uint8)
            for vector, colour in ((truth[k], (0, 220, 0)), (found[k], (230, 40, 40))):
                tip = (int(64 + 55 * vector[0]), int(64 - 55 * vector[2]))
                cv2.arrowedLine(tile, (64, 64), tip, colour, 2, cv2.LINE_AA)
            tiles.append(tile)
        return tiles


def read_heads(data: str, split: str, size: int, most: int | None = None) -> tuple[ByteArray, np.ndarray]:
    """Read close-ups (N, size, size, 3) and gazes (N, 3) in the patches' frames; none of an empty split."""
    crops, gazes = [], []
    for scene in scenes_of_split(data, split):
        picture = None
        for person in scene.people:
            if person.gaze is None:
                continue
            if person.close_up is None and picture is None:
                picture = scene.picture()
            crops.append(read_close_up(person, picture, size))
            gazes.append(close_up_patch(person, size).rotation.T @ person.gaze)
        if most is not None and len(crops) >= most:
            break
    if not crops:
        return np.zeros((0, size, size, 3), np.uint8), np.zeros((0, 3))
    return np.stack(crops)[:most], np.stack(gazes)[:most]
