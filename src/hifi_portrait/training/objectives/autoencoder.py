"""Objective `autoencoder`: AutoencoderKL, on random crops of photos."""

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
from hifi_portrait.head.arrays import ByteArray
from hifi_portrait.models.latents import reduction
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
    """Weights of the loss terms, 0 or more."""

    l1: float = 1.0
    """Weight of the mean absolute error of pixels."""

    gradient: float = 0.5
    """Weight of the error of differences between neighbouring pixels, at three scales."""

    ssim: float = 0.0
    """Weight of one minus the structural similarity."""

    kl: float = 1e-4
    """Weight of the divergence of the latents from a standard normal distribution."""

    recogniser: float = 0.0
    """Weight of the difference in the inner features of a face recogniser."""

    recogniser_from: float = 0.5
    """Fraction of the run, in [0, 1], from which on the recogniser's term counts."""


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig:
    """Settings of the autoencoder recipe."""

    size: str = "bundled"
    """Model size (``models/sizes``)."""

    init_from: tuple[str, ...] = ()
    """Folders that the first weights are taken from: runs, checkpoints or pipelines."""

    crop: int = 128
    """Side of the random crops in pixels, a multiple of what the autoencoder reduces sides by."""

    crop_spread: float = 0.35
    """Standard deviation of a crop's place about the picture's middle, where the face is, as a fraction of
    the room there is for it."""

    held_out: int = 64
    """Greatest number of held-out photos that are measured, 1 or more."""

    losses: AutoencoderLosses = field(default_factory=AutoencoderLosses)
    """The loss terms."""


class AutoencoderObjective(Objective):
    """Reconstruction of crops through few latents, which are sampled and so a little noisy."""

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
        """Make ``image``, a crop (3, crop, crop) in [-1, 1] of one photo, mirrored half the time."""
        rng = np.random.default_rng([self.seed, 1, index])
        pixels = self.photos.pixels(shuffled_index(index, len(self.photos), self.seed))
        crop = random_crop(pixels, self.config.crop, self.config.crop_spread, rng)
        return {"image": to_tensor(crop[:, ::-1] if rng.random() < 0.5 else crop)}

    def forward(self, batch: Batch, progress: float = 0.0) -> dict[str, Tensor]:
        """Compute the terms ``l1``, ``gradient``, ``kl`` and, where they count, ``ssim``, ``recogniser``."""
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

    def sheet(self) -> ByteArray:
        """Draw held-out photos above their reconstructions."""
        images = self._held_out_images()[:8]
        return arrange_grid(
            [*map(to_image, images), *map(to_image, self._reconstruct(images))], columns=len(images)
        )

    def metrics(self) -> dict[str, float]:
        """Measure ``psnr``, in dB, on held-out photos."""
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
        factor = reduction(self.part("vae"))
        side = factor * math.floor(min(min(photo.width, photo.height) for photo in self.held_out) / factor)
        images = torch.stack([to_tensor(fit_square(photo.pixels(), side)) for photo in self.held_out])
        return images.to(next(self.part("vae").parameters()).device)

    def _reconstruct(self, images: Tensor) -> Tensor:
        vae = self.part("vae")
        return torch.cat(
            [vae.decode(vae.encode(x).latent_dist.mode()).sample.float() for x in images.split(8)]
        )


def random_crop(pixels: ByteArray, side: int, spread: float, rng: np.random.Generator) -> ByteArray:
    """Cut a square near the middle out of a picture, which is enlarged first where it is too small.

    Parameters
    ----------
    pixels
        (H, W, 3).
    side
        Side of the crop in pixels.
    spread
        Standard deviation of its place, as a fraction of the room there is for it; 0 for the middle.
    rng
        Draws the place.
    """
    if min(pixels.shape[:2]) < side:
        scale = side / min(pixels.shape[:2])
        height, width = (max(side, round(n * scale)) for n in pixels.shape[:2])
        pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    room = np.array(pixels.shape[:2]) - side
    top, left = np.clip(np.rint(room / 2 + rng.normal(0, spread, 2) * room), 0, room).astype(int)
    return pixels[top : top + side, left : left + side]


def fit_square(pixels: ByteArray, side: int) -> ByteArray:
    """Cut the middle square out of a picture and resize it to ``side``."""
    height, width = pixels.shape[:2]
    square = min(height, width)
    top, left = (height - square) // 2, (width - square) // 2
    pixels = pixels[top : top + square, left : left + square]
    if square == side:
        return pixels
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
