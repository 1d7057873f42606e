"""Several people in one picture, each with own references, target and part of it."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch

import instantid_published as published
from hifi_portrait.head import HeadPose
from hifi_portrait.models import load_instantid
from hifi_portrait.models.face_attention import cross_attention_layers
from hifi_portrait.models.hifi_condition import SharedPicture
from hifi_portrait.models.regions import Regions
from hifi_portrait.person.target import Framing, Target
from hifi_portrait.pipeline import HiFiPortraitPipeline
from hifi_portrait.training.data.tokenizer import train_tokenizer
from tiny_models import sources, unet_inputs
from tiny_pipelines import TARGET, a_pipeline, an_identity, draw, draw_plain

LEFT = TARGET.replace(framing=Framing(0.45, 0.27, 0.5))
RIGHT = Target(pose=HeadPose(yaw=-20), framing=Framing(0.45, 0.73, 0.5))
WIDE = {"height": 64, "width": 128}
HALVES = [(0, 0, 0.5, 1), (0.5, 0, 1, 1)]


def load_parts_of_instantid():
    with TemporaryDirectory() as folder:
        published.write_published(Path(folder))
        return load_instantid(Path(folder) / "ControlNetModel", Path(folder) / "ip-adapter.bin")


@pytest.fixture(scope="module")
def people():
    return [an_identity(2, seed=0), an_identity(1, seed=1), an_identity(1, seed=2)]


def test_one_person_as_a_list_is_that_person(pipe, people):
    assert np.array_equal(draw(pipe, people[:1], [TARGET]), draw(pipe, people[0], TARGET))


def test_each_person_shows_in_the_own_part(pipe, people):
    """Somebody else on the right changes the right half more than the left one, over three seeds."""
    changed = 0
    for seed in range(3):
        pair, other = (
            draw(pipe, [people[0], one], [LEFT, RIGHT], seed=seed, regions=HALVES, **WIDE)
            for one in people[1:]
        )
        assert pair.shape == (1, 64, 128, 3)
        changed = changed + np.abs(pair - other)[0].mean(axis=-1) / 3
    assert changed[:, 72:].mean() > 2 * changed[:, :56].mean()  # self-attention carries some of it over
    assert changed[:, 72:].mean() > 1e-4


def test_residuals_are_each_persons_within_the_own_part(pipe):
    given = unet_inputs(batch=1) | {"return_dict": False}
    conditions = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        inputs = {name: value[:1] + torch.randn(1) for name, value in sources(1).items()}
        conditions.append(pipe.hifi_net.prepare(**inputs))
    regions = Regions.given(HALVES, 64, 64)
    with torch.no_grad():
        shared = pipe.hifi_net(controlnet_cond=SharedPicture(conditions, regions), **given)
        alone = [pipe.hifi_net(controlnet_cond=one, **given) for one in conditions]
    for both, one, other in zip(*([*down, middle] for down, middle in (shared, *alone)), strict=True):
        half = both.shape[-1] // 2
        assert torch.equal(both[..., :half], one[..., :half])
        assert torch.equal(both[..., half:], other[..., half:])
        assert not torch.equal(one, other)


def test_faces_are_read_within_the_own_part(pipe):
    """A layer's 8 x 8 queries: those of the left half read the first person's tokens alone."""
    attention, unet = pipe.face_attention, pipe.unet
    layer = cross_attention_layers(unet)[0][1]
    query = torch.randn(1, 64, layer.to_q.out_features)
    tokens = [torch.randn(1, 4, 32), torch.randn(1, 4, 32)]
    with torch.no_grad():
        with attention.bound_to_several(tokens, Regions.given(HALVES, 64, 64), 0.7):
            shared = attention.read(layer, query, 0).unflatten(1, (8, 8))
        alone = []
        for one in tokens:
            with attention.bound(one, 0.7):
                alone.append(attention.read(layer, query, 0).unflatten(1, (8, 8)))
    torch.testing.assert_close(shared[:, :, :4], alone[0][:, :, :4])
    torch.testing.assert_close(shared[:, :, 4:], alone[1][:, :, 4:])


def test_parts_are_found_by_the_heads_if_not_given(pipe, people):
    """Somebody else in the middle of three changes that part most."""
    places = ((LEFT, 0.17), (RIGHT, 0.5), (TARGET, 0.83))
    wishes = [target.replace(framing=Framing(0.4, x, 0.5)) for target, x in places]
    size = {"height": 64, "width": 192, "num_inference_steps": 1}
    trio = draw(pipe, people, wishes, **size)
    other = draw(pipe, [people[0], people[2], people[2]], wishes, **size)
    changed = np.abs(trio - other)[0].mean(axis=(0, 2))
    assert changed[72:120].mean() > 1.5 * max(changed[:48].mean(), changed[144:].mean())


def test_where_nobody_is_the_base_model_draws_alone(pipe, people):
    """With parts of no size to speak of, the picture is nearly plain SDXL's; at scale 0 it is exactly."""
    words = {"guidance_scale": 2.0, **WIDE}
    plain = draw_plain(pipe, **WIDE)
    tiny = [(0, 0, 0.01, 0.02), (0.99, 0, 1, 0.02)]
    nearly = np.abs(draw(pipe, people[:2], [LEFT, RIGHT], regions=tiny, **words) - plain).mean()
    full = np.abs(draw(pipe, people[:2], [LEFT, RIGHT], regions=HALVES, **words) - plain).mean()
    assert nearly < 0.2 * full
    without = draw(pipe, people[:2], [LEFT, RIGHT], hifi_scale=0.0, face_scale=0.0, **words)
    assert np.array_equal(without, plain)


def test_pictures_of_a_batch_are_those_drawn_alone(pipe, people):
    prompts = ["a man and a woman", "two women"]
    start = {"warp_strength": 0.4, "num_inference_steps": 5, **WIDE}
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    settings = start | {"output_type": "np", "prompt": prompts, "generator": generators}
    together = pipe(people[:2], [LEFT, RIGHT], **settings).images
    for seed, prompt in enumerate(prompts):
        alone = draw(pipe, people[:2], [LEFT, RIGHT], seed=seed, prompt=prompt, **start)
        np.testing.assert_allclose(together[seed], alone[0], atol=1e-5)


def test_a_start_from_the_warp_has_each_persons_warp_in_the_own_part(pipe, people):
    words = {"warp_strength": 0.4, "num_inference_steps": 5, **WIDE}
    pair = draw(pipe, people[:2], [LEFT, RIGHT], **words)[0]
    for person, wish, part in ((people[0], LEFT, slice(8, 48)), (people[1], RIGHT, slice(80, 120))):
        alone = draw(pipe, person, wish, **words)[0]
        other = draw(pipe, people[2], wish, **words)[0]
        near, far = (np.abs(pair[:, part] - one[:, part]).mean() for one in (alone, other))
        assert near < 0.5 * far


def test_instantids_weights_under_guidance(people):
    """Its unconditional half reads nobody for each person, too."""
    parts = load_parts_of_instantid()
    tokenizer = train_tokenizer([], 514)
    both = {"tokenizer": tokenizer, "tokenizer_2": tokenizer, "scheduler": published.scheduler()}
    pipe = HiFiPortraitPipeline(**published.base_parts(), **parts, **both)
    pipe.set_progress_bar_config(disable=True)
    person, other = (
        replace(people[1], embeddings=published.by_formula(number, 1, 24, scale=20).numpy())
        for number in (1, 2)
    )
    words = {"guidance_scale": 5.0, "num_inference_steps": 2, **WIDE}
    everywhere = [(0, 0, 1, 1), (0, 0, 1, 1)]
    twice = draw(pipe, [person, person], [LEFT, LEFT], regions=everywhere, **words)
    np.testing.assert_allclose(twice, draw(pipe, person, LEFT, **words), atol=1e-5)
    pair = draw(pipe, [person, other], [LEFT, LEFT], regions=everywhere, **words)
    assert np.abs(pair - twice).max() > 1e-4


def test_sizes_with_a_latent_prior(people):
    pipe = a_pipeline(
        overrides={"hifi_net": {"latent_prior": 8}, "scheduler": {"prediction_type": "v_prediction"}}
    )
    assert np.isfinite(draw(pipe, people[:2], [LEFT, RIGHT], **WIDE)).all()


def test_what_does_not_go_together_is_refused(pipe, people):
    with pytest.raises(ValueError, match="as many targets as people: there are 2"):
        draw(pipe, people[:2], [LEFT])
    with pytest.raises(ValueError, match="`regions` must be 2, one a person, but are 1"):
        draw(pipe, people[:2], [LEFT, RIGHT], regions=HALVES[:1])
    with pytest.raises(TypeError, match="`identity` must be an Identity"):
        draw(pipe, [people[0], "b.jpg"], [LEFT, RIGHT])
