import numpy as np
import pytest
import torch

from hifi_portrait.models.build import build
from hifi_portrait.training.objectives.autoencoder import AutoencoderConfig, AutoencoderObjective, random_crop


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
