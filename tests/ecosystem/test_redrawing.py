"""A given picture of which only a face is redrawn."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    UniPCMultistepScheduler,
)
from diffusers.callbacks import SDXLControlnetCFGCutoffCallback
from PIL import Image

from hifi_portrait import Identity, Scene
from hifi_portrait.errors import NoFaceError
from hifi_portrait.faces import analyse
from hifi_portrait.pipeline.encode import draw_head, encode_subjects
from hifi_portrait.pipeline.inpaint import LatentInpainting
from hifi_portrait.pipeline.warp_start import WarpStart
from tiny_pipelines import TARGET, a_pipeline, an_identity, draw

PICTURES = Path(__file__).parents[1] / "pictures"


@pytest.fixture(scope="module")
def photo():
    """A wide picture of 400 x 300 with the person of `person_b_1.jpg` right of the middle."""
    face = np.asarray(Image.open(PICTURES / "person_b_1.jpg").convert("RGB").resize((220, 220)))
    canvas = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    canvas[40:260, 150:370] = face
    return canvas


@pytest.fixture(scope="module")
def scene(photo):
    return Scene.from_photo(photo)


@pytest.fixture(scope="module")
def person():
    return Identity.from_photos([PICTURES / "person_a_1.jpg", PICTURES / "person_a_2.jpg"])


@pytest.fixture(scope="module")
def bundled():
    from hifi_portrait import HiFiPortraitPipeline

    pipe = HiFiPortraitPipeline.from_pretrained()
    pipe.set_progress_bar_config(disable=True)
    return pipe


def test_pose_and_framing_are_the_pictures(photo, scene):
    found = analyse(photo)
    drawn = draw_head(an_identity(), scene.target, 256, 256)
    mask = scene.mask(drawn)
    outline = np.argwhere(mask > 0.5)
    centre = outline.mean(axis=0)[::-1]
    nose = scene._transform(256) @ [*found.keypoints[2], 1]
    assert np.abs(centre - nose[:2]).max() < 20


def test_glasses_are_put_on_in_the_pictures_light_and_redrawn_in_full(scene, person):
    pipe = a_pipeline()
    warps, heads = [], []
    for glasses in ("none", "sunglasses"):
        target = scene.target.replace(glasses=glasses)
        heads.append(draw_head(person, target, 128, 128))
        encoded = encode_subjects([(person, target)], heads[-1:], pipe._conditioner, "cpu", scene=scene)
        warps.append(encoded.inputs[0].warp[0].mean(dim=0))
    changed = ((warps[1] - warps[0]).abs() > 0.05).numpy()
    bare, worn = (scene.mask(head) for head in heads)
    assert changed.mean() < 0.08  # the glasses, and not the light on the face
    assert (worn[changed] > 0).all()
    assert (worn >= bare - 1e-6).all()


def test_a_person_is_redrawn_in_the_picture(bundled, photo, scene, person):
    """Outside the face not a pixel changes; inside, the recogniser sees the person, in the same pose."""
    after = np.asarray(bundled.redraw(person, scene)[0])
    assert after.shape == photo.shape
    before, now = analyse(photo), analyse(after)
    changed = (after != photo).any(axis=-1)
    rows, columns = np.nonzero(changed)
    left, top, right, bottom = before.box
    height = bottom - top
    assert rows.min() > top - 0.5 * height and rows.max() < bottom + 0.25 * height
    assert columns.min() > left - 0.25 * height and columns.max() < right + 0.25 * height
    wanted = analyse(PICTURES / "person_a_1.jpg")
    assert now.similarity(wanted) > before.similarity(wanted) + 0.01
    assert np.abs(now.keypoints - before.keypoints).max() < 0.05 * height


def test_its_light_is_the_pictures(bundled, scene, person):
    dark = Scene((scene.picture * 0.4).astype(np.uint8), scene.landmarks, scene.to_crop, scene.target)
    faces = []
    for each in (scene, dark):
        drawn = np.asarray(bundled(person, each.target, scene=each).images[0], float)
        redrawn = each.mask(draw_head(person, each.target, len(drawn), len(drawn))) == 1
        faces.append(drawn[redrawn].mean())
    assert faces[1] == pytest.approx(0.4 * faces[0], rel=0.12)


@pytest.mark.parametrize(
    "words", [{"prompt_embeds": True}, {"prompt": ["a man", "a man with round glasses"]}]
)
def test_a_face_is_redrawn_to_embeddings_and_to_several_prompts(scene, identity, words):
    pipe = a_pipeline()
    if "prompt_embeds" in words:
        names = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds")
        with torch.no_grad():
            given = pipe.encode_prompt("a beard", do_classifier_free_guidance=True)
        words = dict(zip((*names, "negative_pooled_prompt_embeds"), given, strict=True)) | {"prompt": None}
    pictures = pipe.redraw(identity, scene, num_inference_steps=2, warp_strength=0.5, **words)
    assert len(pictures) == (1 if words["prompt"] is None else 2)
    assert all(picture.size == (400, 300) for picture in pictures)


@pytest.mark.parametrize(
    "scheduler", [EulerDiscreteScheduler, EulerAncestralDiscreteScheduler, UniPCMultistepScheduler]
)
@pytest.mark.parametrize("warp_strength", [1.0, 0.5])
def test_latents_outside_the_face_are_the_pictures(scene, scheduler, warp_strength):
    """From noise and from the warp, with schedulers of several kinds."""
    pipe = a_pipeline()
    pipe.scheduler = scheduler()
    identity = an_identity()
    words = {"scene": scene, "warp_strength": warp_strength, "num_inference_steps": 6}
    latents = draw(pipe, identity, scene.target, output_type="latent", **words)
    with torch.no_grad():
        kept = (
            pipe.vae.encode(
                torch.from_numpy(scene.crop(64) / 127.5 - 1).permute(2, 0, 1)[None].float()
            ).latent_dist.mode()
            * pipe.vae.config.scaling_factor
        )
    mask = torch.from_numpy(scene.mask(draw_head(identity, scene.target, 64, 64)))[None, None]
    redrawn = torch.nn.functional.adaptive_avg_pool2d(mask, 8)[0, 0]
    torch.testing.assert_close(latents[0][:, redrawn == 0], kept[0][:, redrawn == 0], atol=1e-5, rtol=1e-5)
    assert (latents - kept)[0][:, redrawn > 0.9].abs().mean() > 0.01


@pytest.mark.parametrize("warp_strength", [1.0, 0.4])
@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (EulerDiscreteScheduler, {}),
        (HeunDiscreteScheduler, {}),
        (DDIMScheduler, {"clip_sample": False}),
        (DPMSolverMultistepScheduler, {}),
        (UniPCMultistepScheduler, {}),
    ],
)
def test_what_is_kept_is_as_noisy_as_the_rest_at_every_step(kind, settings, warp_strength):
    """A network that knows the noise leaves the picture's latents where `blend` puts them."""
    scheduler = kind(**settings)
    latents, noise = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0)).unbind(0)
    kept = LatentInpainting(torch.zeros(1, 3, 64, 64), torch.zeros(1, 1, 64, 64), latents, 1.0, noise)
    start = WarpStart(latents, warp_strength, 1.0)
    with start.shorten_schedule(scheduler):
        scheduler.set_timesteps(10)
        noisy = start.add_noise(scheduler, noise)
        steps = start.remaining_timesteps()
        for place, timestep in enumerate(steps):
            scheduler.scale_model_input(noisy, timestep)
            noisy = scheduler.step(noise, timestep, noisy).prev_sample
            following = steps[place + 1] if place + 1 < len(steps) else None
            torch.testing.assert_close(kept.blend(noisy, scheduler, following), noisy, atol=2e-3, rtol=2e-3)


def test_callbacks_of_diffusers_work_beside_a_scene(scene):
    """Such as hear of other tensors than latents, and such as change them."""
    pipe = a_pipeline()
    heard = []

    def after_step(_pipe, _step, _timestep, tensors):
        heard.append(set(tensors))
        return {}

    words = {"scene": scene, "guidance_scale": 3.0, "num_inference_steps": 4}
    inputs = {"callback_on_step_end_tensor_inputs": ["prompt_embeds"]}
    full = draw(pipe, an_identity(), scene.target, callback_on_step_end=after_step, **inputs, **words)
    assert heard == [{"prompt_embeds"}] * 4
    cutoff = SDXLControlnetCFGCutoffCallback(cutoff_step_ratio=0.5)
    cut = draw(pipe, an_identity(), scene.target, callback_on_step_end=cutoff, **words)
    assert not np.array_equal(cut, full)


def test_a_callback_is_called_and_heard(scene):
    pipe = a_pipeline()
    steps = []

    def after_step(_pipe, step, _timestep, tensors):
        steps.append(step)
        return {"latents": torch.zeros_like(tensors["latents"])}

    drawn = draw(pipe, an_identity(), scene.target, scene=scene, callback_on_step_end=after_step)
    unheard = draw(pipe, an_identity(), scene.target, scene=scene)
    assert steps == [0, 1, 2]
    assert not np.array_equal(drawn, unheard)


def test_which_face_can_be_chosen(photo):
    other = np.asarray(Image.open(PICTURES / "person_a_1.jpg").convert("RGB").resize((150, 150)))
    both = photo.copy()
    both[100:250, :150] = other
    centres = [Scene.from_photo(both, face=face).landmarks[:, 0].mean() for face in (0, 1)]
    assert centres[0] > 200 > centres[1]
    with pytest.raises(NoFaceError, match="there is no face 2"):
        Scene.from_photo(both, face=2)


def test_a_crop_that_is_larger_than_its_place_is_averaged(scene):
    noise = np.random.default_rng(0).integers(0, 255, (2048, 2048, 3), np.uint8)
    pasted = scene.paste(noise, np.ones((2048, 2048), np.float32))
    place = scene.landmarks[:, :2].mean(axis=0).astype(int)
    within = pasted[place[1] - 40 : place[1] + 40, place[0] - 40 : place[0] + 40]
    assert within.std() < 25


def test_a_pasted_crop_lies_where_it_was_cut(photo, scene):
    """A crop of one size or another, put back with all of its mask, is the picture again."""
    for size in (200, 512):
        pasted = scene.paste(scene.crop(size), np.ones((size, size), np.float32))
        face = (slice(60, 240), slice(170, 350))
        assert np.abs(pasted[face].astype(int) - photo[face]).mean() < 6


@pytest.mark.parametrize("name", ["width", "output_type", "return_dict", "regions"])
def test_redrawing_refuses_what_is_the_scenes(scene, name):
    with pytest.raises(TypeError, match=f"`redraw` takes no argument `{name}`"):
        a_pipeline().redraw(an_identity(), scene, **{name: None})


def test_a_list_of_one_person_can_be_redrawn(scene):
    pipe, words = a_pipeline(), {"num_inference_steps": 1}
    pictures = [
        np.asarray(pipe.redraw(who, scene, generator=torch.Generator().manual_seed(0), **words)[0])
        for who in (an_identity(), [an_identity()])
    ]
    assert np.array_equal(*pictures)


def test_what_cannot_be_redrawn_is_refused(scene):
    pipe = a_pipeline()
    with pytest.raises(TypeError, match=r"`scene` must be a Scene, .* see Scene.from_photo"):
        draw(pipe, an_identity(), TARGET, scene="party.jpg")
    with pytest.raises(ValueError, match="one person's"):
        draw(pipe, [an_identity()] * 2, [TARGET] * 2, scene=scene)
    with pytest.raises(ValueError, match="in a square"):
        draw(pipe, an_identity(), TARGET, scene=scene, height=64, width=128)


def test_a_drawing_of_its_own_target_is_possible(scene):
    """A wished expression in the picture's pose."""
    pipe = a_pipeline()
    wish = scene.target.replace(expression="laugh")
    one, two = (pipe.redraw(an_identity(), scene, target=target)[0] for target in (scene.target, wish))
    assert not np.array_equal(np.asarray(one), np.asarray(two))
