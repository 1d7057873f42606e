"""Where a prompt names the person: the word whose embedding PhotoMaker (arXiv 2312.04461) gives a face."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from hifi_portrait.prompts.vocabulary import CLASS_WORDS


def find_class_words(tokenizer: Any, ids: Tensor) -> Tensor:
    """Find the first class word of each prompt.

    Parameters
    ----------
    tokenizer
        The tokenizer that made the ids, such as ``CLIPTokenizer``.
    ids
        (B, L) token ids.

    Returns
    -------
    places
        (B,) places of the words' last tokens, which have read the whole word; in prompts without a class
        word that of the end token, which has read the whole prompt.
    """
    words = [tokenizer(word, add_special_tokens=False).input_ids for word in CLASS_WORDS]
    places = []
    for row in ids.tolist():
        end = row.index(tokenizer.eos_token_id) if tokenizer.eos_token_id in row else len(row) - 1
        found = [
            first + len(word) - 1
            for word in words
            for first in range(1, end - len(word) + 1)
            if row[first : first + len(word)] == word
        ]
        places.append(min(found, default=end))
    return torch.tensor(places, device=ids.device)
