"""Command-line options that several commands take, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    import torch

Photos = Annotated[
    list[Path],
    typer.Argument(
        metavar="PHOTO...",
        help="Photos of one person, a folder of them, or an identity saved by `hifi-portrait identity`.",
        show_default=False,
    ),
]
Expression = Annotated[
    str | None,
    typer.Option(
        help="A preset (neutral, smile, laugh, surprise, sad, angry, ...) or ARKit coefficients: "
        "jawOpen=0.4,mouthSmileLeft=0.8",
        show_default=False,
    ),
]
Yaw = Annotated[
    float | None,
    typer.Option(help="Degrees; positive turns the nose to the picture's right.", show_default=False),
]
Pitch = Annotated[float | None, typer.Option(help="Degrees; positive looks up.", show_default=False)]
Roll = Annotated[
    float | None,
    typer.Option(help="Degrees; positive leans the head clockwise in the picture.", show_default=False),
]
Gaze = Annotated[
    tuple[float, float] | None,
    typer.Option(
        metavar="YAW PITCH",
        help="Degrees relative to the head, with the signs of yaw and pitch.",
        show_default=False,
    ),
]
Like = Annotated[
    Path | None,
    typer.Option(
        metavar="PHOTO",
        help="Take expression, head pose, gaze and framing from this photo; other options override.",
        show_default=False,
    ),
]
Glasses = Annotated[
    str | None,
    typer.Option(
        help="own, none, round, rectangular, square, browline, cat-eye or sunglasses. [default: what the "
        "prompt says, or else own]",
        show_default=False,
    ),
]
Hair = Annotated[
    str | None,
    typer.Option(
        metavar="COLOUR",
        help="own, black, dark-brown, brown, auburn, blond, light-blond, red, grey, white, pink, blue, green "
        "or purple. [default: what the prompt says, or else own]",
        show_default=False,
    ),
]
Clothes = Annotated[
    str | None,
    typer.Option(
        metavar="COLOUR",
        help="own, white, black, grey, red, burgundy, orange, yellow, green, olive, teal, light-blue, blue, "
        "navy, purple, pink, beige or brown. [default: what the prompt says, or else own]",
        show_default=False,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(help="Where the model runs: cpu, cuda, mps. [default: cuda where there is one, else cpu]"),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and no progress bar.")]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="Folder or hub id of a saved pipeline, or with --hifi of an SDXL base model or a .safetensors "
        "file of one. [default: the bundled model]",
    ),
]
HiFi = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="HiFi-Net and the face networks for an SDXL --model: a folder, a hub id or a .safetensors file.",
    ),
]
DType = Annotated[
    Literal["float32", "float16", "bfloat16"] | None,
    typer.Option(help="Numbers of the weights. [default: float32]"),
]
RecogniserFile = Annotated[
    Path | None,
    typer.Option(
        "--recogniser",
        metavar="FILE",
        help="An ArcFace network in ONNX, such as glintr100.onnx, if the model was made with one. "
        "[default: dlib's]",
    ),
]
Steps = Annotated[int | None, typer.Option(min=1, max=1000, help="Denoising steps. [default: the model's]")]
Guidance = Annotated[
    float | None, typer.Option(min=0, max=50, help="Prompt guidance scale. [default: the model's]")
]
WarpStrength = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        max=1,
        help="Start from the plain warp, noised so far; 1: from noise. [default: the model's]",
    ),
]
WarpGrain = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help="Share of that noise that is added; 0: all seeds give one picture. [default: the model's]",
    ),
]
WarpShare = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        help="Share of the plain warp that stands in the portrait where it is sure; 0: the networks alone.",
    ),
]
HiFiScale = Annotated[
    float, typer.Option(min=0, max=5, help="Strength of HiFi-Net; 0 leaves the base model alone.")
]
FaceScale = Annotated[
    float, typer.Option(min=0, max=5, help="Strength of the base model's attention to the faces.")
]
HiFiEvery = Annotated[
    int,
    typer.Option(min=1, help="Run HiFi-Net at every so-many-th step only: 2 halves its cost."),
]
Upscale = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=8,
        help="How many times as high and wide as the networks draw it the picture is, with the photos' own "
        "detail. [default: the model's]",
    ),
]
PromptScale = Annotated[
    float,
    typer.Option(
        min=0, max=10, help="How much of what the prompt changes is added to a start from the warp."
    ),
]

PromptRounds = Annotated[
    int, typer.Option(min=1, help="How often the prompt's changes are found and added; each draws twice.")
]


def torch_dtype(name: str | None) -> torch.dtype:
    """The dtype that a ``DType`` names."""
    import torch

    dtype: torch.dtype = getattr(torch, name or "float32")
    return dtype
