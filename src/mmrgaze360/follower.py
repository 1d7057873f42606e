"""What a user calls: a panorama in, and for each person in it where they look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from hifi_portrait.head.arrays import Array, FloatArray
from mmrgaze360.dataset.records import GazeRecord
from mmrgaze360.find_people import check_heads, find_heads
from mmrgaze360.network.generators import REACHES
from mmrgaze360.network.head import HeadNetwork
from mmrgaze360.network.inputs import to_network
from mmrgaze360.network.model import MMRGaze360
from mmrgaze360.network.scene import sphere_log_density
from mmrgaze360.network.tail import spread_tail
from mmrgaze360.panorama import Panorama
from mmrgaze360.sphere import (
    angle_between,
    direction_grid,
    direction_to_lonlat,
    direction_to_pixel,
    lonlat_to_direction,
    rotation_about_vertical,
    solid_angles,
    turn_columns,
    unit,
)
from mmrgaze360.training.crops import close_up_patch

HEAT_MAP_SIZE = (512, 256)
"""Columns and rows of the heat maps that are given."""
_PEAK = 25.0
"""Degrees about the peak over which its spread is measured."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PersonGaze:
    """Where one person looks. Directions are in the panorama's frame: x right, y ahead, z up."""

    head: Array
    """(4,) longitude and latitude of the head's middle, width and height, degrees."""
    gaze: Array
    """(3,) unit: the direction of the gaze in space."""
    concentration: float
    """Of a von Mises-Fisher distribution about ``gaze``: how sure it is."""
    sight_line: Array
    """(8, 3) unit: points on the great-circle arc on which the target must be."""
    target: Array
    """(2,) longitude and latitude of the likeliest target, degrees."""
    target_spread: float
    """Root-mean-square distance of the probability about it from it, within 25 degrees; degrees."""
    in_view: float
    """Probability that the panorama shows the target."""
    heatmap: FloatArray
    """(256, 512) probability of each cell: sums to 1 over the sphere."""

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, without the heat map, as ``follow --json`` prints them."""
        return {
            "head": [round(float(value), 3) for value in self.head],
            "gaze": [round(float(value), 5) for value in self.gaze],
            "concentration": round(self.concentration, 3),
            "sight_line": np.round(direction_to_lonlat(self.sight_line), 3).tolist(),
            "target": [round(float(value), 3) for value in self.target],
            "target_spread": round(self.target_spread, 3),
            "in_view": round(self.in_view, 4),
        }


class GazeFollower:
    """Finds where the people of a panorama look.

    Parameters
    ----------
    model
        The trained networks.

    Examples
    --------
    >>> follower = GazeFollower.from_pretrained("runs/model")  # doctest: +SKIP
    >>> for person in follower(Panorama.open("room.jpg")):  # doctest: +SKIP
    ...     print(person.target, person.in_view)
    """

    def __init__(self, model: MMRGaze360) -> None:
        self.model = model.eval()

    @classmethod
    def from_pretrained(cls, folder: str | Path | None = None) -> GazeFollower:
        """Load the networks from a folder, or the package's own (`MMRGaze360.from_pretrained`)."""
        return cls(MMRGaze360.from_pretrained(folder))

    def __call__(
        self,
        panorama: Panorama,
        heads: Sequence[Array] | None = None,
        gazes: Sequence[tuple[Array, float]] | None = None,
    ) -> list[PersonGaze]:
        """Follow the gaze of each person.

        Parameters
        ----------
        panorama
            The picture.
        heads
            Boxes (4,) of heads: longitude and latitude of the middle, width and height, degrees. None to find
            them; without a detector among the networks only those whose faces are seen.
        gazes
            Directions (3,) and concentrations of the gazes, where they are known; None to read them.

        Raises
        ------
        NoFaceError
            ``heads`` is None, and none is found.
        TargetError
            A box is not on the sphere.
        """
        boxes = find_heads(panorama, self.model.detector) if heads is None else check_heads(heads)
        if gazes is None:
            gazes = [read_gaze(self.model.head, panorama, box) for box in boxes]
        pairs = zip(boxes, gazes, strict=True)
        return [self._follow(panorama, box, gaze, kappa) for box, (gaze, kappa) in pairs]

    @torch.no_grad()
    def _follow(self, panorama: Panorama, box: Array, gaze: Array, kappa: float) -> PersonGaze:
        longitude = float(box[0])
        turn = rotation_about_vertical(-longitude)
        head = lonlat_to_direction(0.0, float(box[1]))
        picture = np.moveaxis(panorama.turned_to(longitude), -1, 0)
        out = self.model.scene(
            torch.from_numpy(np.ascontiguousarray(picture))[None],
            torch.from_numpy(head).float()[None],
            torch.from_numpy(turn @ gaze).float()[None],
            torch.tensor([kappa], dtype=torch.float32),
        )
        logits = torch.nn.functional.interpolate(
            out.logits[:, None], size=HEAT_MAP_SIZE[::-1], mode="bilinear", align_corners=False
        )[:, 0]
        own = spread_tail(sphere_log_density(logits).exp())[0].double().numpy()
        heat = own / solid_angles(*HEAT_MAP_SIZE)
        peak = _peak(heat)
        turned = np.maximum(turn_columns(heat[..., None], longitude)[..., 0], 0)
        probability = turned * solid_angles(*HEAT_MAP_SIZE)
        reaches = np.array(REACHES)[:, None]
        return PersonGaze(
            head=np.asarray(box),
            gaze=np.asarray(gaze),
            concentration=float(kappa),
            sight_line=unit(turn.T @ head + reaches * np.asarray(gaze)),
            target=direction_to_lonlat(turn.T @ peak),
            target_spread=_spread(own, peak),
            in_view=float(torch.sigmoid(out.in_view[0])),
            heatmap=np.asarray(probability / probability.sum(), np.float32),
        )


def _peak(heat: Array) -> Array:
    row, column = np.unravel_index(int(np.argmax(heat)), heat.shape)
    return np.asarray(direction_grid(heat.shape[1], heat.shape[0])[row, column])


def _spread(probability: Array, peak: Array) -> float:
    off = np.degrees(angle_between(direction_grid(*HEAT_MAP_SIZE), peak))
    weight = probability * (off < _PEAK)
    return float(np.sqrt((weight * off**2).sum() / max(float(weight.sum()), 1e-12)))


@torch.no_grad()
def read_gaze(network: HeadNetwork, panorama: Panorama, box: Array) -> tuple[Array, float]:
    """Read the gaze of one head: its direction (3,) in the panorama's frame, and its concentration."""
    close_up = cut_close_up(panorama, box, network.config.size)
    patch = close_up_patch(GazeRecord(head_box=box), network.config.size)
    gaze, kappa = network(torch.from_numpy(to_network(close_up))[None])
    return patch.rotation @ gaze[0].double().numpy(), float(kappa[0])


def cut_close_up(panorama: Panorama, box: Array, size: int) -> FloatArray:
    """Cut the close-up (size, size, 3), 0 to 255, of a head: as `training.crops.read_close_up` does.

    It is cut from rows that are turned to the head without loss, so that a turned panorama gives the same.
    """
    centred = GazeRecord(head_box=np.array((0.0, *box[1:])))
    detail = close_up_patch(centred, size).focal * 2 * np.pi / panorama.width
    factor = int(np.clip(np.ceil(1 / max(detail, 1e-6)), 1, 8))
    patch = close_up_patch(centred, size * factor)
    place = direction_to_pixel(patch.directions(), panorama.width, panorama.height)
    first = max(0, int(place[..., 1].min()) - 2)
    last = min(panorama.height, int(place[..., 1].max()) + 3)
    strip = panorama.rows_turned_to(float(box[0]), first, last).astype(np.float32)
    padded = np.concatenate([strip[:, -1:], strip, strip[:, :1]], 1)
    read = cv2.remap(
        padded,
        (place[..., 0] + 0.5).astype(np.float32),
        (place[..., 1] - 0.5 - first).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    small = cv2.resize(read, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(small, 0, 255), np.float32)


def mark(panorama: Panorama, people: Sequence[PersonGaze]) -> NDArray[np.uint8]:
    """Draw heads, sight lines and targets into a panorama (H, 2 H, 3); a ring where the target is in view."""
    picture = np.ascontiguousarray(np.clip(panorama.pixels, 0, 255).astype(np.uint8))
    height, width = picture.shape[:2]
    thick = max(1, width // 700)
    for number, person in enumerate(people):
        colour = _COLOURS[number % len(_COLOURS)]
        middle = lonlat_to_direction(person.head[0], person.head[1])
        x, y = direction_to_pixel(middle, width, height)
        half = np.array((person.head[2] / np.cos(np.radians(min(abs(person.head[1]), 80))) / 720 * width,
                         person.head[3] / 360 * height))  # fmt: skip
        cv2.rectangle(
            picture, _whole(x - half[0], y - half[1]), _whole(x + half[0], y + half[1]), colour, thick
        )
        target = lonlat_to_direction(person.target[0], person.target[1])
        steps = np.linspace(0, 1, 400)[:, None]
        reach = float(angle_between(middle, target))
        if reach > 1e-6:
            arc = (np.sin((1 - steps) * reach) * middle + np.sin(steps * reach) * target) / np.sin(reach)
            for u, v in direction_to_pixel(arc, width, height):
                cv2.circle(picture, _whole(u, v), thick, colour, -1)
        spot = _whole(*direction_to_pixel(target, width, height))
        if person.in_view >= 0.5:
            cv2.circle(picture, spot, 7 * thick, colour, 2 * thick)
        else:
            cv2.drawMarker(picture, spot, colour, cv2.MARKER_TILTED_CROSS, 12 * thick, 2 * thick)
    return picture


_COLOURS = ((255, 90, 40), (60, 150, 255), (60, 220, 90), (240, 200, 40), (220, 90, 240), (60, 220, 220))


def _whole(x: float, y: float) -> tuple[int, int]:
    return round(float(x)), round(float(y))
