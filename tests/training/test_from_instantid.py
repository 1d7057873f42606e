"""InstantID's converted weights, trained on with embeddings of their own recogniser."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

import instantid_published as published
from arcface_samples import write_network
from hifi_objectives import batch_of, gradients, hifi
from hifi_portrait.dataset.format import IDDataset, IDDatasetWriter
from hifi_portrait.errors import DatasetError, ModelError
from hifi_portrait.models import load_instantid
from hifi_portrait.training.data.embed import embed_photos
from hifi_portrait.training.data.prepare import prepare
from hifi_portrait.training.objectives.hifi.config import FACE_PARTS, HiFiConfig, HiFiLosses
from hifi_portrait.training.objectives.hifi.objective import HiFiObjective

OTHERS = torch.tensor([True, False])


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """Weights as `convert instantid` writes them, beside the base model."""
    folder = tmp_path_factory.mktemp("converted")
    published.write_published(folder)
    parts = load_instantid(folder / "ControlNetModel", folder / "ip-adapter.bin") | published.base_parts()
    del parts["vae"]
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    return folder


@pytest.fixture(scope="module")
def photos(id_data, vae_folder, tmp_path_factory):
    """The data set, prepared with an ArcFace network."""
    folder = tmp_path_factory.mktemp("arcface")
    write_network(folder / "arcface.onnx", outputs=published.EMBEDDING)
    options = {"model_size": "tiny", "vae": vae_folder, "recogniser": folder / "arcface.onnx", "workers": 1}
    return prepare(id_data, folder / "prepared", **options)


def on_from(converted, photos, **changes):
    start = {"size": "tiny", "design": "as-given", "init_from": (str(converted),), "latent_prior": False}
    config = HiFiConfig(**start | changes)
    return HiFiObjective(config, photos.folder)


def test_embeddings_are_the_networks_own(photos, prepared):
    embeddings = photos.arrays["embeddings"]
    assert embeddings.shape == (len(prepared), published.EMBEDDING)
    lengths = np.linalg.norm(embeddings, axis=1)
    assert lengths.min() > 2 and len(np.unique(lengths)) == len(lengths)  # raw, and of each photo's own face


def test_another_network_of_the_same_name_is_told_apart(photos, id_data, tmp_path):
    folder, network = shutil.copytree(photos.folder, tmp_path / "prepared"), tmp_path / "arcface.onnx"
    kept = prepare(id_data, folder, model_size="tiny", workers=1)
    assert np.array_equal(kept.arrays["embeddings"], photos.arrays["embeddings"])
    write_network(network, outputs=5, seed=1)
    changed = prepare(id_data, folder, model_size="tiny", recogniser=network, workers=1)
    assert changed.embedding_size == 5 and changed.recogniser == photos.recogniser == "arcface.onnx"


def test_a_data_set_that_has_grown_is_not_embedded(id_data, tmp_path):
    """Its photos are not the rows' any more: the new person comes first."""
    records = [IDDataset(id_data)[index] for index in range(3)]
    with IDDatasetWriter(tmp_path / "data") as dataset:
        dataset.add("person-0", records)
    prepare(tmp_path / "data", tmp_path / "out", model_size="tiny", workers=1)
    with IDDatasetWriter(tmp_path / "data", name="b") as dataset:
        dataset.add("a", [replace(each, identity_id="a", caption="somebody else") for each in records])
    write_network(tmp_path / "arcface.onnx", outputs=5)
    with pytest.raises(DatasetError, match="has changed since"):
        embed_photos(tmp_path / "data", tmp_path / "out", tmp_path / "arcface.onnx")


@pytest.mark.parametrize("large", [False, True])
def test_every_face_part_learns_and_the_base_does_not(converted, photos, large):
    """With the settings for large models, too."""
    objective = on_from(converted, photos, gradient_checkpointing=large, frozen_in_half=large)
    assert objective.part("face_refiner").config.form == "resampled"
    with torch.autocast("cpu", torch.bfloat16, enabled=large):
        learnt = gradients(objective, batch_of(objective))
    faces = {name for name in FACE_PARTS if any(True for _ in objective.part(name).parameters())}
    assert {"hifi_net", "face_refiner", "face_attention"} <= faces
    assert learnt == {name: name in faces for name in learnt}


def test_without_a_prompt_nobodys_face_is_read(converted, photos):
    """As the pipeline's unconditional half, which the same networks draw from an embedding of zeros."""
    objective = on_from(converted, photos)
    batch = batch_of(objective)
    noisy, timesteps = torch.randn_like(batch["latents"]), torch.tensor([500, 500])
    drawn = []
    for factor in (1, -1):
        faces = batch["faces"]
        faces.embeddings = faces.embeddings * factor
        condition = objective.conditioner(faces)
        text = objective._text(batch, condition)
        drawn.append(objective.denoiser(noisy, timesteps, text, condition, OTHERS))
    assert torch.equal(drawn[0][0], drawn[1][0])
    assert not torch.allclose(drawn[0][1], drawn[1][1])
    objective.part("hifi_net").controlnet_mid_block.bias.data += 1
    assert not torch.allclose(
        objective.denoiser(noisy, timesteps, text, condition, OTHERS)[0], drawn[1][0], atol=1e-4
    )


def test_embeddings_of_another_recogniser_are_refused(converted, prepared):
    with pytest.raises(ModelError, match=r"of 24 numbers.*default recogniser, of 128.*--recogniser"):
        on_from(converted, prepared)


def test_the_identity_loss_needs_the_datas_own_recogniser(converted, photos, prepared, base_folder):
    with pytest.raises(ModelError, match=r"embeddings of arcface\.onnx.*set hifi\.losses\.recogniser"):
        on_from(converted, photos, losses=HiFiLosses(identity=0.1))
    file = str(photos.folder.parent / "arcface.onnx")
    with pytest.raises(ModelError, match=r"embeddings of dlib, but .*arcface\.onnx"):
        hifi(prepared, base_folder, losses=HiFiLosses(identity=0.1, recogniser=file))


@pytest.mark.parametrize("steps", [0, 4])
def test_identity_is_learnt_from_an_arcface_network(converted, photos, steps):
    """From predictions of clean photos, and from pictures drawn from noise; whatever is computed again."""
    file, found = str(photos.folder.parent / "arcface.onnx"), []
    losses = HiFiLosses(denoising=0.0, identity=1.0, recogniser=file, identity_steps=steps, decoded_below=1.0)
    for checkpointing in (False, True):
        objective = on_from(converted, photos, losses=losses, gradient_checkpointing=checkpointing)
        torch.manual_seed(0)
        objective(batch_of(objective))["identity"].backward()
        found.append([objective.part("face_attention").to_v[0].weight.grad, *(
            parameter.grad for parameter in objective.part("hifi_net").controlnet_mid_block.parameters()
        )])  # fmt: skip
    for plain, checkpointed in zip(*found, strict=True):
        assert plain.abs().max() > 0
        torch.testing.assert_close(checkpointed, plain, rtol=1e-3, atol=1e-7)


def test_settings_as_given_need_the_parts(base_folder, photos):
    with pytest.raises(ModelError, match=r"no face_encoder in .* whose settings"):
        on_from(base_folder, photos)
