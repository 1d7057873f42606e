"""Types of arrays, and the letters by which docstrings name their axes.

Shapes in docstrings are written with these letters:

======  =====================================================================
N       reference photos of one person
S       side of a square portrait crop, in pixels
H, W    height and width of a picture, in pixels
V       vertices of the head mesh
F       triangles of the head mesh
P       vertices of the scalp, which hair raises
K       landmarks or keypoints
B       samples in a batch
L, D    tokens in a sequence, and their width
C       channels of a picture, a latent or a feature map
======  =====================================================================
"""

from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float32]
"""Single-precision numbers, such as a matte or landmarks in pixels."""

ByteArray: TypeAlias = npt.NDArray[np.uint8]
"""A picture of 8-bit channels, RGB unless said otherwise."""

BoolArray: TypeAlias = npt.NDArray[np.bool_]
"""A mask of pixels or vertices."""

IntArray: TypeAlias = npt.NDArray[np.int64]
"""Indices."""

Array: TypeAlias = npt.NDArray[Any]
"""Numbers of any type, where a function takes several."""

RGB: TypeAlias = tuple[float, float, float]
"""A linear colour: red, green and blue, usually in [0, 1]."""


def make_arrays_read_only(value: Any) -> None:
    """Replace the arrays of a frozen dataclass by read-only views; whoever made them can still write to them.

    Parameters
    ----------
    value
        A dataclass's instance; its fields that hold no array stay as they are.
    """
    for field in fields(value):
        array = getattr(value, field.name)
        if isinstance(array, np.ndarray):
            view = array.view()
            view.flags.writeable = False
            object.__setattr__(value, field.name, view)
