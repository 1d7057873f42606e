"""Measure what faces usually look like on the chart, of rendered people, and write the package's asset.

python scripts/render_labelled_people.py labelled --people 64 --seed 5000000 --environments environments
python scripts/measure_usual_face.py labelled --people 64
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from hifi_portrait.fitting import fit
from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.head.model import HeadModel
from hifi_portrait.person.chart_difference import DifferenceSettings, Levels, in_the_light_of
from hifi_portrait.person.face_chart import FaceChart
from hifi_portrait.person.usual_face import USUAL_FACE_FILE
from hifi_portrait.training.data.labelled_photos import LabelledPhotos

ASSETS = Path(__file__).parents[1] / "src" / "hifi_portrait" / "assets"
PHOTOS = 3
"""Of each rendered person."""
ROUNDS = 2
"""In which photos are brought to the light of the mean so far, and averaged again."""
LEAST_TINT = 0.12
"""Mean logarithm of red as a fraction of green from which on a photo is one in colours."""
FEWEST = 20
"""Photos that must show a place."""
LIGHT = DifferenceSettings(usual_tint=0.5)
"""Skins differ from the mean by more than the photos of one person."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labelled", type=Path, help="folder by render_labelled_people.py")
    parser.add_argument("--people", type=int, default=64)
    given = parser.parse_args()
    model = HeadModel.load()
    chart = FaceChart.of(model)
    photos = read_photos(LabelledPhotos(given.labelled), given.people, chart, model)
    usual = average(photos, None)
    for _ in range(ROUNDS):
        usual = average(photos, usual)
    tensors = {
        "mean": usual.values.astype(np.float16),
        "spread": np.sqrt(usual.variance).astype(np.float16),
        "seen": (usual.seen * chart.face).astype(np.uint8),
    }
    save_file(tensors, ASSETS / USUAL_FACE_FILE)
    print(
        f"{len(photos)} photos in colours, spread {np.sqrt(usual.variance[chart.face]).mean(axis=0).round(3)}"
    )


def read_photos(photos: LabelledPhotos, people: int, chart: FaceChart, model: HeadModel) -> list[Levels]:
    """Read the photos in colours."""
    levels = []
    for person in range(people):
        shown = [photos[PHOTOS * person + number] for number in range(PHOTOS)]
        size = shown[0].image.shape[:2][::-1]
        heads = fit([each.landmarks for each in shown], PHOTOS * [size]).geometries
        crops = np.stack([each.image for each in shown])
        found = [Levels.of(*each, LIGHT) for each in zip(*chart.look_up(crops, heads, model), strict=True)]
        levels += [each for each in found if each.values[..., 1][each.seen > 0.3].mean() > LEAST_TINT]
    return levels


def average(photos: list[Levels], usual: Levels | None) -> Levels:
    """Average photos in the light of the usual face, or as they are, but for their brightness."""
    weights, sums, squares = (np.zeros((*photos[0].seen.shape, count)) for count in (1, 3, 3))
    for photo in photos:
        weight = np.clip((photo.seen - 0.2) / 0.2, 0, 1)
        values: FloatArray | None = photo.values - np.array([np.median(photo.values[weight > 0.5, 0]), 0, 0])
        if usual is not None:
            values = in_the_light_of(usual, photo, LIGHT)
        if values is None:
            continue
        weights += weight[..., None]
        sums += weight[..., None] * values
        squares += weight[..., None] * values**2
    mean = sums / np.maximum(weights, 1)
    variance = np.maximum(squares / np.maximum(weights, 1) - mean**2, 0)
    seen = (weights[..., 0] > FEWEST).astype(np.float32)
    return Levels(mean.astype(np.float32), variance.astype(np.float32), seen)


if __name__ == "__main__":
    main()
