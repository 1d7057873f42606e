"""Objective `text`: text encoders that predict from a caption, roughly, what the photo looks like.

Text encoders that start from random weights learn very slowly through a UNet: a caption tells little of a
photo, and next to nothing that a warp beside it does not show. So they are trained alone first. A small
reader predicts the photo's latents at low resolution, which is where which colour is, and the picture about
the eyes, where glasses are too thin for such latents: once from the hidden states and once from the pooled
embedding. After that both hold what a UNet can use. SDXL's own encoders come from contrastive training on
captions (arXiv 2103.00020), which serves the same end.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.nn import functional as F

from hifi_portrait.faces.dlib_resnet import CHIP_SIZE
from hifi_portrait.faces.geometry import cut_out
from hifi_portrait.head.arrays import Array, ByteArray
from hifi_portrait.training.data.text import CaptionedPhotos, TextEmbeddings, encode_text
from hifi_portrait.training.engine.objective import Batch, Objective
from hifi_portrait.training.engine.weights import load_parts
from hifi_portrait.training.objectives.sheets import arrange_grid, decode_latents, to_image

READER = "reader"
"""Name of the part that predicts; only training has it."""

EYES_SIZE = (16, 40)
"""Height and width, in pixels, of the picture about the eyes that is predicted."""

_EYES_IN_CHIP = (15, 25, 133, 73)
"""Left, top, right and bottom of it in the recogniser's chip, in pixels."""


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """Settings of the text recipe."""

    size: str = "bundled"
    """Model size (``models/sizes``)."""

    init_from: tuple[str, ...] = ()
    """Folders that the first weights are taken from: runs, checkpoints or pipelines."""

    trainable: tuple[str, ...] = ("text_encoder", "text_encoder_2", READER)
    """Parts that learn."""

    side: int = 8
    """Height and width of the latents that are predicted."""

    eyes: float = 20.0
    """Weight of an error about the eyes beside one of the latents, whose values are larger."""

    clause_dropout: float = 0.15
    """Probability of each clause of a caption but the first, in [0, 1], that it is left out."""

    metric_photos: int = 256
    """Held-out photos in the figures of held-out data."""

    sheet_photos: int = 8
    """Held-out photos on a sheet."""


class CaptionReader(ModelMixin, ConfigMixin):
    """Predicts latents and eyes at low resolution, from the hidden states and from the pooled embedding.

    Parameters
    ----------
    hidden_dim
        Width of both text encoders' hidden states side by side.
    pooled_dim
        Width of the pooled embedding.
    latent_channels
        Channels of the predicted latents.
    side
        Height and width of the predicted latents.
    heads
        Heads of the attention from places in the picture to hidden states.
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
        pixels = 3 * EYES_SIZE[0] * EYES_SIZE[1]
        self.eyes_place = nn.Parameter(torch.randn(1, hidden_dim) * hidden_dim**-0.5)
        self.eyes_from_hidden = nn.Linear(hidden_dim, pixels)
        self.eyes_from_pooled = nn.Linear(pooled_dim, pixels)

    def forward(self, text: TextEmbeddings) -> dict[str, Tensor]:
        """Predict from text.

        Returns
        -------
        dict of str to torch.Tensor
            ``hidden`` and ``pooled``, latents (B, C, side, side) by what they are predicted from, and
            ``eyes_hidden`` and ``eyes_pooled`` (B, 3, *EYES_SIZE), as :func:`cut_out_eyes` gives them.
        """
        side, batch = int(self.config.side), len(text.pooled)
        hidden = self.norm(text.hidden)
        places = torch.cat([self.places, self.eyes_place]).expand(batch, -1, -1)
        read, _ = self.attention(places, hidden, hidden, need_weights=False)
        latents, eyes = (places + read).split([side * side, 1], dim=1)
        return {
            "hidden": self.from_hidden(latents).transpose(1, 2).reshape(batch, -1, side, side),
            "pooled": self.from_pooled(text.pooled).reshape(batch, -1, side, side),
            "eyes_hidden": self.eyes_from_hidden(eyes).reshape(batch, 3, *EYES_SIZE),
            "eyes_pooled": self.eyes_from_pooled(text.pooled).reshape(batch, 3, *EYES_SIZE),
        }


def cut_out_eyes(crop: ByteArray, to_chip: Array) -> Tensor:
    """Cut the picture about the eyes out, (3, *EYES_SIZE), less its mean colour, in [-2, 2].

    Parameters
    ----------
    crop
        Portrait crop (S, S, 3).
    to_chip
        (3, 3) transform from its pixels to those of the recogniser's chip, in which the eyes of all people
        are in one place.
    """
    chip = cut_out(np.asarray(crop), np.asarray(to_chip, np.float64), CHIP_SIZE)
    left, top, right, bottom = _EYES_IN_CHIP
    height, width = EYES_SIZE
    eyes = cv2.resize(chip[top:bottom, left:right], (width, height), interpolation=cv2.INTER_AREA) / 127.5
    return torch.from_numpy((eyes - eyes.mean(axis=(0, 1))).astype(np.float32)).permute(2, 0, 1)


class TextObjective(Objective):
    """Prediction of photos' low-resolution latents, and of their eyes, from captions."""

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
        """Make ``latents`` (C, side, side), ``eyes`` (3, *EYES_SIZE) and ``token_ids`` (77,) of one photo."""
        return self._add_targets(self.data.sample(index))

    def forward(self, batch: Batch, progress: float = 0.0) -> dict[str, Tensor]:
        """Compute the mean squared errors of the reader's predictions, by their names."""
        terms = {}
        for name, predicted in self.part(READER)(self._text(batch)).items():
            of_eyes = name.startswith("eyes")
            weight, target = (self.config.eyes, batch["eyes"]) if of_eyes else (1.0, batch["latents"])
            terms[name] = weight * F.mse_loss(predicted.float(), target)
        return terms

    def sheet(self) -> ByteArray:
        """Draw held-out photos at low resolution above the two predictions of them."""
        batch = self._held_out(self.config.sheet_photos)
        predicted = self.part(READER)(self._text(batch))
        rows = [batch["latents"], predicted["hidden"].float(), predicted["pooled"].float()]
        size = self.data.prepared.latents(0).shape[-1]
        latents = F.interpolate(torch.cat(rows), (size, size), mode="bilinear")
        pictures = decode_latents(self.part("vae"), latents)
        return arrange_grid([to_image(picture) for picture in pictures], columns=len(batch["latents"]))

    def metrics(self) -> dict[str, float]:
        """Measure errors on held-out photos, and those of predicting their mean, as without a caption."""
        batch = self._held_out(self.config.metric_photos)
        means = {
            "mean": float((batch["latents"] - batch["latents"].mean(0)).square().mean()),
            "eyes_mean": self.config.eyes * float((batch["eyes"] - batch["eyes"].mean(0)).square().mean()),
        }
        return {name: float(term) for name, term in self(batch).items()} | means

    def _text(self, batch: Batch) -> TextEmbeddings:
        return encode_text(self.part("text_encoder"), self.part("text_encoder_2"), batch["token_ids"])

    def _add_targets(self, batch: Batch) -> Batch:
        """Reduce a batch's or sample's latents, and put eyes in place of the photos' indices."""
        arrays, photos = self.data.prepared.arrays, batch["photo"]
        eyes = [cut_out_eyes(arrays["crops"][i], arrays["chips"][i]) for i in photos.reshape(-1).tolist()]
        stacked = torch.stack(eyes).reshape(*photos.shape, 3, *EYES_SIZE).to(batch["latents"])
        others = {name: value for name, value in batch.items() if name != "photo"}
        return others | {
            "latents": F.adaptive_avg_pool2d(batch["latents"], self.config.side),
            "eyes": stacked,
        }

    def _held_out(self, count: int) -> Batch:
        device = next(self.part(READER).parameters()).device
        return self._add_targets(self.data.held_out(count, device))
