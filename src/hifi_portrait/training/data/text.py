"""Captions of photos, and text as SDXL reads it: two encoders' hidden states and a pooled embedding."""

from __future__ import annotations

import re
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

_SIDES = re.compile(r"\b(left|right)\b", re.IGNORECASE)
"""Words that are wrong of a mirror image."""


@dataclass(frozen=True)
class TextEmbeddings:
    """What the networks read of B texts."""

    hidden: Tensor
    """(B, 77, D), both encoders' hidden states side by side."""

    pooled: Tensor
    """(B, E), the second encoder's embedding of the whole text."""

    def without(self, dropped: Tensor) -> TextEmbeddings:
        """Put zeros, SDXL's embedding of no prompt, where ``dropped`` (B,) is True."""
        keep = (~dropped).to(self.hidden.dtype)
        return TextEmbeddings(self.hidden * keep[:, None, None], self.pooled * keep[:, None])

    def added(self, height: int, width: int) -> dict[str, Tensor]:
        """Give SDXL's added conditions for uncropped pictures of ``height`` x ``width`` pixels."""
        times = torch.tensor([[height, width, 0, 0, height, width]], device=self.pooled.device)
        return {
            "text_embeds": self.pooled,
            "time_ids": times.repeat(len(self.pooled), 1).to(self.pooled.dtype),
        }


def encode_text(
    text_encoder: Any, text_encoder_2: Any, ids: Tensor, second_padding: tuple[int, int] | None = None
) -> TextEmbeddings:
    """Embed token ids as SDXL's pipeline does: by the last hidden states but one.

    Parameters
    ----------
    text_encoder, text_encoder_2
        CLIP's text model, without and with projection.
    ids
        (B, 77) token ids, as the first encoder reads them.
    second_padding
        The token that ends a text, and what the second encoder reads behind it, where that is not what the
        first one reads there.
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
    """Leave clauses out of a caption, so that prompts that tell less than the captions are understood, too.

    Parameters
    ----------
    caption
        Clauses between commas.
    rng
        Draws what is left out.
    clause_dropout
        Probability of each clause but the first that it is left out.
    empty
        Probability that nothing is left.
    """
    if rng.random() < empty:
        return ""
    first, *clauses = caption.split(", ")
    return ", ".join([first, *(clause for clause in clauses if rng.random() >= clause_dropout)])


class CaptionedPhotos:
    """Samples of an endless stream over a prepared folder's training photos and their captions.

    Parameters
    ----------
    folder
        The prepared folder.
    clause_dropout
        Probability of each clause of a caption but the first that it is left out.
    seed
        Seed of the photos' order, and with ``stream`` of what is left out.
    stream
        Number that tells the draws of objectives with one seed apart.
    mirrored_share
        Probability of a photo's mirror image in its place, unless the caption says what is left or right.
    """

    def __init__(
        self,
        folder: str | Path,
        clause_dropout: float,
        *,
        seed: int,
        stream: int,
        mirrored_share: float = 0.0,
    ) -> None:
        self.clause_dropout, self.mirrored_share = clause_dropout, mirrored_share
        self.seed, self.stream = seed, stream
        self.prepared = Prepared(folder)
        self.photos = self.prepared.photos("train")
        self.tokenizer = self.prepared.tokenizer()

    def sample(self, index: int) -> Batch:
        """Make ``latents`` (C, h, w), ``token_ids`` (77,) and number ``photo`` () of one photo."""
        rng = np.random.default_rng([self.seed, self.stream, index])
        photo = int(self.photos[shuffled_index(index, len(self.photos), self.seed)])
        caption = vary_caption(self.prepared.captions[photo], rng, self.clause_dropout)
        mirrored = rng.random() < self.mirrored_share and not _SIDES.search(caption)
        return {
            "latents": self.prepared.latents(photo, mirrored=mirrored),
            "token_ids": token_ids(self.tokenizer, [caption])[0],
            "photo": torch.tensor(photo),
        }

    def held_out(self, count: int, device: torch.device) -> Batch:
        """Make a batch of the first ``count`` held-out photos, with their whole captions."""
        photos = self.prepared.photos("validation")
        photos = (photos if len(photos) else self.photos)[:count]
        captions = [self.prepared.captions[i] for i in photos]
        return {
            "latents": torch.stack([self.prepared.latents(int(i)) for i in photos]).to(device),
            "token_ids": token_ids(self.tokenizer, captions).to(device),
            "photo": torch.tensor(np.asarray(photos)),
        }
