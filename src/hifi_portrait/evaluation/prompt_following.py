"""Does the portrait show what the prompt asks for? Draw the list of prompts, and read the pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hifi_portrait.evaluation.asked import Prompt
from hifi_portrait.evaluation.attributes import HEADS, AttributeReader
from hifi_portrait.evaluation.autoencoder import Embed
from hifi_portrait.evaluation.benchmark import TRUE_ROW, WARP_ROW
from hifi_portrait.evaluation.metrics import Interval, bootstrap_over_people, cosine_similarity
from hifi_portrait.evaluation.prompts import check_case, make_prompts
from hifi_portrait.evaluation.protocol import SIZE, Case, write_picture
from hifi_portrait.evaluation.runner import Sampling, load_or_make_identity, make_pipeline_row
from hifi_portrait.faces import load_image
from hifi_portrait.head.arrays import Array
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.pipeline import HiFiPortraitPipeline
from hifi_portrait.synthetic import photograph

DrawPrompt = Callable[[Identity, Target, str, int], Array]
"""Identity, target, prompt and seed -> uint8 RGB picture (H, W, 3)."""
OnDone = Callable[[], None]


@dataclass(frozen=True)
class Appearance:
    """How often something asked for appears."""

    asked: int
    """How often it was asked for."""
    appears: Interval
    """The fraction of these times in which it appears."""


@dataclass(frozen=True)
class RowFollowing:
    """One way of making the pictures."""

    name: str
    """As the table shows it."""
    pictures: int
    """How many were asked for."""
    changed: dict[str, Appearance]
    """Of what no reference shows: by attribute, and "all" of them."""
    kept: dict[str, Appearance]
    """Of what most references show: by attribute, and "all" of them."""
    similarity: Interval | None
    """Of the pictures with a true photo of the person, without a face 0; None without a recogniser."""


@dataclass(frozen=True)
class PromptFollowing:
    """The figures of all rows."""

    people: int
    """How many were asked for."""
    prompts: int
    """How many of all people."""
    rows: tuple[RowFollowing, ...]
    """The true photos' and the plain warps' first."""


def make_prompt_drawer(pipe: HiFiPortraitPipeline, sampling: Sampling) -> DrawPrompt:
    """Make the function that draws prompts with the diffusion pipeline."""

    def draw(identity: Identity, target: Target, words: str, seed: int) -> Array:
        return make_pipeline_row(pipe, replace(sampling, prompt=words), SIZE)(identity, target, seed)

    return draw


def draw_prompts(
    cases: Sequence[Case], row: str, draw: DrawPrompt | None, out: Path, on_done: OnDone | None = None
) -> None:
    """Draw what is missing: `row` by `draw`, the plain warps, and the true photos.

    Parameters
    ----------
    cases
        The protocol's synthetic people, from the first on.
    draw
        None leaves the row away.

    Raises
    ------
    DatasetError
        If the cases are not those that the prompts are for.
    """
    for number, case in enumerate(cases):
        check_case(case, number)
        prompts = make_prompts(number)
        for place, prompt in enumerate(prompts):
            path = picture_path(out, TRUE_ROW, case, place)
            if not path.exists():
                write_picture(photograph(prompt.person, prompt.photo, SIZE).image, path)
        drawn = {WARP_ROW: _draw_warp} | ({row: draw} if draw is not None else {})
        _draw_missing(case, number, prompts, drawn, out)
        if on_done:
            on_done()


def picture_path(out: Path, row: str, case: Case, prompt: int) -> Path:
    """Name the file of the picture of one prompt of one row."""
    return out / "prompts" / row / f"{case.name}_{prompt}.png"


def score_prompts(
    cases: Sequence[Case], out: Path, embed: Embed | None, reader: AttributeReader | None = None
) -> PromptFollowing:
    """Read all rows that `out` has pictures of, the true photos' and the warps' first.

    A missing picture, of a person of whom no identity can be made, shows nothing that was asked.
    """
    reader = reader or AttributeReader.load()
    prompts = [make_prompts(number) for number in range(len(cases))]
    gallery = None if embed is None else [embed(load_image(case.gallery[0])) for case in cases]
    found = {path.name for path in (out / "prompts").glob("*") if path.is_dir()}
    names = [*(name for name in (TRUE_ROW, WARP_ROW) if name in found), *sorted(found - {TRUE_ROW, WARP_ROW})]
    rows = [_score_row(name, cases, prompts, out, reader, embed, gallery) for name in names]
    return PromptFollowing(len(cases), sum(map(len, prompts)), tuple(rows))


def _score_row(
    name: str,
    cases: Sequence[Case],
    prompts: Sequence[Sequence[Prompt]],
    out: Path,
    reader: AttributeReader,
    embed: Embed | None,
    gallery: Sequence[Array | None] | None,
) -> RowFollowing:
    answers: list[list[tuple[str, bool, bool]]] = []
    similarity: list[list[float]] = []
    for person, (case, list_of_prompts) in enumerate(zip(cases, prompts, strict=True)):
        answers.append([])
        similarity.append([])
        for place, prompt in enumerate(list_of_prompts):
            path = picture_path(out, name, case, place)
            picture = load_image(path) if path.exists() else None
            read = reader.read(picture) if picture is not None else None
            for asked in prompt.asked:
                appears = read is not None and asked.appears_in(read)
                answers[-1].append((asked.attribute, asked.changed, appears))
            if embed is not None and gallery is not None:
                own = None if picture is None else embed(picture)
                similarity[-1].append(_similarity(own, gallery[person]))
    return RowFollowing(
        name,
        sum(map(len, prompts)),
        count_appearances(answers, changed=True),
        count_appearances(answers, changed=False),
        None if gallery is None else _mean_over_people(similarity),
    )


def count_appearances(
    answers: Sequence[Sequence[tuple[str, bool, bool]]], *, changed: bool
) -> dict[str, Appearance]:
    """Count, by attribute and for "all" together, how often what was asked appears.

    Parameters
    ----------
    answers
        Of each person: attribute, whether it was to change, whether it appears.
    changed
        Which of them to count.
    """
    result = {}
    for name in (*(head.name for head in HEADS), "all"):
        counted = [[a[2] for a in person if a[1] is changed and name in (a[0], "all")] for person in answers]
        asked = np.array([len(person) for person in counted])
        if asked.any():
            appearing = np.array([sum(person) for person in counted])
            result[name] = Appearance(int(asked.sum()), _fraction(appearing, asked))
    return result


def _fraction(appearing: Array, asked: Array) -> Interval:
    def fraction(drawn: Array) -> float:
        count = asked[drawn].sum()
        return float(appearing[drawn].sum() / count) if count else float("nan")

    return bootstrap_over_people(fraction, len(asked))


def _mean_over_people(values: Sequence[Sequence[float]]) -> Interval:
    """Average over all pictures; people have eight or nine."""
    return _fraction(np.array([sum(person) for person in values]), np.array([len(p) for p in values]))


def _similarity(own: Array | None, known: Array | None) -> float:
    return 0.0 if own is None or known is None else float(cosine_similarity(own[None], known[None])[0])


def _draw_warp(identity: Identity, target: Target, words: str, seed: int) -> Array:
    return identity.warp(target, SIZE)


def _draw_missing(
    case: Case, number: int, prompts: Sequence[Prompt], rows: dict[str, DrawPrompt], out: Path
) -> None:
    places = [(row, place) for row in rows for place in range(len(prompts))]
    paths = {(row, place): picture_path(out, row, case, place) for row, place in places}
    missing = [key for key, path in paths.items() if not path.exists()]
    if not missing:
        return
    identity = load_or_make_identity(case, out)
    if identity is None:
        return
    for row, place in missing:
        target = case.requests[prompts[place].request].target
        image = rows[row](identity, target, prompts[place].words, 1000 * number + place)
        write_picture(image, paths[row, place])
