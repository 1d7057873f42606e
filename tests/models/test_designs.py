import dataclasses
import functools

import pytest
import torch

from hifi_portrait.errors import ModelError
from hifi_portrait.fitting.keypoints import five_keypoints
from hifi_portrait.head.geometry import Camera
from hifi_portrait.head.model import HeadModel
from hifi_portrait.models import FaceEncoder, FaceRefiner, build
from hifi_portrait.models.conditioning import FaceConditioner, face_inputs
from hifi_portrait.models.designs import DESIGNS, design_overrides
from hifi_portrait.models.files import BUNDLED
from hifi_portrait.models.keypoints import draw_keypoints
from hifi_portrait.models.tensors import join_tensors
from hifi_portrait.models.token_forms import PromptTokens, mean_over_references
from hifi_portrait.prompts.class_word import find_class_words
from hifi_portrait.training.data.tokenizer import load_tokenizer
from painted_heads import geometry, paint, person
from tiny_models import randomised

FACE_PARTS = ("hifi_net", "face_encoder", "face_refiner", "face_attention")


@functools.cache
def parameters(design):
    with torch.device("meta"):  # shapes alone
        parts = build("bundled", FACE_PARTS, overrides=design_overrides(design))
    return sum(parameter.numel() for part in parts.values() for parameter in part.parameters())


def conditioner(design):
    parts = build("tiny", ["vae", *FACE_PARTS], seed=0, overrides=design_overrides(design))
    randomised(parts["hifi_net"])
    return FaceConditioner(parts["face_encoder"], parts["face_refiner"], parts["hifi_net"], parts["vae"])


@pytest.fixture(scope="module")
def inputs():
    return face_inputs(person(), paint(HeadModel.load(), geometry(5)))


@pytest.fixture(scope="module")
def turned():
    """The same person, looking elsewhere."""
    return face_inputs(person(), paint(HeadModel.load(), geometry(-20, jawOpen=0.5)))


@torch.no_grad()
def read(design, inputs):
    """All that HiFi-Net, face attention and prompt read."""
    conditioning = conditioner(design)(inputs)
    hifi = conditioning.hifi
    return [x for x in (hifi.latent_map, hifi.lower_map, hifi.tokens, conditioning.tokens) if x is not None]


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("design", DESIGNS)
def test_every_design_has_about_as_many_parameters(design):
    assert abs(parameters(design) / parameters("ours") - 1) < 0.1


def test_our_design_is_that_of_the_size_files():
    assert design_overrides("ours") == {}


def test_an_unknown_design_is_refused():
    with pytest.raises(ModelError, match="no design 'yours'"):
        design_overrides("yours")


@pytest.mark.parametrize("design", ["ip-adapter-faceid", "photomaker"])
def test_a_design_without_control_does_not_know_the_target(design, inputs, turned):
    assert same(read(design, inputs), read(design, turned))


def test_instantid_knows_the_target_by_its_keypoints_alone(inputs, turned):
    moved = dataclasses.replace(inputs, keypoints=turned.keypoints)
    assert not same(read("instantid", inputs), read("instantid", moved))
    assert same(read("instantid", moved), read("instantid", turned))


def test_the_papers_design_does_not_know_the_warp(inputs, turned):
    other = dataclasses.replace(inputs, warp=-inputs.warp, warp_coverage=1 - inputs.warp_coverage)
    assert same(read("paper", inputs), read("paper", other))
    assert not same(read("paper", inputs), read("paper", turned))
    assert not same(read("ours", inputs), read("ours", other))


@pytest.mark.parametrize("design", ["ip-adapter-faceid", "instantid"])
def test_designs_of_the_mean_embedding_do_not_look_at_the_photos(design, inputs):
    other = dataclasses.replace(inputs, crops=255 - inputs.crops, poses=-inputs.poses)
    swapped = dataclasses.replace(inputs, embeddings=inputs.embeddings.flip(1))
    assert same(read(design, inputs), read(design, other))
    for first, second in zip(read(design, inputs), read(design, swapped), strict=True):
        torch.testing.assert_close(first, second)


def test_without_the_recogniser_its_embedding_does_not_matter(inputs):
    other = dataclasses.replace(inputs, embeddings=-inputs.embeddings)
    assert same(read("ours-without-recogniser", inputs), read("ours-without-recogniser", other))
    assert not same(read("ours", inputs), read("ours", other))


@torch.no_grad()
@pytest.mark.parametrize("design", DESIGNS)
def test_padding_references_changes_nothing(design, inputs):
    many = face_inputs(person((0.0, 10.0, 20.0)), paint(HeadModel.load(), geometry(5)))
    networks = conditioner(design)
    alone, joined = networks(inputs), networks(join_tensors([inputs, many]))
    torch.testing.assert_close(joined.hifi.latent_map[:1], alone.hifi.latent_map, atol=5e-5, rtol=1e-4)
    count = alone.tokens.shape[1]  # as many as references, in the prompt
    torch.testing.assert_close(joined.tokens[:1, :count], alone.tokens, atol=5e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("design", DESIGNS)
def test_without_references_tokens_are_zero(design, inputs):
    nobody = dataclasses.replace(inputs, mask=torch.zeros_like(inputs.mask))
    assert conditioner(design)(nobody).tokens.abs().max() == 0


def test_mean_over_references_leaves_absent_ones_out():
    values = torch.tensor([[[1.0], [3.0], [torch.inf]], [[5.0], [5.0], [5.0]]])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert mean_over_references(values, mask).tolist() == [[2.0], [0.0]]


@torch.no_grad()
def test_faces_are_stacked_in_the_place_of_the_class_word():
    tokens = PromptTokens(encoder_dim=4, token_dim=2)
    text = torch.arange(12.0).view(2, 6, 1).expand(2, 6, 2).contiguous()
    faces = torch.randn(2, 3, 2)
    mask = torch.tensor([[True, False, True], [False, False, False]])
    merged = tokens.merge(text, torch.tensor([2, 2]), faces, mask)
    assert merged[0, :2, 0].tolist() == [0, 1] and merged[0, 4:, 0].tolist() == [3, 4]
    for place, reference in ((2, 0), (3, 2)):
        alone = tokens.merge(text[:1], torch.tensor([2]), faces[:1, [reference]], torch.tensor([[True]]))
        torch.testing.assert_close(merged[0, place], alone[0, 2])
    assert torch.equal(merged[1], text[1])


def test_the_class_word_is_found_or_the_end_stands_in():
    tokenizer = load_tokenizer(BUNDLED)
    prompts = ["a photo of an old woman with grey hair", "a man", "blue sky", ""]
    ids = tokenizer(prompts, padding="max_length", max_length=77, return_tensors="pt").input_ids
    first, second, third, fourth = find_class_words(tokenizer, ids).tolist()
    assert tokenizer.decode(ids[0, first]).strip() == "woman" and tokenizer.decode(ids[1, second]) == "man"
    assert ids[2, third] == tokenizer.eos_token_id and fourth == 1


def test_keypoints_are_eyes_nose_and_mouth_corners():
    model, head = HeadModel.load(), geometry(0)
    right_eye, left_eye, nose, right_corner, left_corner = five_keypoints(
        model, model.posed(head), Camera.from_fov(64)
    )
    assert right_eye[0] < nose[0] < left_eye[0] and right_corner[0] < nose[0] < left_corner[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_corner[1], left_corner[1])


def test_keypoints_are_drawn_in_their_colours():
    points = torch.tensor([[[0.25, 0.25], [0.75, 0.25], [0.5, 0.5], [0.25, 0.75], [0.75, 0.75]]])
    image = draw_keypoints(points, (128, 256))
    assert image.shape == (1, 3, 128, 256) and image.min() == 0 and image.max() == 1
    assert image[0, :, 32, 64].tolist() == [1, 0, 0] and image[0, :, 96, 192].tolist() == [1, 0, 1]
    assert image[0, 0, 48, 96] == pytest.approx(0.6, abs=0.1)  # the limb between nose and right eye


@pytest.mark.parametrize("setting", [{"form": "round"}, {"fusion": "maximum"}])
def test_an_unknown_form_or_fusion_is_refused(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        FaceRefiner(**setting)


def test_an_encoder_that_reads_nothing_is_refused():
    with pytest.raises(ValueError, match="patches"):
        FaceEncoder(vision={}, patches=False, identity=False)
