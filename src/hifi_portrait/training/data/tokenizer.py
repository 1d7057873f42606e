"""A small CLIP tokenizer trained on captions, of bytes and merges (BPE), so that it can spell any prompt."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from torch import Tensor
from transformers import CLIPTokenizer

from hifi_portrait.errors import DatasetError
from hifi_portrait.io.names import model_folder

MAX_LENGTH = 77
"""Tokens of a text that CLIP reads, start and end included."""

_START, _END, _WORD_END = "<|startoftext|>", "<|endoftext|>", "</w>"


def train_tokenizer(captions: Iterable[str], vocab_size: int) -> CLIPTokenizer:
    """Train a tokenizer in CLIP's format on captions.

    The start and end tokens are the last two ids, as in CLIP, and every byte is a token, inside and at the
    end of a word. Where the captions yield too few merges, unused tokens fill the gap.

    Parameters
    ----------
    captions
        What to train on; may be empty.
    vocab_size
        Number of tokens, 514 or more: the bytes twice, and the two special tokens.

    Raises
    ------
    DatasetError
        ``vocab_size`` is too small.
    """
    alphabet = sorted(ByteLevel.alphabet())
    base = [*alphabet, *(letter + _WORD_END for letter in alphabet)]
    if vocab_size < len(base) + 2:
        raise DatasetError(f"vocab_size must be {len(base) + 2} or more, not {vocab_size}")
    merges: Any
    merged, merges = _learn_merges(captions, base, vocab_size)
    tokens = [*base, *merged]
    tokens += [f"<|unused{i}|>" for i in range(vocab_size - 2 - len(tokens))]
    vocab = {token: index for index, token in enumerate([*tokens, _START, _END])}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=MAX_LENGTH)


def save_tokenizers(
    tokenizer: CLIPTokenizer, folder: str | Path, second: CLIPTokenizer | None = None
) -> None:
    """Save a tokenizer as ``tokenizer/`` and, or ``second`` where given, as ``tokenizer_2/``, as SDXL has."""
    for name, saved in (("tokenizer", tokenizer), ("tokenizer_2", second or tokenizer)):
        saved.save_pretrained(Path(folder) / name)


def load_tokenizer(folder: str | Path, name: str = "tokenizer") -> CLIPTokenizer:
    """Load the tokenizer ``name`` of a pipeline or prepared folder.

    Raises
    ------
    DatasetError
        There is none.
    """
    place = model_folder(folder) / name
    if not place.is_dir():
        raise DatasetError(f"no {name} in {folder}: give a pipeline or prepared folder")
    return CLIPTokenizer.from_pretrained(place)


def check_tokenizers(prepared: str | Path, base: str | Path) -> None:
    """Check that a prepared folder has the tokenizers of text encoders, where these have some beside them.

    Raises
    ------
    DatasetError
        It has others.
    """
    for name in ("tokenizer", "tokenizer_2"):
        if not (model_folder(base) / name).is_dir():
            continue
        if load_tokenizer(base, name).get_vocab() != load_tokenizer(prepared, name).get_vocab():
            raise DatasetError(
                f"{prepared} has another {name} than {base}, whose encoders would read other words: "
                f"prepare it in a new folder, with --tokenizer {base}"
            )


def token_ids(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Turn texts into token ids (len(texts), 77) int64, padded and cut as SDXL's pipeline does."""
    ids: Tensor = tokenizer(
        texts, padding="max_length", max_length=MAX_LENGTH, truncation=True, return_tensors="pt"
    ).input_ids
    return ids


def _learn_merges(
    captions: Iterable[str], base: list[str], vocab_size: int
) -> tuple[list[str], list[tuple[str, str]]]:
    start = {token: index for index, token in enumerate([*base, _START, _END])}
    backend = CLIPTokenizer(vocab=start, merges=[]).backend_tokenizer
    trainer = BpeTrainer(
        vocab_size=vocab_size - 2,
        min_frequency=1,
        initial_alphabet=ByteLevel.alphabet(),
        end_of_word_suffix=_WORD_END,
        show_progress=False,
    )
    backend.train_from_iterator(captions, trainer)
    merges: list[tuple[str, str]] = []
    merged: list[str] = []
    known = set(base)
    for left, right in json.loads(backend.to_str())["model"]["merges"]:
        token = left + right
        if len(base) + len(merged) + 2 == vocab_size and token not in known:
            break
        merges.append((left, right))
        if token not in known:
            known.add(token)
            merged.append(token)
    return merged, merges
