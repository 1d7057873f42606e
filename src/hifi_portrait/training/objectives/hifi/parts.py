"""The parts that the objective `hifi` trains or freezes, with the requested settings and weights."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from hifi_portrait.errors import ModelError
from hifi_portrait.models.build import size_config
from hifi_portrait.models.designs import design_overrides
from hifi_portrait.models.hifi_net import HiFiNet
from hifi_portrait.training.data.prepared import Prepared
from hifi_portrait.training.engine.weights import find_part, load_parts
from hifi_portrait.training.objectives.hifi.config import AS_GIVEN, FACE_PARTS, HiFiConfig
from hifi_portrait.training.objectives.hifi.critic import LatentCritic
from hifi_portrait.training.objectives.hifi.start import (
    CRITIC,
    check_parts,
    check_start,
    given_parts,
    load_clip,
    starts_from_clip,
)

logger = logging.getLogger(__name__)


def hifi_parts(config: HiFiConfig, data: str | Path, *, seed: int = 0) -> dict[str, nn.Module]:
    """Load or make all parts by name.

    Parameters
    ----------
    config
        Names the design, the folders to start from and what learns.
    data
        Prepared folder, whose autoencoder is taken.
    seed
        Seed of fresh weights.

    Raises
    ------
    ModelError
        A part is missing, or was made with other settings than the requested ones or for other data.
    """
    prepared = Prepared(data)
    check_start(config, prepared)
    encoders = [] if config.data.cached_text else ["text_encoder", "text_encoder_2"]
    names = ["unet", *encoders, *FACE_PARTS]
    frozen = [name for name in names if name not in config.trainable]
    overrides = _overrides(config, prepared.embedding_size)
    from_clip = starts_from_clip(config)
    parts = load_parts(
        config.size,
        [name for name in names if not (from_clip and name == "face_encoder")],
        config.init_from,
        overrides=overrides,
        required=[name for name in frozen if name not in FACE_PARTS],
        fresh=[
            name for name in config.fresh if name != CRITIC and not (from_clip and name == "face_encoder")
        ],
        half=frozen if config.frozen_in_half else (),
        seed=seed,
    )
    if from_clip:
        parts["face_encoder"] = load_clip(config, overrides, seed=seed)
        parts = {name: parts[name] for name in names}
    parts |= load_parts(config.size, ["vae"], [data], required=["vae"])
    check_parts(parts, config)
    if config.gradient_checkpointing:
        for name in ("unet", "hifi_net", "face_encoder"):
            part: Any = parts[name]
            if any(hasattr(module, "gradient_checkpointing") for module in part.modules()):
                part.enable_gradient_checkpointing()
    if config.losses.adversary > 0:
        vae: Any = parts["vae"]
        parts[CRITIC] = _critic(config, vae.config.latent_channels, seed)
    return parts


def _critic(config: HiFiConfig, latent_channels: int, seed: int) -> LatentCritic:
    """Load the critic of the run to start from, or make a fresh one."""
    folder = None if CRITIC in config.fresh else find_part(config.init_from, CRITIC, LatentCritic.__name__)
    if folder is not None:
        logger.info("%s from %s", CRITIC, folder)
        critic: LatentCritic = LatentCritic.from_pretrained(folder)
        if critic.config.latent_channels != latent_channels:
            raise ModelError(
                f"{folder} judges latents of {critic.config.latent_channels} channels, not of "
                f'{latent_channels}: set hifi.fresh = ["critic"]'
            )
        return critic
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh: LatentCritic = LatentCritic(latent_channels=latent_channels)
        return fresh


def _overrides(config: HiFiConfig, embedding_size: int) -> dict[str, dict[str, Any]]:
    """Give the design's settings, less the sources of guidance that are switched off."""
    overrides = _as_given(config) if config.design == AS_GIVEN else design_overrides(config.design)
    overrides.setdefault("face_encoder", {})["recogniser_dim"] = embedding_size
    folder = find_part(config.init_from, "face_encoder") if "face_encoder" in given_parts(config) else None
    if folder is not None:  # its vision tower may be any CLIP's
        overrides["face_encoder"]["vision"] = json.loads((folder / "config.json").read_text())["vision"]
    hifi_net = overrides.setdefault("hifi_net", {})
    for name in ("surface_alignment", "warp_latents", "face_tokens"):
        if not getattr(config, name):
            hifi_net[name] = False
    if config.transformer_layers:
        levels = len(size_config(config.size)["hifi_net"]["block_out_channels"])
        if len(config.transformer_layers) != levels:
            raise ModelError(
                f"hifi.transformer_layers must have {levels} numbers, one for each level of resolution, not "
                f"{list(config.transformer_layers)}"
            )
        hifi_net["transformer_layers_per_block"] = list(config.transformer_layers)
    if not config.latent_prior:
        hifi_net["latent_prior"] = 0
    return overrides


def _as_given(config: HiFiConfig) -> dict[str, dict[str, Any]]:
    """Read the settings that the face parts in ``init_from`` were made with."""
    settings = {}
    for name in FACE_PARTS:
        folder = find_part(config.init_from, name)
        if folder is None:
            raise ModelError(
                f"no {name} in {list(config.init_from)}, whose settings hifi.design = {AS_GIVEN!r} takes"
            )
        made_with = json.loads((folder / "config.json").read_text())
        settings[name] = {key: value for key, value in made_with.items() if not key.startswith("_")}
    return settings


def take_over_prior(hifi_net: HiFiNet, folders: Sequence[str | Path]) -> bool:
    """Give a HiFi-Net the latent prior that the base model of ``folders`` learnt with, if it did.

    It is that of the HiFi-Net beside the base model. One in another folder is of another base model.

    Returns
    -------
    bool
        Whether there is one.

    Raises
    ------
    ModelError
        The two priors are of other sizes, or ``hifi_net`` has none.
    """
    base = find_part(folders, "unet", "UNet2DConditionModel")
    folder = None if base is None else find_part([base.parent], "hifi_net")
    if folder is None:
        return False
    given = HiFiNet.from_pretrained(folder).prior
    if given is None:
        return False
    if hifi_net.prior is None or hifi_net.prior.mean.shape != given.mean.shape:
        raise ModelError(
            f"the base model in {folder} has a latent prior of shape {tuple(given.mean.shape)}, but the new "
            "HiFi-Net has none or another: set hifi.latent_prior = true and the base model's hifi.size"
        )
    hifi_net.prior.load_state_dict(given.state_dict())
    return True
