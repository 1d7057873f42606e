"""What a build would do, and how long it would take, from some of the files."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from hifi_portrait.dataset.curate.account import account
from hifi_portrait.dataset.curate.first_stage import read_files
from hifi_portrait.dataset.curate.options import BuildOptions
from hifi_portrait.dataset.curate.run import finish
from hifi_portrait.dataset.curate.sources import InputFile, find_sources
from hifi_portrait.dataset.curate.state import Batch, State, files_of, write_batch
from hifi_portrait.errors import DatasetError

_LOOKED_AT = 50
"""Photos that are looked at."""

_WARM_UP = 2
"""Photos that are read before the clock runs, while models are loaded."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a build would do."""

    photos: int
    """Photos that were given."""
    videos: int
    """Videos that were given; how long they take is not estimated."""
    folders: int
    """Folders that say who is in their photos."""
    looked_at: int
    """Photos that were looked at."""
    used: int
    """Photos among them of which a face would be in the set, if there are enough photos of the person."""
    reasons: Mapping[str, int]
    """Why others would not, by reason. Copies are found only among those that were looked at."""
    seconds: float
    """For all photos, with one worker."""
    size: int
    """Bytes that all photos would take in the set."""


def estimate_build(
    sources: Sequence[str | Path],
    *,
    sources_file: str | Path | None = None,
    options: BuildOptions | None = None,
) -> Estimate:
    """Look at some photos as a build would, and write nothing that stays.

    Parameters are those of `build_dataset`.

    Raises
    ------
    DatasetError
        A source does not exist or does not say what it must, or there is no photo.
    """
    options = replace(options or BuildOptions(), min_photos=1)
    given = find_sources(
        [Path(each) for each in sources], None if sources_file is None else Path(sources_file)
    )
    files = files_of(given, named=options.names == "folders")
    photos = [file for file in files if not file.is_video]
    if not photos:
        raise DatasetError("there is no photo to look at: an estimate is made of photos")
    order = np.random.default_rng(0).permutation(len(photos))[:_LOOKED_AT]
    sample = [photos[place] for place in sorted(order)]
    described = [{**each.row(), "path": str(each.path)} for each in given]
    with TemporaryDirectory() as folder:
        _build(Path(folder) / "warm", described, sample[:_WARM_UP], options)
        started = time.perf_counter()
        out = Path(folder) / "set"
        state = _build(out, described, sample, options)
        seconds = time.perf_counter() - started
        size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
        result = account(out, state)
    scale = len(photos) / len(sample)
    return Estimate(
        photos=len(photos),
        videos=len(files) - len(photos),
        folders=len({file.group for file in files} - {""}),
        looked_at=len(sample),
        used=result.used,
        reasons=result.reasons,
        seconds=seconds * scale,
        size=round(size * scale),
    )


def _build(out: Path, sources: list[dict[str, str]], files: list[InputFile], options: BuildOptions) -> State:
    for folder in ("images", "photos", "analysis", "work/faces", "work/fits"):
        (out / folder).mkdir(parents=True)
    batch = Batch(number=0, sources=sources, files=files)
    write_batch(out, batch)
    read_files(out, State(), batch, options, 0, False)
    finish(out, State(batches=1), options, 0, False)
    state = State.read(out)
    assert state is not None
    return state
