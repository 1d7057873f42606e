"""Faces in the prompt, for designs that put them there (PhotoMaker, arXiv 2312.04461)."""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import CLIPTokenizer

from hifi_portrait.errors import ArgumentError
from hifi_portrait.models.conditioning import Conditioning
from hifi_portrait.models.face_refiner import FaceRefiner
from hifi_portrait.prompts.class_word import find_class_words


def merge_faces(
    embeddings: Tensor,
    prompt: str | list[str] | None,
    tokenizer: CLIPTokenizer,
    refiner: FaceRefiner,
    conditioning: Conditioning,
) -> Tensor:
    """Merge a person's faces into a prompt's embeddings (B, 77, D), in the place of the class word.

    Parameters
    ----------
    embeddings
        (B, 77, D) of `prompt`, equally many of each text.
    prompt
        One text or several.
    tokenizer
        That `embeddings` were made by.
    refiner
        One whose tokens belong in the prompt.
    conditioning
        Of the person.

    Raises
    ------
    ValueError
        If there is no `prompt`: embeddings alone do not tell where the class word is.
    """
    if prompt is None:
        raise ArgumentError("this model merges faces into the `prompt`: give it rather than `prompt_embeds`")
    padded = {"padding": "max_length", "truncation": True, "max_length": embeddings.shape[1]}
    ids = tokenizer([prompt] if isinstance(prompt, str) else prompt, **padded).input_ids
    places = find_class_words(tokenizer, torch.tensor(ids, device=embeddings.device))
    places = places.repeat_interleave(len(embeddings) // len(places))
    faces, present = (
        value.expand(len(embeddings), *value.shape[1:])
        for value in (conditioning.tokens, conditioning.references)
    )
    merged: Tensor = refiner.merge(embeddings, places, faces, present)
    return merged
