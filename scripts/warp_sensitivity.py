"""How much each number of the warp's settings matters: warps with it made smaller and larger, compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from tqdm import tqdm

from hifi_portrait import HeadPose, Identity, Target
from hifi_portrait.landmarks.generator import LandmarkGenerator, LandmarkImage
from hifi_portrait.warp.draw import draw_warp
from hifi_portrait.warp.settings import WarpSettings

EXAMPLE = Path(__file__).parent.parent / "examples" / "person"

TARGETS = {
    "neutral": Target(),
    "laughing to the side": Target(expression="laugh", pose=HeadPose(yaw=-40, pitch=5)),
    "looking aside": Target(expression="surprise", pose=HeadPose(pitch=-15, roll=10), gaze=(20, 5)),
    "dyed": Target(expression="smile", pose=HeadPose(yaw=20), hair="red", clothes="navy"),
    "in glasses": Target(glasses="round", pose=HeadPose(yaw=10)),
}
"""What is drawn with each change, so that every stage of the warp has something to do."""

Way = tuple[str | int, ...]
"""Names of nested fields, and indices into tuples, that lead to a number."""


def numbers(value: Any, path: Way = ()) -> Iterator[tuple[Way, float]]:
    """Every number in nested settings, with the way to it."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from numbers(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from numbers(each, (*path, index))
    else:
        yield path, value


def replaced(value: Any, path: Way, number: float) -> Any:
    """Settings with another number at the end of a path."""
    if not path:
        return number
    first, *rest = path
    if isinstance(value, tuple):
        return tuple(
            replaced(each, tuple(rest), number) if index == first else each
            for index, each in enumerate(value)
        )
    return dataclasses.replace(
        value, **{str(first): replaced(getattr(value, str(first)), tuple(rest), number)}
    )


def scaled(number: float, factor: float) -> float:
    """A number times a factor; a whole one stays whole, and changes by 1 at least."""
    if not isinstance(number, int):
        return number * factor
    step = max(1, abs(round(number * factor) - number))
    return max(1, number + step if factor > 1 else number - step)


def draw(identity: Identity, heads: list[LandmarkImage], settings: WarpSettings) -> np.ndarray:
    """Warps (T, S, S, 3) of all targets."""
    return np.stack([draw_warp(identity, head, settings=settings).picture for head in heads]).astype(int)


def main(
    photos: Annotated[
        list[Path] | None, typer.Argument(help="Photos of one person; those of examples/person if not given.")
    ] = None,
    factor: Annotated[float, typer.Option(help="By which each number is divided, and multiplied.")] = 1.25,
    size: Annotated[int, typer.Option(help="Side of the warps in pixels.")] = 256,
    only: Annotated[str, typer.Option(help="Only numbers whose names begin so, such as light.")] = "",
) -> None:
    """Print a table of all numbers of the warp's settings, those that matter most first.

    For each number made smaller (down) and larger (up): the mean absolute difference of the warps, of 255,
    and the largest fraction of one warp's pixels that change.
    """
    identity = Identity.from_photos(photos or sorted(EXAMPLE.glob("*.jpg")))
    generator, settings = LandmarkGenerator(), WarpSettings()
    heads = [generator(identity.identity, target, size) for target in TARGETS.values()]
    plain = draw(identity, heads, settings)
    rows = []
    for path, number in tqdm(
        [each for each in numbers(settings) if ".".join(map(str, each[0])).startswith(only)]
    ):
        row: list[float] = []
        for changed in (scaled(number, 1 / factor), scaled(number, factor)):
            try:
                apart = np.abs(draw(identity, heads, replaced(settings, path, changed)) - plain)
            except (ValueError, ZeroDivisionError, cv2.error):
                row += [np.nan, np.nan]
                continue
            row += [float(apart.mean()), float((apart.max(axis=-1) > 0).mean(axis=(1, 2)).max())]
        rows.append((".".join(map(str, path)), number, row))
    typer.echo(f"{'number':44} {'value':>9} {'down':>8} {'pixels':>8} {'up':>8} {'pixels':>8}")
    for name, number, row in sorted(rows, key=lambda each: -np.nanmax([*each[2], 0])):
        typer.echo(f"{name:44} {number:9.4g} {row[0]:8.4f} {row[1]:8.2%} {row[2]:8.4f} {row[3]:8.2%}")
    idle = [name for name, _, row in rows if not np.nanmax([*row, 0])]
    typer.echo(f"{len(idle)} of {len(rows)} numbers change nothing here: {', '.join(idle) or 'none'}")


if __name__ == "__main__":
    typer.run(main)
