"""Base models and HiFi weights from folders, single files and the hub's layout; others refused by name."""

import copy
import json
import shutil

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from safetensors.torch import load_file, save_file

from hifi_portrait.errors import ModelError
from hifi_portrait.models import save_hifi_parts
from hifi_portrait.pipeline import HiFiPortraitPipeline
from original_layout import save_original
from tiny_pipelines import FACE_PARTS, PLAIN_PARTS, a_pipeline, an_identity, draw


@pytest.fixture(scope="module")
def pipe():
    # diffusers tells SDXL's second text encoder by its tenth layer, and the first from it by its width.
    return a_pipeline(
        overrides={
            "text_encoder": {"hidden_size": 8},
            "text_encoder_2": {"hidden_size": 24, "num_hidden_layers": 10},
        }
    )


@pytest.fixture(scope="module")
def folder(pipe, tmp_path_factory):
    """`base/` in diffusers' layout, `base.safetensors` in the original one, and HiFi weights likewise."""
    folder = tmp_path_factory.mktemp("models")
    StableDiffusionXLPipeline(**{name: getattr(pipe, name) for name in PLAIN_PARTS}).save_pretrained(
        folder / "base"
    )
    save_original(pipe, folder / "base.safetensors")
    pipe.save_hifi(folder / "hifi")
    pipe.save_hifi(folder / "hifi.safetensors")
    return folder


@pytest.mark.parametrize("hifi", ["hifi", "hifi.safetensors"])
@pytest.mark.parametrize("base", ["base", "base.safetensors"])
def test_every_source_gives_the_same_picture(pipe, folder, base, hifi):
    settings = {"config": str(folder / "base")} if base.endswith(".safetensors") else {}
    loaded = HiFiPortraitPipeline.from_pretrained(folder / base, hifi=folder / hifi, **settings)
    loaded.set_progress_bar_config(disable=True)
    loaded.scheduler = pipe.scheduler
    identity = an_identity()
    words = {"prompt": "a man in the rain", "negative_prompt": "blurred"}
    np.testing.assert_allclose(draw(loaded, identity, **words), draw(pipe, identity, **words), atol=1e-5)


def test_single_files_become_the_dtype_asked_for(folder):
    loaded = HiFiPortraitPipeline.from_pretrained(
        folder / "base.safetensors",
        hifi=folder / "hifi.safetensors",
        config=str(folder / "base"),
        torch_dtype=torch.bfloat16,
    )
    assert loaded.unet.dtype == loaded.hifi_net.dtype == loaded.face_refiner.dtype == torch.bfloat16


@pytest.mark.parametrize("hifi", ["hifi", "hifi.safetensors"])
@pytest.mark.parametrize("base", ["base", "base.safetensors"])
def test_each_part_may_have_a_dtype_of_its_own(folder, base, hifi):
    settings = {"config": str(folder / "base")} if base.endswith(".safetensors") else {}
    wanted = {"unet": torch.bfloat16, "hifi_net": torch.float16, "default": torch.float32}
    loaded = HiFiPortraitPipeline.from_pretrained(
        folder / base, hifi=folder / hifi, torch_dtype=wanted, **settings
    )
    assert (loaded.unet.dtype, loaded.hifi_net.dtype) == (torch.bfloat16, torch.float16)
    assert loaded.vae.dtype == loaded.face_refiner.dtype == torch.float32


def test_parts_keep_the_dtype_they_were_saved_in(folder, pipe, tmp_path):
    halved = {name: copy.deepcopy(getattr(pipe, name)) for name in FACE_PARTS}
    halved["hifi_net"].to(torch.bfloat16)
    for name in ("hifi", "hifi.safetensors"):
        save_hifi_parts(halved, tmp_path / name)
        loaded = HiFiPortraitPipeline.from_pretrained(
            folder / "base", hifi=tmp_path / name, torch_dtype="auto"
        )
        assert (loaded.hifi_net.dtype, loaded.face_encoder.dtype) == (torch.bfloat16, torch.float32)
        assert loaded.unet.dtype == torch.float32


def test_a_base_model_without_text_encoders_is_no_refiner(folder, tmp_path):
    for missing in (("text_encoder",), ("text_encoder", "text_encoder_2")):
        place = shutil.copytree(folder / "base", tmp_path / str(len(missing)))
        index = json.loads((place / "model_index.json").read_text())
        index |= {name: [None, None] for name in missing}
        (place / "model_index.json").write_text(json.dumps(index))
        assert load(place, folder).text_encoder is None
    unet = json.loads((place / "unet" / "config.json").read_text())
    unet["projection_class_embeddings_input_dim"] = 32 + 5 * unet["addition_time_embed_dim"]
    (place / "unet" / "config.json").write_text(json.dumps(unet))
    with pytest.raises(ModelError, match="is a SDXL refiner model"):
        load(place, folder)


def test_a_single_file_needs_hifi_weights(folder):
    with pytest.raises(ModelError, match="base model without hifi_net"):
        HiFiPortraitPipeline.from_pretrained(folder / "base.safetensors", config=str(folder / "base"))


def load(base, folder):
    return HiFiPortraitPipeline.from_pretrained(base, hifi=folder / "hifi")


@pytest.mark.parametrize(
    ("tensors", "kind"),
    [
        (
            {"model.diffusion_model.output_blocks.11.0.skip_connection.weight": (320, 640, 1, 1)},
            "Stable Diffusion 1 ",
        ),
        (
            {"model.diffusion_model.input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight": (320, 1024)},
            "Stable Diffusion 2 ",
        ),
        ({"double_blocks.0.img_attn.norm.key_norm.scale": (128,), "img_in.weight": (8, 64)}, "FLUX "),
        ({"conditioner.embedders.0.model.transformer.resblocks.9.mlp.c_proj.bias": (1280,)}, "SDXL refiner "),
        ({"something.weight": (3,)}, "no base model in the original SDXL layout"),
    ],
)
def test_single_files_of_other_models_are_refused_by_name(folder, tmp_path, tensors, kind):
    file = tmp_path / "other.safetensors"
    save_file({name: torch.zeros(shape) for name, shape in tensors.items()}, file)
    with pytest.raises(ModelError, match=kind) as refusal:
        load(file, folder)
    assert str(file) in str(refusal.value)


def test_damaged_missing_and_pickled_files_are_named(folder, tmp_path):
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes((folder / "base.safetensors").read_bytes()[:5000])
    for base, message in (
        (damaged, "damaged or incomplete"),
        (tmp_path / "nowhere.safetensors", "there is no file"),
        (tmp_path / "model.ckpt", r"give the base model as a \.safetensors file"),
    ):
        with pytest.raises(ModelError, match=message):
            load(base, folder)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("FluxPipeline", "FLUX"),
        ("StableDiffusionPipeline", "Stable Diffusion 1 or 2"),
    ],
)
def test_folders_of_other_models_are_refused_by_name(folder, tmp_path, name, kind):
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": name}))
    with pytest.raises(ModelError, match=f"is a {kind} model: HiFi-Portrait needs an SDXL base model"):
        load(tmp_path, folder)


@pytest.mark.parametrize(
    ("index", "unet", "kind"),
    [
        ({"text_encoder": [None, None]}, {}, "SDXL refiner"),
        ({}, {"in_channels": 9}, "SDXL inpainting"),
    ],
)
def test_other_sdxl_models_are_refused_by_what_they_are(folder, tmp_path, index, unet, kind):
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text(json.dumps({"addition_embed_type": "text_time"} | unet))
    with pytest.raises(ModelError, match=f"is a {kind} model"):
        load(tmp_path, folder)


def cached(cache, name, files):
    """A hub repository as the hub's client keeps it once it is fetched."""
    repository = cache / f"models--{name.replace('/', '--')}"
    snapshot = repository / "snapshots" / ("0" * 40)
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    shutil.copytree(files, snapshot)


def test_hub_ids(pipe, folder, tmp_path):
    cached(tmp_path, "some/base", folder / "base")
    cached(tmp_path, "some/hifi", folder / "hifi")
    hub = {"cache_dir": str(tmp_path), "local_files_only": True}
    loaded = HiFiPortraitPipeline.from_pretrained("some/base", hifi="some/hifi", **hub)
    loaded.set_progress_bar_config(disable=True)
    loaded.scheduler = pipe.scheduler
    identity = an_identity()
    np.testing.assert_allclose(draw(loaded, identity), draw(pipe, identity), atol=1e-5)


def test_hub_repositories_of_other_models_are_refused_by_name(folder, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "model_index.json").write_text(json.dumps({"_class_name": "FluxPipeline"}))
    cached(tmp_path, "some/flux", tmp_path / "files")
    with pytest.raises(ModelError, match="some/flux is a FLUX model"):
        HiFiPortraitPipeline.from_pretrained(
            "some/flux", hifi=folder / "hifi", cache_dir=str(tmp_path), local_files_only=True
        )


def test_defaults_are_kept_beside_a_single_file(folder):
    loaded = HiFiPortraitPipeline.from_pretrained(
        folder / "base.safetensors",
        hifi=folder / "hifi.safetensors",
        config=str(folder / "base"),
        default_steps=7,
        add_watermarker=False,
        force_zeros_for_empty_prompt=False,
    )
    assert loaded.config.default_steps == 7 and loaded.watermark is None
    assert not loaded.config.force_zeros_for_empty_prompt


def test_a_unet_of_another_kind_is_refused(folder, tmp_path):
    (tmp_path / "model_index.json").write_text("{}")
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text(json.dumps({"cross_attention_dim": 768}))
    with pytest.raises(ModelError, match="Stable Diffusion 1 or 2 model"):
        load(tmp_path, folder)


def test_other_files_are_no_hifi_weights(folder, tmp_path):
    with pytest.raises(ModelError, match="holds no HiFi weights"):
        HiFiPortraitPipeline.from_pretrained(folder / "base", hifi=folder / "base.safetensors")
    tensors = load_file(folder / "hifi.safetensors")
    save_file(tensors, tmp_path / "bare.safetensors")  # the settings are missing
    with pytest.raises(ModelError, match="holds no HiFi weights"):
        HiFiPortraitPipeline.from_pretrained(folder / "base", hifi=tmp_path / "bare.safetensors")


def test_a_hub_id_that_is_not_to_be_had_is_named(folder):
    with pytest.raises(ModelError, match="no folder nobody/nothing"):
        HiFiPortraitPipeline.from_pretrained(folder / "base", hifi="nobody/nothing", local_files_only=True)
