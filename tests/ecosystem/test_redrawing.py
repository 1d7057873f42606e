"""A given picture of which only a face is redrawn."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import EulerAncestralDiscreteScheduler, EulerDiscreteScheduler, UniPCMultistepScheduler
from PIL import Image

from hifi_portrait import Identity, Scene
from hifi_portrait.errors import NoFaceError
from hifi_portrait.faces import analyse
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
    drawn = a_pipeline()._draw(an_identity(), scene.target, 256, 256)
    mask = scene.mask(drawn)
    outline = np.argwhere(mask > 0.5)
    centre = outline.mean(axis=0)[::-1]
    nose = scene._transform(256) @ [*found.keypoints[2], 1]
    assert np.abs(centre - nose[:2]).max() < 20


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
        faces.append(drawn[100:150, 100:150].mean())
    assert faces[1] == pytest.approx(0.4 * faces[0], rel=0.12)


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
            pipe.vae.encode(pipe._normalised(scene.crop(64))).latent_dist.mode()
            * pipe.vae.config.scaling_factor
        )
    mask = torch.from_numpy(scene.mask(pipe._draw(identity, scene.target, 64, 64)))[None, None]
    redrawn = torch.nn.functional.adaptive_avg_pool2d(mask, 8)[0, 0]
    torch.testing.assert_close(latents[0][:, redrawn == 0], kept[0][:, redrawn == 0], atol=1e-5, rtol=1e-5)
    assert (latents - kept)[0][:, redrawn > 0.9].abs().mean() > 0.01


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
