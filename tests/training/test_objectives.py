import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from hifi_objectives import BASE_PARTS, batch_of, gradients, hifi
from hifi_portrait.errors import DatasetError, ModelError
from hifi_portrait.models.build import build
from hifi_portrait.models.conditioning import face_inputs
from hifi_portrait.pipeline import HiFiPortraitPipeline
from hifi_portrait.training.autoencoder import AutoencoderConfig, AutoencoderObjective, random_crop
from hifi_portrait.training.base import BaseConfig, BaseObjective
from hifi_portrait.training.caption_reading import EYES_SIZE, TextConfig, TextObjective, about_the_eyes
from hifi_portrait.training.checkpoint import latest_checkpoint, load_state
from hifi_portrait.training.export import export_pipeline
from hifi_portrait.training.hifi import HiFiObjective
from hifi_portrait.training.hifi_config import FACE_PARTS, HiFiConfig, HiFiLosses
from hifi_portrait.training.hifi_data import HiFiData, HiFiDataConfig
from hifi_portrait.training.losses import clean_from_velocity, velocity_to
from hifi_portrait.training.prepare import prepare
from hifi_portrait.training.recipes import load_recipe, objective_class
from hifi_portrait.training.text import encode_text, vary_caption
from hifi_portrait.training.tokenizer import save_tokenizers
from tiny_models import randomised


@pytest.mark.parametrize("objective", ["autoencoder", "base", "hifi", "text"])
def test_tiny_recipe_trains_and_leaves_a_checkpoint_and_a_sheet(objective, id_data, prepared, run_recipe):
    run = run_recipe(objective, id_data if objective == "autoencoder" else prepared.folder)
    assert load_state(latest_checkpoint(run))["step"] == 4
    assert Image.open(run / "sheets" / "step-00000004.png").size[0] >= 64
    assert json.loads((run / "recipe.json").read_text())["objective"] == objective


@pytest.mark.parametrize("objective", ["autoencoder", "base", "hifi", "text"])
def test_resumed_training_equals_uninterrupted_training(objective, id_data, prepared, run_recipe, tmp_path):
    data = id_data if objective == "autoencoder" else prepared.folder
    constant_rate = ["trainer.final_lr_share=1.0", "trainer.warmup_steps=1"]
    whole = run_recipe(objective, data, *constant_rate, out=tmp_path / "whole")
    half = run_recipe(objective, data, *constant_rate, "trainer.max_steps=2", out=tmp_path / "half")
    run_recipe(objective, data, *constant_rate, out=half)
    first, second = (load_state(latest_checkpoint(run))["parts"] for run in (whole, half))
    for part, weights in first.items():
        for name, value in weights.items():
            assert torch.equal(value, second[part][name]), f"{part}.{name}"


def test_same_index_gives_the_same_sample(prepared, base_folder):
    objective = hifi(prepared, base_folder)
    first, second = objective.sample(5), objective.sample(5)
    for field in dataclasses.fields(first["faces"]):
        assert torch.equal(getattr(first["faces"], field.name), getattr(second["faces"], field.name))
    assert torch.equal(first["token_ids"], second["token_ids"])


def test_frozen_base_gets_no_gradient(prepared, base_folder):
    reached = gradients(*(lambda o: (o, batch_of(o)))(hifi(prepared, base_folder)))
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


def test_a_start_from_the_warp_asks_for_the_photo():
    alphas = torch.linspace(0.99, 0.0, 1000)
    photo, warp, noise = torch.randn(3, 4, 16, 8, 8)
    timesteps = torch.tensor([10, 300, 700, 999])
    alpha = alphas[timesteps].view(-1, 1, 1, 1)
    noisy = alpha.sqrt() * warp + (1 - alpha).sqrt() * noise
    velocity = velocity_to(photo, noisy, alphas, timesteps)
    torch.testing.assert_close(clean_from_velocity(noisy, velocity, alphas, timesteps), photo)


def in_sittings(data):
    """Let all photos of an identity count as one sitting."""
    data.prepared.arrays["sitting"] = np.array(data.prepared.arrays["identity"], np.int64)


def test_restyled_sittings_can_be_asked_for(prepared, monkeypatch):
    settings = HiFiDataConfig(named_share=1.0, face_dropout=0)
    for share in ("named_share", "glasses_share"):
        with pytest.raises(DatasetError, match=f"{share} = 0"):
            HiFiData(HiFiDataConfig(**{share: 1.0}), prepared.folder)
    named = prepared.arrays["identity"] == 1
    monkeypatch.setitem(prepared.arrays, "named", named)
    monkeypatch.setattr("hifi_portrait.training.hifi_data.Prepared", lambda folder: prepared)
    data = HiFiData(settings, prepared.folder)
    shown = {tuple(data.sample(index)["embedding"].tolist()) for index in range(12)}
    restyled = {tuple(row) for row in prepared.arrays["embeddings"][named].astype(np.float32).tolist()}
    assert shown and shown <= restyled


def test_sittings_in_which_glasses_change_can_be_asked_for(prepared, monkeypatch):
    """Glasses in all photos of a sitting, or in none, do not count; sunglasses and glasses do."""
    identities = prepared.arrays["identity"]
    worn = {0: "glasses", 1: "no glasses"}
    captions = [f"a woman with {worn.get(int(identity), 'no glasses')}" for identity in identities]
    captions[np.flatnonzero(identities == 0)[0]] = "a woman with round glasses"  # the same, said otherwise
    changing = np.flatnonzero(identities == 2)
    captions[changing[0]] = "a woman with sunglasses"
    captions[changing[1]] = "a woman with round glasses"
    monkeypatch.setitem(prepared.arrays, "named", np.ones(len(captions), bool))
    monkeypatch.setattr(prepared, "captions", captions)
    monkeypatch.setattr("hifi_portrait.training.hifi_data.Prepared", lambda folder: prepared)
    data = HiFiData(HiFiDataConfig(named_share=1.0, glasses_share=1.0, face_dropout=0), prepared.folder)
    assert [set(group) for group in data.with_and_without_glasses] == [set(changing)]
    shown = {tuple(data.sample(index)["embedding"].tolist()) for index in range(12)}
    wanted = {tuple(row) for row in prepared.arrays["embeddings"][changing].astype(np.float32).tolist()}
    assert shown and shown <= wanted


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


def test_eyes_are_seen_in_one_place_whatever_their_colour():
    crop = np.full((256, 256, 3), (180, 140, 120), np.uint8)
    crop[110:114, 80:176] = 10
    to_chip = np.diag([150 / 256, 150 / 256, 1])
    eyes, lighter = about_the_eyes(crop, to_chip), about_the_eyes(crop + np.uint8(40), to_chip)
    assert eyes.shape == (3, *EYES_SIZE)
    torch.testing.assert_close(eyes, lighter)
    assert eyes.mean(dim=(1, 2)).abs().max() < 1e-6
    row = int(eyes.mean(dim=(0, 2)).argmin())
    assert row == round((112 * 150 / 256 - 25) / 3 - 0.5)  # 3 pixels of the chip a row, from its 25th
    assert float(eyes[:, row].min()) < -0.5


def test_captions_tell_of_pictures_by_either_path(prepared):
    config = TextConfig(size="tiny", side=4, clause_dropout=0.0, eyes=1.0)
    objective = TextObjective(config, prepared.folder)
    batch = batch_of(objective, range(6))
    for name in ("latents", "eyes"):
        batch[name] = torch.randn(batch[name].shape, generator=torch.Generator().manual_seed(0))
    optimiser = torch.optim.Adam([p for p in objective.parameters() if p.requires_grad], 5e-3)
    for _ in range(220):
        optimiser.zero_grad()
        sum(objective(batch).values()).backward()
        optimiser.step()
    terms = objective(batch)
    assert set(terms) == {"hidden", "pooled", "eyes_hidden", "eyes_pooled"}
    assert max(float(term.detach()) for term in terms.values()) < 0.5


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
    velocity = objective._predict(noisy, timesteps, text, condition, torch.zeros(2, dtype=torch.bool))
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


def test_the_adversary_reaches_critic_and_networks(prepared, base_folder):
    objective = hifi(
        prepared,
        base_folder,
        trainable=[*FACE_PARTS, "critic"],
        warp_starts=1.0,
        losses=HiFiLosses(adversary=0.5),
        data=HiFiDataConfig(face_dropout=0, caption_dropout=0),
    )
    in_sittings(objective.data)
    batch = batch_of(objective)
    torch.manual_seed(0)
    terms = objective(batch, progress=1.0)
    assert set(terms) == {"denoising", "critic", "adversary"}
    terms["adversary"].backward(retain_graph=True)
    assert all(p.grad is None for p in objective.part("critic").parameters())
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in objective.part("hifi_net").parameters())
    terms["critic"].backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in objective.part("critic").parameters())


def test_critics_follow_from_the_seed_or_from_the_run_before(prepared, base_folder, tmp_path):
    adversarial = {"trainable": [*FACE_PARTS, "critic"], "losses": HiFiLosses(adversary=0.5)}
    first, second = (hifi(prepared, base_folder, **adversarial).part("critic") for _ in range(2))
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    with torch.no_grad():
        first.half_head.weight.add_(1)
    first.save_pretrained(tmp_path / "critic")
    config = HiFiConfig(size="tiny", init_from=(str(tmp_path), str(base_folder)), **adversarial)
    third = HiFiObjective(config, prepared.folder).part("critic")
    pairs = zip(first.parameters(), third.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_regraded_targets_are_encoded_anew(prepared, base_folder):
    config = HiFiDataConfig(face_dropout=0, degraded_share=0, regraded_share=0.5)
    objective = hifi(prepared, base_folder, data=config)
    batch = batch_of(objective, range(8))
    regraded = batch["regraded"]
    assert 0 < regraded.sum() < 8
    latents = objective._latents(batch)
    assert torch.equal(latents[~regraded], batch["latents"][~regraded])
    assert (latents - batch["latents"]).abs().flatten(1).mean(1)[regraded].min() > 0.001


def test_captions_that_name_what_changes_stay_whole(prepared):
    data = HiFiData(HiFiDataConfig(empty_caption=1.0), prepared.folder)
    emptied = data.sample(0)["token_ids"]
    data.prepared.arrays["named"] = np.ones(len(data.prepared), bool)
    assert not torch.equal(data.sample(0)["token_ids"], emptied)


def test_references_of_another_sitting_are_told_apart(prepared):
    data = HiFiData(HiFiDataConfig(face_dropout=0), prepared.folder)
    assert not any(bool(data.sample(i)["one_sitting"]) for i in range(8))
    group = data.identities[0]
    sittings = np.array(data.prepared.arrays["sitting"])
    sittings[group] = 7
    data.prepared.arrays["sitting"] = sittings
    found = [data.sample(i) for i in range(2 * len(data.identities))]
    assert any(bool(sample["one_sitting"]) for sample in found)
    assert data.prepared.in_one_sitting(group) and not data.prepared.in_one_sitting(data.identities[1])


def test_references_can_be_asked_for_from_the_targets_sitting(prepared):
    data = HiFiData(HiFiDataConfig(face_dropout=0, references=(1, 1), one_sitting_share=1.0), prepared.folder)
    sittings = np.array(data.prepared.arrays["sitting"])
    for group in data.identities:
        sittings[group] = [*range(100, 100 + len(group) - 2), 7, 7]
    data.prepared.arrays["sitting"] = sittings
    alone = HiFiData(HiFiDataConfig(face_dropout=0, references=(1, 1)), prepared.folder)
    alone.prepared.arrays["sitting"] = sittings
    together = [bool(data.sample(i)["one_sitting"]) for i in range(24)]
    by_chance = [bool(alone.sample(i)["one_sitting"]) for i in range(24)]
    assert sum(together) > sum(by_chance) > 0


def test_noise_draws_keep_to_their_own_sample(prepared, base_folder, monkeypatch):
    config = HiFiDataConfig(face_dropout=0, caption_dropout=0)
    objective = hifi(prepared, base_folder, noise_draws=2, data=config)
    batch = objective.collate([objective.sample(i) for i in range(2)])
    read, predict = [], objective._predict

    def heard(noisy, timesteps, text, condition, *others):
        read.append((text.hidden, condition.tokens, condition.hifi.latent_map))
        return predict(noisy, timesteps, text, condition, *others)

    monkeypatch.setattr(objective, "_predict", heard)
    assert float(objective(batch)["denoising"].detach()) > 0
    condition = objective.conditioner(batch["faces"])
    alone = (objective._text(batch, condition).hidden, condition.tokens, condition.hifi.latent_map)
    for repeated, each in zip(read[0], alone, strict=True):
        assert torch.equal(repeated, each.repeat_interleave(2, dim=0))


def test_runs_of_samples_have_equally_many_references(prepared, base_folder):
    objective = hifi(prepared, base_folder, data=HiFiDataConfig(references=(1, 2), equal_counts=4))
    counts = [objective.sample(i)["faces"].mask.shape[1] for i in range(48)]
    assert all(len(set(counts[i : i + 4])) == 1 for i in range(0, 48, 4))
    assert set(counts) == {1, 2}


def test_references_are_others_of_the_same_person(prepared, base_folder):
    objective = hifi(
        prepared, base_folder, data=HiFiDataConfig(references=(2, 2), degraded_share=0, face_dropout=0)
    )
    crops = prepared.arrays["crops"]
    for index in range(6):
        sample = objective.sample(index)
        found = [
            next(
                i for i, crop in enumerate(crops) if np.array_equal(crop, reference.permute(1, 2, 0).numpy())
            )
            for reference in sample["faces"].crops[0]
        ]
        target = next(i for i in range(9) if torch.equal(prepared.latents(i), sample["latents"]))
        assert target not in found
        assert {i // 3 for i in found} == {target // 3}


def test_training_and_pipeline_make_the_same_condition(prepared, base_folder):
    config = HiFiDataConfig(references=(2, 2), degraded_share=0, face_dropout=0, truth_share=0)
    objective = hifi(prepared, base_folder, data=config)
    data, rng = objective.data, np.random.default_rng(0)
    sample = data._draw(np.array([0, 1, 2]), rng, config, 2)
    target, *photos = (int(i) for i in np.random.default_rng(0).permutation([0, 1, 2]))
    references = prepared.references(photos, ["fit", "fit"])
    landmark = data.generator.from_geometry(prepared.geometry(target, "fit"), prepared.size)
    wanted = face_inputs(references, landmark)
    for field in dataclasses.fields(wanted):
        torch.testing.assert_close(
            getattr(sample["faces"], field.name),
            getattr(wanted, field.name),
            msg=lambda m, f=field: f"{f.name}: {m}",
        )


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["autoencoder", "base", "hifi", "text"])
def test_each_objective_learns_a_batch(objective, id_data, prepared):
    recipe = load_recipe(f"{objective}-tiny")
    subject = objective_class(recipe)(
        recipe.settings, id_data if objective == "autoencoder" else prepared.folder
    )
    batch = batch_of(subject, range(4))
    optimiser = torch.optim.AdamW([p for p in subject.parameters() if p.requires_grad], 3e-3)

    def loss():
        torch.manual_seed(0)
        return sum(subject(batch).values())

    before = float(loss().detach())
    for _ in range(25):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    assert float(loss().detach()) < 0.8 * before


@pytest.mark.parametrize("padding", [None, "!"])
def test_text_is_embedded_as_sdxl_pipelines_do(prepared, id_data, base_folder, tmp_path, padding):
    """Where both tokenizers pad alike, and where the second one pads with another token, as SDXL's does."""
    objective = BaseObjective(BaseConfig(size="tiny", init_from=(str(base_folder),)), prepared.folder)
    tokenizer, second = prepared.tokenizer(), prepared.tokenizer()
    if padding:
        second.pad_token = padding
    save_tokenizers(tokenizer, tmp_path, second)
    given = prepare(id_data, tmp_path / "prepared", model_size="tiny", tokenizer=tmp_path, workers=1)
    from diffusers import StableDiffusionXLPipeline

    pipeline = StableDiffusionXLPipeline(
        **{name: objective.part(name) for name in (*BASE_PARTS, "vae")},
        tokenizer=tokenizer,
        tokenizer_2=second,
        scheduler=objective.scheduler,
    )
    prompt = "a portrait of person 1, grey background"
    hidden, no_hidden, pooled, no_pooled = pipeline.encode_prompt(prompt)
    ids = tokenizer(prompt, padding="max_length", max_length=77, return_tensors="pt").input_ids
    encoders = (objective.part("text_encoder"), objective.part("text_encoder_2"))
    text = encode_text(*encoders, ids, given.second_padding())
    assert (given.second_padding() is None) == (padding is None)
    torch.testing.assert_close((text.hidden, text.pooled), (hidden, pooled))
    nothing = text.without(torch.tensor([True]))
    torch.testing.assert_close((nothing.hidden, nothing.pooled), (no_hidden, no_pooled))


def test_captions_lose_clauses_but_never_the_first():
    rng = np.random.default_rng(0)
    shorter = {vary_caption("a man, red hair, outdoors", rng, 0.5) for _ in range(50)}
    assert shorter == {"a man", "a man, red hair", "a man, outdoors", "a man, red hair, outdoors"}
    emptied = [vary_caption("a man, red hair", rng, 0.0, empty=0.5) for _ in range(200)]
    assert set(emptied) == {"", "a man, red hair"}
    assert 70 < emptied.count("") < 130


def test_autoencoder_gives_latents_of_unit_deviation_a_scaling_factor(id_data, tmp_path):
    objective = AutoencoderObjective(AutoencoderConfig(size="tiny", crop=32, held_out=2), id_data)
    objective.finish()
    vae = objective.part("vae")
    latents = vae.encode(objective._held_out_images()).latent_dist.mode() * vae.config.scaling_factor
    assert float(latents.std().detach()) == pytest.approx(1, rel=1e-3)


def test_autoencoder_starts_from_given_weights(id_data, vae_folder):
    config = AutoencoderConfig(size="tiny", crop=32, init_from=(str(vae_folder),))
    objective = AutoencoderObjective(config, id_data, seed=3)
    fresh = build("tiny", ["vae"], seed=0)["vae"]
    assert torch.equal(objective.part("vae").encoder.conv_in.weight, fresh.encoder.conv_in.weight)


def test_crops_of_small_pictures_are_enlarged():
    crop = random_crop(np.zeros((20, 30, 3), np.uint8), 32, 0.3, np.random.default_rng(0))
    assert crop.shape == (32, 32, 3)


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
