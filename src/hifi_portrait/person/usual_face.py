"""What a face usually looks like on the chart: the mean of synthetic people, and how far they are from it."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files

import numpy as np
from safetensors.numpy import load_file

from hifi_portrait.person.chart_difference import Levels

USUAL_FACE_FILE = "usual_face.safetensors"
"""In the package's assets; made by `python scripts/make_usual_face.py`, of synthetic people only."""


_BRIGHTNESS = 128.0
"""Brightness, of 255, that is given to the middle of the usual face, as photos have it."""


@cache
def load_usual_face() -> Levels:
    """Load the usual face, with the variance of faces beside it.

    Its light is that of a face lit from everywhere, its tints are those beside the median of the face.
    """
    with as_file(files("hifi_portrait.assets").joinpath(USUAL_FACE_FILE)) as path:
        tensors = load_file(path)
    mean, spread = (tensors[name].astype(np.float32) for name in ("mean", "spread"))
    mean[..., 0] += np.log(_BRIGHTNESS, dtype=np.float32)
    return Levels(mean, spread**2, tensors["seen"].astype(np.float32))
