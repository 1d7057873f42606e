"""Embeddings of a prepared folder's captions, made once, for training that leaves the text encoders alone.

``text.npy`` (1 + P V, 77, D) and ``text_pooled.npy`` (1 + P V, E), both float16, hold the empty caption and
then each of P photos' captions in V variants: the whole one, and others that lack some of its clauses.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from hifi_portrait.errors import DatasetError
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.training.data.prepared import Prepared
from hifi_portrait.training.data.text import encode_text, vary_caption
from hifi_portrait.training.data.tokenizer import check_tokenizers, token_ids
from hifi_portrait.training.engine.weights import load_parts

_ENCODERS = ("text_encoder", "text_encoder_2")

_CLAUSE_DROPOUT = 0.15
"""Probability of each clause but the first that a variant lacks it, as in the recipes."""

_BATCH = 16
"""Captions that are embedded at a time."""


class CachedText:
    """Reads the embeddings of a prepared folder's captions.

    Attributes
    ----------
    variants : int
        Variants of each caption.

    Raises
    ------
    DatasetError
        There are none, or they are not of this folder's photos.
    """

    def __init__(self, prepared: Prepared) -> None:
        places = [prepared.folder / name for name in ("text.npy", "text_pooled.npy")]
        if not all(place.exists() for place in places):
            raise DatasetError(
                f"{prepared.folder} has no embeddings of its captions: prepare it again with --text BASE"
            )
        self._hidden, self._pooled = (np.load(place, mmap_mode="r") for place in places)
        self.variants, others = divmod(len(self._hidden) - 1, len(prepared))
        if others or len(self._pooled) != len(self._hidden):
            raise DatasetError(
                f"the embeddings of captions in {prepared.folder} are not of its photos: prepare them again"
            )

    @property
    def width(self) -> int:
        """Width D of a token's embedding."""
        return int(self._hidden.shape[2])

    def __call__(
        self, photo: int, rng: np.random.Generator, *, empty: float = 0.0, whole: bool = False
    ) -> dict[str, torch.Tensor]:
        """Give ``text_hidden`` (77, D) and ``text_pooled`` (E,) of a photo's caption.

        Parameters
        ----------
        photo
            Its number in the prepared folder.
        rng
            Draws the variant.
        empty
            Probability that it is the empty caption.
        whole
            Whether it is the whole caption, or one of the variants.
        """
        row = 1 + photo * self.variants + (0 if whole else int(rng.integers(self.variants)))
        if rng.random() < empty:
            row = 0
        pairs = (("text_hidden", self._hidden), ("text_pooled", self._pooled))
        return {name: torch.from_numpy(array[row].astype(np.float32)) for name, array in pairs}


def cache_text(
    folder: str | Path, base: str | Path, *, size: str, variants: int = 2, progress: bool = False
) -> None:
    """Embed the captions of a prepared folder.

    Captions of restyled sittings, which name what changes within the sitting, are whole in all variants.

    Parameters
    ----------
    folder
        The prepared folder.
    base
        Folder with the text encoders: a pipeline's, a run's or a checkpoint's.
    size
        Model size of the text encoders.
    variants
        Variants of each caption, 1 or more.
    progress
        Whether to show a progress bar.

    Raises
    ------
    DatasetError
        ``variants`` is below 1, or the tokenizers of ``base`` are others than those of ``folder``.
    ModelError
        There are no text encoders in ``base``.
    """
    if variants < 1:
        raise DatasetError(f"there must be one variant of a caption or more, not {variants}")
    prepared = Prepared(folder)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    parts = load_parts(size, _ENCODERS, [base], required=_ENCODERS)
    first, second = (parts[name].eval().to(device) for name in _ENCODERS)
    check_tokenizers(prepared.folder, base)
    tokenizer, padding = prepared.tokenizer(), prepared.second_padding()
    captions = ["", *_vary_captions(prepared, variants)]
    arrays: dict[str, np.ndarray] = {}
    with ExitStack() as files:
        for start in tqdm(range(0, len(captions), _BATCH), desc="captions", disable=not progress):
            ids = token_ids(tokenizer, captions[start : start + _BATCH]).to(device)
            with torch.inference_mode():
                text = encode_text(first, second, ids, padding)
            for name, values in (("text", text.hidden), ("text_pooled", text.pooled)):
                if name not in arrays:
                    partial = files.enter_context(atomic_write(prepared.folder / f"{name}.npy"))
                    shape = (len(captions), *values.shape[1:])
                    arrays[name] = np.lib.format.open_memmap(partial, "w+", np.float16, shape)
                arrays[name][start : start + _BATCH] = values.half().cpu().numpy()
        for array in arrays.values():
            array.flush()  # type: ignore[attr-defined]


def _vary_captions(prepared: Prepared, count: int) -> list[str]:
    rng = np.random.default_rng(0)
    texts = []
    for caption, named in zip(prepared.captions, prepared.arrays["named"], strict=True):
        dropout = 0.0 if named else _CLAUSE_DROPOUT
        texts += [caption, *(vary_caption(caption, rng, dropout) for _ in range(count - 1))]
    return texts
