from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from hifi_portrait.errors import ModelError
from hifi_portrait.faces import (
    LABEL_MAP_SIZE,
    Face,
    FaceLabel,
    NetworkParsing,
    analyse,
    default_parsing,
    region_mask,
)
from hifi_portrait.faces.parsing import PACKAGE_WEIGHTS
from hifi_portrait.faces.parsing_inputs import CHANNELS, PARSING_SIZE, parsing_inputs
from hifi_portrait.faces.parsing_network import ParsingNetwork


@pytest.fixture(scope="module")
def face(portrait_path: Path) -> Face:
    return analyse(portrait_path)


@pytest.fixture(scope="module")
def labels(face: Face) -> np.ndarray:
    return default_parsing()(face.crop, face.matte, face.crop_landmarks)


def places(face: Face, labels: np.ndarray, *landmarks: int) -> np.ndarray:
    """Labels (K,) at landmarks."""
    points = face.crop_landmarks[list(landmarks), :2] * (len(labels) / len(face.crop))
    column, row = points.astype(int).T
    return labels[row, column]


def test_labels_lie_where_the_face_has_them(face: Face, labels: np.ndarray) -> None:
    assert labels.shape == (LABEL_MAP_SIZE, LABEL_MAP_SIZE) and labels.dtype == np.uint8
    assert (places(face, labels, 1, 50, 280, 151) == FaceLabel.SKIN).all()  # nose, cheeks, forehead
    assert (places(face, labels, 13) == FaceLabel.MOUTH).all()
    above = labels[: int(face.crop_landmarks[10, 1] * 0.8)]
    assert (above == FaceLabel.HAIR).sum() > 0.5 * (above != FaceLabel.BACKGROUND).sum()
    assert (labels[-20:] == FaceLabel.CLOTHES).mean() > 0.3
    assert (labels[:10, :10] == FaceLabel.BACKGROUND).all()


def test_labels_do_not_depend_on_the_photos_size(face: Face, labels: np.ndarray) -> None:
    larger = [cv2.resize(each, (512, 512), interpolation=cv2.INTER_CUBIC) for each in (face.crop, face.matte)]
    found = default_parsing()(*larger, 2 * face.crop_landmarks)
    assert found.shape == labels.shape and (found == labels).mean() > 0.95


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


def test_the_network_gives_logits_of_every_label() -> None:
    network = ParsingNetwork.from_file(PACKAGE_WEIGHTS)
    assert network(torch.zeros(2, CHANNELS, 64, 64)).shape == (2, len(FaceLabel), 64, 64)
    assert PACKAGE_WEIGHTS.stat().st_size < 4_000_000


def test_weights_that_are_none_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "weights.safetensors"
    with pytest.raises(ModelError, match=r"weights\.safetensors"):
        ParsingNetwork.from_file(broken)
    broken.write_bytes(PACKAGE_WEIGHTS.read_bytes()[:5000])
    with pytest.raises(ModelError, match="no weights of a parsing network"):
        ParsingNetwork.from_file(broken)


def test_a_parsing_can_be_sent_to_another_process(face: Face, labels: np.ndarray) -> None:
    parse = pickle.loads(pickle.dumps(NetworkParsing()))
    assert np.array_equal(parse(face.crop, face.matte, face.crop_landmarks), labels)
