"""From command-line words to a pipeline: which networks draw, where and in what numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hifi_portrait.cli.console import hush_loading
from hifi_portrait.cli.loras import check_loras
from hifi_portrait.cli.options import ModelOptions
from hifi_portrait.cli.quick_imports import only_for_drawing
from hifi_portrait.errors import ModelError

if TYPE_CHECKING:
    from hifi_portrait.pipeline.pipeline import HiFiPortraitPipeline


def check_networks(networks: ModelOptions) -> None:
    """Check model, LoRAs and device, before any photo is analysed.

    Raises
    ------
    ModelError
        If one is nowhere or does not fit; the message names it.
    """
    check_model(networks.model, networks.hifi)
    check_loras(networks.loras, networks.model)
    check_device(networks.device)


def load_networks(networks: ModelOptions) -> HiFiPortraitPipeline:
    """Load the pipeline that the options name; see `load_pipeline`."""
    return load_pipeline(
        networks.model, networks.device, hifi=networks.hifi, dtype=networks.dtype, loras=networks.loras
    )


def check_model(model: str | None, hifi: str | None = None) -> None:
    """Check that there is such a model, before any photo is analysed.

    Raises
    ------
    ModelError
        If `model` is neither a saved pipeline's folder, nor written like a hub id, nor a file with `hifi`;
        `hifi` is given without it, or is nowhere.
    """
    if hifi is not None and model is None:
        raise ModelError("--hifi needs the SDXL base model it goes with: give --model")
    if hifi is not None and not Path(hifi).exists():
        from hifi_portrait.io.hub import check_reachable

        check_reachable(hifi, file="hifi_net/config.json")
    if model is None:
        return
    if _could_be_hub_id(model):
        from hifi_portrait.io.hub import check_reachable

        check_reachable(model)
        return
    if hifi is not None and Path(model).is_file():
        return
    if not (Path(model) / "model_index.json").is_file():
        raise ModelError(
            f"--model {model}: no saved pipeline there (a folder with a model_index.json), nor is it a hub id"
        )


_DEVICES = ("cpu", "cuda", "mps", "xpu", "hpu", "npu", "mtia")
"""Kinds of devices that torch may know, by its own build or by a package beside it."""


def check_device(device: str | None) -> None:
    """Check that there is such a device, before any photo is analysed; what is no device at all before torch.

    Raises
    ------
    ModelError
        If there is none.
    """
    if device is None:
        return
    kind, _, number = device.partition(":")
    if kind not in _DEVICES or (":" in device and not (number.isascii() and number.isdigit())):
        raise ModelError(f"--device {device}: no such device: give cpu, cuda, cuda:1 or mps")
    import torch

    if kind == "cuda":
        count = torch.cuda.device_count()
        if int(number or 0) >= count:
            here = f"the last one here is cuda:{count - 1}" if count else "torch finds no CUDA device here"
            raise ModelError(f"--device {device}: {here}: give {'that' if count else 'cpu'}")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise ModelError(f"--device {device}: torch finds no Apple GPU here: give cpu")


def load_pipeline(
    model: str | None,
    device: str | None = None,
    *,
    hifi: str | None = None,
    dtype: str | None = None,
    loras: Sequence[tuple[Path, float]] = (),
) -> HiFiPortraitPipeline:
    """Load a pipeline without a progress bar of its own.

    Parameters
    ----------
    model
        Its folder or hub id; None for the bundled one.
    device
        Such as "cuda"; None for that where there is one, else the CPU.
    hifi
        Where HiFi-Net and the face networks are, if `model` is an SDXL base model.
    dtype
        Name of the weights' dtype; None for "float32".
    loras
        Files of LoRAs that are loaded into it, and how strongly each acts.

    Raises
    ------
    ModelError
        If there is no such model, its files are damaged, a LoRA does not fit, or there is no such device.
    """
    check_model(model, hifi)
    check_device(device)
    import torch
    from safetensors import SafetensorError

    from hifi_portrait.cli.options import torch_dtype

    with only_for_drawing():
        from hifi_portrait.pipeline.pipeline import HiFiPortraitPipeline
    hush_loading()
    try:
        pipe = HiFiPortraitPipeline.from_pretrained(model, hifi=hifi, torch_dtype=torch_dtype(dtype))
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{model or 'the bundled model'} cannot be loaded: {error}") from error
    for number, (file, _) in enumerate(loras):
        pipe.load_lora_weights(file.parent, weight_name=file.name, adapter_name=f"lora_{number}")
    if loras:
        pipe.set_adapters([f"lora_{number}" for number in range(len(loras))], [scale for _, scale in loras])
    pipe.set_progress_bar_config(disable=True)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        moved: HiFiPortraitPipeline = pipe.to(device)
        return moved
    except (AssertionError, RuntimeError) as error:
        raise ModelError(f"--device {device}: the model cannot be put there: {error}") from error


def _could_be_hub_id(model: str) -> bool:
    parts = model.split("/")
    return len(parts) == 2 and all(part and part[0].isalnum() for part in parts) and not Path(model).exists()
