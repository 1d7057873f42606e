"""What a run of the objective `hifi` starts from: checked before the first step, as far as files tell."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from hifi_portrait.errors import ModelError
from hifi_portrait.models.build import size_config
from hifi_portrait.models.designs import design_overrides
from hifi_portrait.models.face_encoder import FaceEncoder
from hifi_portrait.pipeline.check_inputs import check_fit
from hifi_portrait.training.data.cached_text import CachedText
from hifi_portrait.training.data.prepared import Prepared
from hifi_portrait.training.data.tokenizer import check_tokenizers
from hifi_portrait.training.engine.weights import find_part
from hifi_portrait.training.objectives.hifi.config import AS_GIVEN, FACE_PARTS, HiFiConfig
from hifi_portrait.training.objectives.hifi.recogniser import check_recogniser

logger = logging.getLogger(__name__)

CRITIC = "critic"
"""Name of the critic's part; only training has it."""


def given_parts(config: HiFiConfig) -> set[str]:
    """Find the face parts whose weights are taken from folders rather than made afresh."""
    known = {name for name in FACE_PARTS if find_part(config.init_from, name) is not None}
    return known - set(config.fresh)


def starts_from_clip(config: HiFiConfig) -> bool:
    """Tell whether a run's face encoder is fresh and has its vision tower from a published CLIP."""
    return bool(config.clip) and "face_encoder" not in given_parts(config) and _reads_patches(config)


def load_clip(config: HiFiConfig, overrides: Mapping[str, dict[str, Any]], *, seed: int) -> FaceEncoder:
    """Make a fresh face encoder whose vision tower is the CLIP's that ``config`` names.

    Parameters
    ----------
    config
        Names the CLIP and the model size.
    overrides
        Settings by part in place of the size's.
    seed
        Seed of the weights beside the vision tower's.

    Raises
    ------
    ModelError
        There is no such CLIP.
    """
    settings = size_config(config.size)["face_encoder"] | overrides.get("face_encoder", {})
    del settings["vision"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder: FaceEncoder = FaceEncoder.from_clip(config.clip, **settings)
    logger.info("face_encoder with the vision tower of %s", config.clip)
    return encoder


def check_start(config: HiFiConfig, prepared: Prepared) -> None:
    """Check that a run starts from all that it needs, and that all of it will be there to be exported.

    Raises
    ------
    ModelError
        Something would stay random, start from random weights unasked, or does not go with the data.
    """
    given = given_parts(config)
    random = [name for name in FACE_PARTS if name not in config.trainable and name not in given]
    if random:
        hint = (
            "; hifi.frozen_clip = true leaves its vision tower as CLIP's" if "face_encoder" in random else ""
        )
        raise ModelError(
            f"{' and '.join(random)} would stay random, in no folder of hifi.init_from and not learning: add "
            f"it to hifi.trainable{hint}, or a folder that has it to hifi.init_from"
        )
    if config.losses.adversary > 0 and CRITIC not in config.trainable:
        raise ModelError(
            f"hifi.losses.adversary needs a critic that learns: add {CRITIC!r} to hifi.trainable"
        )
    _check_teacher(config, given)
    if "face_encoder" not in given and _reads_patches(config) and not config.clip:
        _check_random_clip(config)
    _check_embeddings(config, prepared)
    if not config.data.cached_text:
        _check_reading(config, prepared)


def check_parts(parts: Mapping[str, Any], config: HiFiConfig) -> None:
    """Check that loaded parts were made for each other, and that something learns.

    Raises
    ------
    ModelError
        They were not, or nothing does.
    """
    unet = parts["unet"]
    check_fit(unet, *(parts[name] for name in ("hifi_net", "face_encoder", "face_refiner", "face_attention")))
    widths = list(parts["hifi_net"].config.block_out_channels)
    if list(unet.config.block_out_channels) != widths:
        raise ModelError(
            f"the base model's levels are {list(unet.config.block_out_channels)} wide, but HiFi-Net's "
            f"{widths}: set hifi.size to the base model's"
        )
    channels = parts["vae"].config.latent_channels
    if unet.config.in_channels != channels:
        raise ModelError(
            f"the prepared latents have {channels} channels, but the base model reads "
            f"{unet.config.in_channels}: prepare the photos with its own autoencoder (--vae)"
        )
    learning = [name for name in config.trainable if name in parts]
    if learning and not any(True for name in learning for _ in parts[name].parameters()):
        raise ModelError(f"nothing learns: {', '.join(learning)} of this design have no parameters")
    if not config.trainable:
        raise ModelError("nothing learns: hifi.trainable is empty")


def check_data(config: HiFiConfig, prepared: Prepared, text: CachedText | None, parts: Any) -> None:
    """Check that the networks can read what was prepared.

    Raises
    ------
    ModelError
        They cannot; the message names what does not fit.
    """
    width = parts["unet"].config.cross_attention_dim
    if config.losses.identity > 0:
        check_recogniser(config.losses, prepared)
    if text is not None and text.width != width:
        raise ModelError(
            f"{prepared.folder} has embeddings of captions {text.width} numbers wide, but the base model "
            f"reads {width}: prepare it with the base's own text encoders (--text)"
        )
    if text is not None and parts["face_refiner"].in_prompt:
        raise ModelError(f"the design {config.design} changes captions: set hifi.data.cached_text = false")


def check_memory(config: HiFiConfig) -> None:
    """Check that samples can be looked at once and kept.

    Raises
    ------
    ModelError
        Something of a sample would change.
    """
    if config.kept_samples % config.data.equal_counts:
        raise ModelError("hifi.kept_samples must be a multiple of hifi.data.equal_counts")
    if fresh := {"face_encoder", "face_refiner", "hifi_net"} - given_parts(config):
        names = " and ".join(sorted(fresh))
        raise ModelError(f"with hifi.kept_samples {names} must have learnt to see: add to hifi.init_from")
    learning = {"face_encoder", "face_refiner"}.intersection(config.trainable)
    if learning:
        names = " and ".join(sorted(learning))
        raise ModelError(f"with hifi.kept_samples {names} see each sample once: freeze them")
    if config.losses.identity > 0 or config.losses.landmarks > 0:
        raise ModelError("hifi.kept_samples have no pictures: set hifi.losses.identity, landmarks to 0")


def find_fresh(parts: Any, config: HiFiConfig, of_unet: Collection[str]) -> set[str]:
    """Find which of the parameters that learn start from nothing, by their names in an objective.

    Parameters
    ----------
    parts
        The parts by name.
    config
        Names the folders that the others are taken from.
    of_unet
        Names of HiFi-Net's parameters that were copied from the UNet.
    """
    copied = {f"hifi_net.{name}" for name in of_unet}
    for name in parts:
        if name not in config.fresh and find_part([*config.init_from], name) is not None:
            copied |= {f"{name}.{parameter}" for parameter, _ in parts[name].named_parameters()}
    if starts_from_clip(config):
        copied |= {f"face_encoder.tower.{n}" for n, _ in parts["face_encoder"].tower.named_parameters()}
    learning = {f"{name}.{p}" for name in config.trainable for p, _ in parts[name].named_parameters()}
    return {f"parts.{name}" for name in learning - copied}


def freeze_clip(face_encoder: Any, *, half: bool) -> None:
    """Freeze a face encoder's vision tower, in bfloat16 if ``half``; the rest of it is left as it is."""
    tower: nn.Module = face_encoder.tower
    tower.requires_grad_(False)
    if half:
        tower.to(torch.bfloat16)


def _reads_patches(config: HiFiConfig) -> bool:
    """Tell whether the design's face encoder has a vision tower."""
    if config.design == AS_GIVEN:
        folder = find_part(config.init_from, "face_encoder")
        return folder is not None and bool(json.loads((folder / "config.json").read_text())["patches"])
    return bool(design_overrides(config.design).get("face_encoder", {}).get("patches", True))


def _check_teacher(config: HiFiConfig, given: Collection[str]) -> None:
    if config.teacher_steps == 0:
        return
    few, many = config.student_steps, config.teacher_steps
    if few < 1 or many < 2 * few or many % few:
        raise ModelError(
            f"hifi.teacher_steps must be 0 or a multiple of hifi.student_steps, {few}, and at least twice as"
            f" many, not {many}"
        )
    if fresh := [name for name in ("hifi_net", "face_attention") if name not in given]:
        raise ModelError(
            f"hifi.teacher_steps needs a teacher that can draw, but {' and '.join(fresh)} would start afresh:"
            " add a folder that has them to hifi.init_from"
        )


def _check_random_clip(config: HiFiConfig) -> None:
    published = size_config(config.size).get("clip")
    if config.frozen_clip:
        raise ModelError(
            "hifi.frozen_clip would freeze random weights: name a CLIP in hifi.clip, or add a folder with a "
            "face_encoder to hifi.init_from"
        )
    if published is None:  # a small tower is made to learn from nothing
        return
    if not config.random_clip:
        raise ModelError(
            f"the face encoder's vision tower, of the size of {published}, would start from random weights: "
            f'set hifi.clip = "{published}" or a folder that has it, or a folder with a face_encoder in '
            "hifi.init_from; hifi.random_clip = true starts from random weights all the same"
        )
    logger.warning(
        "the face encoder's vision tower starts from RANDOM weights, not from those of %s", published
    )


def _check_embeddings(config: HiFiConfig, prepared: Prepared) -> None:
    """Raise ModelError where the face encoder that a run starts from reads other embeddings."""
    folder = None if "face_encoder" in config.fresh else find_part(config.init_from, "face_encoder")
    if folder is None:
        return
    made_with = json.loads((folder / "config.json").read_text())["recogniser_dim"]
    if made_with != prepared.embedding_size:
        theirs = prepared.recogniser or "the default recogniser"
        raise ModelError(
            f"{folder} reads embeddings of {made_with} numbers, but {prepared.folder} has those of {theirs}, "
            f"of {prepared.embedding_size}: prepare the photos anew with the recogniser that it goes with "
            "(--recogniser, or without for the default one)"
        )


def _check_reading(config: HiFiConfig, prepared: Prepared) -> None:
    """Raise DatasetError where frozen text encoders would read other words than they learnt."""
    if "text_encoder" in config.trainable:
        return
    folder = find_part(config.init_from, "text_encoder")
    if folder is not None:
        check_tokenizers(prepared.folder, Path(folder).parent)
