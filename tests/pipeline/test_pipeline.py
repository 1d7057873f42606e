import numpy as np
import pytest
import torch

from hifi_portrait.errors import ModelError
from hifi_portrait.head import HeadPose
from hifi_portrait.landmarks import LandmarkGenerator
from hifi_portrait.models.conditioning import face_inputs
from hifi_portrait.person.target import Target
from tiny_pipelines import TARGET, a_pipeline, an_identity, draw, draw_plain


def test_a_portrait_has_the_models_size(pipe, identity):
    assert draw(pipe, identity).shape == (1, 64, 64, 3)
    assert pipe.default_size == 64


def test_portraits_are_pil_images_by_default(pipe, identity):
    assert draw(pipe, identity, output_type="pil")[0].size == (64, 64)


@pytest.mark.parametrize("guidance_scale", [1.0, 3.0])
def test_untrained_the_picture_is_the_base_models_bit_for_bit(identity, guidance_scale):
    pipe = a_pipeline(trained=False)
    ours = draw(pipe, identity, guidance_scale=guidance_scale)
    assert np.array_equal(ours, draw_plain(pipe, guidance_scale=guidance_scale))


def test_at_scale_zero_the_picture_is_the_base_models_bit_for_bit(pipe, identity):
    assert np.array_equal(draw(pipe, identity, hifi_scale=0.0, face_scale=0.0), draw_plain(pipe))


@pytest.mark.parametrize("scale", ["hifi_scale", "face_scale"])
def test_each_scale_has_an_effect(pipe, identity, scale):
    assert not np.array_equal(draw(pipe, identity), draw(pipe, identity, **{scale: 0.0}))


def test_after_a_call_the_base_model_is_as_before(pipe, identity):
    before = draw_plain(pipe)
    draw(pipe, identity)
    assert np.array_equal(draw_plain(pipe), before)


def test_the_same_seed_gives_the_same_picture(pipe, identity):
    assert np.array_equal(draw(pipe, identity, seed=3), draw(pipe, identity, seed=3))


def test_another_seed_gives_another_picture(pipe, identity):
    assert not np.array_equal(draw(pipe, identity, seed=3), draw(pipe, identity, seed=4))


def test_another_person_gives_another_picture(pipe, identity):
    assert not np.array_equal(draw(pipe, identity), draw(pipe, an_identity(seed=5)))


def test_another_target_gives_another_picture(pipe, identity):
    other = Target.preset("surprise", pose=HeadPose(yaw=-20))
    assert not np.array_equal(draw(pipe, identity), draw(pipe, identity, other))


@pytest.mark.parametrize("references", [1, 3, 8])
def test_any_number_of_references(pipe, references):
    assert np.isfinite(draw(pipe, an_identity(references))).all()


@pytest.mark.parametrize("switch", ["landmark", "warp_latents", "surface_alignment", "face_tokens"])
def test_each_source_can_be_switched_off(identity, switch):
    pipe = a_pipeline(overrides={"hifi_net": {switch: False}})
    assert np.isfinite(draw(pipe, identity)).all()


def test_without_a_network_portraits_are_draws_from_the_prior(identity):
    pipe = a_pipeline(trained=False, overrides={"hifi_net": {"latent_prior": 8}})
    prior = pipe.hifi_net.prior
    with torch.no_grad():
        pipe.unet.conv_out.weight.zero_()
        pipe.unet.conv_out.bias.zero_()
        prior.gain.fill_(3.0)
        prior.variance.fill_(0.05)
    settings = {"num_inference_steps": 30, "guidance_scale": 1.0, "num_images_per_prompt": 8}
    latents = draw(pipe, identity, output_type="latent", **settings)
    landmark = LandmarkGenerator.load()(identity.identity, TARGET, pipe.default_size)
    mean = pipe.condition(face_inputs(identity, landmark)).hifi.prior_mean
    assert 0.7 < (latents - mean).std() / 0.05**0.5 < 1.25
    without = draw(pipe, identity, output_type="latent", hifi_scale=0.0, **settings)
    assert (latents - mean).abs().mean() < 0.8 * (without - mean).abs().mean()


def test_pictures_of_a_batch_are_those_drawn_alone(pipe, identity):
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    settings = {"num_inference_steps": 3, "output_type": "np"}
    both = pipe(identity, TARGET, generator=generators, num_images_per_prompt=2, **settings).images
    np.testing.assert_allclose(both[1:], draw(pipe, identity, seed=1), atol=2e-5)


def count_calls(pipe, names, run):
    calls = dict.fromkeys(names, 0)

    def hook(name):
        def count(*_):
            calls[name] += 1

        return count

    hooks = [pipe.hifi_net.get_submodule(name).register_forward_hook(hook(name)) for name in names[:2]]
    hooks.append(pipe.face_encoder.tower.register_forward_hook(hook(names[2])))
    hooks.append(pipe.face_attention.to_k[0].register_forward_hook(hook(names[3])))
    run()
    for handle in hooks:
        handle.remove()
    return calls


def test_what_does_not_depend_on_the_step_is_computed_once(pipe, identity):
    names = ("controlnet_cond_embedding", "warp_in", "tower", "to_k")
    calls = count_calls(pipe, names, lambda: draw(pipe, identity, num_inference_steps=5))
    assert set(calls.values()) == {1}


@pytest.mark.parametrize("references", [1, 8])
def test_a_step_reads_as_many_tokens_for_any_number_of_references(pipe, references):
    shapes = set()
    layer = pipe.hifi_net.mid_block.attentions[0].transformer_blocks[0].attn2.to_k
    handle = layer.register_forward_hook(lambda _m, inputs, _o: shapes.add(tuple(inputs[0].shape)))
    draw(pipe, an_identity(references))
    handle.remove()
    assert shapes == {(1, 4 + 77, 32)}  # one conditional half, 4 face tokens, 77 of text


def test_the_landmark_image_can_be_previewed(pipe, identity):
    landmarks = pipe.landmarks(identity, TARGET, size=96)
    assert landmarks.shape == (96, 96, 3) and landmarks.dtype == np.uint8


def test_hifi_weights_of_another_width_are_refused():
    with pytest.raises(ModelError, match=r"hifi_net\.cross_attention_dim is 48"):
        a_pipeline(overrides={"hifi_net": {"cross_attention_dim": 48}})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"height": 70}, "`height` and `width` must be multiples of 32"),
        ({"hifi_scale": -1.0}, "`hifi_scale` must be a number of 0 or more"),
        ({"face_scale": "high"}, "`face_scale` must be a number"),
        ({"warp_strength": 0.0}, "`warp_strength` must be in"),
        ({"warp_strength": 1.5}, "`warp_strength` must be in"),
        ({"warp_share": 1.5}, "`warp_share` must be in"),
        ({"prompt_scale": -1.0}, "`prompt_scale` must be a number of 0 or more"),
        ({"prompt_rounds": 0}, "`prompt_rounds` must be a whole number of 1 or more"),
    ],
)
def test_an_argument_out_of_range_is_named(pipe, identity, settings, message):
    with pytest.raises(ValueError, match=message):
        pipe(identity, TARGET, **settings)


def test_something_else_than_an_identity_is_refused(pipe):
    with pytest.raises(TypeError, match="`identity` must be an Identity"):
        pipe("photo.jpg", TARGET)


def test_something_else_than_a_target_is_refused(pipe, identity):
    with pytest.raises(TypeError, match="`target` must be a Target"):
        pipe(identity, "smile")
