"""What a run over a base model starts from: a published CLIP, folders, or nothing, which is refused."""

import itertools
import json
import logging
import shutil

import pytest
import torch
from transformers import CLIPConfig, CLIPModel

from hifi_objectives import batch_of, gradients, hifi
from hifi_portrait.errors import DatasetError, ModelError
from hifi_portrait.models import FaceEncoder, build
from hifi_portrait.pipeline import HiFiPortraitPipeline
from hifi_portrait.training.data.tokenizer import save_tokenizers, train_tokenizer
from hifi_portrait.training.export import export_pipeline
from hifi_portrait.training.objectives.hifi.config import FACE_PARTS, HiFiConfig, HiFiLosses
from hifi_portrait.training.objectives.hifi.objective import HiFiObjective
from hifi_portrait.training.objectives.hifi.start import check_start

TOWER = {
    "hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
    "image_size": 24, "patch_size": 12, "hidden_act": "gelu",
}  # fmt: skip
TEXT = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A whole CLIP as the hub has one, with a text tower, of another width than the size's own."""
    folder = tmp_path_factory.mktemp("clip")
    torch.manual_seed(0)
    config = CLIPConfig(vision_config=TOWER, text_config=TEXT | {"vocab_size": 50}, projection_dim=8)
    CLIPModel(config).save_pretrained(folder)
    return folder


def same(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_a_fresh_face_encoder_has_the_vision_tower_of_a_clip(prepared, base_folder, clip):
    objective = hifi(prepared, base_folder, clip=str(clip))
    theirs = CLIPModel.from_pretrained(clip).vision_model.state_dict()
    assert same(theirs, objective.part("face_encoder").tower.state_dict())
    learnt = gradients(objective, batch_of(objective))
    assert learnt["hifi_net"] and not learnt["unet"]


def test_a_run_from_a_clip_is_itself_a_start(prepared, base_folder, clip, tmp_path):
    first = hifi(prepared, base_folder, clip=str(clip))
    first.save_parts(tmp_path)
    config = HiFiConfig(size="tiny", init_from=(str(tmp_path), str(base_folder)), clip="not needed any more")
    second = HiFiObjective(config, prepared.folder)
    assert same(first.part("face_encoder").state_dict(), second.part("face_encoder").state_dict())


def test_a_model_that_is_no_clip_is_refused_by_name(prepared, base_folder, tmp_path):
    CLIPModel(CLIPConfig(vision_config=TOWER, text_config=TEXT)).text_model.save_pretrained(tmp_path)
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ModelError, match=f"CLIP vision tower.* {folder}"):
            hifi(prepared, base_folder, clip=str(folder))


def test_a_large_vision_tower_starts_at_random_only_when_told_to(prepared, base_folder, caplog):
    settings = {"size": "sdxl", "init_from": (str(base_folder),)}
    with pytest.raises(ModelError, match=r'set hifi\.clip = "openai/clip-vit-large-patch14"'):
        HiFiObjective(HiFiConfig(**settings), prepared.folder)
    with caplog.at_level(logging.WARNING):
        check_start(HiFiConfig(**settings, random_clip=True), prepared)
    assert "starts from RANDOM weights" in caplog.text


@pytest.mark.parametrize("given", [(), ("face_encoder",), FACE_PARTS], ids=["base", "encoder", "all"])
def test_a_part_must_learn_or_be_given(prepared, base_folder, tiny_model, tmp_path, given):
    """Whichever parts learn: what neither learns nor is in a folder is named before anything is loaded."""
    for name in given:
        shutil.copytree(tiny_model / name, tmp_path / name)
    start = (str(tmp_path), str(base_folder))
    for count in range(1, len(FACE_PARTS) + 1):
        for learning in itertools.combinations(FACE_PARTS, count):
            config = HiFiConfig(size="tiny", init_from=start, trainable=learning)
            random = [name for name in FACE_PARTS if name not in (*learning, *given)]
            if not random:
                check_start(config, prepared)
                continue
            with pytest.raises(ModelError, match=f"{' and '.join(random)} would stay random"):
                HiFiObjective(config, prepared.folder)


@pytest.mark.parametrize("learning", [("face_attention",), ("unet", "hifi_net")])
def test_parts_that_do_not_learn_come_from_where_the_run_started(prepared, tiny_model, tmp_path, learning):
    """What a run saves and what it started from make a whole pipeline."""
    shutil.copytree(tiny_model, tmp_path / "start")
    save_tokenizers(prepared.tokenizer(), tmp_path / "start")
    config = HiFiConfig(size="tiny", init_from=(str(tmp_path / "start"),), trainable=learning)
    objective = HiFiObjective(config, prepared.folder)
    torch.nn.init.normal_(next(objective.part(learning[0]).parameters()))
    objective.save_parts(tmp_path / "run" / "ema")
    folders = [tmp_path / "run", tmp_path / "start"]
    index = tmp_path / "start" / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"default_steps": 7}))
    exported = export_pipeline(folders, tmp_path / "model", size="tiny", dtype=torch.float32, upscale=3)
    assert exported.config.default_steps == 7  # it draws as what it started from
    assert exported.config.default_upscale == 3  # but for what was asked
    assert exported.config.default_imagined_steps == 20
    loaded = HiFiPortraitPipeline.from_pretrained(tmp_path / "model")
    for name in (*FACE_PARTS, "unet"):
        assert same(objective.part(name).state_dict(), getattr(loaded, name).state_dict()), name


@pytest.mark.parametrize("half", [False, True])
def test_a_frozen_clip_stays_as_it_is_and_the_rest_of_the_face_encoder_learns(
    prepared, base_folder, clip, half
):
    objective = hifi(prepared, base_folder, clip=str(clip), frozen_clip=True, frozen_in_half=half)
    torch.nn.init.normal_(objective.part("face_attention").to_v[0].weight)
    encoder = objective.part("face_encoder")
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        sum(objective(batch_of(objective)).values()).backward()
    assert encoder.identity_projection[0].weight.grad.abs().sum() > 0
    assert all(p.grad is None and not p.requires_grad for p in encoder.tower.parameters())
    assert {p.dtype for p in encoder.tower.parameters()} == {torch.bfloat16 if half else torch.float32}
    assert encoder.patch_projection.weight.dtype == torch.float32


def test_random_weights_are_not_frozen(prepared, base_folder):
    with pytest.raises(ModelError, match=r"frozen_clip would freeze random weights"):
        hifi(prepared, base_folder, frozen_clip=True)


def test_a_run_in_which_nothing_learns_is_refused(prepared, base_folder, tiny_model):
    start = {"size": "tiny", "init_from": (str(tiny_model), str(base_folder))}
    with pytest.raises(ModelError, match=r"nothing learns: hifi\.trainable is empty"):
        HiFiObjective(HiFiConfig(**start, trainable=()), prepared.folder)


def test_a_critic_must_learn(prepared, base_folder):
    with pytest.raises(ModelError, match=r"add 'critic' to hifi\.trainable"):
        hifi(prepared, base_folder, losses=HiFiLosses(adversary=0.1))


def test_a_base_model_of_another_size_is_refused(prepared, tmp_path):
    overrides = {"unet": {"block_out_channels": [8, 16, 32]}}
    for name, part in build("tiny", ["unet", "text_encoder", "text_encoder_2"], overrides=overrides).items():
        part.save_pretrained(tmp_path / name)
    with pytest.raises(ModelError, match=r"levels are \[8, 16, 32\] wide.*set hifi\.size"):
        hifi(prepared, tmp_path)


def test_photos_prepared_with_another_tokenizer_are_refused(prepared, base_folder, tmp_path):
    shutil.copytree(base_folder, tmp_path / "base")
    save_tokenizers(train_tokenizer(["quite other words"], 600), tmp_path / "base")
    with pytest.raises(DatasetError, match=r"another tokenizer than .*--tokenizer"):
        hifi(prepared, tmp_path / "base")


def test_a_clip_of_the_sizes_own_layout_leaves_its_settings(tmp_path):
    """As that of the recipe `sdxl`: what is saved has the size's own settings."""
    own = build("tiny", ["face_encoder"])["face_encoder"]
    own.tower.save_pretrained(tmp_path)
    assert dict(FaceEncoder.from_clip(tmp_path, output_dim=16).config.vision) == dict(own.config.vision)


def test_what_is_copied_and_what_starts_from_nothing(prepared, base_folder, clip, tmp_path):
    objective = hifi(prepared, base_folder, clip=str(clip))
    fresh = objective.fresh_parameters
    assert {"parts.hifi_net.warp_in.weight", "parts.face_encoder.identity_projection.0.weight"} <= fresh
    assert "parts.face_refiner.queries" in fresh
    for copied in (
        "hifi_net.conv_in.weight",
        "face_encoder.tower.pre_layrnorm.weight",
    ):
        assert f"parts.{copied}" in dict(objective.named_parameters()) and f"parts.{copied}" not in fresh
    objective.save_parts(tmp_path)
    start = (str(tmp_path), str(base_folder))
    assert HiFiObjective(HiFiConfig(size="tiny", init_from=start), prepared.folder).fresh_parameters == set()
