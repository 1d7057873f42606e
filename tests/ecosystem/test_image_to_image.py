"""The plain warp as a start for plain SDXL, and SDXL's refiner after a portrait."""

import numpy as np
import pytest
import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionXLImg2ImgPipeline
from PIL import Image

from tiny_pipelines import PLAIN_PARTS, TARGET, a_pipeline, an_identity, draw


@pytest.fixture(scope="module")
def pipe():
    pipe = a_pipeline()
    pipe.scheduler = EulerDiscreteScheduler()
    return pipe


@pytest.fixture(scope="module")
def after(pipe):
    plain = StableDiffusionXLImg2ImgPipeline(**{name: getattr(pipe, name) for name in PLAIN_PARTS})
    plain.set_progress_bar_config(disable=True)
    return plain


def redrawn(after, image, strength):
    return after(
        "a portrait",
        image=image,
        strength=strength,
        num_inference_steps=10,
        output_type="np",
        generator=torch.Generator().manual_seed(0),
    ).images[0]


def through_autoencoder(pipe, image):
    with torch.no_grad():
        pixels = pipe.image_processor.preprocess(image)
        latents = pipe.vae.encode(pixels).latent_dist.mode()
        return pipe.image_processor.postprocess(pipe.vae.decode(latents).sample, output_type="np")[0]


def test_plain_sdxl_starts_from_the_warp(pipe, after):
    warp = Image.fromarray(an_identity().warp(TARGET, 64))
    near, far = (redrawn(after, warp, strength) for strength in (0.1, 1.0))
    kept = through_autoencoder(pipe, warp)
    assert near.shape == kept.shape == (64, 64, 3)
    assert np.abs(near - kept).mean() < np.abs(far - kept).mean()


def test_a_refiner_goes_on_from_a_portrait(pipe, after):
    portrait = draw(pipe, an_identity(), output_type="pil")[0]
    near, far = (redrawn(after, portrait, strength) for strength in (0.1, 1.0))
    kept = through_autoencoder(pipe, portrait)
    assert np.abs(near - kept).mean() < np.abs(far - kept).mean()


def test_a_refiner_goes_on_from_latents(pipe, after):
    latents = draw(pipe, an_identity(), output_type="latent")
    assert latents.shape == (1, 4, 8, 8)
    assert np.isfinite(redrawn(after, latents, 0.3)).all()
