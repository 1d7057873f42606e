"""InstantID's published weights (arXiv 2401.07519) as HiFi-Net and face networks.

Its two files, as its public loading code reads them: a ControlNet of SDXL's layout, whose cross-attention
reads face tokens and whose control image is five keypoints; and `ip-adapter.bin`, which holds `image_proj`,
a resampler of the recogniser's raw embedding, and `ip_adapter`, keys and values of the face tokens for each
cross-attention layer of the UNet, by the odd places in the list of its attention processors.
"""

from __future__ import annotations

import inspect
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from hifi_portrait.errors import ModelError
from hifi_portrait.models.face_attention import FaceAttention
from hifi_portrait.models.face_encoder import FaceEncoder
from hifi_portrait.models.face_refiner import FaceRefiner
from hifi_portrait.models.files import reading
from hifi_portrait.models.hifi_net import HiFiNet

_HEAD_DIM = 64  # of the published resampler
_IN_LAYER = ("attention", "feed_forward")


def load_instantid(controlnet: str | Path, adapter: str | Path) -> dict[str, Any]:
    """Load HiFi-Net and the face networks with InstantID's weights.

    A model made of them draws what InstantID draws for one reference, from the recogniser InstantID was
    trained with (`faces.ArcFaceRecogniser`); several references are fused by the quality of their photos.

    Parameters
    ----------
    controlnet
        Folder of its ControlNet, as diffusers saves one.
    adapter
        Its `ip-adapter.bin`, or the same tensors as a `.safetensors` file. Nothing in it is executed.

    Returns
    -------
    dict
        `hifi_net`, `face_encoder`, `face_refiner` and `face_attention`, in float32: what
        `models.save_hifi_parts` writes and `HiFiPortraitPipeline.from_pretrained(base, hifi=...)` reads.

    Raises
    ------
    ModelError
        If a file is missing, damaged, or of another model.
    """
    hifi_net = _hifi_net(Path(controlnet))
    groups = _grouped(_read_adapter(Path(adapter)))
    try:
        return {
            "hifi_net": hifi_net,
            "face_encoder": _face_encoder(groups["image_proj"]),
            "face_refiner": _face_refiner(groups["image_proj"]),
            "face_attention": _face_attention(groups["ip_adapter"]),
        }
    except (KeyError, ValueError, RuntimeError, IndexError) as error:
        raise ModelError(
            f"{adapter} is no adapter of InstantID's layout: {error}. Give the `ip-adapter.bin` published "
            "with its ControlNet"
        ) from error


def _read_adapter(file: Path) -> Mapping[Any, Any]:
    """Read what the file holds: tensors by name, or by part and name."""
    if not file.is_file():
        raise ModelError(f"there is no adapter {file}: give InstantID's ip-adapter.bin")
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        read = torch.load(file, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, OSError, EOFError, KeyError) as error:
        raise ModelError(
            f"{file} is damaged, or no file of tensors alone, which is all that is read: get the file anew"
        ) from error
    return read if isinstance(read, Mapping) else {}


def _grouped(read: Mapping[Any, Any]) -> dict[str, dict[str, Tensor]]:
    """Sort the tensors by part and name; other things are left out."""
    flat = dict(read)
    for group, own in read.items():
        if isinstance(own, Mapping):
            flat |= {f"{group}.{name}": value for name, value in own.items()}
    groups: dict[str, dict[str, Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for name, value in flat.items():
        group, _, rest = str(name).partition(".")
        if group in groups and isinstance(value, Tensor):
            groups[group][rest] = value.float()
    return groups


def _hifi_net(folder: Path) -> HiFiNet:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} is no ControlNet: it has no config.json")
    with reading(folder):
        published = ControlNetModel.from_pretrained(folder)
    config = published.config
    if config.addition_embed_type != "text_time":
        raise ModelError(f"{folder} holds a ControlNet for another architecture than SDXL")
    settings = inspect.signature(HiFiNet.__init__).parameters
    shared = {name: config[name] for name in settings if name in config}
    hifi_net: HiFiNet = HiFiNet(
        **shared,
        warp_latents=False,
        surface_alignment=False,
        text_tokens=False,
        keypoints=True,
    )
    try:
        hifi_net.load_state_dict(published.state_dict())
    except RuntimeError as error:
        raise ModelError(f"the ControlNet in {folder} is not of SDXL's layout: {error}") from error
    return hifi_net


def _face_encoder(weights: Mapping[str, Tensor]) -> FaceEncoder:
    width = weights["proj_in.weight"].shape[1]
    encoder: FaceEncoder = FaceEncoder(
        {}, recogniser_dim=width, output_dim=width, patches=False, projected=False
    )
    return encoder


def _face_refiner(weights: Mapping[str, Tensor]) -> FaceRefiner:
    _, num_tokens, dim = weights["latents"].shape
    output_dim, _ = weights["proj_out.weight"].shape
    num_layers = sum(name.endswith(".0.to_q.weight") for name in weights)
    refiner: FaceRefiner = FaceRefiner(
        form="resampled",
        encoder_dim=weights["proj_in.weight"].shape[1],
        resampler_dim=dim,
        token_dim=output_dim,
        num_tokens=num_tokens,
        num_layers=num_layers,
        num_heads=dim // _HEAD_DIM,
        poses=False,
        maps=False,
    )
    named = {f"projected.resampler.{_own_name(name)}": value for name, value in weights.items()}
    refiner.load_state_dict(named)
    return refiner


def _own_name(name: str) -> str:
    """Translate the name of a tensor of the published resampler to that in ours."""
    if name == "latents":
        return "queries"
    return re.sub(r"^(layers\.\d+)\.([01])\.", lambda m: f"{m[1]}.{_IN_LAYER[int(m[2])]}.", name)


def _face_attention(weights: Mapping[str, Tensor]) -> FaceAttention:
    places = sorted({int(name.partition(".")[0]) for name in weights})
    keys = [weights[f"{place}.to_k_ip.weight"] for place in places]
    attention: FaceAttention = FaceAttention(
        token_dim=keys[0].shape[1], hidden_sizes=[len(key) for key in keys]
    )
    named = {}
    for index, place in enumerate(places):
        named[f"to_k.{index}.weight"] = weights[f"{place}.to_k_ip.weight"]
        named[f"to_v.{index}.weight"] = weights[f"{place}.to_v_ip.weight"]
    attention.load_state_dict(named)
    return attention
