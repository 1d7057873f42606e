"""What a LoRA's file says of itself, read from its header before anything is loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open

from hifi_portrait.errors import ModelError
from hifi_portrait.io.names import is_utf8, printable

_FIRST_MATRIX = ("lora_down", "lora_A", "lora.down")
"""What the matrix that reads a layer's input is called by kohya's scripts, peft and diffusers."""

_OF_OTHER_METHODS = ("hada_w", "lokr_w", "oft_", "ia3")
"""Names of tensors of LyCORIS files, which diffusers does not read."""

_PICKLED = (".bin", ".ckpt", ".pt", ".pth")
"""Endings of torch's own files."""

_TRANSFORMERS = ("double_blocks", "single_blocks", "transformer.", "lora_transformer", "joint_blocks")
"""Parts of names in LoRAs for transformers, such as FLUX and Stable Diffusion 3."""

_MADE_FOR = {768: "Stable Diffusion 1", 1024: "Stable Diffusion 2", 2048: "SDXL"}
"""Width of the text that the attention of a UNet reads -> models that have it."""


def check_lora(file: str | Path, text_width: int | None = None) -> None:
    """Check that a file holds a LoRA, and one for a UNet of this width.

    Parameters
    ----------
    file
        A ``.safetensors`` file; one of torch's is checked for being there only.
    text_width
        Width of the text that the base model's attention reads (``cross_attention_dim``); None if it is not
        known.

    Raises
    ------
    ModelError
        It is missing, damaged, no LoRA, or for another architecture; the message names it.
    """
    file = Path(file)
    if not file.is_file():
        what = "is a folder: name the file in it" if file.is_dir() else "does not exist"
        raise ModelError(f"the LoRA {file} {what}")
    if not is_utf8(file):
        raise ModelError(f"the LoRA {printable(file)}: its name must be UTF-8: rename the file")
    if file.suffix.lower() in _PICKLED:
        return
    shapes = _read_shapes(file)
    if any(part in name for name in shapes for part in _OF_OTHER_METHODS):
        raise ModelError(
            f"{file} is a LyCORIS file (LoHa, LoKr or the like), which cannot be read: give a LoRA"
        )
    if not any(part in name for name in shapes for part in _FIRST_MATRIX):
        raise ModelError(f"{file} holds no LoRA: give a .safetensors file that was made as one")
    made_for = _find_architecture(shapes)
    wanted = None if text_width is None else _name_width(text_width)
    if made_for is not None and wanted is not None and made_for != wanted:
        raise ModelError(
            f"the LoRA {file} was made for {made_for}, but the model's attention is that of {wanted}:"
            f" give a LoRA for that{_or_another_model(text_width)}"
        )


def read_text_width(model: str | Path) -> int | None:
    """Read how wide the text is that a saved model's attention reads; None if that is not to be seen here."""
    config = Path(model) / "unet" / "config.json"
    try:
        width = json.loads(config.read_text("utf-8")).get("cross_attention_dim")
    except (OSError, ValueError, AttributeError):
        return None
    return width if isinstance(width, int) else None


def _or_another_model(text_width: int | None) -> str:
    """Say where LoRAs for SDXL go, to who has a smaller model."""
    return "" if text_width == 2048 else ", or with an SDXL base model (--model and --hifi) one for SDXL"


def _find_architecture(shapes: Mapping[str, tuple[int, ...]]) -> str | None:
    """Name the models that a LoRA was made for; None if its layers do not tell, as those of text encoders."""
    if any(part in name for name in shapes for part in _TRANSFORMERS):
        return "a transformer, such as FLUX"
    for name, shape in shapes.items():
        if "attn2" in name and "to_k" in name and any(part in name for part in _FIRST_MATRIX):
            return _name_width(shape[1]) if len(shape) > 1 else None
    return None


def _name_width(width: int) -> str:
    return _MADE_FOR.get(width, f"a model that reads text {width} wide")


def _read_shapes(file: Path) -> dict[str, tuple[int, ...]]:
    try:
        with safe_open(file, framework="numpy") as tensors:
            return {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{file} holds no LoRA, or is damaged ({error}): give a .safetensors file"
        ) from error
