"""Matting networks by path: what they are given, what is made of their outputs, and what is refused.

The networks are small ones of the layouts that published files have: the green channel as a picture's matte,
after the normalisation that the network's training had.
"""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from hifi_portrait import Identity
from hifi_portrait.cli.app import app
from hifi_portrait.errors import ModelError
from hifi_portrait.faces import FaceAnalyser, OnnxMatting, RefinedMatting


def _write(file, *, mean, std, size=("height", "width"), logits=False, half=False):
    """Write a network that undoes a normalisation and gives the green channel, or its logits."""
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    number = np.float16 if half else np.float32
    scale, offset = (20 * std, 20 * (mean - 0.5)) if logits else (std, mean)
    nodes = [
        helper.make_node("Slice", ["picture", "one", "two", "axis"], ["green"]),
        helper.make_node("Mul", ["green", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["matte"]),
    ]
    values = {"one": np.array([1]), "two": np.array([2]), "axis": np.array([1])}
    values |= {"scale": np.array(scale, number), "offset": np.array(offset, number)}
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("picture", kind, [1, 3, *size])],
        [helper.make_tensor_value_info("matte", kind, [1, 1, *size])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file)
    return file


def _picture(height=96, width=64):
    """A green step at half the width, of 51 and 204."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, : width // 2, 1], picture[:, width // 2 :, 1] = 51, 204
    return picture


@pytest.mark.parametrize(
    ("name", "mean", "std"),
    [
        ("isnet-general-use.onnx", 0.5, 1.0),
        ("MODNet_photographic.onnx", 0.5, 0.5),
        ("u2net_human_seg.onnx", 0.456, 0.224),
    ],
)
def test_networks_of_known_names_get_the_normalisation_they_were_trained_with(tmp_path, name, mean, std):
    matte = OnnxMatting(_write(tmp_path / name, mean=mean, std=std))(_picture())
    np.testing.assert_allclose(matte[:, 4], 0.2, atol=0.01)
    np.testing.assert_allclose(matte[:, -4], 0.8, atol=0.01)


def test_another_normalisation_is_given_by_hand(tmp_path):
    file = _write(tmp_path / "other.onnx", mean=0.1, std=0.3)
    matte = OnnxMatting(file, mean=(0.1,) * 3, std=(0.3,) * 3)(_picture())
    np.testing.assert_allclose(matte[:, 4], 0.2, atol=0.01)
    assert abs(OnnxMatting(file)(_picture())[0, 4] - 0.2) > 0.05


def test_logits_become_alpha(tmp_path):
    file = _write(tmp_path / "modnet.onnx", mean=0.5, std=0.5, logits=True)
    matte = OnnxMatting(file)(_picture())
    np.testing.assert_allclose(matte[:, 4], 1 / (1 + np.exp(6)), atol=0.003)
    np.testing.assert_allclose(matte[:, -4], 1 / (1 + np.exp(-6)), atol=0.003)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("size", [(64, 64), ("height", "width")])
def test_any_size_of_network_gives_a_matte_of_the_pictures_size(tmp_path, size, half):
    file = _write(tmp_path / "modnet.onnx", mean=0.5, std=0.5, size=size, half=half)
    matte = OnnxMatting(file)(_picture(120, 70))
    assert matte.shape == (120, 70)
    assert matte.dtype == np.float32
    np.testing.assert_allclose(matte[:, 5], 0.2, atol=0.02)


def test_an_identity_has_the_mattes_of_the_given_network(tmp_path, portrait_path):
    """Its matte is the photo's green; MediaPipe's is 1 on the face."""
    file = _write(tmp_path / "modnet.onnx", mean=0.5, std=0.5)
    person = Identity.from_photos([portrait_path], analyser=FaceAnalyser(matting=OnnxMatting(file)))
    matte, green = np.asarray(person.mattes[0]), person.crops[0][..., 1] / 255
    assert np.abs(matte - green).mean() < 0.05


def test_the_command_line_takes_one(tmp_path, portrait_path):
    file, out = _write(tmp_path / "modnet.onnx", mean=0.5, std=0.5), tmp_path / "person.safetensors"
    command = ["identity", str(portrait_path), "--out", str(out), "--matting", str(file), "--json"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["photos"] == 1
    analyser = FaceAnalyser(matting=RefinedMatting(OnnxMatting(file)))
    mine = Identity.from_photos([portrait_path], analyser=analyser)
    np.testing.assert_array_equal(np.asarray(Identity.load(out).mattes), np.asarray(mine.mattes))


def test_a_saved_identity_has_its_mattes_already(tmp_path, identity, capfd):
    saved = tmp_path / "person.safetensors"
    identity.save(saved)
    command = ["generate", str(saved), "--matting", str(_write(tmp_path / "m.onnx", mean=0.5, std=0.5))]
    result = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "out.png")])
    assert result.exit_code != 0
    assert "--matting is for photos" in str(result.exception) + result.output


def test_what_is_no_matting_network_is_refused_by_name(tmp_path):
    from arcface_samples import write_network

    with pytest.raises(ModelError, match=r"there is no matting network .*gone\.onnx"):
        OnnxMatting(tmp_path / "gone.onnx")
    (tmp_path / "torn.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match=r"torn\.onnx is no ONNX network"):
        OnnxMatting(tmp_path / "torn.onnx")
    write_network(tmp_path / "arcface.onnx")
    with pytest.raises(ModelError, match=r"arcface\.onnx is no matting network: it gives"):
        OnnxMatting(tmp_path / "arcface.onnx")(_picture())
