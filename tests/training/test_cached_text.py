import shutil

import numpy as np
import pytest
import torch

from hifi_objectives import BASE_PARTS, batch_of, hifi
from hifi_portrait.errors import DatasetError, ModelError
from hifi_portrait.training.data.cached_text import CachedText, cache_text
from hifi_portrait.training.data.prepare import prepare
from hifi_portrait.training.data.prepared import Prepared
from hifi_portrait.training.data.text import encode_text
from hifi_portrait.training.data.tokenizer import save_tokenizers, token_ids, train_tokenizer
from hifi_portrait.training.objectives.hifi.config import FACE_PARTS, HiFiDataConfig

SILENT = {"empty_caption": 0.0, "clause_dropout": 0.0}


@pytest.fixture(scope="module")
def with_text(id_data, vae_folder, base_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("with-text")
    return prepare(id_data, out, model_size="tiny", vae=vae_folder, text=base_folder, workers=1)


def encoded(objective, prepared, captions):
    encoders = (objective.part("text_encoder"), objective.part("text_encoder_2"))
    with torch.no_grad():
        return encode_text(*encoders, token_ids(prepared.tokenizer(), captions))


def test_captions_read_alike_from_the_cache(with_text, base_folder):
    """The whole caption in one variant, clauses of it alone in others; half precision is what is lost."""
    text, plain = CachedText(with_text), hifi(with_text, base_folder)
    rng = np.random.default_rng(0)
    caption = with_text.captions[4]
    whole = encoded(plain, with_text, [caption])
    read = [text(4, rng) for _ in range(12)]
    same = [torch.allclose(each["text_hidden"], whole.hidden[0], atol=2e-3, rtol=2e-3) for each in read]
    assert any(same) and text.variants == 2
    found = read[same.index(True)]
    torch.testing.assert_close(found["text_pooled"], whole.pooled[0], atol=2e-3, rtol=2e-3)
    nothing = encoded(plain, with_text, [""])
    torch.testing.assert_close(
        text(4, rng, empty=1.0)["text_hidden"], nothing.hidden[0], atol=2e-3, rtol=2e-3
    )


def test_training_needs_no_text_encoders_then(with_text, base_folder, tmp_path):
    """The loss is that with the encoders at hand, where captions stay whole, as held-out ones do."""
    shutil.copytree(base_folder / "unet", tmp_path / "unet")
    losses = []
    for cached, base in ((False, base_folder), (True, tmp_path)):
        objective = hifi(with_text, base, data=HiFiDataConfig(cached_text=cached, **SILENT))
        assert ("text_encoder" in objective.parts) != cached
        torch.manual_seed(0)
        losses.append(float(objective(batch_of(objective))["denoising"].detach()))
        torch.manual_seed(0)
        losses.append(objective.metrics()["denoising"])
    assert losses[2:] == pytest.approx(losses[:2], rel=1e-3)


def test_text_encoders_cannot_learn_from_the_cache(with_text, base_folder):
    with pytest.raises(ModelError, match="cannot train text_encoder"):
        hifi(
            with_text,
            base_folder,
            data=HiFiDataConfig(cached_text=True),
            trainable=(*BASE_PARTS, *FACE_PARTS),
        )


def test_a_design_that_changes_captions_reads_them_itself(with_text, base_folder):
    with pytest.raises(ModelError, match=r"photomaker changes captions: set hifi\.data\.cached_text"):
        hifi(with_text, base_folder, data=HiFiDataConfig(cached_text=True), design="photomaker")


def test_missing_embeddings_are_asked_for(prepared, base_folder):
    assert not (prepared.folder / "text.npy").exists()
    with pytest.raises(DatasetError, match="prepare it again with --text"):
        hifi(prepared, base_folder, data=HiFiDataConfig(cached_text=True))


def test_there_is_at_least_one_variant(with_text, base_folder):
    before = (with_text.folder / "text.npy").read_bytes()
    with pytest.raises(DatasetError, match="not 0"):
        cache_text(with_text.folder, base_folder, size="tiny", variants=0)
    assert (with_text.folder / "text.npy").read_bytes() == before


def test_encoders_that_read_other_words_are_refused(with_text, base_folder, tmp_path):
    base = shutil.copytree(base_folder, tmp_path / "base")
    save_tokenizers(train_tokenizer(["quite other words, xylophones"], 520), base)
    with pytest.raises(DatasetError, match=r"another tokenizer than .*: prepare it in a new folder"):
        cache_text(with_text.folder, base, size="tiny")


def test_embeddings_of_another_width_are_refused(with_text, base_folder, tmp_path):
    folder = shutil.copytree(with_text.folder, tmp_path / "prepared")
    np.save(folder / "text.npy", np.load(folder / "text.npy")[..., :8])
    with pytest.raises(ModelError, match="captions 8 numbers wide"):
        hifi(Prepared(folder), base_folder, data=HiFiDataConfig(cached_text=True))
    np.save(folder / "text.npy", np.load(folder / "text.npy")[:-1])
    with pytest.raises(DatasetError, match="not of its photos"):
        CachedText(Prepared(folder))
