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
from hifi_portrait.head.arrays import Array, ByteArray
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target

if TYPE_CHECKING:
    from hifi_portrait.pipeline.pipeline import HiFiPortraitPipeline

log = logging.getLogger(__name__)

Draw = Callable[[Identity, Target, int], ByteArray]
"""Draw an RGB picture (H, W, 3) of a person with a target, from the noise of a seed."""
OnDone = Callable[[], None]

SEED_STEP = 1_000_000
"""Between the noise of one seed and the next; below it, each picture of a row has noise of its own."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How the pipeline is called for every portrait; None leaves it to the pipeline.

    Portraits are as large as the networks draw them, not upscaled, unless told otherwise.
    """

    prompt: str = ""
    """Of every portrait."""
    steps: int | None = None
    """Denoising steps."""
    guidance: float | None = None
    """Prompt guidance scale."""
    start: str | None = None
    """"faithful" or "imagined"; the model's own way if None."""
    warp_strength: float | None = None
    """How far the warp that denoising starts from is noised, in (0, 1]."""
    warp_grain: float | None = None
    """Fraction of that noise that is added."""
    warp_share: float = 1.0
    """Fraction of the plain warp that stands in the portrait where it is sure."""
    prompt_scale: float | None = None
    """How much of what the prompt changes is added."""
    prompt_rounds: int = 2
    """How often the prompt's changes are found and added."""
    hifi_every: int = 1
    """HiFi-Net runs at every so-many-th step."""
    upscale: int | None = 1
    """How many times as high and wide as the networks draw it the picture is."""


def make_warp_row(size: int) -> Draw:
    """Make the row of the plain warp of the references, in which nothing is learnt."""

    def draw(identity: Identity, target: Target, seed: int) -> Array:
        return identity.warp(target, size)

    return draw


def make_pipeline_row(pipe: HiFiPortraitPipeline, sampling: Sampling, size: int | None = None) -> Draw:
    """Make the row of the diffusion pipeline.

    Parameters
    ----------
    size
        Height of the true photos, in pixels, to which higher pictures are reduced; None reduces none.
    """
    settings: dict[str, Any] = {
        "prompt": sampling.prompt,
        "num_inference_steps": sampling.steps,
        "guidance_scale": sampling.guidance,
        "start": sampling.start,
        "warp_strength": sampling.warp_strength,
        "warp_grain": sampling.warp_grain,
        "warp_share": sampling.warp_share,
        "prompt_scale": sampling.prompt_scale,
        "prompt_rounds": sampling.prompt_rounds,
        "hifi_every": sampling.hifi_every,
        "upscale": sampling.upscale,
    }

    def draw(identity: Identity, target: Target, seed: int) -> Array:
        generator = torch.Generator("cpu").manual_seed(seed)
        output: Any = pipe(identity, target, generator=generator, **settings)
        picture = np.asarray(output.images[0].convert("RGB"))
        if size is None or len(picture) <= size:
            return picture
        width = round(picture.shape[1] * size / len(picture))
        return np.asarray(Image.fromarray(picture).resize((width, size), Image.Resampling.LANCZOS))

    return draw


def picture_path(out: Path, row: str, case: Case, request: int, seed: int = 0) -> Path:
    """Name the file of one picture of one row."""
    again = f"_seed{seed}" if seed else ""
    return out / "rows" / row / f"{case.name}_{request}{again}.png"


def list_rows(out: Path) -> list[str]:
    """Name the rows that `out` has pictures of."""
    return sorted(path.name for path in (out / "rows").glob("*") if path.is_dir())


def draw_rows(
    cases: Sequence[Case],
    rows: Mapping[str, Draw],
    out: Path,
    *,
    seeds: int = 1,
    on_done: OnDone | None = None,
) -> None:
    """Draw what is missing.

    A person of whom no identity can be made gets no pictures, which counts as no face found.
    """
    for number, case in enumerate(cases):
        missing = [
            (row, request, seed)
            for row in rows
            for seed in range(seeds)
            for request in range(len(case.requests))
            if not picture_path(out, row, case, request, seed).exists()
        ]
        identity = load_or_make_identity(case, out) if missing else None
        for row, request, seed in missing:
            if identity is not None:
                image = rows[row](
                    identity, case.requests[request].target, SEED_STEP * seed + 1000 * number + request
                )
                write_picture(image, picture_path(out, row, case, request, seed))
        if on_done:
            on_done()


def count_seeds(cases: Sequence[Case], row: str, out: Path, most: int) -> int:
    """Count the seeds that a row has pictures of, at most `most`: one, if it was drawn without chance."""
    found = (
        seed
        for seed in range(most - 1, 0, -1)
        if any(picture_path(out, row, case, request, seed).exists() for case in cases for request in (0, 1))
    )
    return next(found, 0) + 1


def read_row(
    cases: Sequence[Case], row: str, out: Path, scorers: ScorerSet, seeds: int = 1
) -> list[list[Reading]]:
    """Read a row with the scorers: for each case all requests of the first seed, then of the second, ...

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
    """Read true photos with the scorers, in the given nesting."""
    return [[_read(photo, scorers) for photo in group] for group in photos]


def _read(path: Path, scorers: ScorerSet) -> Reading:
    return scorers.read(load_image(path)) if path.exists() else Reading()


def load_or_make_identity(case: Case, out: Path) -> Identity | None:
    """Load or make the case's identity, kept in `out` under a name that changes with its photos."""
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
