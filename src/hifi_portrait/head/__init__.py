"""What a head is: the parametric model, its geometry and camera, the rasteriser, eyeballs and glasses."""

from typing import TYPE_CHECKING

from hifi_portrait.lazy import lazy_names

if TYPE_CHECKING:
    from hifi_portrait.head.framing import FACE_HEIGHT, HEAD_CENTRE, find_framing, place_head
    from hifi_portrait.head.geometry import (
        DEFAULT_FACE_SHARE,
        EXPRESSION_NAMES,
        FIT_FOV,
        IDENTITY_COMPONENTS,
        Camera,
        HeadGeometry,
        HeadPose,
    )
    from hifi_portrait.head.likeness import shape_embedding
    from hifi_portrait.head.mesh import Part, vertex_normals
    from hifi_portrait.head.model import HeadModel
    from hifi_portrait.head.raster import Raster, rasterise
    from hifi_portrait.head.shape import ShapeModel, ShapeSample, rest_vertices, sample_shape
    from hifi_portrait.head.surface import SurfaceView
    from hifi_portrait.head.texture import TextureMasks
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "framing": ("FACE_HEIGHT", "HEAD_CENTRE", "find_framing", "place_head"),
            "geometry": (
                "DEFAULT_FACE_SHARE",
                "EXPRESSION_NAMES",
                "FIT_FOV",
                "IDENTITY_COMPONENTS",
                "Camera",
                "HeadGeometry",
                "HeadPose",
            ),
            "likeness": ("shape_embedding",),
            "mesh": ("Part", "vertex_normals"),
            "model": ("HeadModel",),
            "raster": ("Raster", "rasterise"),
            "shape": ("ShapeModel", "ShapeSample", "rest_vertices", "sample_shape"),
            "surface": ("SurfaceView",),
            "texture": ("TextureMasks",),
        },
    )

__all__ = [
    "DEFAULT_FACE_SHARE",
    "EXPRESSION_NAMES",
    "FACE_HEIGHT",
    "FIT_FOV",
    "HEAD_CENTRE",
    "IDENTITY_COMPONENTS",
    "Camera",
    "HeadGeometry",
    "HeadModel",
    "HeadPose",
    "Part",
    "Raster",
    "ShapeModel",
    "ShapeSample",
    "SurfaceView",
    "TextureMasks",
    "find_framing",
    "place_head",
    "rasterise",
    "rest_vertices",
    "sample_shape",
    "shape_embedding",
    "vertex_normals",
]
