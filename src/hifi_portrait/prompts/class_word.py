"""Where a prompt names the person: the word whose embedding PhotoMaker (arXiv 2312.04461) gives a face."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from hifi_portrait.prompts.vocabulary import CLASS_WORDS


def class_word_places(tokenizer: Any, ids: Tensor) -> Tensor:
    """Place (B,) of the first class word in token ids (B, L): of its last token, which has read it whole.

    Where a prompt has none, the end token stands in, which has read the whole prompt.
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
