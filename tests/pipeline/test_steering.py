"""How strongly faces, warp and prompt steer a picture, and that nothing is computed that nobody reads."""

import numpy as np
import pytest
import torch

from hifi_portrait.head import HeadPose
from hifi_portrait.landmarks import LandmarkGenerator
from hifi_portrait.models.conditioning import face_inputs
from hifi_portrait.pipeline import encode
from tiny_pipelines import TARGET, a_pipeline, an_identity, draw

FROM_WARP = {"warp_strength": 0.5, "warp_grain": 0.0, "num_inference_steps": 4}


def test_a_scale_of_the_faces_own_equal_to_the_texts_is_ordinary_guidance(pipe, identity):
    words = {"prompt": "a beard", "guidance_scale": 3.0}
    plain = draw(pipe, identity, **words)
    np.testing.assert_allclose(draw(pipe, identity, **words, face_guidance_scale=3.0), plain, atol=1e-4)
    weak, strong = (draw(pipe, identity, **words, face_guidance_scale=scale) for scale in (0.0, 6.0))
    assert not np.allclose(weak, plain, atol=1e-3) and not np.allclose(strong, plain, atol=1e-3)


def test_the_faces_own_scale_costs_one_half_of_the_unet(pipe, identity):
    samples = []
    hook = pipe.unet.conv_in.register_forward_hook(lambda _m, args, _o: samples.append(len(args[0])))
    draw(pipe, identity, guidance_scale=3.0, num_inference_steps=1)
    draw(pipe, identity, guidance_scale=3.0, face_guidance_scale=1.0, num_inference_steps=1)
    hook.remove()
    assert samples == [2, 3]


@pytest.mark.parametrize("scale", [{"face_guidance_scale": -1.0}, {"face_guidance_scale": 2.0}])
def test_the_faces_own_scale_is_checked(pipe, identity, scale):
    with pytest.raises(ValueError, match="`face_guidance_scale`"):
        draw(pipe, identity, guidance_scale=1.0, **scale)


def test_a_warp_that_fades_guides_the_first_step_alone(identity):
    """The schedule's later timesteps have less of it; the control image and the faces stay."""
    pipe = a_pipeline()
    whole, faded = (draw(pipe, identity, num_inference_steps=4, warp_until=until) for until in (0.0, 0.95))
    assert not np.allclose(whole, faded, atol=1e-3)
    first = [draw(pipe, identity, num_inference_steps=1, warp_until=until) for until in (0.0, 0.95)]
    np.testing.assert_allclose(first[0], first[1], atol=2e-2)  # timestep 999 of 1000
    blind = a_pipeline(overrides={"hifi_net": {"warp_latents": False}})
    without = [draw(blind, identity, warp_until=until) for until in (0.0, 0.95)]
    assert np.array_equal(*without)


@pytest.mark.parametrize("until", [-0.1, 1.0])
def test_where_the_warp_ceases_is_checked(pipe, identity, until):
    with pytest.raises(ValueError, match="`warp_until`"):
        draw(pipe, identity, warp_until=until)


@pytest.fixture
def counted(monkeypatch):
    """How many warps were drawn."""
    drawn, draw_warp = [], encode.draw_warp
    monkeypatch.setattr(encode, "draw_warp", lambda *given: drawn.append(1) or draw_warp(*given))
    return drawn


@pytest.mark.parametrize(("start", "expected"), [({}, 0), ({"warp_strength": 0.5}, 1), ({"upscale": 2}, 1)])
def test_a_warp_that_nothing_reads_is_neither_drawn_nor_encoded(counted, start, expected):
    """As from noise with InstantID's weights."""
    pipe = a_pipeline(overrides={"hifi_net": {"warp_latents": False}})
    encoded = []
    pipe.vae.encoder.register_forward_hook(lambda *_: encoded.append(1))
    draw(pipe, an_identity(), **start)
    assert len(counted) == expected and len(encoded) == expected


def test_a_warp_is_drawn_once_for_all_calls_that_show_the_same(pipe, counted):
    """Another target is drawn anew, and in between nothing of a call is left in what the next one shows."""
    person, other = an_identity(), TARGET.replace(pose=HeadPose(yaw=-20))
    targets = (TARGET, TARGET, other, TARGET)
    pictures = [draw(pipe, person, target, seed, **FROM_WARP) for seed, target in enumerate(targets)]
    assert len(counted) == 3
    for seed, target in enumerate(targets):
        assert np.array_equal(draw(pipe, an_identity(), target, seed, **FROM_WARP), pictures[seed])


def test_the_photos_are_read_once_for_all_rounds_and_pictures(pipe, identity):
    """What the prompt changes is looked for in the warp's place; the photos stay as they are."""
    pictures = []
    parts = (pipe.face_encoder, pipe.face_refiner)
    hooks = [p.register_forward_hook(lambda _m, args, _o: pictures.append(len(args[0]))) for p in parts]
    settings = FROM_WARP | {"prompt": "a beard", "prompt_rounds": 3, "num_images_per_prompt": 2}
    drawn = draw(pipe, identity, **settings)
    for hook in hooks:
        hook.remove()
    assert len(drawn) == 2 and pictures == [1, 1]


def test_photos_read_once_give_what_reading_them_again_does(pipe, identity):
    inputs = face_inputs(identity, LandmarkGenerator.load()(identity.identity, TARGET, 64))
    conditioner = pipe._conditioner
    with torch.no_grad():
        known = conditioner.read_faces(inputs)
        shown = inputs.show_pictures(torch.rand(2, 3, 64, 64) * 2 - 1)
        again, once = conditioner(shown), conditioner(shown, features=known.repeat(2))
    for name in ("latent_map", "lower_map", "tokens"):
        torch.testing.assert_close(getattr(once.hifi, name), getattr(again.hifi, name), atol=1e-5, rtol=1e-5)
