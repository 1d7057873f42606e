import dataclasses

import numpy as np
import pytest
import torch

from hifi_portrait.head.model import HeadModel
from hifi_portrait.models import build
from hifi_portrait.models.conditioning import FaceConditioner, face_inputs
from hifi_portrait.models.latents import encode_picture
from hifi_portrait.models.tensors import join_tensors
from painted_heads import geometry, paint, person
from tiny_models import randomised

NETWORKS = ["vae", "face_encoder", "face_refiner", "hifi_net"]


def networks(**switches):
    parts = build("tiny", NETWORKS, seed=0, overrides={"hifi_net": switches})
    return FaceConditioner(
        face_encoder=parts["face_encoder"],
        face_refiner=parts["face_refiner"],
        hifi_net=randomised(parts["hifi_net"]),
        vae=parts["vae"],
    )


@pytest.fixture(scope="module")
def conditioner():
    return networks()


@pytest.fixture(scope="module")
def inputs():
    return face_inputs(person(), paint(HeadModel.load(), geometry(5)))


def tensors(conditioning):
    hifi = conditioning.hifi
    return [hifi.latent_map, hifi.lower_map, hifi.tokens, conditioning.tokens, conditioning.warp_latents]


def test_inputs_are_a_batch_of_one(inputs):
    assert inputs.crops.shape == (1, 2, 3, 64, 64) and inputs.crops.dtype == torch.uint8
    assert inputs.landmark.shape == (1, 7, 64, 64)
    assert inputs.warp.shape == (1, 3, 64, 64) and inputs.warp.abs().max() <= 1
    assert inputs.warp_coverage.shape == (1, 1, 64, 64)


def test_poses_are_yaw_pitch_roll_in_degrees(inputs):
    np.testing.assert_allclose(inputs.poses[0], [[-25, 0, 0], [25, 0, 0]], atol=1e-3)


def test_what_is_covered_in_a_photo_is_not_seen_in_it(inputs):
    count = HeadModel.load().num_vertices
    covered = np.zeros((2, count), np.float32)
    covered[1, : count // 2] = 1
    references = dataclasses.replace(person(), covered=covered)
    seen = face_inputs(references, paint(HeadModel.load(), geometry(5)), with_warp=False).view_visibility[0]
    assert inputs.view_visibility[0, 1, : count // 2].max() > 0.5
    assert seen[1, : count // 2].max() == 0
    torch.testing.assert_close(seen[:, count // 2 :], inputs.view_visibility[0][:, count // 2 :])
    torch.testing.assert_close(seen[0], inputs.view_visibility[0, 0])


@torch.no_grad()
def test_padding_references_changes_nothing(conditioner, inputs):
    many = face_inputs(person((0.0, 10.0, 20.0, -20.0)), paint(HeadModel.load(), geometry(5)))
    batch = join_tensors([inputs, many])
    assert batch.mask.sum(dim=1).tolist() == [2, 4]
    unpadded, padded = conditioner(join_tensors([inputs, inputs])), conditioner(batch)
    for one, other in zip(tensors(unpadded), tensors(padded), strict=True):
        torch.testing.assert_close(other[:1], one[:1], atol=1e-6, rtol=0)


@torch.no_grad()
def test_what_a_padded_reference_holds_does_not_matter(conditioner, inputs):
    two = join_tensors([inputs])
    masked = dataclasses.replace(two, mask=torch.tensor([[True, False]]))
    other = dataclasses.replace(
        masked, crops=masked.crops.clone(), view_visibility=masked.view_visibility.clone()
    )
    other.crops[:, 1] = 255
    other.view_visibility[:, 1] = 1
    for first, second in zip(tensors(conditioner(masked)), tensors(conditioner(other)), strict=False):
        torch.testing.assert_close(first, second, atol=1e-6, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("count", [1, 3, 8])
def test_any_number_of_references(conditioner, count):
    yaws = tuple(np.linspace(-30, 30, count))
    conditioning = conditioner(face_inputs(person(yaws), paint(HeadModel.load(), geometry(5))))
    assert conditioning.hifi.latent_map.shape == (1, 8, 8, 8)
    assert conditioning.hifi.lower_map.shape == (1, 8, 4, 4)
    assert conditioning.tokens.shape == (1, 4, 32)


@torch.no_grad()
def test_known_warp_latents_equal_computed_ones(conditioner, inputs):
    latents = encode_picture(conditioner.vae, inputs.warp)
    for first, second in zip(
        tensors(conditioner(inputs)), tensors(conditioner(inputs, warp_latents=latents)), strict=False
    ):
        assert torch.equal(first, second)


@torch.no_grad()
def test_a_coarser_raster_serves_as_well(conditioner, inputs):
    small = dataclasses.replace(
        inputs, triangle=inputs.triangle[:, 2::4, 2::4], barycentric=inputs.barycentric[:, 2::4, 2::4]
    )
    before, after = conditioner(inputs).hifi, conditioner(small).hifi
    assert torch.equal(before.latent_map, after.latent_map)


@torch.no_grad()
def test_another_shape_of_the_head_reaches_the_condition(conditioner, inputs):
    other = face_inputs(person(), paint(HeadModel.load(), geometry(5, seed=3)))
    difference = conditioner(inputs).hifi.latent_map - conditioner(other).hifi.latent_map
    assert difference.abs().max() > 1e-3


@torch.no_grad()
@pytest.mark.parametrize("switch", ["landmark", "warp_latents", "surface_alignment", "face_tokens"])
def test_each_source_can_be_switched_off(inputs, switch):
    conditioning = networks(**{switch: False})(inputs)
    assert conditioning.hifi.latent_map.isfinite().all()
    assert (conditioning.hifi.lower_map is None) == (switch == "surface_alignment")
    assert (conditioning.hifi.tokens is None) == (switch == "face_tokens")


def test_gradients_reach_encoder_and_refiner_but_not_the_autoencoder(inputs):
    conditioner = networks()
    conditioning = conditioner(inputs)
    (conditioning.hifi.latent_map.square().sum() + conditioning.tokens.sum()).backward()
    assert conditioner.face_encoder.identity_projection[0].weight.grad is not None
    assert conditioner.face_refiner.stem[0].weight.grad is not None
    assert all(parameter.grad is None for parameter in conditioner.vae.parameters())
