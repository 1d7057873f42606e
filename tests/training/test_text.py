"""Captions: how they vary, how they are embedded, and what the text encoders learn of pictures."""

import numpy as np
import pytest
import torch

from hifi_objectives import BASE_PARTS, batch_of
from hifi_portrait.training.data.prepare import prepare
from hifi_portrait.training.data.text import encode_text, vary_caption
from hifi_portrait.training.data.tokenizer import save_tokenizers
from hifi_portrait.training.objectives.base import BaseConfig, BaseObjective
from hifi_portrait.training.objectives.text import (
    EYES_SIZE,
    TextConfig,
    TextObjective,
    cut_out_eyes,
)


def test_eyes_are_seen_in_one_place_whatever_their_colour():
    crop = np.full((256, 256, 3), (180, 140, 120), np.uint8)
    crop[110:114, 80:176] = 10
    to_chip = np.diag([150 / 256, 150 / 256, 1])
    eyes, lighter = cut_out_eyes(crop, to_chip), cut_out_eyes(crop + np.uint8(40), to_chip)
    assert eyes.shape == (3, *EYES_SIZE)
    torch.testing.assert_close(eyes, lighter)
    assert eyes.mean(dim=(1, 2)).abs().max() < 1e-6
    row = int(eyes.mean(dim=(0, 2)).argmin())
    assert row == round((112 * 150 / 256 - 25) / 3 - 0.5)  # 3 pixels of the chip a row, from its 25th
    assert float(eyes[:, row].min()) < -0.5


def test_captions_tell_of_pictures_by_either_path(prepared):
    config = TextConfig(size="tiny", side=4, clause_dropout=0.0, eyes=1.0)
    objective = TextObjective(config, prepared.folder)
    batch = batch_of(objective, range(6))
    for name in ("latents", "eyes"):
        batch[name] = torch.randn(batch[name].shape, generator=torch.Generator().manual_seed(0))
    optimiser = torch.optim.Adam([p for p in objective.parameters() if p.requires_grad], 5e-3)
    for _ in range(220):
        optimiser.zero_grad()
        sum(objective(batch).values()).backward()
        optimiser.step()
    terms = objective(batch)
    assert set(terms) == {"hidden", "pooled", "eyes_hidden", "eyes_pooled"}
    assert max(float(term.detach()) for term in terms.values()) < 0.5


@pytest.mark.parametrize("padding", [None, "!"])
def test_text_is_embedded_as_sdxl_pipelines_do(prepared, id_data, base_folder, tmp_path, padding):
    """Where both tokenizers pad alike, and where the second one pads with another token, as SDXL's does."""
    objective = BaseObjective(BaseConfig(size="tiny", init_from=(str(base_folder),)), prepared.folder)
    tokenizer, second = prepared.tokenizer(), prepared.tokenizer()
    if padding:
        second.pad_token = padding
    save_tokenizers(tokenizer, tmp_path, second)
    given = prepare(id_data, tmp_path / "prepared", model_size="tiny", tokenizer=tmp_path, workers=1)
    from diffusers import StableDiffusionXLPipeline

    pipeline = StableDiffusionXLPipeline(
        **{name: objective.part(name) for name in (*BASE_PARTS, "vae")},
        tokenizer=tokenizer,
        tokenizer_2=second,
        scheduler=objective.scheduler,
    )
    prompt = "a portrait of person 1, grey background"
    hidden, no_hidden, pooled, no_pooled = pipeline.encode_prompt(prompt)
    ids = tokenizer(prompt, padding="max_length", max_length=77, return_tensors="pt").input_ids
    encoders = (objective.part("text_encoder"), objective.part("text_encoder_2"))
    text = encode_text(*encoders, ids, given.second_padding())
    assert (given.second_padding() is None) == (padding is None)
    torch.testing.assert_close((text.hidden, text.pooled), (hidden, pooled))
    nothing = text.without(torch.tensor([True]))
    torch.testing.assert_close((nothing.hidden, nothing.pooled), (no_hidden, no_pooled))


def test_captions_lose_clauses_but_never_the_first():
    rng = np.random.default_rng(0)
    shorter = {vary_caption("a man, red hair, outdoors", rng, 0.5) for _ in range(50)}
    assert shorter == {"a man", "a man, red hair", "a man, outdoors", "a man, red hair, outdoors"}
    emptied = [vary_caption("a man, red hair", rng, 0.0, empty=0.5) for _ in range(200)]
    assert set(emptied) == {"", "a man, red hair"}
    assert 70 < emptied.count("") < 130
