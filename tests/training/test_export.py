import json
import shutil

import pytest
import torch

from hifi_portrait.errors import ModelError
from hifi_portrait.pipeline import HiFiPortraitPipeline
from hifi_portrait.training.engine.checkpoint import latest_checkpoint, load_state
from hifi_portrait.training.export import export_pipeline


def test_exported_pipeline_loads_and_draws(prepared, base_folder, run_recipe, tmp_path):
    run = run_recipe("hifi", prepared.folder)
    export_pipeline([run, prepared.folder], tmp_path / "pipeline", size="tiny", dtype=torch.float32)
    pipeline = HiFiPortraitPipeline.from_pretrained(tmp_path / "pipeline")
    saved = load_state(latest_checkpoint(run))["ema"]["shadow_params"]
    assert any(torch.equal(pipeline.unet.conv_in.weight, weights) for weights in saved)
    for config in (tmp_path / "pipeline").glob("*/config.json"):
        assert str(tmp_path) not in config.read_text(), config


def test_export_names_what_is_missing(prepared, tmp_path):
    with pytest.raises(ModelError, match=r"unet.*hifi_net"):
        export_pipeline([prepared.folder], tmp_path, size="tiny")


def test_a_pipeline_with_another_unet_does_not_tell_how_to_draw(
    prepared, base_folder, run_recipe, tiny_model, tmp_path
):
    """It may give the face models of a base model that was trained otherwise."""
    shutil.copytree(tiny_model, tmp_path / "other")
    for file, change in (
        ("model_index.json", {"default_steps": 7}),
        ("unet/config.json", {"sample_size": 99}),
    ):
        place = tmp_path / "other" / file
        place.write_text(json.dumps(json.loads(place.read_text()) | change))
    folders = [run_recipe("hifi", prepared.folder), prepared.folder, tmp_path / "other"]
    exported = export_pipeline(
        folders, tmp_path / "model", size="tiny", imagined_steps=4, imagined_guidance=1.5
    )
    assert exported.config.default_steps == 20
    assert exported.config.default_imagined_steps == 4
    assert exported.config.default_imagined_guidance == 1.5


def test_export_names_a_count_that_is_none(prepared, tmp_path):
    with pytest.raises(ValueError, match="imagined_steps"):
        export_pipeline([prepared.folder], tmp_path, size="tiny", imagined_steps=0)
