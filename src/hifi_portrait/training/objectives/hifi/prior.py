"""The latent prior of a run, measured on its training photos."""

from __future__ import annotations

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch.nn import functional as F

from hifi_portrait.models.latent_prior import LatentPrior
from hifi_portrait.models.latents import encode_picture
from hifi_portrait.training.engine.samples import ENDLESS
from hifi_portrait.training.objectives.hifi.data import HiFiData
from hifi_portrait.training.objectives.hifi.packed import unpack_batch

_PRIOR_PHOTOS = 1500
"""Photos whose latents' moments make the prior of what no warp shows."""

_PRIOR_PAIRS = 128
"""Samples whose latents, beside their warps', make the prior of what a warp shows."""


def calibrate_prior(prior: LatentPrior, vae: AutoencoderKL, data: HiFiData) -> None:
    """Measure the latents' moments, alone and beside the warp's, on training photos."""
    prepared = data.prepared
    photos = prepared.photos("train")
    chosen = np.random.default_rng(0).choice(photos, min(_PRIOR_PHOTOS, len(photos)), replace=False)
    pairs = unpack_batch(data.collate([data.square_sample(ENDLESS - i) for i in range(_PRIOR_PAIRS)]))
    faces = pairs["faces"]
    warps = torch.cat([encode_picture(vae, warp) for warp in faces.warp.split(8)])
    coverage = F.adaptive_avg_pool2d(faces.warp_coverage, warps.shape[-1])
    latents = torch.stack([prepared.latents(int(photo)) for photo in chosen])
    prior.calibrate(latents, pairs["latents"], warps, coverage)
