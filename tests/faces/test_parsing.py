from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from hifi_portrait.errors import ModelError
from hifi_portrait.faces import Face, FaceLabel, NetworkParsing, analyse, default_analyser, region_mask
from hifi_portrait.faces.label_maps import covered_share
from hifi_portrait.faces.parsing_inputs import CHANNELS, PARSING_SIZE, parsing_inputs
from hifi_portrait.faces.parsing_network import WEIGHTS_FILE, ParsingNetwork


@pytest.fixture(scope="module")
def face(portrait_path: Path) -> Face:
    return analyse(portrait_path)


def places(face: Face, *landmarks: int) -> np.ndarray:
    """Labels (K,) at landmarks."""
    points = face.crop_landmarks[list(landmarks), :2] * (len(face.parsing) / len(face.crop))
    column, row = points.astype(int).T
    return face.parsing[row, column]


def test_labels_lie_where_the_face_has_them(face: Face) -> None:
    assert (places(face, 1, 50, 280, 151) == FaceLabel.SKIN).all()  # nose, cheeks, forehead
    assert (places(face, 13) == FaceLabel.MOUTH).all()
    above = face.parsing[: int(face.crop_landmarks[10, 1] * 0.8)]
    assert (above == FaceLabel.HAIR).sum() > 0.5 * (above != FaceLabel.BACKGROUND).sum()
    assert (face.parsing[-20:] == FaceLabel.CLOTHES).mean() > 0.3
    assert (face.parsing[:10, :10] == FaceLabel.BACKGROUND).all()


def test_labels_do_not_depend_on_the_photos_size(portrait: np.ndarray, face: Face) -> None:
    large = analyse(cv2.resize(portrait, (700, 700), interpolation=cv2.INTER_CUBIC))
    assert large.crop.shape[0] == 512 and large.parsing.shape == face.parsing.shape
    assert (large.parsing == face.parsing).mean() > 0.93


def test_an_own_parsing_takes_the_place_of_the_networks(portrait: np.ndarray) -> None:
    seen = []

    def all_hair(crop: np.ndarray, matte: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        seen.append((crop.shape, matte.shape, landmarks.shape))
        return np.full((64, 64), FaceLabel.HAIR, np.uint8)

    face = replace(default_analyser(), parsing=all_hair).analyse(portrait)
    assert (face.parsing == FaceLabel.HAIR).all() and face.parsing.shape == (64, 64)
    assert seen == [((256, 256, 3), (256, 256), (478, 3))]


def test_inputs_tell_where_the_face_is(face: Face) -> None:
    inputs = parsing_inputs(face.crop, face.matte, face.crop_landmarks)
    assert inputs.shape == (CHANNELS, PARSING_SIZE, PARSING_SIZE) and inputs.dtype == np.float32
    column, row = (face.crop_landmarks[1, :2] * PARSING_SIZE / 256).astype(int)
    assert inputs[4, row, column] == 1 and inputs[4, 2, 2] == 0
    across, down = inputs[8:10]
    assert np.all(np.diff(across[row]) >= 0) and np.all(np.diff(down[:, column]) >= 0)
    assert abs(across[row, column]) < 0.1 and down[row, column] > 0
    assert np.abs(inputs[10:, row, column]).max() < 1  # the nose has about the face's own colour


def test_a_mask_is_soft_and_as_large_as_asked_for() -> None:
    labels = np.zeros((64, 64), np.uint8)
    labels[:, 32:] = FaceLabel.HAIR
    labels[:16, 32:] = FaceLabel.BEARD
    for size in (32, 64, 256):
        mask = region_mask(labels, FaceLabel.HAIR, FaceLabel.BEARD, size=size)
        assert mask.shape == (size, size) and mask.dtype == np.float32
        assert mask[:, : size // 2 - size // 16].max() == 0 and mask[:, size // 2 + size // 16 :].min() == 1
    assert 0 < region_mask(labels, FaceLabel.HAIR, size=256)[200, 128] < 1


def test_what_hides_the_face_is_measured(face: Face) -> None:
    assert face.covered < 0.05
    labels = np.full((256, 256), FaceLabel.SKIN, np.uint8)
    assert covered_share(labels, face.crop_landmarks, 256) == 0
    below = int(face.crop_landmarks[1, 1])
    labels[below:] = FaceLabel.OCCLUDER
    assert 0.25 < covered_share(labels, face.crop_landmarks, 256) < 0.75
    labels[:below] = FaceLabel.OCCLUDER
    assert covered_share(labels, face.crop_landmarks, 256) == 1
    assert covered_share(np.full((256, 256), FaceLabel.GLASSES), face.crop_landmarks, 256) == 0.5


def test_the_network_gives_logits_of_every_label() -> None:
    network = ParsingNetwork.from_file()
    assert network(torch.zeros(2, CHANNELS, 64, 64)).shape == (2, len(FaceLabel), 64, 64)
    assert WEIGHTS_FILE.stat().st_size < 4_000_000


def test_weights_that_are_none_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "weights.safetensors"
    with pytest.raises(ModelError, match=r"weights\.safetensors"):
        ParsingNetwork.from_file(broken)
    broken.write_bytes(WEIGHTS_FILE.read_bytes()[:5000])
    with pytest.raises(ModelError, match="no weights of a parsing network"):
        ParsingNetwork.from_file(broken)


def test_a_parsing_can_be_sent_to_another_process(face: Face) -> None:
    parse = pickle.loads(pickle.dumps(NetworkParsing()))
    assert np.array_equal(parse(face.crop, face.matte, face.crop_landmarks), face.parsing)
