"""Writing many photographed people as an ID data set, on several processes, resumable after a kill."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hifi_portrait.dataset.executor import each_of, run_shards
from hifi_portrait.dataset.format import IDDatasetWriter, PhotoRecord
from hifi_portrait.dataset.made_with import Settings, check_people
from hifi_portrait.io.names import name_of
from hifi_portrait.scenery.environment import load_environments
from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.photo_setup import PhotoSetup
from hifi_portrait.synthetic.photograph import Photograph, photograph
from hifi_portrait.synthetic.restyle import restyle
from hifi_portrait.synthetic.wide import VARIETIES, draw_wide, restyle_widely

JPEG_QUALITY = 95
SHARD_PHOTOS = 240
"""Small shards: what is not yet in a finished shard is rendered again after a kill."""
PHOTO_SEEDS = 100
"""Photo ``k`` of the person with seed ``s`` has seed ``s * PHOTO_SEEDS + k``."""


def identity_id(seed: int) -> str:
    """Name of a person in a data set."""
    return f"person-{seed:08d}"


def photo_record(seed: int, number: int, taken: Photograph) -> PhotoRecord:
    """Make a photograph a row of a data set."""
    return PhotoRecord.from_pixels(
        taken.image,
        jpeg_quality=JPEG_QUALITY,
        identity_id=identity_id(seed),
        photo_id=f"{number:02d}",
        caption=taken.truth.caption,
        attributes=taken.truth.attributes,
        truth=taken.truth.geometry,
    )


def photograph_person(
    seed: int,
    photos: int,
    size: int,
    per_sitting: int = 1,
    restyled: float = 0.0,
    variety: str = "studio",
    environments: Path | None = None,
) -> list[PhotoRecord]:
    """All photos of the person with this seed, each ``per_sitting`` of them in one sitting.

    The fraction ``restyled`` of the sittings is as :func:`hifi_portrait.synthetic.restyle.restyle` makes
    them, or, in the variety "world", as :func:`hifi_portrait.synthetic.wide.restyle_widely` does.
    """
    person, taken = plan_photos(seed, photos, per_sitting, restyled, variety, environments)
    return [photo_record(seed, k, photograph(person, photo, size)) for k, photo in enumerate(taken)]


def plan_photos(
    seed: int,
    photos: int,
    per_sitting: int = 1,
    restyled: float = 0.0,
    variety: str = "studio",
    environments: Path | None = None,
) -> tuple[Person, list[PhotoSetup]]:
    """Sample the person of a seed, and how each photo is to be taken."""
    world = variety == "world"
    person = Person.sample(seed, balanced=world)
    drawn = [PhotoSetup.sample(seed * PHOTO_SEEDS + k) for k in range(photos)]
    places = load_environments(environments) if world and environments is not None else ()
    if world:
        drawn = [
            replace(photo, **draw_wide(person, places, np.random.default_rng([84, photo.seed])))
            for photo in drawn
        ]
    taken: list[PhotoSetup] = []
    for start in range(0, photos, per_sitting):
        sitting = [photo.beside(drawn[start]) for photo in drawn[start : start + per_sitting]]
        rng = np.random.default_rng([83, drawn[start].seed])
        if rng.random() >= restyled:
            taken += sitting
        elif world:
            taken += restyle_widely(person, sitting, places, rng)
        else:
            taken += restyle(person, sitting, rng)
    return person, taken


def write_people(
    out: str | Path,
    count: int,
    photos: int = 6,
    size: int = 256,
    seed: int = 0,
    per_sitting: int = 1,
    restyled: float = 0.0,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
    variety: str = "studio",
    environments: str | Path | None = None,
) -> Path:
    """Photograph people with seeds ``seed`` to ``seed + count - 1`` into an ID data set.

    Which shard a person lies in follows from the seed alone, however many processes render.

    People already in the data set are kept and skipped, so a call after a kill goes on where it stopped. They
    must have been photographed with the same settings; other people may have been with others.

    Parameters
    ----------
    out
        The data set's folder.
    count, photos
        How many people, and how many photos of each (at most ``PHOTO_SEEDS``).
    size
        Width and height of a photo in pixels.
    seed
        Seed of the first person.
    per_sitting
        How many photos in a row are of one sitting, with its light, backdrop, clothes and style.
    restyled
        The fraction of sittings, in [0, 1], in which clothing's, hair's or backdrop's colour or the glasses
        change from photo to photo, and captions say so.
    workers
        Processes that render.
    progress
        Called with the number of people done so far; a progress bar is shown when it is not given.
    variety
        "studio" for lamps and painted backdrops, or "world" for photos that vary in all that
        ``docs/dataset.md`` lists: places and their light, headwear, outfits, beards, walls, styles, and
        evenly spread skin tones.
    environments
        For "world": a folder of panoramas (``.exr``, ``.hdr``) as ``scripts/fetch_environments.py`` makes it.
        Without it painted backdrops stand in for places.

    Raises
    ------
    ValueError
        When ``count``, ``photos``, ``per_sitting``, ``restyled``, ``workers`` or ``variety`` is out of range,
        or ``environments`` are given for the variety "studio".
    DatasetError
        When ``out`` is not an ID data set or holds some of these people with other settings,
        ``environments`` is not a folder of panoramas, or a worker process dies.
    """
    if variety not in VARIETIES:
        raise ValueError(f"unknown variety {variety!r}: take one of {', '.join(VARIETIES)}")
    if environments is not None and variety != "world":
        raise ValueError('environments are used by the variety "world" alone')
    folder = None if environments is None else Path(environments)
    if folder is not None:
        load_environments(folder)
    for name, value, top in (
        ("count", count, 10**8),
        ("photos", photos, PHOTO_SEEDS),
        ("per_sitting", per_sitting, PHOTO_SEEDS),
        ("workers", workers, 512),
    ):
        if not 1 <= value <= top:
            raise ValueError(f"{name} must be from 1 to {top}, not {value}")
    if not 0 <= restyled <= 1:
        raise ValueError(f"restyled must be from 0 to 1, not {restyled}")
    path = Path(out)
    with IDDatasetWriter(path) as writer:
        present = set(writer.complete)
    settings: Settings = {
        "photos": photos,
        "size": size,
        "per-sitting": per_sitting,
        "restyled": restyled,
        "variety": variety,
        "environments": name_of(folder),
    }
    check_people(path, present.intersection(map(identity_id, range(seed, seed + count))), settings)
    todo = [s for s in range(seed, seed + count) if identity_id(s) not in present]
    shoot = partial(
        photograph_person,
        photos=photos,
        size=size,
        per_sitting=per_sitting,
        restyled=restyled,
        variety=variety,
        environments=folder,
    )
    done = count - len(todo)
    with tqdm(total=count, initial=done, unit="person", disable=progress is not None) as bar:
        if progress is not None:
            progress(done)

        def count_done(people: int) -> None:
            nonlocal done
            done += people
            bar.update(people)
            if progress is not None:
                progress(done)

        todo_shards = _shards_of(todo, max(1, SHARD_PHOTOS // photos))
        rendered = run_shards(
            each_of(shoot), todo_shards.items(), workers=workers if workers > 1 else 0, on_items=count_done
        )
        with closing(rendered):
            for name, taken in rendered:
                most = SHARD_PHOTOS + PHOTO_SEEDS
                with IDDatasetWriter(path, name=name, shard_photos=most, settings=settings) as writer:
                    for person_seed, records in zip(todo_shards[name], taken, strict=True):
                        writer.add(identity_id(person_seed), records)
    with IDDatasetWriter(path):
        pass
    return path


def _shards_of(seeds: list[int], per_shard: int) -> dict[str, list[int]]:
    """Sort seeds into shards, by the seeds alone: blocks of ``per_shard`` seeds in a row."""
    found: dict[str, list[int]] = {}
    for seed in seeds:
        found.setdefault(f"people-{seed // per_shard * per_shard:08d}", []).append(seed)
    return found
