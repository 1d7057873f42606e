"""Writing many scenes as a data set, on several processes, resumable after a kill."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path

import numpy as np

from hifi_portrait.dataset.executor import each_of, run_shards
from hifi_portrait.errors import needs_extra
from hifi_portrait.io.names import name_of
from hifi_portrait.scenery.environment import PANORAMAS, Environment, load_environments
from mmrgaze360.dataset.format import SceneRecord, count_finished, encode_jpeg, write_header, write_shard
from mmrgaze360.dataset.records import SPLITS, GazeRecord, towards
from mmrgaze360.limits import LARGEST_SEED, LARGEST_SIZE, MOST_SCENES, SMALLEST_SIZE
from mmrgaze360.scenes.furniture_models import FurnitureModel, read_library
from mmrgaze360.scenes.plan import DISTORTIONS, plan_scene
from mmrgaze360.scenes.render import Cutout, DrawnPerson, DrawnScene, draw_scene, shoot

with needs_extra("data"):
    from tqdm import tqdm

SCENES_A_SHARD = 40
CAST = 8
"""People of a shard: making one takes as long as photographing them several times."""
_SPLIT_BY_TENS = ("train",) * 17 + ("validation", "test", "test")
"""Split of a shard, by its number modulo 20: people, rooms and panoramas of one are in no other."""
_FIRST_PERSON = {"train": 1_000_000, "validation": 2_000_000, "test": 3_000_000}
_HELD_OUT = 0.25
"""Fraction of the panoramas and of the furniture that is kept for validation and test."""
_MODELS = 14
"""Pieces of furniture of a shard."""


@dataclass(frozen=True, kw_only=True)
class SceneSettings:
    """How a data set is drawn."""

    count: int
    """Scenes, 1 to `MOST_SCENES`; made in whole shards of `SCENES_A_SHARD`, the last one shorter."""
    size: int = 1024
    """Columns of a panorama, even and from 128 to 8192."""
    distortion: str = "none"
    """One of ``plan.DISTORTIONS``."""
    seed: int = 0
    """Number of the first scene; a multiple of `SCENES_A_SHARD`, up to `LARGEST_SEED`."""
    environments: Path | None = None
    """Folder of panoramas for scenes without a room; None for those of the package, `PANORAMAS`."""
    furniture: Path | None = None
    """Library of furniture models (``.sh3f`` of Sweet Home 3D) to furnish with; None for boxes."""
    rooms_only: bool = False
    """Whether all scenes are in rooms."""

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST_SCENES:
            raise ValueError(f"count must be from 1 to {MOST_SCENES}, not {self.count}")
        if not SMALLEST_SIZE <= self.size <= LARGEST_SIZE or self.size % 2:
            raise ValueError(f"size must be even and from {SMALLEST_SIZE} to {LARGEST_SIZE}, not {self.size}")
        if self.distortion not in DISTORTIONS:
            known = ", ".join(DISTORTIONS)
            raise ValueError(f"unknown distortion {self.distortion!r}: take one of {known}")
        if not 0 <= self.seed <= LARGEST_SEED or self.seed % SCENES_A_SHARD:
            raise ValueError(
                f"seed must be a multiple of {SCENES_A_SHARD} from 0 to {LARGEST_SEED}, not {self.seed}"
            )
        if self.rooms_only and self.environments is not None:
            raise ValueError("rooms_only leaves no scene for the panoramas of environments: give one of both")

    @property
    def panoramas(self) -> Path | None:
        """Folder of the panoramas in which a third of the scenes stand; None where all are in rooms."""
        return None if self.rooms_only else self.environments or PANORAMAS

    def noted(self) -> dict[str, str | float | bool | None]:
        """Give what decides how a scene looks, as the data set keeps it."""
        return {
            "size": self.size,
            "distortion": self.distortion,
            "environments": name_of(self.environments),
            "furniture": name_of(self.furniture),
            "rooms-only": self.rooms_only,
        }


def split_of_shard(number: int) -> str:
    """Give the split of the shard that begins with scene ``number * SCENES_A_SHARD``."""
    return _SPLIT_BY_TENS[number % len(_SPLIT_BY_TENS)]


def write_scenes(out: str | Path, settings: SceneSettings, workers: int = 1, quiet: bool = False) -> Path:
    """Draw scenes into a data set; those of finished shards that are there are kept.

    They must have been drawn with the same settings; other scenes, of other seeds, may have been with others.
    A shard that has fewer scenes than are asked for is drawn anew.

    Parameters
    ----------
    out
        The data set's folder.
    settings
        What is drawn.
    workers
        Processes; 1 draws in this one.
    quiet
        Whether to show no progress bar.

    Raises
    ------
    DatasetError
        ``out`` holds something else, or some of these scenes drawn with other settings; the panoramas cannot
        be read; or a worker dies twice at a shard.
    OutputError
        ``out`` cannot be written to.
    """
    folder = Path(out)
    if settings.panoramas is not None:
        load_environments(settings.panoramas)  # says now what is wrong with them
    if settings.furniture is not None:
        read_library(settings.furniture)
    noted = settings.noted()
    write_header(folder)
    shards: dict[str, list[int]] = {}
    for number in range(settings.seed, settings.seed + settings.count):
        shards.setdefault(shard_name(number), []).append(number)
    todo = {name: seeds for name, seeds in shards.items() if count_finished(folder, name, noted) < len(seeds)}
    done = settings.count - sum(map(len, todo.values()))
    draw = partial(draw_shard, settings=settings)
    with tqdm(total=settings.count, initial=done, unit="scene", disable=quiet) as bar:
        work = [(name, [tuple(seeds)]) for name, seeds in todo.items()]
        drawn = run_shards(each_of(draw), work, workers=workers if workers > 1 else 0)
        with closing(drawn):
            for name, (records,) in drawn:
                write_shard(folder, name, records, noted)
                bar.update(len(records))
    return folder


def shard_name(number: int) -> str:
    """Name the shard of a scene."""
    return f"scenes-{number // SCENES_A_SHARD * SCENES_A_SHARD:08d}"


def draw_shard(seeds: Sequence[int], settings: SceneSettings) -> list[SceneRecord]:
    """Draw the scenes of one shard, whose people are photographed one after the other."""
    number = seeds[0] // SCENES_A_SHARD
    split = split_of_shard(number)
    first = _FIRST_PERSON[split] + CAST * number
    places = _environments_of(settings.panoramas, split)
    models = _furniture_of(settings.furniture, split, number)
    cast = range(first, first + CAST)
    plans = [plan_scene(seed, cast, places, settings.distortion, models) for seed in seeds]
    jobs = sorted(
        ((person.looking.person, k, person) for k, plan in enumerate(plans) for person in plan.people),
        key=lambda job: job[:2],
    )
    cutouts: list[dict[int, Cutout]] = [{} for _ in plans]
    for _, k, person in jobs:
        cutouts[k][person.tag] = shoot(plans[k], person)
    return [
        to_record(draw_scene(plan, cut, settings.size), split)
        for plan, cut in zip(plans, cutouts, strict=True)
    ]


def _environments_of(folder: Path | None, split: str) -> list[Environment]:
    """Give the panoramas of a split: those for training are in no other."""
    if folder is None:
        return []
    places = load_environments(folder)
    held_out = [_hashed(place.name) < _HELD_OUT for place in places]
    wanted = split != SPLITS[0]
    return [place for place, held in zip(places, held_out, strict=True) if held == wanted]


def _furniture_of(library: Path | None, split: str, number: int) -> list[FurnitureModel]:
    """Give the models of a shard, few since each takes time to read; no split shares one with training."""
    if library is None:
        return []
    wanted = split != SPLITS[0]
    known = [model for model in read_library(library) if (_hashed(model.file) < _HELD_OUT) == wanted]
    rng = np.random.default_rng([362, number])
    return [known[k] for k in rng.permutation(len(known))[:_MODELS]]


def _hashed(name: str) -> float:
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "big") / 2**32


def to_record(scene: DrawnScene, split: str) -> SceneRecord:
    """Make a drawn scene a row of a data set."""
    return SceneRecord(
        scene_id=f"scene-{scene.seed:08d}",
        split=split,
        image=encode_jpeg(scene.picture),
        people=[_person_record(person) for person in scene.people],
        source=scene.environment or "room",
        rotation=scene.camera,
    )


def _person_record(person: DrawnPerson) -> GazeRecord:
    return GazeRecord(
        head_box=person.head_box,
        target=towards(person.target),
        in_view=person.in_view,
        gaze=person.gaze,
        head_direction=person.head_direction,
        eyes=person.eyes,
        target_distance=float(np.linalg.norm(person.target)),
        kind=person.kind,
        hidden_by=person.hidden_by,
        person=person.person,
        seated=person.seated,
        close_up=encode_jpeg(person.close_up),
    )
