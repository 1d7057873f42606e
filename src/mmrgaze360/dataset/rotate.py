"""Random rotations of the sphere for a whole data set: every distortion, from the pictures that there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hifi_portrait.errors import DatasetError
from hifi_portrait.head.arrays import Array
from mmrgaze360.dataset.format import SceneRecord, encode_jpeg, shard_path, write_header, write_shard
from mmrgaze360.dataset.opening import open_scenes
from mmrgaze360.sphere import random_rotation, rotate_panorama

_SHARD = 40
_QUALITY = 95


def rotate_scene(scene: SceneRecord, rotation: Array) -> SceneRecord:
    """Turn a panorama and all that is known of it: ``d`` moves to ``rotation @ d``."""
    return replace(
        scene,
        image=encode_jpeg(rotate_panorama(scene.picture(), rotation), _QUALITY),
        people=[person.rotated(rotation) for person in scene.people],
        rotation=rotation @ scene.rotation,
    )


def rotate_dataset(
    data: str | Path, out: str | Path, *, most_tilt: float = 180.0, seed: int = 0, quiet: bool = False
) -> int:
    """Write a data set anew with each panorama turned; finished shards are kept. Gives the scenes' number.

    Parameters
    ----------
    data, out
        Folders; ``data`` of this project's format or of GazeFollow360.
    most_tilt
        Of `sphere.random_rotation`, degrees.
    seed
        The rotation of a scene follows from it and the scene's place.
    quiet
        Whether to show no progress bar.

    Raises
    ------
    DatasetError
        ``data`` is no data set, or ``out`` is it, or something else.
    ValueError
        ``most_tilt`` is not above 0 and at most 180.
    """
    if not 0 < most_tilt <= 180:
        raise ValueError(f"tilt must be above 0 and at most 180 degrees, not {most_tilt}")
    source, folder = open_scenes(data), Path(out)
    if folder.resolve() == Path(data).resolve():
        raise DatasetError(f"{folder} is the data set itself: turn it into another folder")
    write_header(folder)
    for first in tqdm(range(0, len(source), _SHARD), unit="shard", disable=quiet):
        name = f"rotated-{first:08d}"
        if shard_path(folder, name).exists():
            continue
        places = range(first, min(first + _SHARD, len(source)))
        turned = [
            rotate_scene(source[k], random_rotation(np.random.default_rng([362, seed, k]), most_tilt))
            for k in places
        ]
        write_shard(folder, name, turned)
    return len(source)
