"""Draw every picture of the benchmark into a folder, and read them all with the scorers.

A row is one way of making the picture: the pipeline, the plain warp. The pictures of the first seed are named
by person and request, those of another seed by the seed too. A picture already in the folder is not drawn
again, so that a killed run goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from hifi_portrait.errors import DatasetError, HiFiPortraitError
from hifi_portrait.evaluation.protocol import Case, write_picture
from hifi_portrait.evaluation.scorers.scorers import Reading, ScorerSet
from hifi_portrait.faces import load_image
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target

if TYPE_CHECKING:
    from hifi_portrait.pipeline.pipeline import HiFiPortraitPipeline

log = logging.getLogger(__name__)

Draw = Callable[[Identity, Target, int], np.ndarray]
OnDone = Callable[[], None]

SEED_STEP = 1_000_000
"""Between the noise of one seed and the next; below it, each picture of a row has noise of its own."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How the pipeline is called for every portrait; None leaves it to the pipeline.

    Portraits are as large as the networks draw them, not upscaled, unless told otherwise.
    """

    prompt: str = ""
    steps: int | None = None
    guidance: float | None = None
    warp_strength: float | None = None
    warp_grain: float | None = None
    warp_share: float = 1.0
    prompt_scale: float = 1.0
    prompt_rounds: int = 2
    hifi_every: int = 1
    upscale: int | None = 1


def warp_row(size: int) -> Draw:
    """The plain warp of the references, with nothing learnt."""

    def draw(identity: Identity, target: Target, seed: int) -> np.ndarray:
        return identity.warp(target, size)

    return draw


def pipeline_row(pipe: HiFiPortraitPipeline, sampling: Sampling, size: int | None = None) -> Draw:
    """The diffusion pipeline; pictures higher than `size`, that of true photos, are reduced to it."""
    settings: dict[str, Any] = {
        "prompt": sampling.prompt,
        "num_inference_steps": sampling.steps,
        "guidance_scale": sampling.guidance,
        "warp_strength": sampling.warp_strength,
        "warp_grain": sampling.warp_grain,
        "warp_share": sampling.warp_share,
        "prompt_scale": sampling.prompt_scale,
        "prompt_rounds": sampling.prompt_rounds,
        "hifi_every": sampling.hifi_every,
        "upscale": sampling.upscale,
    }

    def draw(identity: Identity, target: Target, seed: int) -> np.ndarray:
        generator = torch.Generator("cpu").manual_seed(seed)
        output: Any = pipe(identity, target, generator=generator, **settings)
        picture = np.asarray(output.images[0].convert("RGB"))
        if size is None or len(picture) <= size:
            return picture
        width = round(picture.shape[1] * size / len(picture))
        return np.asarray(Image.fromarray(picture).resize((width, size), Image.Resampling.LANCZOS))

    return draw


def picture_path(out: Path, row: str, case: Case, request: int, seed: int = 0) -> Path:
    """Where one picture of one row lies."""
    again = f"_seed{seed}" if seed else ""
    return out / "rows" / row / f"{case.name}_{request}{again}.png"


def rows_in(out: Path) -> list[str]:
    """Names of the rows that `out` has pictures of."""
    return sorted(path.name for path in (out / "rows").glob("*") if path.is_dir())


def draw_rows(
    cases: Sequence[Case],
    rows: Mapping[str, Draw],
    out: Path,
    *,
    seeds: int = 1,
    on_done: OnDone | None = None,
) -> None:
    """Draw what is missing; a person of whom no identity can be made has no pictures: no face found."""
    for number, case in enumerate(cases):
        missing = [
            (row, request, seed)
            for row in rows
            for seed in range(seeds)
            for request in range(len(case.requests))
            if not picture_path(out, row, case, request, seed).exists()
        ]
        identity = identity_of(case, out) if missing else None
        for row, request, seed in missing:
            if identity is not None:
                image = rows[row](
                    identity, case.requests[request].target, SEED_STEP * seed + 1000 * number + request
                )
                write_picture(image, picture_path(out, row, case, request, seed))
        if on_done:
            on_done()


def seeds_in(cases: Sequence[Case], row: str, out: Path, most: int) -> int:
    """How many seeds, at most `most`, a row has pictures of: one, if it was drawn without chance."""
    found = (
        seed
        for seed in range(most - 1, 0, -1)
        if any(picture_path(out, row, case, request, seed).exists() for case in cases for request in (0, 1))
    )
    return next(found, 0) + 1


def read_row(
    cases: Sequence[Case], row: str, out: Path, scorers: ScorerSet, seeds: int = 1
) -> list[list[Reading]]:
    """What the scorers say of a row: for each case all requests of the first seed, then of the second, ...

    A missing picture has an empty reading.
    """
    return [
        [
            _read(picture_path(out, row, case, request, seed), scorers)
            for seed in range(seeds)
            for request in range(len(case.requests))
        ]
        for case in cases
    ]


def read_photos(photos: Sequence[Sequence[Path]], scorers: ScorerSet) -> list[list[Reading]]:
    """What the scorers say of true photos, in the given nesting."""
    return [[_read(photo, scorers) for photo in group] for group in photos]


def _read(path: Path, scorers: ScorerSet) -> Reading:
    return scorers.read(load_image(path)) if path.exists() else Reading()


def identity_of(case: Case, out: Path) -> Identity | None:
    """The case's identity, kept in `out` under a name that changes with its photos."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in case.references)).hexdigest()[:12]
    path = out / "identities" / f"{case.name}-{digest}.safetensors"
    if path.exists():
        return Identity.load(path)
    try:
        identity = Identity.from_photos(list(case.references))
    except HiFiPortraitError as error:
        log.warning("%s: no identity: %s", case.name, error)
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    identity.save(path)
    return identity


def check_same_run(out: Path, description: str) -> None:
    """Refuse a folder that holds pictures of another list.

    Raises
    ------
    DatasetError
        If `out` was made from another protocol.
    """
    marker = out / "protocol.txt"
    if marker.exists() and marker.read_text() != description:
        raise DatasetError(
            f"{out} holds another evaluation: {marker.read_text()!r}, not {description!r}; give another --out"
        )
    out.mkdir(parents=True, exist_ok=True)
    marker.write_text(description)
