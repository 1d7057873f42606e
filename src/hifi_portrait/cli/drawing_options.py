"""Command-line options of how the networks draw: steps, start, warp, strengths and the picture's size.

What is always taken together is a dataclass, see `hifi_portrait.cli.groups`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import typer


@dataclass(frozen=True)
class SamplingOptions:
    """How the networks denoise; None leaves it to the model."""

    PANEL: ClassVar[str] = "Sampling"

    steps: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Denoising steps.", show_default="the model's")
    ] = None
    guidance: Annotated[
        float | None, typer.Option(min=0, max=50, help="Prompt guidance scale.", show_default="the model's")
    ] = None
    start: Annotated[
        Literal["faithful", "imagined"] | None,
        typer.Option(
            help="faithful: light, clothes and place of the photos; imagined: of the model and the prompt.",
            show_default="the model's",
        ),
    ] = None
    warp_strength: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            max=1,
            help="Start from the plain warp, noised so far; 1: from noise.",
            show_default="the model's",
        ),
    ] = None
    prompt_scale: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=10,
            help="How much of what the networks make of the prompt is added to a start from the warp.",
            show_default="the model's",
        ),
    ] = None
    prompt_rounds: Annotated[
        int,
        typer.Option(min=1, help="How often the prompt's changes are found and added; each draws twice."),
    ] = 2


@dataclass(frozen=True)
class WarpOptions:
    """How the plain warp enters the portrait, beside where denoising starts."""

    PANEL: ClassVar[str] = "Sampling"

    warp_grain: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Fraction of the noise of --warp-strength that is added; 0: all seeds give one picture.",
            show_default="the model's",
        ),
    ] = None
    warp_share: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Fraction of the plain warp that stands in the portrait where it is sure; 0: the networks "
            "alone.",
        ),
    ] = 1.0


@dataclass(frozen=True)
class PictureSizeOptions:
    """How large the finished picture is; None leaves it to the model."""

    PANEL: ClassVar[str] = "Size"

    size: Annotated[
        int | None,
        typer.Option(min=64, max=4096, help="Width and height of the picture.", show_default="the model's"),
    ] = None
    width: Annotated[
        int | None, typer.Option(min=64, max=4096, help="Its width.", show_default="the model's")
    ] = None
    height: Annotated[
        int | None, typer.Option(min=64, max=4096, help="Its height.", show_default="the model's")
    ] = None

    def arguments(self) -> dict[str, int]:
        """Give the arguments of a call."""
        if self.size is not None and (self.width is not None or self.height is not None):
            raise typer.BadParameter("give --size, or --width and --height")
        sides = {"width": self.width or self.size, "height": self.height or self.size}
        return {name: side for name, side in sides.items() if side is not None}


@dataclass(frozen=True)
class StrengthOptions:
    """How strongly the face networks steer, and how large the picture is."""

    PANEL: ClassVar[str] = "Sampling"

    hifi_scale: Annotated[
        float, typer.Option(min=0, max=5, help="Strength of HiFi-Net; 0 leaves the base model alone.")
    ] = 1.0
    face_scale: Annotated[
        float, typer.Option(min=0, max=5, help="Strength of the base model's attention to the faces.")
    ] = 1.0
    upscale: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=8,
            help="How many times as high and wide as the networks draw it the picture is, with the photos' "
            "own detail.",
            show_default="the model's",
        ),
    ] = None
