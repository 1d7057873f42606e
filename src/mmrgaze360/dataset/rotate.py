"""Random rotations of the sphere for a whole data set: every distortion, from the pictures that there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hifi_portrait.errors import DatasetError
from hifi_portrait.head.arrays import Array
from hifi_portrait.io.names import name_of
from mmrgaze360.dataset.format import SceneRecord, count_finished, encode_jpeg, write_header, write_shard
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
        ``data`` is no data set, or ``out`` is it, something else, or what was turned with other settings.
    ValueError
        ``most_tilt`` is not above 0 and at most 180, or ``seed`` is negative.
    OutputError
        ``out`` cannot be written to.
    """
    if not 0 < most_tilt <= 180:
        raise ValueError(f"tilt must be above 0 and at most 180 degrees, not {most_tilt}")
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, not {seed}")
    source, folder = open_scenes(data), Path(out)
    if folder.resolve() == Path(data).resolve():
        raise DatasetError(f"{folder} is the data set itself: turn it into another folder")
    settings = {"tilt": float(most_tilt), "seed": seed, "data": name_of(Path(data))}
    shards = {
        f"rotated-{first:08d}": range(first, min(first + _SHARD, len(source)))
        for first in range(0, len(source), _SHARD)
    }
    write_header(folder)
    todo = {
        name: places
        for name, places in shards.items()
        if count_finished(folder, name, settings) < len(places)
    }
    done = len(shards) - len(todo)
    for name, places in tqdm(todo.items(), initial=done, total=len(shards), unit="shard", disable=quiet):
        turned = [
            rotate_scene(source[k], random_rotation(np.random.default_rng([362, seed, k]), most_tilt))
            for k in places
        ]
        write_shard(folder, name, turned, settings)
    return len(source)
