"""Where an SDXL base model comes from: a diffusers folder, a hub id, or one file in the original layout.

Anything else that users may have at hand is refused by its name before it is loaded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionXLPipeline
from diffusers.loaders.single_file_utils import infer_diffusers_model_type
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from safetensors import SafetensorError, safe_open

from hifi_portrait.errors import ModelError
from hifi_portrait.models.files import reading

_KINDS = {
    "v1": "Stable Diffusion 1",
    "inpainting": "Stable Diffusion 1 inpainting",
    "v2": "Stable Diffusion 2",
    "inpainting_v2": "Stable Diffusion 2 inpainting",
    "xl_refiner": "SDXL refiner",
    "xl_inpaint": "SDXL inpainting",
    "flux": "FLUX",
}  # beginnings of what diffusers calls them
_STABLE_DIFFUSION_1 = "model.diffusion_model.output_blocks.11.0.skip_connection.weight"
_PIPELINES = {
    "StableDiffusionPipeline": "Stable Diffusion 1 or 2",
    "StableDiffusion3Pipeline": "Stable Diffusion 3",
    "FluxPipeline": "FLUX",
}


def is_single_file(source: str | Path) -> bool:
    """Whether a base is named by one weights file rather than by a folder or hub id."""
    return Path(source).suffix in {".safetensors", ".ckpt", ".pt", ".bin"}


def load_single_file(file: str | Path, dtype: torch.dtype, **settings: Any) -> dict[str, Any]:
    """Load the parts of an SDXL base model in one `.safetensors` file of the original layout.

    Parameters
    ----------
    file
        Path of the file.
    dtype
        Of the weights.
    settings
        As for `StableDiffusionXLPipeline.from_single_file`. The tokenizers and the parts' settings come from
        the hub's `stabilityai/stable-diffusion-xl-base-1.0`, or from the folder given as ``config``.

    Returns
    -------
    dict
        Part name -> model, tokenizer or scheduler; and ``force_zeros_for_empty_prompt``, as the settings say.

    Raises
    ------
    ModelError
        If the file is missing or damaged, or its model is no SDXL base model.
    """
    file = Path(file)
    if file.suffix != ".safetensors":
        raise ModelError(f"{file} may run code when it is read: give the base model as a .safetensors file")
    if not file.is_file():
        raise ModelError(f"there is no file {file}")
    _check_layout(file)
    with reading(file):
        pipeline = StableDiffusionXLPipeline.from_single_file(str(file), dtype=dtype, **settings)
    parts = {name: part for name, part in pipeline.components.items() if part is not None}
    return parts | {"force_zeros_for_empty_prompt": pipeline.config.force_zeros_for_empty_prompt}


def check_is_sdxl(folder: str | Path) -> None:
    """Check that a diffusers folder is an SDXL base model's, by its index and its UNet's settings.

    Raises
    ------
    ModelError
        If it is another model's; the message names that.
    """
    _check_index(
        folder, _read(Path(folder) / "model_index.json"), _read(Path(folder) / "unet" / "config.json")
    )


def check_hub_is_sdxl(name: str, **hub: Any) -> None:
    """As `check_is_sdxl` for a hub repository, before its weights are fetched.

    One that cannot be reached is left for diffusers to name.

    Parameters
    ----------
    name
        Its id.
    hub
        `revision`, `token`, `cache_dir` and `local_files_only` of a download.
    """
    files = []
    for file in ("model_index.json", "unet/config.json"):
        try:
            files.append(_read(Path(hf_hub_download(name, file, **hub))))
        except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError):
            files.append({})
    _check_index(name, *files)


def _check_index(source: str | Path, index: dict[str, Any], unet: dict[str, Any]) -> None:
    name = index.get("_class_name", "")
    if name in _PIPELINES:
        raise _refused(source, _PIPELINES[name])
    if "transformer" in index:
        raise _refused(source, name or "diffusion transformer")
    if unet and unet.get("addition_embed_type") != "text_time":
        raise _refused(source, "Stable Diffusion 1 or 2")
    if unet.get("in_channels", 4) == 9:
        raise _refused(source, _KINDS["xl_inpaint"])
    if _is_refiner(index, unet):
        raise _refused(source, _KINDS["xl_refiner"])


def _is_refiner(index: dict[str, Any], unet: dict[str, Any]) -> bool:
    """Tell SDXL's refiner from a base model that was saved without its text encoders."""
    names = ("projection_class_embeddings_input_dim", "cross_attention_dim", "addition_time_embed_dim")
    if index.get("requires_aesthetics_score"):
        return True
    if all(isinstance(unet.get(name), int) for name in names):
        projected, text, number = (int(unet[name]) for name in names)
        return projected == text + 5 * number  # size, place and beauty; a base model reads six numbers
    first, second = (index.get(name, [""])[0] for name in ("text_encoder", "text_encoder_2"))
    return first is None and second is not None


def _check_layout(file: Path) -> None:
    try:
        with safe_open(file, framework="pt") as weights:
            shapes = {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{file} is damaged or incomplete ({error}): get the file anew") from error
    kind = infer_diffusers_model_type(
        {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    )
    if kind == "xl_base":
        return
    if kind == "v1" and _STABLE_DIFFUSION_1 not in shapes:  # what diffusers takes for granted
        raise ModelError(
            f"{file} is no base model in the original SDXL layout: give the whole checkpoint, with its text "
            "encoders, or a diffusers folder"
        )
    names = [name for beginning, name in _KINDS.items() if kind.startswith(beginning)]
    raise _refused(file, names[-1] if names else kind)


def _refused(source: str | Path, kind: str) -> ModelError:
    return ModelError(f"{source} is a {kind} model: HiFi-Portrait needs an SDXL base model")


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        values = json.loads(file.read_text())
    except ValueError as error:
        raise ModelError(f"{file} is damaged: {error}") from error
    return values if isinstance(values, dict) else {}
