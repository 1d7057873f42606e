"""Objective: text encoders that tell from a caption, roughly, what the photo looks like.

Text encoders that start from nothing learn very slowly through a UNet: most of what a photo is its caption
does not say, and beside a warp it says hardly anything that cannot be seen. Here they answer alone. From the
hidden states, and apart from them from the pooled embedding, a small reader tells the photo's latents at
low resolution: which colour is where. After that the UNet finds in both what captions are worth reading for.
SDXL's own encoders come from contrastive training on captions (arXiv 2103.00020), which serves the same end.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.nn import functional as F

from hifi_portrait.training.captioned import CaptionedPhotos
from hifi_portrait.training.objective import Batch, Objective, load_parts
from hifi_portrait.training.pictures import grid, to_image
from hifi_portrait.training.sampling import decode_latents
from hifi_portrait.training.text import TextEmbeddings, encode_text

READER = "reader"


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """Settings of the text recipe.

    Latents are told at ``side`` x ``side``. ``clause_dropout`` is the share of clauses left out of a caption.
    """

    size: str = "bundled"
    init_from: tuple[str, ...] = ()
    trainable: tuple[str, ...] = ("text_encoder", "text_encoder_2", READER)
    side: int = 8
    clause_dropout: float = 0.15
    metric_photos: int = 256
    sheet_photos: int = 8


class CaptionReader(ModelMixin, ConfigMixin):
    """Tells latents at low resolution, once from the hidden states and once from the pooled embedding.

    Parameters
    ----------
    hidden_dim, pooled_dim
        Widths of the text encoders' hidden states, side by side, and of the pooled embedding.
    latent_channels, side
        Of what is told.
    heads
        Of the attention from places to hidden states.
    """

    @register_to_config
    def __init__(
        self, hidden_dim: int, pooled_dim: int, latent_channels: int = 16, side: int = 8, heads: int = 8
    ) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.randn(side * side, hidden_dim) * hidden_dim**-0.5)
        self.norm = nn.LayerNorm(hidden_dim)
        self.attention = nn.MultiheadAttention(hidden_dim, heads, batch_first=True)
        self.from_hidden = nn.Sequential(
            nn.LayerNorm(hidden_dim), nn.Linear(hidden_dim, hidden_dim), nn.SiLU(),
            nn.Linear(hidden_dim, latent_channels),
        )  # fmt: skip
        self.from_pooled = nn.Linear(pooled_dim, latent_channels * side * side)

    def forward(self, text: TextEmbeddings) -> tuple[Tensor, Tensor]:
        """Latents (B, C, side, side) from the hidden states, and the same from the pooled embedding."""
        side = int(self.config.side)
        shape = (len(text.pooled), -1, side, side)
        hidden = self.norm(text.hidden)
        places = self.places.expand(len(hidden), -1, -1)
        read, _ = self.attention(places, hidden, hidden, need_weights=False)
        return (
            self.from_hidden(places + read).transpose(1, 2).reshape(shape),
            self.from_pooled(text.pooled).reshape(shape),
        )


class TextObjective(Objective):
    """Low-resolution latents of photos from their captions."""

    def __init__(self, config: TextConfig, data: str | Path, *, seed: int = 0) -> None:
        parts = load_parts(config.size, ["text_encoder", "text_encoder_2"], config.init_from, seed=seed)
        parts |= load_parts(config.size, ["vae"], [data], required=["vae"])
        configs: list[Any] = [parts[name].config for name in ("text_encoder", "text_encoder_2", "vae")]
        first, second, vae = configs
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            parts[READER] = CaptionReader(
                hidden_dim=first.hidden_size + second.hidden_size,
                pooled_dim=second.projection_dim,
                latent_channels=vae.latent_channels,
                side=config.side,
            )
        super().__init__(parts, config.trainable)
        self.config = config
        self.data = CaptionedPhotos(data, config.clause_dropout, seed=seed, stream=5)

    def sample(self, index: int) -> Batch:
        """``latents`` (C, side, side) and ``token_ids`` (77,) of one photo."""
        return self._pooled(self.data.sample(index))

    def forward(self, batch: Batch, progress: float = 0.0) -> dict[str, Tensor]:
        """Mean squared errors: the terms ``hidden`` and ``pooled``, by what they are told from."""
        told = self.part(READER)(self._text(batch))
        errors = (F.mse_loss(latents.float(), batch["latents"]) for latents in told)
        return dict(zip(("hidden", "pooled"), errors, strict=True))

    def sheet(self) -> np.ndarray:
        """Held-out photos at low resolution above what hidden states and pooled embeddings tell."""
        batch = self._held_out(self.config.sheet_photos)
        rows = [batch["latents"], *(latents.float() for latents in self.part(READER)(self._text(batch)))]
        size = self.data.prepared.latents(0).shape[-1]
        latents = F.interpolate(torch.cat(rows), (size, size), mode="bilinear")
        pictures = decode_latents(self.part("vae"), latents)
        return grid([to_image(picture) for picture in pictures], columns=len(batch["latents"]))

    def metrics(self) -> dict[str, float]:
        """Errors on held-out photos, and that of their mean, which a reader of nothing would tell."""
        batch = self._held_out(self.config.metric_photos)
        mean = float((batch["latents"] - batch["latents"].mean(0)).square().mean())
        return {name: float(term) for name, term in self(batch).items()} | {"mean": mean}

    def _text(self, batch: Batch) -> TextEmbeddings:
        return encode_text(self.part("text_encoder"), self.part("text_encoder_2"), batch["token_ids"])

    def _pooled(self, batch: Batch) -> Batch:
        return batch | {"latents": F.adaptive_avg_pool2d(batch["latents"], self.config.side)}

    def _held_out(self, count: int) -> Batch:
        device = next(self.part(READER).parameters()).device
        return self._pooled(self.data.held_out(count, device))
