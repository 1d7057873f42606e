"""Latents of pictures by the autoencoder that a prepared folder keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from diffusers import AutoencoderKL

from hifi_portrait.errors import DatasetError
from hifi_portrait.models.latents import encode_picture
from hifi_portrait.training.engine.precision import autocast_where_fast
from hifi_portrait.training.engine.weights import find_part


class LatentEncoder:
    """The autoencoder in ``folder``: its own, that of a pipeline or that of a training run.

    Raises
    ------
    DatasetError
        There is none.
    """

    def __init__(self, folder: str | Path) -> None:
        place = find_part([folder], "vae", "AutoencoderKL")
        if place is None:
            raise DatasetError(f"no autoencoder in {folder}: give its folder or its training run")
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model: AutoencoderKL = AutoencoderKL.from_pretrained(place).eval()
        self.model.to(self.device, memory_format=torch.channels_last)
        self.factor = 2 ** (len(self.model.config.block_out_channels) - 1)

    @property
    def channels(self) -> int:
        """Of the latents."""
        return int(self.model.config.latent_channels)

    def __call__(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        """Scaled latents (B, C, h, w) of pictures (B, H, W, 3)."""
        pixels = torch.tensor(crops).permute(0, 3, 1, 2).float() / 127.5 - 1
        pixels = pixels.to(self.device, memory_format=torch.channels_last)
        with autocast_where_fast(self.device):
            encoded = encode_picture(self.model, pixels)
        return encoded.float().cpu().numpy().astype(np.float16)
