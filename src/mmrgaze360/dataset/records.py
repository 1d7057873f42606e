"""What is known of one person in a panorama. Directions and points are in the panorama's frame."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from hifi_portrait.head.arrays import Array
from mmrgaze360.sphere import direction_to_lonlat, lonlat_to_direction, unit

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True, eq=False)
class GazeRecord:
    """A person in a panorama, and where they look."""

    head_box: Array
    """(4,) longitude and latitude of its middle, width and height, degrees."""
    target: Array | None = None
    """(3,) unit: where the target is seen; None where it has no direction, as the camera has none."""
    in_view: bool = True
    """Whether the panorama shows the target."""
    gaze: Array | None = None
    """(3,) unit: the direction of the gaze in space; None where it is not known."""
    head_direction: Array | None = None
    """(3,) unit: where the face points."""
    eyes: Array | None = None
    """(3,) metres from the camera."""
    target_distance: float = float("nan")
    """Metres from the camera."""
    kind: str = ""
    """What is looked at, one of ``scenes.people.KINDS``; empty where it is not known."""
    hidden_by: str = ""
    person: int = -1
    """Seed of a synthetic person."""
    seated: bool = False
    close_up: bytes | None = field(default=None, repr=False)
    """The head in more detail than the panorama has, a JPEG file."""

    @property
    def head(self) -> Array:
        """(3,) unit: the middle of the head."""
        return lonlat_to_direction(self.head_box[0], self.head_box[1])

    @property
    def depth_ratio(self) -> float:
        """Distance of the target from the camera over that of the eyes; NaN where it is not known."""
        if self.eyes is None:
            return float("nan")
        return float(self.target_distance / np.linalg.norm(self.eyes))

    def rotated(self, rotation: Array) -> GazeRecord:
        """Give the record of the panorama turned by ``rotation`` (3, 3), without the close-up.

        The box keeps its size and stays level, as an annotator would draw it anew.
        """

        def turn(vector: Array | None) -> Array | None:
            return None if vector is None else rotation @ vector

        return replace(
            self,
            head_box=np.concatenate([direction_to_lonlat(rotation @ self.head), self.head_box[2:]]),
            target=turn(self.target),
            gaze=turn(self.gaze),
            head_direction=turn(self.head_direction),
            eyes=turn(self.eyes),
            close_up=None,
        )


def box_of_corners(corners: Array, width: int, height: int) -> Array:
    """Turn a box of pixels into one of degrees.

    Parameters
    ----------
    corners
        (2, 2) two opposite corners, x and y; in any order.
    width, height
        Of the panorama, in pixels.

    Returns
    -------
    head_box
        (4,) longitude and latitude of the middle, and width and height as seen from the panorama's middle:
        the width of the pixels shrinks with the cosine of the latitude.
    """
    low, high = np.min(corners, 0), np.max(corners, 0)
    middle = (low + high) / 2
    lon, lat = (middle[0] / width - 0.5) * 360, (0.5 - middle[1] / height) * 180
    across = (high[0] - low[0]) / width * 360 * np.cos(np.radians(lat))
    return np.array((lon, lat, across, (high[1] - low[1]) / height * 180))


def towards(point: Array) -> Array | None:
    """Give the direction (3,) of a point; None for one at the camera."""
    return None if np.linalg.norm(point) < 1e-6 else unit(point)
