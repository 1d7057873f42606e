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
