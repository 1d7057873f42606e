"""Does the autoencoder keep people? Recognise them through it, and compare with the originals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from hifi_portrait.evaluation import metrics
from hifi_portrait.evaluation.metrics import Interval
from hifi_portrait.head.arrays import Array, ByteArray

Embed = Callable[[ByteArray], Array | None]
"""Describe the face of an RGB picture (H, W, 3) by an embedding (D,), or None where there is none."""
OnDone = Callable[[], None]


@dataclass(frozen=True)
class AutoencoderFigures:
    """Recognition of photos as they are and after encoding and decoding, and how close the two are."""

    people: int
    """How many people were recognised."""
    pictures: int
    """How many photos of them."""
    rank_one_originals: Interval
    """Fraction of the original photos that resemble their own person most."""
    rank_one_through: Interval
    """The same after encoding and decoding."""
    similarity_to_original: float
    """Cosine similarity of the embeddings before and after, the mean where both have a face."""
    psnr: float
    """Of the decoded photos, in decibels, the mean."""

    @property
    def share_kept(self) -> float:
        """Rank-1 through the autoencoder as a fraction of rank-1 on the originals."""
        return self.rank_one_through.value / self.rank_one_originals.value


@torch.no_grad()
def encode_and_decode(autoencoder: Any, image: ByteArray) -> ByteArray:
    """Encode a uint8 RGB picture (H, W, 3) to the mode of its latents, and decode it again."""
    x = torch.tensor(image).permute(2, 0, 1)[None].to(autoencoder.device, autoencoder.dtype) / 127.5 - 1
    y = autoencoder.decode(autoencoder.encode(x).latent_dist.mode()).sample
    decoded: ByteArray = (
        ((y[0].float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
    )
    return decoded


def evaluate_autoencoder(
    autoencoder: Any,
    queries: Sequence[Sequence[Array]],
    gallery: Sequence[Array],
    embed: Embed,
    on_done: OnDone | None = None,
) -> AutoencoderFigures:
    """Recognise each person's query photos, before and after the autoencoder, among the gallery's originals.

    Parameters
    ----------
    autoencoder:
        A diffusers `AutoencoderKL`.
    queries:
        Equally many uint8 RGB pictures of each person.
    gallery:
        One other picture of each.
    embed:
        The recogniser; None where it sees no face, which counts as not recognised.
    """
    known = [embed(image) for image in gallery]
    size = next(len(e) for e in known if e is not None)
    people = len(gallery)
    before, after, ratios = [], [], []
    for photos in queries:
        for photo in photos:
            rebuilt = encode_and_decode(autoencoder, photo)
            before.append(_or_zero(embed(photo), size))
            after.append(_or_zero(embed(rebuilt), size))
            ratios.append(metrics.peak_signal_to_noise(photo, rebuilt))
        if on_done:
            on_done()
    gallery_vectors = np.array([_or_zero(e, size) for e in known])
    seen = np.array(before).any(axis=1) & np.array(after).any(axis=1)
    similarity = metrics.cosine_similarity(np.array(before), np.array(after))[seen]
    return AutoencoderFigures(
        people=people,
        pictures=len(before),
        rank_one_originals=_rank_one(np.array(before), gallery_vectors),
        rank_one_through=_rank_one(np.array(after), gallery_vectors),
        similarity_to_original=float(similarity.mean()) if seen.any() else 0.0,
        psnr=float(np.mean(ratios)),
    )


def _or_zero(embedding: Array | None, size: int) -> Array:
    return np.zeros(size) if embedding is None else embedding


def _rank_one(queries: Array, gallery: Array) -> Interval:
    people = len(gallery)
    labels = np.arange(people).repeat(len(queries) // people)
    right = metrics.rank_one(metrics.similarity_matrix(queries, gallery), labels).reshape(people, -1)
    return metrics.bootstrap_over_people(lambda drawn: float(right[drawn].mean()), people)
