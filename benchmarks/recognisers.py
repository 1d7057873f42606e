"""How well recognisers tell people apart, and how many directions their embeddings use.

    python benchmarks/recognisers.py --photos DIR --scoring DIR [--people 60] [--arcface FILE]

``--photos`` is a folder with one folder of photos a person, of which the first two by name are used;
``--scoring`` one with SFace's and, if it is there, HSE-FaceRes' weights (docs/evaluation.md). The synthetic
people are photographed four times each, in different sittings. Every two photos are compared by cosine.
``area`` is that under the curve of hits over false alarms; ``hits at 1e-3`` is the share of pairs of one
person that are above all but one in a thousand pairs of two people; ``directions`` is how many the embeddings
of different people use (the participation ratio of their covariance's eigenvalues).
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from hifi_portrait.errors import HiFiPortraitError
from hifi_portrait.evaluation.scorers.recognisers import (
    FACERES_FILES,
    FaceResRecogniser,
    SFaceRecogniser,
)
from hifi_portrait.faces import IMAGE_SUFFIXES, ArcFaceRecogniser, FaceAnalyser, load_image
from hifi_portrait.faces.protocols import Recogniser
from hifi_portrait.faces.recogniser import DlibRecogniser
from hifi_portrait.head.arrays import Array, ByteArray
from hifi_portrait.synthetic import Person, PhotoSetup, photograph

FIRST_SEED = 7_600_000
"""Of the synthetic people."""

Embed = Callable[[ByteArray], Array | None]


def main(
    photos: Annotated[Path, typer.Option(help="folder with one folder of photos a person")],
    scoring: Annotated[Path, typer.Option(help="folder with the scorers' weights")],
    people: Annotated[int, typer.Option(help="how many synthetic people")] = 60,
    arcface: Annotated[Path | None, typer.Option(help="an ArcFace network in ONNX")] = None,
) -> None:
    """Print a table."""
    recognisers: dict[str, Embed] = {
        "dlib": _of_package(DlibRecogniser()),
        "SFace": _of_scorer(SFaceRecogniser(scoring)),
    }
    if (scoring / FACERES_FILES[0]).is_file():
        recognisers["HSE-FaceRes"] = _of_scorer(FaceResRecogniser(scoring))
    if arcface is not None:
        recognisers[arcface.stem] = _of_package(ArcFaceRecogniser(arcface))
    sets = {"real": list(_real(photos)), "synthetic": list(_synthetic(people))}
    print(
        f"{'people':>10} {'recogniser':>12} {'width':>5} {'area':>7} {'hits at 1e-3':>12} {'directions':>10}"
    )
    for kind, pictures in sets.items():
        for name, embed in recognisers.items():
            found = [(who, embedding) for who, each in pictures if (embedding := embed(each)) is not None]
            names = np.array([who for who, _ in found])
            embeddings = np.stack([embedding for _, embedding in found]).astype(float)
            area, hits = compare(names, embeddings)
            print(
                f"{kind:>10} {name:>12} {embeddings.shape[1]:5d} {area:7.4f} {hits:12.3f} "
                f"{count_directions(names, embeddings):10.1f}   ({len(found)} of {len(pictures)} photos)"
            )


def compare(names: Array, embeddings: Array) -> tuple[float, float]:
    """Area under the curve, and hits at one false alarm in a thousand, of all pairs of embeddings (N, E)."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    first, second = np.triu_indices(len(names), 1)
    alike, same = (unit @ unit.T)[first, second], (names[:, None] == names)[first, second]
    others = np.sort(alike[~same])
    below = np.searchsorted(others, alike[same], "left") + np.searchsorted(others, alike[same], "right")
    return float(below.mean() / 2 / len(others)), float((alike[same] > np.quantile(others, 0.999)).mean())


def count_directions(names: Array, embeddings: Array) -> float:
    """Count the directions that people's mean embeddings (N, E) use, by their eigenvalues."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    means = np.stack([unit[names == name].mean(axis=0) for name in np.unique(names)])
    spread = np.linalg.svd(means - means.mean(axis=0), compute_uv=False) ** 2
    return float(spread.sum() ** 2 / (spread**2).sum())


def _of_package(recogniser: Recogniser) -> Embed:
    analyser = FaceAnalyser(recogniser=recogniser)

    def embed(picture: ByteArray) -> Array | None:
        try:
            return analyser.analyse(picture).embedding
        except HiFiPortraitError:
            return None

    return embed


def _of_scorer(recogniser: SFaceRecogniser | FaceResRecogniser) -> Embed:
    def embed(picture: ByteArray) -> Array | None:
        read = recogniser.read(picture)
        return next(iter(read["embeddings"].values())) if read else None

    return embed


def _real(folder: Path) -> Iterator[tuple[str, ByteArray]]:
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(file for file in person.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        for file in files[:2]:
            yield person.name, load_image(file)


def _synthetic(people: int) -> Iterator[tuple[str, ByteArray]]:
    for seed in range(FIRST_SEED, FIRST_SEED + people):
        sitter = Person.sample(seed)
        for number in range(4):
            setup = PhotoSetup.sample(10 * seed + number, style="photo", sunglasses=False)
            yield str(seed), photograph(sitter, setup, 512).image


if __name__ == "__main__":
    typer.run(main)
