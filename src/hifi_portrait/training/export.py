"""Turn training runs into a pipeline folder: averaged weights, fp16 safetensors, diffusers' layout.

``hifi-portrait export RUN_OR_PREPARED ... --out DIR``
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import diffusers
import torch
from diffusers import ConfigMixin
from transformers import CLIPTokenizer

from hifi_portrait.errors import ModelError
from hifi_portrait.io.names import model_folder
from hifi_portrait.models.build import build
from hifi_portrait.pipeline.check_inputs import check_counts
from hifi_portrait.pipeline.pipeline import HiFiPortraitPipeline
from hifi_portrait.training.engine.weights import check_kind, find_part

logger = logging.getLogger(__name__)

_NETWORKS = (
    "vae",
    "text_encoder",
    "text_encoder_2",
    "unet",
    "hifi_net",
    "face_encoder",
    "face_refiner",
    "face_attention",
)

_DEFAULTS = {
    "default_steps": 20,
    "default_guidance": 2.0,
    "default_warp_strength": 1.0,
    "default_warp_grain": 1.0,
    "default_upscale": 1,
    "default_prompt_scale": 1.0,
    "default_imagined_steps": 20,
    "default_imagined_guidance": 2.0,
}
"""How a model draws that is of no pipeline yet."""


def export_pipeline(
    folders: Sequence[str | Path],
    out: str | Path,
    *,
    size: str = "bundled",
    dtype: torch.dtype = torch.float16,
    steps: int | None = None,
    guidance: float | None = None,
    warp_strength: float | None = None,
    warp_grain: float | None = None,
    upscale: int | None = None,
    prompt_scale: float | None = None,
    imagined_steps: int | None = None,
    imagined_guidance: float | None = None,
) -> HiFiPortraitPipeline:
    """Gather all parts of a pipeline from training runs and prepared folders, and save it to ``out``.

    Parameters
    ----------
    folders
        Runs, prepared folders, pipelines; "bundled" is the package's own. Each part is taken from the first
        that has it, and one must hold the tokenizers, as a prepared one does.
    out
        The pipeline's folder.
    size
        The model size that was trained.
    dtype
        Number format of the weights.
    steps
        The model's default number of steps. This and what follows are by default as in the first pipeline
        of ``folders`` with such a UNet; without one, 20 steps, guidance 2, strength 1, grain 1, factor 1,
        prompt scale 1, and 20 steps with guidance 2 from noise.
    guidance
        Its default guidance scale.
    warp_strength
        Its default fraction of the schedule, in [0, 1], that the warp is noised by at the start; 1 starts
        from noise.
    warp_grain
        Its default noise scale of such starts, in [0, 1].
    upscale
        Its default factor of the picture's size.
    prompt_scale
        Its default of how much of what a prompt changes is added to a start from the warp.
    imagined_steps, imagined_guidance
        Its default number of steps, and guidance scale, where a start from noise is asked for.

    Raises
    ------
    ModelError
        A part or the tokenizers are in none of the folders, or the autoencoder is of another kind than that
        of ``size``.
    ValueError
        ``steps``, ``imagined_steps`` or ``upscale`` is not an integer of 1 or more.
    """
    asked = {
        "default_steps": steps,
        "default_guidance": guidance,
        "default_warp_strength": warp_strength,
        "default_warp_grain": warp_grain,
        "default_upscale": upscale,
        "default_prompt_scale": prompt_scale,
        "default_imagined_steps": imagined_steps,
        "default_imagined_guidance": imagined_guidance,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    counts = {"steps": steps, "imagined_steps": imagined_steps, "upscale": upscale}
    check_counts(**{name: count for name, count in counts.items() if count is not None})
    with torch.device("meta"):  # what they are, not their weights
        parts = build(size, _NETWORKS)
    classes = {name: type(parts[name]).__name__ for name in _NETWORKS}
    places = {name: find_part(folders, name, classes[name]) for name in _NETWORKS}
    missing = [name for name, place in places.items() if place is None]
    tokenizers = next((f for f in map(model_folder, folders) if (f / "tokenizer").is_dir()), None)
    if missing or tokenizers is None:
        names = ", ".join([*missing, *(["tokenizer"] if tokenizers is None else [])])
        raise ModelError(f"no {names} in {', '.join(map(str, folders))}: add the run or folder that holds it")
    for name, place in places.items():
        logger.info("%s from %s", name, place)
        check_kind(cast(Path, place), classes[name], size)
        parts[name] = _without_origin(type(parts[name]).from_pretrained(place)).to(dtype)
    parts["scheduler"] = _load_scheduler(folders) or build(size, ["scheduler"])["scheduler"]
    for name in ("tokenizer", "tokenizer_2"):
        parts[name] = CLIPTokenizer.from_pretrained(tokenizers / name)
    defaults = _read_defaults(folders, cast(Path, places["unet"]))
    pipeline: Any = HiFiPortraitPipeline(**parts, **defaults | given)
    pipeline.save_pretrained(out, safe_serialization=True)
    return cast(HiFiPortraitPipeline, pipeline)


def _read_defaults(folders: Sequence[str | Path], unet: Path) -> dict[str, Any]:
    """Read how a model draws by default from the first pipeline with a UNet of the same settings, if any.

    One with another UNet, from which face models may be taken, was trained to draw otherwise.
    """
    for folder in map(model_folder, folders):
        index, config = folder / "model_index.json", folder / "unet" / "config.json"
        if index.is_file() and config.is_file() and _are_alike(config, unet / "config.json"):
            given = json.loads(index.read_text())
            return _DEFAULTS | {name: given[name] for name in _DEFAULTS if name in given}
    return dict(_DEFAULTS)


def _are_alike(config: Path, other: Path) -> bool:
    """Tell whether two models have the same settings; what only a newer diffusers writes may be missing."""
    one, two = (json.loads(place.read_text()) for place in (config, other))
    return all(one[key] == two[key] for key in one.keys() & two.keys() if not key.startswith("_"))


def _load_scheduler(folders: Sequence[str | Path]) -> Any:
    """Load the base model's scheduler, which knows whether it predicts noise or velocity; None without."""
    for folder in map(model_folder, folders):
        place = folder / "scheduler" / "scheduler_config.json"
        if place.is_file():
            name = json.loads(place.read_text())["_class_name"]
            return getattr(diffusers, name).from_pretrained(folder / "scheduler")
    return None


def _without_origin(model: Any) -> Any:
    """Copy a model without the name of the folder that it came from, which diffusers would save."""
    if not isinstance(model, ConfigMixin):
        return model
    fresh: Any = type(model).from_config({k: v for k, v in model.config.items() if not k.startswith("_")})
    fresh.load_state_dict(model.state_dict())
    return fresh
