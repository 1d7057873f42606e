"""The portrait models' objective: what learns, from which first weights, and by which terms."""

import shutil

import pytest
import torch

from hifi_objectives import BASE_PARTS, batch_of, gradients, hifi
from hifi_portrait.errors import ModelError
from hifi_portrait.models.build import build
from hifi_portrait.training.objectives.diffusion import clean_from_velocity
from hifi_portrait.training.objectives.hifi.config import FACE_PARTS, HiFiConfig, HiFiDataConfig, HiFiLosses
from hifi_portrait.training.objectives.hifi.objective import HiFiObjective
from tiny_models import randomised


def test_frozen_base_gets_no_gradient(prepared, base_folder):
    objective = hifi(prepared, base_folder)
    reached = gradients(objective, batch_of(objective))
    assert not any(reached[name] for name in (*BASE_PARTS, "vae"))
    assert reached["hifi_net"]


def test_joint_training_reaches_the_base_model(prepared, base_folder):
    objective = hifi(prepared, base_folder, trainable=(*BASE_PARTS, *FACE_PARTS))
    reached = gradients(objective, batch_of(objective))
    assert all(reached[name] for name in BASE_PARTS)
    assert not reached["vae"]


def test_frozen_base_needs_weights(prepared):
    with pytest.raises(ModelError, match="unet"):
        HiFiObjective(HiFiConfig(size="tiny"), prepared.folder)


def test_fresh_hifi_net_starts_from_the_unet_encoder(prepared, base_folder):
    objective = hifi(prepared, base_folder)
    for name in ("conv_in.weight", "mid_block.resnets.0.conv1.weight"):
        assert torch.equal(
            objective.part("hifi_net").state_dict()[name], objective.part("unet").state_dict()[name]
        )


def test_identity_and_landmark_terms_reach_hifi_net(prepared, base_folder):
    losses = HiFiLosses(denoising=0.0, identity=1.0, landmarks=1.0, decoded_samples=2, decoded_below=1.0)
    objective = hifi(prepared, base_folder, losses=losses)
    batch = batch_of(objective)
    torch.manual_seed(0)
    terms = objective(batch)
    assert set(terms) == {"denoising", "identity", "landmarks"}
    (terms["identity"] + terms["landmarks"]).backward()
    assert any(
        p.grad is not None and bool(p.grad.abs().sum() > 0) for p in objective.part("hifi_net").parameters()
    )


def test_surface_alignment_can_be_switched_off(prepared, base_folder):
    objective = hifi(prepared, base_folder, surface_alignment=False)
    assert not objective.part("hifi_net").config.surface_alignment
    assert float(objective(batch_of(objective))["denoising"].detach()) > 0


def test_depth_of_hifi_net_can_be_chosen(prepared, base_folder):
    objective = hifi(prepared, base_folder, transformer_layers=(1, 1, 2))
    assert len(objective.part("hifi_net").mid_block.attentions[0].transformer_blocks) == 2


def test_weights_made_with_another_switch_are_refused(prepared, base_folder, tmp_path):
    build("tiny", ["hifi_net"])["hifi_net"].save_pretrained(tmp_path / "hifi_net")
    config = HiFiConfig(size="tiny", init_from=(str(tmp_path), str(base_folder)), surface_alignment=False)
    with pytest.raises(ModelError, match="surface_alignment"):
        HiFiObjective(config, prepared.folder)


def test_weights_made_without_a_switch_of_the_size_are_refused(prepared, base_folder, tmp_path):
    other = build("tiny", ["hifi_net"], overrides={"hifi_net": {"latent_prior": 8}})
    other["hifi_net"].save_pretrained(tmp_path / "hifi_net")
    config = HiFiConfig(size="tiny", init_from=(str(tmp_path), str(base_folder)))
    with pytest.raises(ModelError, match="latent_prior = 8, not 0"):
        HiFiObjective(config, prepared.folder)


def test_errors_about_the_eyes_count_more(prepared, base_folder):
    """In the middle of the face, where the target's own eyes are, and nowhere off the head."""
    losses = HiFiLosses(face_region=1.0, eye_region=6.0)
    objective = hifi(prepared, base_folder, losses=losses)
    faces = batch_of(objective, [0])["faces"]
    importance = objective._importance(faces, faces.landmark.shape[-1])[0, 0]
    assert float(importance.max()) == pytest.approx(8)
    assert float(importance[faces.triangle[0] < 0].max()) == pytest.approx(1)
    eyes = (faces.keypoints[0, :2] * faces.landmark.shape[-1]).long()
    for x, y in eyes.tolist():
        assert float(importance[y, x]) == pytest.approx(8)
    mouth = (faces.keypoints[0, 3:] * faces.landmark.shape[-1]).long()
    for x, y in mouth.tolist():
        assert float(importance[y, x]) == pytest.approx(2)


@pytest.fixture(scope="module")
def noise_folder(base_folder, tmp_path_factory):
    """The tiny base as a pipeline folder of one that predicts the noise, as SDXL does."""
    folder = tmp_path_factory.mktemp("epsilon")
    for name in BASE_PARTS:
        shutil.copytree(base_folder / name, folder / name)
    overrides = {"scheduler": {"prediction_type": "epsilon"}}
    build("tiny", ["scheduler"], overrides=overrides)["scheduler"].save_pretrained(folder / "scheduler")
    return folder


def test_a_base_that_predicts_the_noise_is_one(prepared, noise_folder):
    """Where it predicts no noise at all, the photo is the noisy latents, brought back to scale."""
    objective = hifi(prepared, noise_folder)
    unet = objective.part("unet")
    torch.nn.init.zeros_(unet.conv_out.weight), torch.nn.init.zeros_(unet.conv_out.bias)
    batch = batch_of(objective)
    condition = objective.conditioner(batch["faces"])
    text = objective._text(batch, condition)
    noisy, timesteps = torch.randn_like(batch["latents"]), torch.tensor([100, 700])
    velocity = objective.denoiser(noisy, timesteps, text, condition, torch.zeros(2, dtype=torch.bool))
    alphas = objective.scheduler.alphas_cumprod
    clean = clean_from_velocity(noisy, velocity, alphas, timesteps)
    torch.testing.assert_close(
        clean, noisy / alphas[timesteps].view(-1, 1, 1, 1).sqrt(), rtol=1e-4, atol=1e-4
    )
    assert objective.sheet().shape[2] == 3


def test_a_latent_prior_does_not_go_with_a_base_that_predicts_the_noise(prepared, noise_folder, tmp_path):
    shutil.copytree(prepared.folder, tmp_path / "prepared")
    build("bundled", ["vae"])["vae"].save_pretrained(tmp_path / "prepared" / "vae")
    config = HiFiConfig(
        init_from=(str(noise_folder),), trainable=(*BASE_PARTS, *FACE_PARTS), fresh=BASE_PARTS
    )
    with pytest.raises(ModelError, match=r"set hifi\.latent_prior = false"):
        HiFiObjective(config, tmp_path / "prepared")


def test_frozen_parts_can_be_of_half_precision_and_states_computed_again(prepared, base_folder):
    """Gradients are those of full precision, up to bfloat16's; checkpointing alone changes none."""
    found = {}
    for name, settings in {
        "plain": {},
        "checkpointed": {"gradient_checkpointing": True},
        "half": {"frozen_in_half": True, "gradient_checkpointing": True},
    }.items():
        objective = hifi(prepared, base_folder, **settings)
        for module in (objective.part("hifi_net"), objective.part("face_attention")):
            randomised(module)
        assert (objective.part("unet").dtype == torch.bfloat16) == (name == "half")
        assert objective.part("hifi_net").dtype == torch.float32
        batch = batch_of(objective)
        torch.manual_seed(0)
        with torch.autocast("cpu", torch.bfloat16, enabled=name == "half"):
            sum(objective(batch).values()).backward()
        found[name] = objective.part("hifi_net").warp_in.weight.grad
    torch.testing.assert_close(found["checkpointed"], found["plain"])
    cosine = torch.nn.functional.cosine_similarity(found["half"].flatten(), found["plain"].flatten(), dim=0)
    assert float(cosine) > 0.95


def test_regraded_targets_are_encoded_anew(prepared, base_folder):
    config = HiFiDataConfig(face_dropout=0, degraded_share=0, regraded_share=0.5)
    objective = hifi(prepared, base_folder, data=config)
    batch = batch_of(objective, range(8))
    regraded = batch["regraded"]
    assert 0 < regraded.sum() < 8
    latents = objective._latents(batch)
    assert torch.equal(latents[~regraded], batch["latents"][~regraded])
    assert (latents - batch["latents"]).abs().flatten(1).mean(1)[regraded].min() > 0.001


def test_noise_draws_keep_to_their_own_sample(prepared, base_folder, monkeypatch):
    config = HiFiDataConfig(face_dropout=0, caption_dropout=0)
    objective = hifi(prepared, base_folder, noise_draws=2, data=config)
    batch = objective.collate([objective.sample(i) for i in range(2)])
    read, predict = [], objective.denoiser

    def heard(noisy, timesteps, text, condition, *others):
        read.append((text.hidden, condition.tokens, condition.hifi.latent_map))
        return predict(noisy, timesteps, text, condition, *others)

    monkeypatch.setattr(objective, "denoiser", heard)
    assert float(objective(batch)["denoising"].detach()) > 0
    condition = objective.conditioner(batch["faces"])
    alone = (objective._text(batch, condition).hidden, condition.tokens, condition.hifi.latent_map)
    for repeated, each in zip(read[0], alone, strict=True):
        assert torch.equal(repeated, each.repeat_interleave(2, dim=0))
