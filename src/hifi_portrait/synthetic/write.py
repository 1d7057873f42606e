"""Writing many photographed people as an ID data set, on several processes, resumable after a kill."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hifi_portrait.dataset.format import IDDatasetWriter, PhotoRecord
from hifi_portrait.dataset.pool import map_in_order, worker_pool
from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.photo import Photo
from hifi_portrait.synthetic.photograph import Photograph, photograph
from hifi_portrait.synthetic.restyle import restyle

JPEG_QUALITY = 95
SHARD_PHOTOS = 240
"""Small shards: what is not yet in a finished shard is rendered again after a kill."""
PHOTO_SEEDS = 100
"""Photo ``k`` of the person with seed ``s`` has seed ``s * PHOTO_SEEDS + k``."""

Shoot = Callable[[int], list[PhotoRecord]]
"""All photos of the person with a seed."""


def identity_id(seed: int) -> str:
    """Name of a person in a data set."""
    return f"person-{seed:08d}"


def photo_record(seed: int, number: int, taken: Photograph) -> PhotoRecord:
    """A photograph as a row of a data set."""
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
    seed: int, photos: int, size: int, per_sitting: int = 1, restyled: float = 0.0
) -> list[PhotoRecord]:
    """All photos of the person with this seed, each ``per_sitting`` of them in one sitting.

    The share ``restyled`` of the sittings is as :func:`hifi_portrait.synthetic.restyle.restyle` makes them.
    """
    person = Person.sample(seed)
    drawn = [Photo.sample(seed * PHOTO_SEEDS + k) for k in range(photos)]
    taken: list[Photo] = []
    for start in range(0, photos, per_sitting):
        sitting = [photo.beside(drawn[start]) for photo in drawn[start : start + per_sitting]]
        rng = np.random.default_rng([83, drawn[start].seed])
        taken += restyle(person, sitting, rng) if rng.random() < restyled else sitting
    return [photo_record(seed, k, photograph(person, photo, size)) for k, photo in enumerate(taken)]


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
) -> Path:
    """Photograph people with seeds ``seed`` to ``seed + count - 1`` into an ID data set.

    People already in the data set are kept and skipped, so a call after a kill goes on where it stopped.

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
        The share of sittings, in [0, 1], in which clothing's, hair's or backdrop's colour or the glasses
        change from photo to photo, and captions say so.
    workers
        Processes that render.
    progress
        Called with the number of people done so far; a progress bar is shown when it is not given.

    Raises
    ------
    ValueError
        When ``count``, ``photos``, ``per_sitting``, ``restyled`` or ``workers`` is out of range.
    DatasetError
        When ``out`` is not an ID data set, or a worker process dies.
    """
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
    todo = [s for s in range(seed, seed + count) if identity_id(s) not in present]
    shoot = partial(photograph_person, photos=photos, size=size, per_sitting=per_sitting, restyled=restyled)
    done = count - len(todo)
    with tqdm(total=count, initial=done, unit="person", disable=progress is not None) as bar:
        if progress is not None:
            progress(done)
        for _ in _render_all(path, todo, shoot, min(workers, max(1, len(todo)))):
            done += 1
            bar.update()
            if progress is not None:
                progress(done)
    with IDDatasetWriter(path):
        pass
    return path


def _render_all(path: Path, seeds: list[int], shoot: Shoot, workers: int) -> Iterator[int]:
    """Yield each seed once its person's photos are added to the data set."""
    with (
        worker_pool(workers) as pool,
        IDDatasetWriter(path, name="people-0", shard_photos=SHARD_PHOTOS) as writer,
    ):
        taken = map_in_order(pool, shoot, seeds, ahead=2 * workers)
        for seed, photos in zip(seeds, taken, strict=True):
            writer.add(identity_id(seed), photos)
            yield seed
