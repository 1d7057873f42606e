"""Photos with their captions: what the objectives read that know of no faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from hifi_portrait.training.data.prepared import Prepared
from hifi_portrait.training.data.tokenizer import token_ids
from hifi_portrait.training.engine.objective import Batch, shuffled
from hifi_portrait.training.objectives.text.text import vary_caption


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
        photo = int(self.photos[shuffled(index, len(self.photos), self.seed)])
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
