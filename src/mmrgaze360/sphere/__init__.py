"""The sphere of directions: equirectangular pictures, tangent patches, great-circle arcs, rotations."""

from mmrgaze360.sphere.arcs import arc_offset, arc_points
from mmrgaze360.sphere.directions import (
    angle_between,
    direction_grid,
    direction_to_lonlat,
    direction_to_pixel,
    lonlat_to_direction,
    pixel_to_direction,
    solid_angles,
    unit,
)
from mmrgaze360.sphere.patches import TangentPatch, read_directions
from mmrgaze360.sphere.rotations import (
    random_rotation,
    rotate_panorama,
    rotation_about_vertical,
    rotation_from_to,
    rotation_of_view,
    turn_columns,
)

__all__ = [
    "TangentPatch",
    "angle_between",
    "arc_offset",
    "arc_points",
    "direction_grid",
    "direction_to_lonlat",
    "direction_to_pixel",
    "lonlat_to_direction",
    "pixel_to_direction",
    "random_rotation",
    "read_directions",
    "rotate_panorama",
    "rotation_about_vertical",
    "rotation_from_to",
    "rotation_of_view",
    "solid_angles",
    "turn_columns",
    "unit",
]
