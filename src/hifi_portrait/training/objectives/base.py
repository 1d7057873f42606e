"""Objective `base`: the text-to-image model that HiFi-Net steers, on prepared latents and captions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from hifi_portrait.head.arrays import ByteArray
from hifi_portrait.models.build import build
from hifi_portrait.training.data.text import CaptionedPhotos, TextEmbeddings, encode_text
from hifi_portrait.training.engine.objective import Batch, Objective
from hifi_portrait.training.engine.weights import load_parts
from hifi_portrait.training.objectives.diffusion import min_snr_weight, sample_latents
from hifi_portrait.training.objectives.losses import denoising_loss
from hifi_portrait.training.objectives.sheets import arrange_grid, decode_latents, to_image

_UNIFORM_SHARE = 0.1
"""Fraction of timesteps that "logit-normal" draws from all alike."""

_METRIC_BATCH = 32
"""Held-out photos that are denoised at a time."""


@dataclass(frozen=True, kw_only=True)
class BaseConfig:
    """Settings of the base recipe."""

    size: str = "bundled"
    """Model size (``models/sizes``)."""

    init_from: tuple[str, ...] = ()
    """Folders that the first weights are taken from: runs, checkpoints or pipelines."""

    trainable: tuple[str, ...] = ("unet", "text_encoder", "text_encoder_2")
    """Parts that learn."""

    timesteps: Literal["uniform", "logit-normal"] = "uniform"
    """How timesteps are drawn: all alike, or, of nine in ten, those in the schedule's middle more often
    (arXiv 2403.03206, section 3.1, location 0, scale 1). The others keep the schedule's ends learnt, where
    drawing begins and which the paper's draw hardly ever reaches."""

    min_snr_gamma: float = 5.0
    """Ratio of signal to noise at which the loss weight is cut off (arXiv 2303.09556)."""

    caption_dropout: float = 0.1
    """Fraction of samples without a caption, in [0, 1], for classifier-free guidance."""

    clause_dropout: float = 0.15
    """Probability of each clause of a caption but the first, in [0, 1], that it is left out."""

    mirrored_share: float = 0.0
    """Probability, in [0, 1], of a photo's mirror image in its place, which the prepared folder must have.
    Captions that say what is left or right keep their photos as they are."""

    sheet_photos: int = 8
    """Held-out captions on a sheet."""

    metric_photos: int = 128
    """Held-out photos in the figures of held-out data, each at a timestep of its own."""

    sheet_steps: int = 20
    """Steps in which a sheet's pictures are drawn."""

    sheet_guidance: float = 3.0
    """Guidance scale with which they are drawn, 1 for none."""


class BaseObjective(Objective):
    """v-prediction on the latents of captioned photos."""

    def __init__(self, config: BaseConfig, data: str | Path, *, seed: int = 0) -> None:
        names = ["unet", "text_encoder", "text_encoder_2"]
        frozen = [name for name in names if name not in config.trainable]
        parts = load_parts(config.size, names, config.init_from, required=frozen, seed=seed)
        parts |= load_parts(config.size, ["vae"], [data], required=["vae"])
        super().__init__(parts, config.trainable)
        self.config = config
        self.data = CaptionedPhotos(
            data, config.clause_dropout, seed=seed, stream=2, mirrored_share=config.mirrored_share
        )
        self.scheduler = build(config.size, ["scheduler"])["scheduler"]

    def sample(self, index: int) -> Batch:
        """Make ``latents`` (C, h, w) and ``token_ids`` (77,) of one photo."""
        return self.data.sample(index)

    def forward(self, batch: Batch, progress: float = 0.0) -> dict[str, Tensor]:
        """Compute the term ``denoising``: the weighted squared error of the velocity."""
        latents = batch["latents"]
        text = encode_text(self.part("text_encoder"), self.part("text_encoder_2"), batch["token_ids"])
        text = text.without(torch.rand(len(latents), device=latents.device) < self.config.caption_dropout)
        noise = torch.randn_like(latents)
        steps, count = self.scheduler.config.num_train_timesteps, len(latents)
        timesteps = torch.randint(steps, (count,), device=latents.device)
        if self.config.timesteps == "logit-normal":
            middle = (torch.randn(count, device=latents.device).sigmoid() * steps).long().clamp(max=steps - 1)
            uniform = torch.rand(count, device=latents.device) < _UNIFORM_SHARE
            timesteps = torch.where(uniform, timesteps, middle)
        return {"denoising": self._loss(latents, noise, timesteps, text)}

    def sheet(self) -> ByteArray:
        """Draw held-out photos above what their captions give."""
        batch = self._held_out(self.config.sheet_photos)
        latents = batch["latents"]
        noise = torch.randn_like(latents)
        drawn = self.draw(batch["token_ids"], noise, self.config.sheet_steps, self.config.sheet_guidance)
        pictures = decode_latents(self.part("vae"), torch.cat([latents, drawn]))
        return arrange_grid([to_image(picture) for picture in pictures], columns=len(latents))

    def draw(self, token_ids: Tensor, noise: Tensor, steps: int, guidance: float) -> Tensor:
        """Draw scaled latents (B, C, h, w) from noise of that shape and captions.

        Parameters
        ----------
        token_ids
            (B, 77) of the captions.
        noise
            (B, C, h, w) of unit variance.
        steps
            Steps of denoising, 1 or more.
        guidance
            Scale of classifier-free guidance, 1 for none.
        """
        text = encode_text(self.part("text_encoder"), self.part("text_encoder_2"), token_ids)
        none = text.without(torch.ones(len(noise), dtype=torch.bool, device=noise.device))

        def predict(noisy: Tensor, timesteps: Tensor) -> Tensor:
            told = self._predict(noisy, timesteps, text)
            if guidance == 1:
                return told
            plain = self._predict(noisy, timesteps, none)
            return plain + guidance * (told - plain)

        return sample_latents(predict, self.scheduler, noise, steps)

    def metrics(self) -> dict[str, float]:
        """Measure ``denoising`` on held-out photos: the loss, at timesteps all over the schedule."""
        batch = self._held_out(self.config.metric_photos)
        count = len(batch["latents"])
        steps = self.scheduler.config.num_train_timesteps
        timesteps = ((torch.arange(count) + 0.5) / count * steps).long().to(batch["latents"].device)
        losses = []
        for rows in torch.arange(count).split(_METRIC_BATCH):
            text = encode_text(
                self.part("text_encoder"), self.part("text_encoder_2"), batch["token_ids"][rows]
            )
            latents = batch["latents"][rows]
            loss = self._loss(latents, torch.randn_like(latents), timesteps[rows], text)
            losses.append(len(rows) * float(loss))
        return {"denoising": sum(losses) / count}

    def _held_out(self, count: int) -> Batch:
        device = next(self.part("unet").parameters()).device
        return self.data.held_out(count, device)

    def _loss(self, latents: Tensor, noise: Tensor, timesteps: Tensor, text: TextEmbeddings) -> Tensor:
        """Compute the weighted squared error of the velocity of noised latents, both (B, C, h, w)."""
        noisy = self.scheduler.add_noise(latents, noise, timesteps)
        velocity = self.scheduler.get_velocity(latents, noise, timesteps)
        alphas = self.scheduler.alphas_cumprod.to(latents.device)
        weight = min_snr_weight(alphas, timesteps, self.config.min_snr_gamma)
        return denoising_loss(self._predict(noisy, timesteps, text), velocity, weight)

    def _predict(self, noisy: Tensor, timesteps: Tensor, text: TextEmbeddings) -> Tensor:
        noisy, side = noisy.contiguous(memory_format=torch.channels_last), self.data.prepared.size
        output: Tensor = self.part("unet")(
            noisy, timesteps, text.hidden, added_cond_kwargs=text.added(side, side)
        ).sample
        return output.float()
