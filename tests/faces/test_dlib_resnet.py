from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from hifi_portrait.errors import ModelError
from hifi_portrait.faces import DlibRecogniser, DlibResNet
from hifi_portrait.faces.dlib_resnet import default_weights


@pytest.fixture(scope="module")
def network() -> DlibResNet:
    return DlibResNet.from_dlib()


@pytest.fixture(scope="module")
def chips() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, 150, 150, 3), np.uint8)


def _to_tensor(chips: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(chips).permute(0, 3, 1, 2).float() / 127.5 - 1


def test_same_numbers_as_dlib(network: DlibResNet, chips: np.ndarray, portrait: np.ndarray) -> None:
    dlib = pytest.importorskip("dlib")
    chips = np.concatenate([chips[:1], portrait[None, 40:190, 50:200]])
    theirs = dlib.face_recognition_model_v1(str(default_weights()))
    expected = [np.array(theirs.compute_face_descriptor(np.ascontiguousarray(chip))) for chip in chips]
    np.testing.assert_allclose(network(_to_tensor(chips)).numpy(), expected, atol=1e-4)


def test_gradient_reaches_the_picture(network: DlibResNet, chips: np.ndarray) -> None:
    pictures = _to_tensor(chips[:1]).requires_grad_()
    network(pictures).square().sum().backward()
    assert pictures.grad is not None
    assert pictures.grad.abs().sum() > 0


def test_a_face_embeds_alike_alone_and_in_a_batch(chips: np.ndarray) -> None:
    recogniser = DlibRecogniser()
    np.testing.assert_allclose(recogniser(chips)[1:], recogniser(chips[1:]), atol=1e-5)


def test_embeddings_have_unit_length(chips: np.ndarray) -> None:
    np.testing.assert_allclose(np.linalg.norm(DlibRecogniser()(chips), axis=1), 1, atol=1e-5)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.dat"):
        DlibResNet.from_dlib(tmp_path / "nothing.dat")


@pytest.mark.parametrize("kept", [0, 1000, 1_000_000])
def test_damaged_weights_are_named(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "half.dat"
    path.write_bytes(default_weights().read_bytes()[:kept])
    with pytest.raises(ModelError, match=r"half\.dat is not dlib's"):
        DlibResNet.from_dlib(path)
