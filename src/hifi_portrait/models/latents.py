"""Between pictures and scaled latents, through an autoencoder that may have to run in another precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from diffusers import AutoencoderKL
from torch import Tensor


def reduction(vae: AutoencoderKL) -> int:
    """By which factor an autoencoder reduces the sides of pictures."""
    return int(2 ** (len(vae.config.block_out_channels) - 1) * vae.config.get("patch_size", 1))


@torch.no_grad()
def encode_picture(vae: AutoencoderKL, picture: Tensor) -> Tensor:
    """Scaled latents (B, C, h, w) of pictures (B, 3, H, W) in [-1, 1]: the posterior's mode, no noise."""
    dtype = vae.dtype
    with _without_overflow(vae):
        encoded = vae.encode(picture.to(vae.dtype))
        # A tiny autoencoder (TAESD) gives latents alone.
        mode = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latents
        latents = mode * vae.config.scaling_factor
    output: Tensor = latents.to(dtype)
    return output


def decode_picture(vae: AutoencoderKL, latents: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) float32, about in [-1, 1], of scaled latents (B, C, h, w)."""
    with _without_overflow(vae):
        picture: Tensor = vae.decode((latents / vae.config.scaling_factor).to(vae.dtype)).sample
    return picture.float()


@contextmanager
def _without_overflow(vae: AutoencoderKL) -> Iterator[None]:
    """Use float32 within this context, if the autoencoder's config names half precision too small for it."""
    dtype = vae.dtype
    overflows = dtype == torch.float16 and vae.config.force_upcast
    if overflows:
        vae.to(dtype=torch.float32)
    try:
        yield
    finally:
        if overflows:
            vae.to(dtype=dtype)
