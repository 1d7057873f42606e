"""Command-line options that several commands take, each declared once.

What is always taken together is a dataclass, see `hifi_portrait.cli.groups`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from hifi_portrait.cli.loras import parse_lora
from hifi_portrait.cli.outputs import parse_path

if TYPE_CHECKING:
    import torch


Photos = Annotated[
    list[Path],
    typer.Argument(
        metavar="PHOTO...",
        parser=parse_path,
        help="Photos of one person, a folder of them, or an identity saved by `hifi-portrait identity`.",
        show_default=False,
    ),
]
DataSetOut = Annotated[
    Path,
    typer.Option(
        parser=parse_path, metavar="PATH", help="The data set's folder; an unfinished one is taken up again."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and no progress bar.")]
PictureOut = Annotated[
    str,
    typer.Option(
        metavar="FILE",
        help="The picture to write, as .png, .jpg or .webp; or a folder to write it into.",
    ),
]
Private = Annotated[
    bool,
    typer.Option("--private", help="Keep names and hashes of the given files out of the picture's metadata."),
]
Face = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Whose portrait, where photos show several people: face N of the first photo with so many, "
        "counted from the largest, 0.",
        show_default="who is in most photos",
    ),
]
Background = Annotated[
    str,
    typer.Option(
        metavar="WHAT",
        help="What is behind the person: photo, blur, transparent, a colour such as teal or #204060, a place "
        "or wall such as park or 'white brick wall', or the file of a picture or panorama.",
    ),
]
Light = Annotated[
    Literal[
        "photo",
        "soft studio light",
        "window light",
        "sunlight",
        "evening light",
        "low-key light",
        "neon light",
    ],
    typer.Option(
        case_sensitive=False,
        help="What light falls on the person; photo: that of the photos, or of the place.",
    ),
]
Style = Annotated[
    Literal[
        "photo",
        "black and white photo",
        "sepia photo",
        "oil painting",
        "watercolour",
        "pencil sketch",
        "comic",
    ],
    typer.Option(case_sensitive=False, help="What the finished picture is turned into."),
]
MOST_PEOPLE = 100_000_000
"""The most people of one data set."""

LARGEST_SEED = 2**63 - 1 - MOST_PEOPLE
"""First seed of people, so that the last one's is a number of 64 bits."""

Size = Annotated[int, typer.Option(min=64, max=2048, help="Width and height of the picture.")]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="Folder or hub id of a saved pipeline, or with --hifi of an SDXL base model or a .safetensors "
        "file of one.",
        show_default="the bundled model",
    ),
]
SavedModel = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="DIR",
        help="Folder or hub id of a saved pipeline.",
        show_default="the bundled model",
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        help="Where the model runs: cpu, cuda, mps.", show_default="cuda where there is one, else cpu"
    ),
]
DType = Annotated[
    Literal["float32", "float16", "bfloat16"] | None,
    typer.Option(help="Numbers of the weights.", show_default="float32"),
]
RecogniserFile = Annotated[
    Path | None,
    typer.Option(
        "--recogniser",
        parser=parse_path,
        metavar="FILE",
        help="An ArcFace network in ONNX, such as glintr100.onnx, if the model was made with one.",
        show_default="dlib's",
    ),
]
MattingFile = Annotated[
    Path | None,
    typer.Option(
        "--matting",
        parser=parse_path,
        metavar="FILE",
        help="A matting network in ONNX, such as IS-Net or MODNet, that cuts out the person in the photos.",
        show_default="MediaPipe's",
    ),
]
HiFiEvery = Annotated[
    int,
    typer.Option(min=1, help="Run HiFi-Net at every so-many-th step only: 2 halves its cost."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a setting of the recipe, such as trainer.max_steps=100; may be repeated.",
    ),
]
ModelSize = Annotated[str, typer.Option("--size", help="Size of the model: bundled, bundled-16, sdxl, tiny.")]


@dataclass(frozen=True)
class PoseOptions:
    """Where the head and the eyes of the portrait point, and its expression; None leaves it to `like`."""

    PANEL: ClassVar[str] = "Expression and pose"

    expression: Annotated[
        str | None,
        typer.Option(
            help="Presets, with strengths and in mixes (smile, smile:0.5, smile+wink), or ARKit coefficients "
            "(jawOpen=0.4,mouthSmileLeft=0.8). Presets: neutral, smile, slight-smile, laugh, smirk, "
            "surprise, sad, angry, disgust, fear, contempt, doubt, wink, wink-right, kiss, pout, talk, "
            "shout, eyes-closed, squint.",
            show_default=False,
        ),
    ] = None
    yaw: Annotated[
        float | None,
        typer.Option(
            min=-60,
            max=60,
            help="Degrees; positive turns the nose to the picture's right.",
            show_default=False,
        ),
    ] = None
    pitch: Annotated[
        float | None,
        typer.Option(min=-40, max=40, help="Degrees; positive looks up.", show_default=False),
    ] = None
    roll: Annotated[
        float | None,
        typer.Option(
            min=-40,
            max=40,
            help="Degrees; positive leans the head clockwise in the picture.",
            show_default=False,
        ),
    ] = None
    gaze: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="YAW PITCH",
            help="Degrees beside the camera, with the signs of yaw and pitch: 0 0 looks at the viewer, "
            "however the head is turned, as far as eyes turn.",
            show_default="straight ahead of the head",
        ),
    ] = None
    framing: Annotated[
        str | None,
        typer.Option(
            metavar="WORD",
            help="portrait, close, wide, or the face's height as a fraction of the picture's, such as 0.6.",
            show_default="portrait, or closer if no photo shows the shoulders",
        ),
    ] = None
    like: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            metavar="PHOTO",
            help="Take expression, head pose, gaze and framing from this photo; other options override.",
            show_default=False,
        ),
    ] = None

    like_face: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Which face of that photo, counted from the largest, 0.",
            show_default="the largest",
        ),
    ] = None

    @property
    def files(self) -> list[Path]:
        """The files that are read."""
        return [self.like] if self.like else []


@dataclass(frozen=True)
class LookOptions:
    """What the person wears, and the colour of their hair; None leaves it to the prompt and the photos."""

    PANEL: ClassVar[str] = "Hair, glasses and clothes"

    glasses: Annotated[
        str | None,
        typer.Option(
            help="own, none, round, rectangular, square, browline, cat-eye or sunglasses.",
            show_default="what the prompt says, or else own",
        ),
    ] = None
    hair: Annotated[
        str | None,
        typer.Option(
            metavar="COLOUR",
            help="own, black, dark-brown, brown, auburn, blond, light-blond, red, grey, white, pink, blue, "
            "green or purple.",
            show_default="what the prompt says, or else own",
        ),
    ] = None
    clothes: Annotated[
        str | None,
        typer.Option(
            metavar="COLOUR",
            help="own, white, black, grey, red, burgundy, orange, yellow, green, olive, teal, light-blue, "
            "blue, navy, purple, pink, beige or brown.",
            show_default="what the prompt says, or else own",
        ),
    ] = None
    look: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Number, from 0, of the photo that decides hair, clothes, light and background.",
            show_default="the nearest in pose",
        ),
    ] = None


@dataclass(frozen=True)
class ModelOptions:
    """Which networks draw, which read the photos, and where and in what numbers they run."""

    PANEL: ClassVar[str] = "Networks"

    model: Model = None
    hifi: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="HiFi-Net and the face networks for an SDXL --model: a folder, a hub id or a .safetensors "
            "file.",
        ),
    ] = None
    lora: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE[:SCALE]",
            help="A LoRA made for the base model, such as style.safetensors:0.8; may be repeated.",
            show_default=False,
        ),
    ] = None
    recogniser: RecogniserFile = None
    matting: MattingFile = None
    dtype: DType = None
    device: Device = None

    @property
    def loras(self) -> list[tuple[Path, float]]:
        """Files of LoRAs, and how strongly each acts."""
        return [parse_lora(words) for words in self.lora or ()]

    @property
    def files(self) -> list[Path]:
        """The files and folders that are read."""
        named = [Path(each) for each in (self.model, self.hifi, self.recogniser, self.matting) if each]
        return [*named, *(file for file, _ in self.loras)]


def torch_dtype(name: str | None) -> torch.dtype:
    """Look up the dtype that a ``DType`` names; None stands for float32."""
    import torch

    dtype: torch.dtype = getattr(torch, name or "float32")
    return dtype
