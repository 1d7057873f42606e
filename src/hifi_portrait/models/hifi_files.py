"""HiFi-Net and the face networks without a base model: a folder, a hub repository, or one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from hifi_portrait.errors import ModelError
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.io.hub import check_reachable
from hifi_portrait.models.dtypes import Dtypes, dtype_of, saved_dtype
from hifi_portrait.models.files import HIFI_PARTS, check_name, check_weights, reading

FORMAT = "hifi-portrait.hifi"

_CLASSES = {
    "hifi_net": "HiFiNet",
    "face_encoder": "FaceEncoder",
    "face_refiner": "FaceRefiner",
    "face_attention": "FaceAttention",
}


def save_hifi_parts(parts: Mapping[str, Any], to: str | Path) -> None:
    """Write HiFi-Net and the face networks, as `load_hifi_parts` reads them; one file is written atomically.

    Parameters
    ----------
    parts
        Part name -> model, for each of `HIFI_PARTS`.
    to
        A folder, or one file if its name ends in `.safetensors`.
    """
    to = Path(to)
    if to.suffix != ".safetensors":
        for name in HIFI_PARTS:
            parts[name].save_pretrained(to / name)
        return
    tensors: dict[str, torch.Tensor] = {}
    metadata = {"format": FORMAT}
    for name in HIFI_PARTS:
        metadata[name] = parts[name].to_json_string()
        tensors |= {f"{name}.{key}": value.contiguous() for key, value in parts[name].state_dict().items()}
    with atomic_write(to) as partial:
        save_file(tensors, partial, metadata)


def load_hifi_parts(source: str | Path, dtype: Dtypes, **hub: Any) -> dict[str, Any]:
    """Load HiFi-Net and the face networks.

    Parameters
    ----------
    source
        A folder with one sub-folder a part, a file that `save_hifi_parts` wrote, or a hub id.
    dtype
        Of the weights: one, one for each part (`dtype_of`), or "auto" for those they were saved in.
    hub
        `revision`, `token`, `cache_dir` and `local_files_only` of a download.

    Raises
    ------
    ModelError
        If something is missing, damaged, or of another kind.
    """
    check_name(source)
    if Path(source).suffix == ".safetensors":
        return _from_file(Path(source), dtype)
    folder = Path(source) if Path(source).is_dir() else _downloaded(str(source), hub)
    loaded = {}
    for part in HIFI_PARTS:
        if not (folder / part / "config.json").is_file():
            raise ModelError(f"{folder} has no {part}/config.json: it must hold {', '.join(HIFI_PARTS)}")
        check_weights(folder / part)
        with reading(folder / part):
            saved = saved_dtype(folder / part)
            loaded[part] = _class(part).from_pretrained(folder / part, dtype=dtype_of(part, dtype, saved))
    return loaded


def _class(part: str) -> Any:
    return getattr(import_module("hifi_portrait.models"), _CLASSES[part])


def _from_file(file: Path, dtype: Dtypes) -> dict[str, Any]:
    if not file.is_file():
        raise ModelError(f"there is no file {file} with HiFi weights")
    try:
        with safe_open(file, framework="pt") as weights:
            metadata = weights.metadata() or {}
            tensors = {name: weights.get_tensor(name) for name in weights.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{file} is damaged or incomplete ({error}): get the file anew") from error
    if metadata.get("format") != FORMAT:
        raise ModelError(f"{file} holds no HiFi weights: it must be a file that save_hifi wrote")
    loaded = {}
    for part in HIFI_PARTS:
        own = {
            name.removeprefix(f"{part}."): value
            for name, value in tensors.items()
            if name.startswith(f"{part}.")
        }
        with reading(file):
            model = _class(part).from_config(json.loads(metadata[part]))
            model.load_state_dict(own)
        saved = next((value.dtype for value in own.values() if value.is_floating_point()), torch.float32)
        loaded[part] = model.to(dtype_of(part, dtype, saved)).eval()
    return loaded


def _downloaded(name: str, hub: dict[str, Any]) -> Path:
    check_reachable(name, file=f"{HIFI_PARTS[0]}/config.json", **hub)
    patterns = [f"{part}/*" for part in HIFI_PARTS]
    try:
        return Path(snapshot_download(name, allow_patterns=patterns, **hub))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"there is no folder {name} with HiFi weights, nor such a hub repository: {error}"
        ) from error
