import json

import pytest

from hifi_portrait.errors import ModelError
from hifi_portrait.models import build, files
from hifi_portrait.models.hifi_files import load_hifi_parts


def test_a_missing_bundled_model_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "BUNDLED", tmp_path / "bundled")
    with pytest.raises(ModelError, match="the bundled model is not installed"):
        files.check_folder(files.BUNDLED)


def test_a_damaged_index_is_named(tmp_path):
    (tmp_path / "model_index.json").write_text("{")
    with pytest.raises(ModelError, match=r"model_index\.json is damaged"):
        files.check_folder(tmp_path)


def test_a_missing_part_is_named(tmp_path):
    (tmp_path / "model_index.json").write_text(json.dumps({"unet": ["diffusers", "UNet2DConditionModel"]}))
    with pytest.raises(ModelError, match="has no folder unet/"):
        files.check_folder(tmp_path)


def test_a_hifi_folder_must_hold_every_part(tmp_path):
    build("tiny", ["hifi_net"])["hifi_net"].save_pretrained(tmp_path / "hifi_net")
    with pytest.raises(ModelError, match=r"has no face_encoder/config\.json"):
        load_hifi_parts(tmp_path, "auto")


def test_a_missing_hifi_folder_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"there is no folder .*nowhere"):
        load_hifi_parts(tmp_path / "nowhere", "auto")
