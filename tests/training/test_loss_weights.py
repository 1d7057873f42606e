"""Settings of the loss terms: each weighs its own term."""

import dataclasses

import pytest
import torch

from hifi_objectives import batch_of, hifi
from hifi_portrait.training.objectives.autoencoder import (
    AutoencoderConfig,
    AutoencoderLosses,
    AutoencoderObjective,
)
from hifi_portrait.training.objectives.base import BaseConfig, BaseObjective
from hifi_portrait.training.objectives.diffusion import draw_noise_scale
from hifi_portrait.training.objectives.hifi.config import HiFiDataConfig, HiFiLosses
from hifi_portrait.training.objectives.text import TextConfig, TextObjective


def terms_of(objective, batch, progress=1.0):
    torch.manual_seed(0)
    return {name: float(term.detach()) for name, term in objective(batch, progress).items()}


@pytest.fixture(scope="module")
def autoencoder(id_data):
    objective = AutoencoderObjective(AutoencoderConfig(size="tiny", crop=32), id_data)
    return objective, batch_of(objective)


def autoencoder_terms(autoencoder, progress=1.0, **weights):
    objective, batch = autoencoder
    losses = AutoencoderLosses(**weights)
    objective.config = dataclasses.replace(objective.config, losses=losses)
    return terms_of(objective, batch, progress)


@pytest.mark.parametrize("name", ["l1", "gradient", "ssim", "kl"])
def test_a_term_of_the_autoencoder_is_as_large_as_its_weight(autoencoder, name):
    plain = {"l1": 1.0, "gradient": 1.0, "ssim": 1.0, "kl": 1.0}
    once = autoencoder_terms(autoencoder, **plain)
    thrice = autoencoder_terms(autoencoder, **plain | {name: 3.0})
    for term, value in once.items():
        assert thrice[term] == pytest.approx(value * (3 if term == name else 1), rel=1e-5)


def test_the_recogniser_joins_late_with_its_weight(autoencoder):
    objective, _ = autoencoder
    objective.recogniser_loss = lambda output, image: (output - image).abs().mean()
    early, late = (
        autoencoder_terms(autoencoder, progress, recogniser=2.0, recogniser_from=0.4)
        for progress in (0.39, 0.4)
    )
    assert "recogniser" not in early
    assert late["recogniser"] == pytest.approx(2 * late["l1"], rel=1e-5)


def test_errors_about_the_eyes_weigh_as_the_text_recipe_says(prepared):
    plain, heavy = (
        TextObjective(TextConfig(size="tiny", side=4, eyes=e), prepared.folder) for e in (1.0, 7.0)
    )
    batch = batch_of(plain)
    once, more = terms_of(plain, batch), terms_of(heavy, batch)
    for name, value in once.items():
        assert more[name] == pytest.approx(value * (7 if name.startswith("eyes") else 1), rel=1e-5)


@pytest.fixture(scope="module")
def base(prepared):
    objective = BaseObjective(BaseConfig(size="tiny", caption_dropout=0.0), prepared.folder)
    return objective, batch_of(objective)


def base_with(base, **settings):
    objective, batch = base
    plain = {"min_snr_gamma": 5.0, "caption_dropout": 0.0}
    objective.config = dataclasses.replace(objective.config, **plain | settings)
    return terms_of(objective, batch)["denoising"]


def test_the_base_cuts_its_weight_off_at_gamma(base):
    large = base_with(base, min_snr_gamma=1e9)
    assert base_with(base, min_snr_gamma=1e-3) < 0.1 * large
    assert base_with(base, min_snr_gamma=2e-3) == pytest.approx(
        2 * base_with(base, min_snr_gamma=1e-3), rel=1e-4
    )


def test_the_base_learns_without_captions_as_often_as_asked_for(base, monkeypatch):
    objective = base[0]
    read = []
    predict = objective._predict
    monkeypatch.setattr(
        objective,
        "_predict",
        lambda noisy, steps, text: read.append(text.hidden) or predict(noisy, steps, text),
    )
    base_with(base, caption_dropout=0.0)
    base_with(base, caption_dropout=1.0)
    assert bool(read[0].abs().sum() > 0) and not read[1].any()


@pytest.fixture(scope="module")
def portrait(prepared, base_folder):
    """The portrait objective, and a batch whose references are all of the target's sitting."""
    losses = HiFiLosses(areas=1.0, identity=1.0, landmarks=1.0)
    data = HiFiDataConfig(face_dropout=0, caption_dropout=0, degraded_share=0)
    objective = hifi(prepared, base_folder, losses=losses, data=data, warp_starts=1.0)
    batch = batch_of(objective)
    batch["one_sitting"] = torch.ones_like(batch["one_sitting"])
    return objective, batch


def portrait_terms(portrait, *, losses=None, **settings):
    objective, batch = portrait
    before = objective.config
    plain = {"areas": 1.0, "identity": 1.0, "landmarks": 1.0, "decoded_samples": 2, "decoded_below": 1.0}
    objective.config = dataclasses.replace(before, losses=HiFiLosses(**plain | (losses or {})), **settings)
    try:
        return terms_of(objective, batch)
    finally:
        objective.config = before


@pytest.mark.parametrize("name", ["denoising", "areas", "identity", "landmarks"])
def test_a_term_of_the_portraits_is_as_large_as_its_weight(portrait, name):
    once, thrice = portrait_terms(portrait), portrait_terms(portrait, losses={name: 3.0})
    assert set(once) == {"denoising", "areas", "identity", "landmarks"}
    for term, value in once.items():
        assert value > 0
        assert thrice[term] == pytest.approx(value * (3 if term == name else 1), rel=1e-5)


def test_portraits_cut_their_weight_off_at_gamma(portrait):
    tiny = [portrait_terms(portrait, losses={"min_snr_gamma": gamma})["denoising"] for gamma in (1e-3, 2e-3)]
    assert tiny[1] == pytest.approx(2 * tiny[0], rel=1e-4)


def test_errors_of_warp_starts_beyond_the_width_count_less(portrait):
    narrow, wide = (
        portrait_terms(portrait, losses={"warp_start_width": width})["denoising"] for width in (1e-3, 1e3)
    )
    assert narrow < 0.1 * wide


def test_area_errors_count_in_starts_from_the_warp_alone(portrait):
    assert portrait_terms(portrait, warp_starts=0.0)["areas"] == 0


def test_samples_of_much_noise_are_not_judged_by_their_picture(portrait):
    late = portrait_terms(portrait, losses={"decoded_below": 0.01}, warp_start_noise=(0.5, 0.6))
    assert late["identity"] == late["landmarks"] == 0


def test_noise_of_a_start_from_the_warp_has_its_own_scale(portrait, monkeypatch):
    """With none, what the networks see is the warp, brought to the timestep's scale."""
    objective = portrait[0]
    seen = []
    predict = objective.denoiser

    def heard(noisy, timesteps, text, condition, *others):
        alphas = objective.scheduler.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
        seen.append((noisy, alphas.sqrt() * condition.warp_latents, others[-1]))
        return predict(noisy, timesteps, text, condition, *others)

    monkeypatch.setattr(objective, "denoiser", heard)
    portrait_terms(portrait, warp_start_grain=(0.0, 0.0))
    portrait_terms(portrait, warp_start_grain=(1.0, 1.0))
    (clean, warp, scale), (noisy, _, whole) = seen
    torch.testing.assert_close(clean, warp)
    assert not scale.any() and bool((whole == 1).all())
    assert (noisy - warp).abs().mean() > 0.1


def test_noise_scales_lie_in_their_range():
    scales = draw_noise_scale(torch.ones(500, dtype=torch.bool), (0.25, 0.75))
    assert 0.25 <= scales.min() < 0.3 and 0.7 < scales.max() <= 0.75
