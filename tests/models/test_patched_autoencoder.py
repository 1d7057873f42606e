"""Latents in patches: what they keep, that they are alike in scale, and that pipelines draw with them."""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from hifi_portrait.errors import DatasetError, ModelError
from hifi_portrait.models import PatchedAutoencoder, build
from hifi_portrait.models.latents import decode_picture, encode_picture, reduction
from hifi_portrait.models.patched_autoencoder import load_autoencoder
from hifi_portrait.pipeline import HiFiPortraitPipeline
from hifi_portrait.training.data.prepare import prepare
from hifi_portrait.training.data.tokenizer import train_tokenizer
from hifi_portrait.training.engine.weights import load_parts
from tiny_models import randomised
from tiny_pipelines import an_identity, draw

FOLDED = {
    "unet": {"in_channels": 12, "out_channels": 12, "sample_size": 4},
    "hifi_net": {"in_channels": 12, "conditioning_embedding_out_channels": [4, 4, 8, 8, 8], "fine_scale": 4},
}


@pytest.fixture(scope="module")
def vae():
    return build("tiny", ["vae"], seed=0)["vae"].eval()


@pytest.fixture(scope="module")
def pictures():
    """Sixteen pictures of coloured waves."""
    rng = np.random.default_rng(0)
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    waves = [
        torch.stack([torch.sin(a * rows / 20 + b * columns / 20 + c) for c in rng.uniform(0, 6, 3)])
        for a, b in rng.uniform(-3, 3, (16, 2))
    ]
    return torch.stack(waves)


@torch.no_grad()
def test_all_components_together_lose_nothing(vae, pictures):
    patched = PatchedAutoencoder.fit(vae, pictures, channels=16)
    latents = patched.encode(pictures).latent_dist.mode()
    assert latents.shape == (16, 16, 4, 4)
    expected = vae.decode(vae.encode(pictures).latent_dist.mode()).sample
    torch.testing.assert_close(patched.decode(latents).sample, expected, rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_components_do_not_depend_on_each_other_and_have_unit_variance_together(vae, pictures):
    patched = PatchedAutoencoder.fit(vae, pictures, channels=12, power=0.5)
    values = patched.encode(pictures).latent_dist.mode().transpose(0, 1).flatten(1)
    covariance = torch.cov(values)
    variances = covariance.diag()
    assert variances.mean() == pytest.approx(1, abs=0.02)
    assert (variances.diff() < 1e-4).all()  # the greatest comes first
    assert (covariance - variances.diag()).abs().max() < 0.01 * variances[0]
    assert values.mean(1).abs().max() < 1e-3


@torch.no_grad()
def test_a_power_of_one_makes_all_components_alike(vae, pictures):
    patched = PatchedAutoencoder.fit(vae, pictures, channels=4, power=1.0)
    values = patched.encode(pictures).latent_dist.mode().transpose(0, 1).flatten(1)
    torch.testing.assert_close(torch.cov(values).diag(), torch.ones(4), rtol=0.02, atol=0.02)


@torch.no_grad()
def test_noise_of_the_posterior_is_carried_over(vae, pictures):
    inner = vae.encode(pictures[:1]).latent_dist
    patched = PatchedAutoencoder.fit(vae, pictures, channels=12)
    noise = inner.std * torch.randn(20000, *inner.mean.shape[1:], generator=torch.Generator().manual_seed(0))
    folded = torch.nn.functional.pixel_unshuffle(noise[:, :, :2, :2], 2)[:, :, 0, 0] @ patched.basis.T
    expected = patched.encode(pictures[:1]).latent_dist.std[0, :, 0, 0]
    torch.testing.assert_close(folded.std(0), expected, rtol=0.05, atol=1e-3)


def test_it_comes_back_from_disk_as_what_it_is(vae, pictures, tmp_path):
    patched = PatchedAutoencoder.fit(vae, pictures, channels=12)
    patched.save_pretrained(tmp_path / "patched")
    vae.save_pretrained(tmp_path / "plain")
    loaded = load_autoencoder(tmp_path / "patched").eval()
    assert isinstance(loaded, PatchedAutoencoder)
    assert type(load_autoencoder(tmp_path / "plain")) is AutoencoderKL
    assert loaded.config.latent_channels == 12
    assert (reduction(loaded), reduction(vae)) == (16, 8)
    latents = encode_picture(loaded, pictures[:2])
    assert torch.equal(latents, encode_picture(patched.eval(), pictures[:2]))
    assert decode_picture(loaded, latents).shape == (2, 3, 64, 64)


def test_more_components_than_a_patch_has_values_are_refused(vae, pictures):
    with pytest.raises(ValueError, match="latent_channels must be from 1 to 16, not 17"):
        PatchedAutoencoder.fit(vae, pictures, channels=17)


@pytest.mark.parametrize("folder", [".", "vae"])
def test_the_other_kind_of_autoencoder_than_the_sizes_is_refused(folder, vae, pictures, tmp_path):
    """In a folder of its own, too, where a name alone tells what it is."""
    PatchedAutoencoder.fit(vae, pictures, channels=12).save_pretrained(tmp_path / "patched" / folder)
    vae.save_pretrained(tmp_path / "plain" / folder)
    with pytest.raises(ModelError, match=r"holds a PatchedAutoencoder.*'bundled' has a AutoencoderKL"):
        load_parts("bundled", ["vae"], [tmp_path / "patched"])
    with pytest.raises(ModelError, match=r"holds a AutoencoderKL.*'bundled-16' has a PatchedAutoencoder"):
        load_parts("bundled-16", ["vae"], [tmp_path / "plain"])


def test_one_of_its_own_size_is_taken_whatever_its_scaling_factor(tmp_path):
    patched = build("bundled-16", ["vae"], seed=0)["vae"]
    patched.register_to_config(scaling_factor=0.7)
    patched.save_pretrained(tmp_path / "right")
    loaded = load_parts("bundled-16", ["vae"], [tmp_path / "right"])["vae"]
    assert loaded.config.scaling_factor == 0.7
    assert torch.equal(loaded.encoder.conv_in.weight, patched.encoder.conv_in.weight)
    settings = {"vae": {"latent_channels": 24}}
    build("bundled-16", ["vae"], overrides=settings)["vae"].save_pretrained(tmp_path / "fewer")
    with pytest.raises(ModelError, match=r"latent_channels = 24, not 32: choose the size"):
        load_parts("bundled-16", ["vae"], [tmp_path / "fewer"])


@torch.no_grad()
def test_what_moves_a_model_to_its_device_does_so_before_the_patches(vae, pictures):
    """As offloading to the CPU does, here between precisions."""

    class Mover:
        def pre_forward(self, module):
            module.to(torch.float32)

    patched = PatchedAutoencoder.fit(vae, pictures, channels=12)
    expected = patched.encode(pictures[:1]).latent_dist.mode()
    patched._hf_hook = Mover()
    latents = patched.to(torch.float64).encode(pictures[:1]).latent_dist.mode()
    torch.testing.assert_close(latents, expected, rtol=1e-4, atol=1e-4)
    assert patched.to(torch.float64).decode(latents).sample.dtype == torch.float32


def test_one_that_is_in_patches_is_not_folded_again(vae, pictures):
    patched = PatchedAutoencoder.fit(vae, pictures, channels=12)
    with pytest.raises(ValueError, match="in patches already"):
        PatchedAutoencoder.fit(patched, pictures, channels=12)


def test_buckets_are_multiples_of_what_patches_make_of_them(tmp_path):
    nowhere, out = tmp_path / "nowhere", tmp_path / "out"
    with pytest.raises(DatasetError, match="crops of 224x288 do not do: sides must be multiples of 64"):
        prepare(nowhere, out, model_size="bundled-16", buckets=[(224, 288)])
    with pytest.raises(DatasetError, match="nowhere"):  # the next thing that is looked at
        prepare(nowhere, out, model_size="bundled-16", buckets=[(256, 320)])


def test_a_pipeline_draws_in_patches_and_comes_back_from_disk(vae, pictures, tmp_path):
    parts = build("tiny", seed=0, overrides=FOLDED)
    parts["vae"] = PatchedAutoencoder.fit(vae, pictures, channels=12)
    randomised(parts["hifi_net"])
    tokenizer = train_tokenizer([], 514)
    pipe = HiFiPortraitPipeline(tokenizer=tokenizer, tokenizer_2=tokenizer, **parts)
    pipe.set_progress_bar_config(disable=True)
    assert pipe.default_size == 64
    drawn = draw(pipe, an_identity())
    assert drawn[0].shape == (64, 64, 3)
    pipe.save_pretrained(tmp_path)
    loaded = HiFiPortraitPipeline.from_pretrained(tmp_path)
    loaded.set_progress_bar_config(disable=True)
    assert isinstance(loaded.vae, PatchedAutoencoder)
    np.testing.assert_allclose(draw(loaded, an_identity()), drawn, atol=1e-4)
