"""The rows of a table of results: ways to make a heat map of one person's target.

A row takes a `Question` and gives a heat map (64, 128), a density. Rows that need the true gaze say what
could be reached with a perfect head network; data without known gazes leaves them out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from hifi_portrait.head.arrays import Array
from mmrgaze360.follower import PersonGaze
from mmrgaze360.network.generators import field_of_view
from mmrgaze360.network.scene import MAP_SIZE
from mmrgaze360.sphere import direction_grid, direction_to_pixel, solid_angles, unit

_CONE = 25.0
"""Concentration of the circle about a point that a row names."""
_LEVEL = (-0.25, 0.35)
"""Height, as the sine of latitude, of the band in which targets usually are, and its spread."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """One person, as a row sees them."""

    number: int
    """Place among all people: seed of what is random."""
    head: Array
    """(3,) unit."""
    gaze: Array | None
    """(3,) unit: what the row may believe; None where it is not known."""
    concentration: float
    answer: PersonGaze | None
    """What the whole system says; None where it was not asked."""
    heat_map: Array | None = None
    """(64, 128) what a compared network says; None where it was not asked."""


def random_row(question: Question) -> Array:
    """Give noise."""
    return np.asarray(np.random.default_rng([363, question.number]).random(MAP_SIZE[::-1]))


def centre_row(_: Question) -> Array:
    """Guess the band of latitude in which targets usually are, ahead rather than behind."""
    grid = direction_grid(*MAP_SIZE)
    level, spread = _LEVEL
    return np.asarray(np.exp(-(((grid[..., 2] - level) / spread) ** 2)) * (1 + 0.5 * grid[..., 1]))


def flat_cone_row(question: Question) -> Array:
    """Draw a straight cone in the flat picture, as if it were an ordinary photo."""
    assert question.gaze is not None
    start = direction_to_pixel(question.head, 2, 1)
    way = direction_to_pixel(unit(question.head + 0.05 * question.gaze), 2, 1) - start
    way[0] = (way[0] + 1) % 2 - 1
    way /= max(float(np.linalg.norm(way)), 1e-9)
    x, y = np.meshgrid((np.arange(128) + 0.5) / 64, (np.arange(64) + 0.5) / 64)
    across, down = x - start[0], y - start[1]
    away = np.hypot(across, down) + 1e-6
    cosine = (across * way[0] + down * way[1]) / away
    return np.asarray(np.exp(6 * (cosine - 1)) * np.exp(-(((away - 0.35) / 0.3) ** 2) / 2))


def unit_sphere_row(question: Question) -> Array:
    """Let the sight line end where it leaves the unit sphere, on which the head is put, too.

    This is the geometry of Li et al. 2021, as far as it is published.
    """
    assert question.gaze is not None
    reach = -2 * float(question.head @ question.gaze)
    point = question.head + reach * question.gaze if reach > 0 else question.gaze
    return np.asarray(np.exp(_CONE * (direction_grid(*MAP_SIZE) @ unit(point) - 1)))


def field_of_view_row(question: Question) -> Array:
    """Give the 360-FoV alone, without looking at the picture."""
    assert question.gaze is not None
    grid = torch.from_numpy(np.array(direction_grid(*MAP_SIZE)))
    _, log_prior = field_of_view(
        grid[None],
        torch.from_numpy(question.head)[None],
        torch.from_numpy(np.asarray(question.gaze))[None],
        torch.tensor([question.concentration], dtype=torch.float64),
    )
    return np.asarray(log_prior[0].exp().numpy())


def network_row(question: Question) -> Array:
    """Give what the whole system says."""
    assert question.answer is not None
    heat = question.answer.heatmap
    return np.asarray(heat / solid_angles(heat.shape[1], heat.shape[0]))


def compared_row(question: Question) -> Array:
    """Give what a compared network says."""
    assert question.heat_map is not None
    return question.heat_map


@dataclass(frozen=True, kw_only=True)
class Row:
    """A way to make heat maps."""

    make: Callable[[Question], Array]
    gaze: str = ""
    """Which gaze it takes: "" none, "read" the head network's, "fit" the head fit's, "true" the true one."""
    network: str = ""
    """Which network it asks, by the name of its recipe."""

    @property
    def trained(self) -> bool:
        """Whether it needs trained networks."""
        return bool(self.network) or self.gaze in ("read", "fit")


def _scene_row(network: str, gaze: str = "read") -> Row:
    return Row(make=network_row, gaze=gaze, network=network)


ROWS: dict[str, Row] = {
    "random": Row(make=random_row),
    "centre": Row(make=centre_row),
    "flat cone": Row(make=flat_cone_row, gaze="read"),
    "unit sphere": Row(make=unit_sphere_row, gaze="read"),
    "360-FoV": Row(make=field_of_view_row, gaze="read"),
    "360-FoV, head fit": Row(make=field_of_view_row, gaze="fit"),
    "dual pathway": Row(make=compared_row, network="dual_pathway"),
    "Gaze-LLE-like": Row(make=compared_row, network="gaze_lle"),
    "MMRGaze360": _scene_row("scene"),
    "without patches": _scene_row("scene_without_patches"),
    "without 360-FoV": _scene_row("scene_without_field_of_view"),
    "without reborn": _scene_row("scene_without_reborn"),
    "without picture": _scene_row("scene_without_image"),
    "flat cone, true gaze": Row(make=flat_cone_row, gaze="true"),
    "unit sphere, true gaze": Row(make=unit_sphere_row, gaze="true"),
    "360-FoV, true gaze": Row(make=field_of_view_row, gaze="true"),
    "MMRGaze360, true gaze": _scene_row("scene", "true"),
}
"""By the name that a table shows."""
