import pytest
from transformers import CLIPTokenizer

from hifi_portrait.errors import DatasetError
from hifi_portrait.training.data.tokenizer import save_tokenizers, token_ids, train_tokenizer

CAPTIONS = ["a portrait of a woman with red hair, smiling", "a portrait of a man with a beard, outdoors"]


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(CAPTIONS, 600)


def test_vocabulary_has_exactly_the_wished_size(tokenizer):
    assert len(tokenizer) == 600
    assert max(tokenizer.get_vocab().values()) == 599


def test_start_and_end_are_the_last_two_ids(tokenizer):
    ids = tokenizer("a man").input_ids
    assert (ids[0], ids[-1]) == (598, 599)


def test_words_of_the_captions_are_single_tokens(tokenizer):
    assert len(tokenizer("portrait").input_ids) == 3


@pytest.mark.parametrize("prompt", ["A Zebra?!", "Ünïcode 你好 123", "", "emoji 🙂 ok"])
def test_any_prompt_is_accepted_and_kept(tokenizer, prompt):
    ids = tokenizer(prompt).input_ids
    assert tokenizer.eos_token_id not in ids[1:-1]
    assert tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "") == prompt.lower().replace(" ", "")


def test_ids_are_padded_and_cut_to_77(tokenizer):
    ids = token_ids(tokenizer, ["a man", "hair " * 200])
    assert ids.shape == (2, 77)
    assert ids[0, -1] == ids[1, -1] == tokenizer.eos_token_id


def test_both_saved_folders_load_as_clip_tokenizers(tokenizer, tmp_path):
    save_tokenizers(tokenizer, tmp_path)
    for name in ("tokenizer", "tokenizer_2"):
        loaded = CLIPTokenizer.from_pretrained(tmp_path / name)
        assert loaded(CAPTIONS[0]).input_ids == tokenizer(CAPTIONS[0]).input_ids
        assert loaded.model_max_length == 77


def test_bytes_alone_are_enough():
    assert len(train_tokenizer(CAPTIONS, 514)) == 514


def test_vocabulary_too_small_for_the_bytes_is_refused():
    with pytest.raises(DatasetError, match="514"):
        train_tokenizer(CAPTIONS, 500)
