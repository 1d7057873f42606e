"""How well base models draw: Frechet distance to held-out photos, over a run's checkpoints.

    python benchmarks/base_model.py RUN_OR_CHECKPOINT ... --prepared DIR --scoring DIR
        [--beside DIR] [--sheet FILE]

``--beside`` is where the parts are that did not learn: the run of the text encoders. Each model draws a
picture for each of the captions of held-out people (validation and test), from one noise a caption, the same
for all models. The Frechet distance is of MobileNetV2's features. It is divided by that between two halves of
the true photos, by people, so that a share of 1 is what photos of other people have; beside it is that of the
true photos encoded and decoded, which is the best that the autoencoder allows.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from PIL import Image

from hifi_portrait.evaluation.metrics import frechet_distance
from hifi_portrait.evaluation.scorers.scorers import FeatureReader
from hifi_portrait.head.arrays import Array, ByteArray
from hifi_portrait.training.data.prepared import Prepared
from hifi_portrait.training.data.tokenizer import token_ids
from hifi_portrait.training.engine.checkpoint import checkpoints
from hifi_portrait.training.engine.precision import autocast_where_fast
from hifi_portrait.training.objectives.base import BaseConfig, BaseObjective
from hifi_portrait.training.objectives.sheets import arrange_grid, decode_latents, to_image

BATCH = 32
SHEET = 24


def main(
    models: Annotated[list[Path], typer.Argument(help="runs, or checkpoints of them")],
    prepared: Annotated[Path, typer.Option(help="the prepared folder that they were trained on")],
    scoring: Annotated[Path, typer.Option(help="folder that holds MobileNetV2's weights")],
    beside: Annotated[list[Path] | None, typer.Option(help="where the parts are that did not learn")] = None,
    size: Annotated[str, typer.Option(help="the model size")] = "bundled",
    most: Annotated[int, typer.Option(min=8, help="captions at most")] = 256,
    steps: Annotated[int, typer.Option(min=1, help="steps of denoising")] = 20,
    guidance: Annotated[float, typer.Option(help="classifier-free guidance")] = 2.0,
    sheet: Annotated[Path | None, typer.Option(help="picture of what the last model draws")] = None,
) -> None:
    """Print a table: checkpoint, Frechet distance, share of that between photos."""
    data = Prepared(prepared)
    photos = np.sort(np.concatenate([data.photos("validation"), data.photos("test")]))[:most]
    reader = FeatureReader(scoring)
    true = np.stack([reader.read(data.arrays["crops"][photo])["features"] for photo in photos])
    people = np.unique(data.arrays["identity"][photos])
    first = np.isin(data.arrays["identity"][photos], people[: len(people) // 2])
    between = frechet_distance(true[first], true[~first])
    print(f"{len(photos)} photos of {len(people)} people; between two halves {between:.2f}")
    print("| model | Frechet distance | share |\n| --- | --- | --- |")

    def report(name: str, pictures: list[ByteArray]) -> None:
        drawn: Array = np.stack([reader.read(picture)["features"] for picture in pictures])
        # Never against the photos whose captions it drew, as photos of other people are not either.
        crossed = ((drawn[first], true[~first]), (drawn[~first], true[first]))
        distance = np.mean([frechet_distance(*pair) for pair in crossed])
        print(f"| {name} | {distance:.2f} | {distance / between:.2f} |", flush=True)

    places = [place for model in models for place in (checkpoints(model) or [model])]
    encoded = torch.stack([data.latents(int(photo)) for photo in photos])
    for number, place in enumerate(places):
        folders = (str(place), *map(str, beside or []))
        objective = BaseObjective(BaseConfig(size=size, init_from=folders, trainable=()), prepared)
        objective.parts.eval()
        if number == 0:
            report("true photos, encoded", decode(objective, encoded))
        pictures = draw(objective, data, photos, steps, guidance)
        report(f"{place.parent.parent.name} {place.name}", pictures)
    if sheet is not None:
        Image.fromarray(arrange_grid(pictures[:SHEET], columns=8)).save(sheet)


@torch.no_grad()
def draw(
    objective: BaseObjective, data: Prepared, photos: Array, steps: int, guidance: float
) -> list[ByteArray]:
    """Draw a picture for each photo's caption."""
    noise = torch.randn(
        len(photos), *data.latents(int(photos[0])).shape, generator=torch.Generator().manual_seed(0)
    )
    tokenizer = data.tokenizer()
    pictures: list[ByteArray] = []
    for start in range(0, len(photos), BATCH):
        rows = slice(start, start + BATCH)
        ids = token_ids(tokenizer, [data.captions[photo] for photo in photos[rows]])
        with autocast_where_fast(noise.device):
            latents = objective.draw(ids, noise[rows], steps, guidance)
        pictures += decode(objective, latents)
    return pictures


@torch.no_grad()
def decode(objective: BaseObjective, latents: torch.Tensor) -> list[ByteArray]:
    """Decode latents to pictures."""
    return [to_image(picture) for picture in decode_latents(objective.part("vae"), latents)]


if __name__ == "__main__":
    typer.run(main)
