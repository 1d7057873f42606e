"""Objective: the autoencoder (AutoencoderKL), on random crops of photos."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from hifi_portrait.dataset.format import IDDataset
from hifi_portrait.faces.dlib_resnet import DlibResNet
from hifi_portrait.training.engine.objective import Batch, Objective
from hifi_portrait.training.engine.samples import shuffled_index
from hifi_portrait.training.engine.weights import load_parts
from hifi_portrait.training.objectives.losses import (
    RecogniserFeatureLoss,
    kl_loss,
    multiscale_gradient_loss,
    ssim_loss,
)
from hifi_portrait.training.objectives.sheets import arrange_grid, to_image, to_tensor


@dataclass(frozen=True, kw_only=True)
class AutoencoderLosses:
    """Weights of the loss terms. ``recogniser`` joins once ``recogniser_from`` of the run is done."""

    l1: float = 1.0
    gradient: float = 0.5
    ssim: float = 0.0
    kl: float = 1e-4
    recogniser: float = 0.0
    recogniser_from: float = 0.5


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig:
    """Settings of the autoencoder recipe.

    ``crop`` is the side, in pixels, of the random crops, whose centre keeps to the middle of the picture,
    where the face is, with ``crop_spread`` (standard deviation as a share of the free way). ``init_from``
    are folders to take first weights from.
    """

    size: str = "bundled"
    init_from: tuple[str, ...] = ()
    crop: int = 128
    crop_spread: float = 0.35
    held_out: int = 64
    losses: AutoencoderLosses = field(default_factory=AutoencoderLosses)


class AutoencoderObjective(Objective):
    """Reconstruction of crops through a narrow, slightly noisy latent."""

    def __init__(self, config: AutoencoderConfig, data: str | Path, *, seed: int = 0) -> None:
        super().__init__(load_parts(config.size, ["vae"], config.init_from, seed=seed), ["vae"])
        self.config = config
        self.seed = seed
        self.photos = IDDataset(data, split="train")
        held_out = IDDataset(data, split="validation")
        self.held_out = [held_out[i] for i in range(min(config.held_out, len(held_out)))] or [self.photos[0]]
        self.recogniser_loss: RecogniserFeatureLoss | None = None
        if config.losses.recogniser > 0:
            self.recogniser_loss = RecogniserFeatureLoss(DlibResNet.from_dlib())

    def sample(self, index: int) -> Batch:
        """A crop (3, crop, crop) in [-1, 1], mirrored half the time."""
        rng = np.random.default_rng([self.seed, 1, index])
        pixels = self.photos[shuffled_index(index, len(self.photos), self.seed)].pixels()
        crop = random_crop(pixels, self.config.crop, self.config.crop_spread, rng)
        return {"image": to_tensor(crop[:, ::-1] if rng.random() < 0.5 else crop)}

    def forward(self, batch: Batch, progress: float = 0.0) -> dict[str, Tensor]:
        """Weighted terms ``l1``, ``gradient``, ``ssim``, ``kl`` and ``recogniser``."""
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        vae, weights = self.part("vae"), self.config.losses
        posterior = vae.encode(image).latent_dist
        output = vae.decode(posterior.sample()).sample.float()
        terms = {
            "l1": weights.l1 * (output - image).abs().mean(),
            "gradient": weights.gradient * multiscale_gradient_loss(output, image),
            "kl": weights.kl * kl_loss(posterior.mean.float(), posterior.logvar.float()),
        }
        if weights.ssim > 0:
            terms["ssim"] = weights.ssim * ssim_loss(output, image)
        if self.recogniser_loss is not None and progress >= weights.recogniser_from:
            terms["recogniser"] = weights.recogniser * self.recogniser_loss(output, image)
        return terms

    def sheet(self) -> np.ndarray:
        """Held-out photos above their reconstructions."""
        images = self._held_out_images()[:8]
        return arrange_grid(
            [*map(to_image, images), *map(to_image, self._reconstruct(images))], columns=len(images)
        )

    def metrics(self) -> dict[str, float]:
        """PSNR in dB on held-out photos."""
        images = self._held_out_images()
        error = (self._reconstruct(images).clamp(-1, 1) - images).square().mean(dim=(1, 2, 3))
        return {"psnr": float((10 * torch.log10(4 / error.clamp(min=1e-9))).mean())}

    def finish(self) -> None:
        """Set the scaling factor that gives the latents unit standard deviation."""
        images = self._held_out_images()[:32]
        with torch.no_grad():
            latents = torch.cat(
                [self.part("vae").encode(x).latent_dist.mode().float() for x in images.split(8)]
            )
        self.part("vae").register_to_config(scaling_factor=round(1 / max(float(latents.std()), 1e-6), 5))

    def _held_out_images(self) -> Tensor:
        side = 8 * math.floor(min(min(photo.width, photo.height) for photo in self.held_out) / 8)
        images = torch.stack([to_tensor(_fit(photo.pixels(), side)) for photo in self.held_out])
        return images.to(next(self.part("vae").parameters()).device)

    def _reconstruct(self, images: Tensor) -> Tensor:
        vae = self.part("vae")
        return torch.cat(
            [vae.decode(vae.encode(x).latent_dist.mode()).sample.float() for x in images.split(8)]
        )


def random_crop(pixels: np.ndarray, side: int, spread: float, rng: np.random.Generator) -> np.ndarray:
    """A (side, side, 3) crop near the middle of a picture, which is enlarged first where it is too small."""
    if min(pixels.shape[:2]) < side:
        scale = side / min(pixels.shape[:2])
        height, width = (max(side, round(n * scale)) for n in pixels.shape[:2])
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC)
    room = np.array(pixels.shape[:2]) - side
    top, left = np.clip(np.rint(room / 2 + rng.normal(0, spread, 2) * room), 0, room).astype(int)
    return pixels[top : top + side, left : left + side]


def _fit(pixels: np.ndarray, side: int) -> np.ndarray:
    """The middle square of a picture, resized to ``side``."""
    height, width = pixels.shape[:2]
    square = min(height, width)
    top, left = (height - square) // 2, (width - square) // 2
    pixels = pixels[top : top + square, left : left + square]
    return pixels if square == side else cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
