"""Captions of photos, and text as SDXL reads it: two encoders' hidden states and a pooled embedding."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hifi_portrait.training.data.prepared import Prepared
from hifi_portrait.training.data.tokenizer import token_ids
from hifi_portrait.training.engine.objective import Batch
from hifi_portrait.training.engine.samples import shuffled_index


@dataclass(frozen=True)
class TextEmbeddings:
    """``hidden`` (B, 77, D1 + D2) and ``pooled`` (B, P)."""

    hidden: Tensor
    pooled: Tensor

    def without(self, dropped: Tensor) -> TextEmbeddings:
        """Zeros, SDXL's embedding of no prompt, where ``dropped`` (B,) is True."""
        keep = (~dropped).to(self.hidden.dtype)
        return TextEmbeddings(self.hidden * keep[:, None, None], self.pooled * keep[:, None])

    def added(self, height: int, width: int) -> dict[str, Tensor]:
        """SDXL's added conditions for uncropped pictures of so many pixels."""
        times = torch.tensor([[height, width, 0, 0, height, width]], device=self.pooled.device)
        return {
            "text_embeds": self.pooled,
            "time_ids": times.repeat(len(self.pooled), 1).to(self.pooled.dtype),
        }


def encode_text(
    text_encoder: Any, text_encoder_2: Any, ids: Tensor, second_padding: tuple[int, int] | None = None
) -> TextEmbeddings:
    """Embed token ids (B, 77) as SDXL's pipeline does: the last hidden states but one.

    ``second_padding`` is the token that ends a text and what the second encoder reads behind it, if that is
    not what the first one reads there.
    """
    first = text_encoder(ids, output_hidden_states=True)
    if second_padding is not None:
        end, padding = second_padding
        ends = (ids == end).int()
        ids = ids.masked_fill(ends.cumsum(dim=1) - ends > 0, padding)
    second = text_encoder_2(ids, output_hidden_states=True)
    hidden = torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1)
    return TextEmbeddings(hidden, second.text_embeds)


def vary_caption(caption: str, rng: np.random.Generator, clause_dropout: float, empty: float = 0.0) -> str:
    """Leave out each comma-separated clause but the first with probability ``clause_dropout``.

    With probability ``empty`` nothing is left. So prompts that say less than the captions, or nothing, are
    understood too.
    """
    if rng.random() < empty:
        return ""
    first, *clauses = caption.split(", ")
    return ", ".join([first, *(clause for clause in clauses if rng.random() >= clause_dropout)])


class CaptionedPhotos:
    """Sample ``index`` of an endless stream over a prepared folder's training photos.

    ``stream`` tells apart what objectives draw from the same ``seed``; ``clause_dropout`` is the share of
    clauses left out of a caption.
    """

    def __init__(self, folder: str | Path, clause_dropout: float, *, seed: int, stream: int) -> None:
        self.clause_dropout = clause_dropout
        self.seed, self.stream = seed, stream
        self.prepared = Prepared(folder)
        self.photos = self.prepared.photos("train")
        self.tokenizer = self.prepared.tokenizer()

    def sample(self, index: int) -> Batch:
        """``latents`` (C, h, w), ``token_ids`` (77,) and place ``photo`` () of one photo."""
        rng = np.random.default_rng([self.seed, self.stream, index])
        photo = int(self.photos[shuffled_index(index, len(self.photos), self.seed)])
        caption = vary_caption(self.prepared.captions[photo], rng, self.clause_dropout)
        return {
            "latents": self.prepared.latents(photo),
            "token_ids": token_ids(self.tokenizer, [caption])[0],
            "photo": torch.tensor(photo),
        }

    def held_out(self, count: int, device: torch.device) -> Batch:
        """The first ``count`` held-out photos, always the same, with their whole captions."""
        photos = self.prepared.photos("validation")
        photos = (photos if len(photos) else self.photos)[:count]
        captions = [self.prepared.captions[i] for i in photos]
        return {
            "latents": torch.stack([self.prepared.latents(int(i)) for i in photos]).to(device),
            "token_ids": token_ids(self.tokenizer, captions).to(device),
            "photo": torch.tensor(np.asarray(photos)),
        }
