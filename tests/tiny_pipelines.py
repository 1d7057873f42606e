"""Tiny pipelines of the real classes, a painted person, and pictures of both."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import StableDiffusionXLPipeline

from hifi_portrait.head import HeadPose
from hifi_portrait.models import build
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline import HiFiPortraitPipeline
from hifi_portrait.training.data.tokenizer import train_tokenizer
from painted_heads import person
from tiny_models import randomised

FACE_PARTS = ("hifi_net", "face_encoder", "face_refiner", "face_attention")
PLAIN_PARTS = ("vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "scheduler")
TARGET = Target.preset("smile", pose=HeadPose(yaw=10))


def an_identity(references=2, seed=0):
    yaws = tuple(np.linspace(-25, 25, references)) if references > 1 else (0.0,)
    photos = person(yaws, seed=seed)
    return Identity(
        sources=tuple(f"photo {i}" for i in range(references)),
        crops=photos.crops,
        mattes=photos.mattes,
        landmarks=photos.landmarks,
        embeddings=photos.embeddings,
        quality=photos.quality,
        geometries=photos.geometries,
        identity=photos.geometries[0].identity.copy(),
    )


def a_pipeline(trained=True, overrides=None):
    parts = build("tiny", seed=0, overrides=overrides)
    tokenizer = train_tokenizer([], 514)
    if trained:
        for part in ("hifi_net", "face_attention"):
            randomised(parts[part])
    pipe = HiFiPortraitPipeline(tokenizer=tokenizer, tokenizer_2=tokenizer, **parts)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def draw(pipe, identity, target=TARGET, seed=0, **settings):
    settings = {"num_inference_steps": 3, "output_type": "np"} | settings
    return pipe(identity, target, generator=torch.Generator().manual_seed(seed), **settings).images


def draw_plain(pipe, **settings):
    plain = StableDiffusionXLPipeline(**{name: getattr(pipe, name) for name in PLAIN_PARTS})
    plain.set_progress_bar_config(disable=True)
    settings = {"prompt": "", "num_inference_steps": 3, "guidance_scale": 2.0, "output_type": "np"} | settings
    return plain(generator=torch.Generator().manual_seed(0), **settings).images
