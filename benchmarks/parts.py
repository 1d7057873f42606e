"""What each geometric part of a portrait costs on one core, beside the most it may cost.

    python benchmarks/parts.py [--rounds 5] [--check]

Every part is run a few times and its fastest run counts, because other processes can only slow a run down.
Milliseconds depend on the machine: a limit is about three times what a part took on one core of a small cloud
machine. With `--check` the script exits with 1 if a part is over its limit.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from threadpoolctl import threadpool_limits
from torch import nn

from hifi_portrait import Identity, Target
from hifi_portrait.fitting import fit
from hifi_portrait.head import HeadModel, HeadPose, Raster, rasterise
from hifi_portrait.head.surface import SurfaceView
from hifi_portrait.landmarks import LandmarkGenerator
from hifi_portrait.models.alignment import carry, fuse, surface_grid
from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.photo_setup import PhotoSetup
from hifi_portrait.synthetic.photograph import photograph
from hifi_portrait.training.engine.precision import autocast_where_fast
from hifi_portrait.warp.draw import warp_picture

EXAMPLE = sorted((Path(__file__).parents[1] / "examples" / "person").glob("*.jpg"))
TARGET = Target.preset("smile", pose=HeadPose(yaw=5))


@dataclass(frozen=True)
class Part:
    """Something to be timed."""

    run: Callable[[], object]
    """One run of it."""
    limit_ms: float
    """The most milliseconds that a run may take; infinite where nothing asks for a limit."""


def main(
    rounds: Annotated[int, typer.Option(min=1, help="runs of each part; the fastest counts")] = 5,
    check: Annotated[bool, typer.Option("--check", help="exit with 1 if a part is over its limit")] = False,
) -> None:
    """Time every part on one core and print a table: part, milliseconds, limit."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    print("| part | ms | limit |\n| --- | --- | --- |")
    slow = []
    with threadpool_limits(1), torch.inference_mode():
        for name, part in all_parts().items():
            taken = fastest_ms(part.run, rounds)
            print(f"| {name} | {taken:.1f} | {part.limit_ms:.0f} |", flush=True)
            if taken > part.limit_ms:
                slow.append(name)
    if slow and check:
        print(f"\nover the limit: {', '.join(slow)}")
        raise typer.Exit(1)


def fastest_ms(run: Callable[[], object], rounds: int) -> float:
    """Milliseconds of this process's CPU time that the fastest run takes, after one that does not count."""
    run()
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return 1000 * min(taken)


def all_parts() -> dict[str, Part]:
    """All parts by their names in the table."""
    identity = Identity.from_photos(EXAMPLE)
    generator, model = LandmarkGenerator(), HeadModel.load()
    size = identity.crops.shape[1]

    head = generator.geometry(identity.identity, TARGET, 1024)
    vertices = model.posed(head)
    pixels, inverse_depth = head.camera.project(vertices), 1 / vertices[:, 1]

    target = generator(identity.identity, TARGET, 256)
    person, setup = Person.sample(40), PhotoSetup.sample(1)
    layers = nn.Sequential(*[nn.Conv2d(32, 32, 3, padding=1) for _ in range(3)])
    picture = torch.rand(2, 32, 96, 96)

    def convolve() -> None:
        layers(picture)

    def convolve_in_chosen_precision() -> None:
        with autocast_where_fast(torch.device("cpu")):
            layers(picture)

    return {
        "rasterise a head, 1024 pixels": Part(
            lambda: rasterise(pixels, inverse_depth, model.triangles, 1024, 1024), 60
        ),
        "landmark image, 1024 pixels": Part(lambda: generator(identity.identity, TARGET, 1024), 120),
        "fit of 4 photos": Part(lambda: fit(list(identity.landmarks), [(size, size)] * len(identity)), 100),
        "plain warp, 4 references, 256 pixels": Part(lambda: warp_picture(identity, target), 600),
        "align and fuse 4 references, 256 pixels": Part(alignment(identity, target.raster), 50),
        "synthetic photo, 256 pixels": Part(lambda: photograph(person, setup, 256), 450),
        "convolutions in float32": Part(convolve, math.inf),
        "convolutions in the chosen precision": Part(
            convolve_in_chosen_precision, 3 * fastest_ms(convolve, 3)
        ),
    }


def alignment(identity: Identity, raster: Raster) -> Callable[[], object]:
    """What the alignment of the references' crops with a target's raster takes."""
    model = HeadModel.load()
    views = [SurfaceView.from_geometry(model, head) for head in identity.geometries]
    xy = torch.stack([torch.tensor(view.xy) for view in views])[None]
    visibility = torch.stack([torch.tensor(view.visibility) for view in views])[None]
    triangles = torch.tensor(model.triangles.astype(np.int64))
    on_target = torch.tensor(raster.triangle)[None], torch.tensor(raster.barycentric)[None]
    colours = torch.tensor(identity.crops).permute(0, 3, 1, 2)[None].float()

    def align() -> torch.Tensor:
        grid, seen = surface_grid(*on_target, triangles, xy, visibility)
        return fuse(carry(colours, grid), seen)

    return align


if __name__ == "__main__":
    typer.run(main)
