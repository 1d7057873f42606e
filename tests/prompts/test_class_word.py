"""Where prompts name the person."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from hifi_portrait.prompts.class_word import find_class_words


class Letters:
    """A tokenizer whose tokens are the letters of a text, between a begin and an end token."""

    begin, eos_token_id = 0, 1

    def __call__(self, text: str, add_special_tokens: bool = True) -> SimpleNamespace:
        ids = [ord(letter) for letter in text]
        return SimpleNamespace(input_ids=[self.begin, *ids, self.eos_token_id] if add_special_tokens else ids)


@pytest.mark.parametrize(
    ("prompt", "place"),
    [
        ("a man", 5),  # the last letter of "man", behind the begin token
        ("a lady, a man", 6),  # the first word of several
        ("sky", 4),  # none: the end token
    ],
)
def test_the_place_is_that_of_the_words_last_token_or_of_the_end(prompt: str, place: int) -> None:
    ids = Letters()(prompt).input_ids
    padded = torch.tensor([ids + [Letters.eos_token_id] * 3])
    assert find_class_words(Letters(), padded).tolist() == [place]
    assert find_class_words(Letters(), torch.tensor([ids])).tolist() == [place]


def test_a_text_that_was_cut_off_has_its_last_token_for_its_end() -> None:
    ids = Letters()("blue").input_ids[:-1]
    assert find_class_words(Letters(), torch.tensor([ids])).tolist() == [4]
