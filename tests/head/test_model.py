from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from head_samples import expression_of, geometry_of
from hifi_portrait.errors import ModelError
from hifi_portrait.head import EXPRESSION_NAMES, HeadModel, HeadPose, Part, rest_vertices, sample_shape
from hifi_portrait.head.asset import DEFAULT_ASSET, pack_shapes, unpack_shapes
from hifi_portrait.head.model import rotation_matrix, rotation_vector


def random_inputs(rng: np.random.Generator, *lead: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    identity = rng.normal(size=(*lead, 80)).astype(np.float32)
    expression = rng.uniform(0, 1, (*lead, len(EXPRESSION_NAMES))).astype(np.float32)
    return identity, expression, rng.normal(0, 10, (*lead, 2)).astype(np.float32)


def lid_gap(model: HeadModel, vertices: np.ndarray) -> np.ndarray:
    """Mean height (2,) of the openings of both eyes."""
    return (vertices[model.lids[..., 0], 2] - vertices[model.lids[..., 1], 2]).mean(1)


def test_asset_is_small() -> None:
    assert DEFAULT_ASSET.stat().st_size <= 4_000_000


def test_batch_gives_what_single_heads_give(model: HeadModel, rng: np.random.Generator) -> None:
    identity, expression, gaze = random_inputs(rng, 3)
    batched = model.vertices(identity, expression, gaze)
    single = model.vertices(identity[1], expression[1], gaze[1])
    np.testing.assert_allclose(batched[1], single, atol=1e-6)


def test_head_joint_is_the_origin(model: HeadModel, rng: np.random.Generator) -> None:
    rest = model.rest(rng.normal(size=80))
    np.testing.assert_allclose(rest[model.joint("head")], 0, atol=1e-6)


def test_a_full_blink_just_closes_every_identitys_eyes(model: HeadModel, rng: np.random.Generator) -> None:
    for identity in rng.normal(size=(20, 80)):
        open_gap = lid_gap(model, model.vertices(identity))
        gap = lid_gap(model, model.vertices(identity, expression_of(eyeBlink=1)))
        assert (gap < 0).all()
        assert (gap > -0.08 * open_gap).all()


def test_a_squint_does_not_close_a_blink_further(model: HeadModel) -> None:
    blink = lid_gap(model, model.vertices(np.zeros(80), expression_of(eyeBlink=1)))
    both = lid_gap(model, model.vertices(np.zeros(80), expression_of(eyeBlink=1, eyeSquint=1)))
    assert (both > blink - 0.0015).all()


def test_lids_follow_the_gaze(model: HeadModel) -> None:
    def gap(pitch: float) -> float:
        return float(
            lid_gap(model, model.vertices(np.zeros(80), expression_of(), np.array([0.0, pitch]))).mean()
        )

    assert gap(-20) < gap(0) < gap(15)


def test_gaze_turns_the_eyes_about_their_joints(model: HeadModel) -> None:
    straight = model.vertices(np.zeros(80))
    turned = model.vertices(np.zeros(80), expression_of(), np.array([20.0, 0.0]))
    rotation = HeadPose(yaw=20).matrix()
    for eye, name in zip(model.eye_vertices, ("eye.L", "eye.R"), strict=True):
        centre = model.mean[model.joint(name)]
        np.testing.assert_allclose(turned[eye], (straight[eye] - centre) @ rotation.T + centre, atol=1e-6)


def test_eye_look_coefficients_turn_one_eye(model: HeadModel) -> None:
    straight = model.vertices(np.zeros(80))
    turned = model.vertices(np.zeros(80), expression_of(eyeLookOutLeft=0.5))
    left, right = model.eye_vertices
    assert np.abs(turned[left] - straight[left]).max() > 0.002
    np.testing.assert_allclose(turned[right], straight[right], atol=1e-6)


def test_expression_survives_its_raw_form(model: HeadModel) -> None:
    expression = expression_of(eyeBlink=0.4, eyeSquint=0.5, eyeWide=0.2, mouthSmile=0.7)
    gaze, scale = np.array([4.0, -10.0], np.float32), np.array([0.7, 0.8])
    raw = model.raw_expression(expression, np.stack([gaze, gaze]), scale)
    np.testing.assert_allclose(model.expression_from_raw(raw, gaze, scale), expression, atol=1e-5)


def test_the_head_turns_as_asked_while_the_shoulders_stay(model: HeadModel) -> None:
    still, turned = geometry_of(), geometry_of(pose=HeadPose(40, 0, 0))
    before, after = model.posed(still), model.posed(turned)
    skull = np.flatnonzero(
        (model.skinning[:, model.joint_names.index("head")] > 0.999) & (model.mean[:-6, 2] > 0.05)
    )
    local = (after[skull] - turned.translation) @ turned.rotation
    np.testing.assert_allclose(local, before[skull] - still.translation, atol=1e-5)
    shoulders = np.flatnonzero(model.skinning.sum(1) == 0)
    moved = (after[shoulders] - before[shoulders]) - (after[shoulders] - before[shoulders]).mean(0)
    np.testing.assert_allclose(moved, 0, atol=1e-5)


def test_geometry_of_a_rest_mesh_shows_the_same_picture(model: HeadModel) -> None:
    rest = rest_vertices(sample_shape(np.random.default_rng(3)))
    wished = geometry_of(pose=HeadPose(25, -10, 5))
    true = model.bend(rest, wished.rotation, wished.translation)
    geometry = model.align(rest).geometry(
        wished.rotation, wished.translation, wished.expression, wished.gaze, wished.camera
    )
    skin = np.unique(model.triangles[model.parts == Part.SKIN])
    face = skin[(model.mean[skin, 1] < -0.03) & (model.mean[skin, 2] > -0.08)]
    error = wished.camera.project(model.posed(geometry)[face]) - wished.camera.project(true[face])
    assert np.linalg.norm(error, axis=1).mean() < 0.3


def test_normals_point_outward(model: HeadModel) -> None:
    normals = model.normals(model.mean[: model.num_vertices])
    nose = model.mean[: model.num_vertices, 1].argmin()
    assert normals[nose, 1] < -0.8


@pytest.mark.parametrize("angle", [1e-8, 0.3, 2.5, 3.1])
def test_rotation_vector_survives_its_matrix(angle: float) -> None:
    vector = angle * np.array([0.6, 0.0, -0.8])
    np.testing.assert_allclose(rotation_vector(rotation_matrix(vector)), vector, atol=1e-7)


def test_packed_shapes_come_back(rng: np.random.Generator) -> None:
    block = np.array([0, 0, 1, 1, 1])
    shapes = rng.normal(size=(3, 5, 3)) * np.array([1e-3, 1e-2, 1e-1])[:, None, None]
    shapes[0, 1] = 0
    back = unpack_shapes(pack_shapes("s", shapes, block, coarsest=2e-5), "s", block)
    np.testing.assert_allclose(back[0], shapes[0], atol=2e-5)
    np.testing.assert_allclose(back[1:], shapes[1:], atol=3e-6)


def test_missing_asset_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no head asset at .*nothing"):
        HeadModel(tmp_path / "nothing.safetensors")


def test_damaged_asset_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(DEFAULT_ASSET.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"broken.safetensors is not a readable head asset"):
        HeadModel(path)
