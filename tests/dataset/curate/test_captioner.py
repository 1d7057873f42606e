"""Captions by image-to-text models, tiny ones of the same layout as those on the hub."""

import numpy as np
import pytest
import torch

from hifi_portrait.dataset.curate.captioner import Captioner, captioner_name
from hifi_portrait.errors import ModelError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "man", "woman", "smiling", "outdoors", "."]
PICTURE = np.random.default_rng(0).integers(0, 256, (80, 64, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def blip(tmp_path_factory):
    """A folder with a BLIP of random weights."""
    from transformers import (
        BertTokenizer,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
        BlipProcessor,
    )

    folder = tmp_path_factory.mktemp("models") / "tiny-blip"
    tokenizer = BertTokenizer(vocab={word: number for number, word in enumerate(WORDS)})
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**size, "vocab_size": len(WORDS), "max_position_embeddings": 96, "encoder_hidden_size": 16}
    text |= {"bos_token_id": 2, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0, "projection_dim": 16}
    vision = {**size, "image_size": 32, "patch_size": 16, "projection_dim": 16}
    torch.manual_seed(0)
    config = BlipConfig(text_config=text, vision_config=vision, projection_dim=16, image_text_hidden_size=16)
    BlipForConditionalGeneration(config).save_pretrained(folder)
    processor = BlipImageProcessor(size={"height": 32, "width": 32})
    BlipProcessor(processor, tokenizer).save_pretrained(folder)
    return folder


def test_a_captioning_model_of_a_folder_writes_the_same_line_again(blip):
    caption = Captioner(str(blip))(PICTURE)
    assert caption and set(caption.split()) <= {*WORDS, "[UNK]"}
    assert "\n" not in caption and not caption.endswith(".")
    assert Captioner(str(blip))(PICTURE) == caption
    assert captioner_name(str(blip)) == "tiny-blip"


@pytest.fixture(scope="module")
def llava(tmp_path_factory):
    """A folder with a LLaVA of random weights, which chats."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        CLIPImageProcessor,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        PreTrainedTokenizerFast,
    )

    folder = tmp_path_factory.mktemp("models") / "tiny-llava"
    words = {word: number for number, word in enumerate([*WORDS, "<image>", "USER:", "ASSISTANT:"])}
    raw = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="[PAD]", unk_token="[UNK]", eos_token="[SEP]"
    )
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LlavaConfig(
        vision_config={**size, "model_type": "clip_vision_model", "image_size": 32, "patch_size": 16},
        text_config={**size, "model_type": "llama", "vocab_size": len(words), "num_key_value_heads": 2},
        image_token_id=words["<image>"],
        image_seq_length=4,
    )
    torch.manual_seed(0)
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    template = (
        "{% for message in messages %}USER: {% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}<image> {% else %}{{ part['text'] }} {% endif %}{% endfor %}"
        "{% endfor %}ASSISTANT:"
    )
    pictures = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    LlavaProcessor(
        pictures,
        tokenizer,
        patch_size=16,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template,
    ).save_pretrained(folder)
    return folder


def test_of_a_model_that_chats_the_answer_alone_is_taken(llava):
    caption = Captioner(str(llava))(PICTURE)
    assert caption and "USER:" not in caption.split()[:1] and "<image>" not in caption
    assert len(caption.split()) <= 60


def test_what_is_no_captioner_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"nowhere: no captioner could be loaded.*Give a folder"):
        Captioner(str(tmp_path / "nowhere"))


@pytest.mark.slow
def test_captions_of_a_set_are_the_models(blip, tmp_path, heap):
    from hifi_portrait.dataset.curate import BuildOptions, add_to_dataset, build_dataset
    from hifi_portrait.dataset.format import IDDataset
    from hifi_portrait.errors import DatasetError

    options = BuildOptions(captioner=str(blip))
    build_dataset([heap], tmp_path / "set", options=options, workers=0)
    captions = [record.caption for record in IDDataset(tmp_path / "set")]
    assert captions and all(set(each.split()) <= {*WORDS, "[UNK]"} for each in captions)
    with pytest.raises(DatasetError, match="captions by tiny-blip"):
        add_to_dataset(tmp_path / "set", [heap], workers=0)
