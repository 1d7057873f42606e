"""``--lora``: files of LoRAs, read from the command line and checked before anything is loaded."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import typer

from hifi_portrait.cli.quick_imports import import_all_parts
from hifi_portrait.errors import find_installed, needs_extra
from hifi_portrait.io.names import BUNDLED_MODEL


def parse_lora(words: str) -> tuple[Path, float]:
    """Read a LoRA's file and its scale, 1 if none is given: ``style.safetensors:0.8``.

    Raises
    ------
    typer.BadParameter
        If the scale is no finite number.
    """
    name, colon, number = words.rpartition(":")
    if not name or not colon or os.path.exists(words) or "/" in number or os.sep in number:
        return Path(os.path.expanduser(words)), 1.0
    try:
        scale = float(number)
    except ValueError:
        scale = math.nan
    if not math.isfinite(scale):
        raise typer.BadParameter(f"--lora {words}: the scale {number!r} is no number, such as 0.8")
    return Path(os.path.expanduser(name)), scale


def check_loras(loras: Sequence[tuple[Path, float]], model: str | None) -> None:
    """Check that LoRAs can be loaded into a model, before any photo is analysed.

    Raises
    ------
    ModelError
        If one is missing, damaged, no LoRA, or made for another architecture.
    MissingExtraError
        If peft, which loads them, is not installed.
    """
    if not loras:
        return
    import_all_parts()  # peft asks for more of torch than drawing does
    with needs_extra("lora"):
        find_installed("peft")
    from hifi_portrait.io.lora_files import check_lora, read_text_width

    width = read_text_width(BUNDLED_MODEL if model is None else model)
    for file, _ in loras:
        check_lora(file, width)
