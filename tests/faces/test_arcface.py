from __future__ import annotations

import logging

import cv2
import numpy as np
import onnx
import pytest
import torch

from arcface_samples import SIDE, write_network
from hifi_portrait import Identity
from hifi_portrait.errors import ModelError
from hifi_portrait.faces import ArcFaceRecogniser, FaceAnalyser, analyse
from hifi_portrait.faces.onnx_network import OnnxNetwork


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    file = tmp_path_factory.mktemp("arcface") / "glintr100.onnx"
    write_network(file)
    return file


def test_pixels_go_in_as_rgb_in_minus_one_to_one(tmp_path):
    matrix = write_network(tmp_path / "network.onnx", seed=3)
    chips = np.zeros((2, 112, 112, 3), np.uint8)
    chips[0, ..., 0] = 255
    chips[1, :14, :14] = 255
    found = ArcFaceRecogniser(tmp_path / "network.onnx")(chips)
    means = np.full((2, 3, SIDE, SIDE), -1, np.float32)
    means[0, 0] = 1
    means[1, :, 0, 0] = 1
    np.testing.assert_allclose(found, means.reshape(2, -1) @ matrix, rtol=1e-4, atol=1e-3)


def test_faces_are_aligned_where_arcface_expects_them(file, portrait, portrait_path):
    """The landmarks fall on ArcFace's template, in a picture turned by 20 degrees too."""
    template = [[38.29, 51.70], [73.53, 51.50], [56.03, 71.74], [41.55, 92.37], [70.73, 92.20]]
    recogniser = ArcFaceRecogniser(file)
    turned = cv2.warpAffine(portrait, cv2.getRotationMatrix2D((128, 128), 20, 1.0), (256, 256))
    chips = []
    for picture in (portrait, turned):
        face = analyse(picture)
        chips.append(recogniser.align(picture, face.landmarks))
        again = analyse(cv2.resize(chips[-1], (448, 448), interpolation=cv2.INTER_CUBIC))
        np.testing.assert_allclose(again.keypoints / 4, template, atol=4)
    assert chips[0].shape == (112, 112, 3)
    inner = (slice(30, 95), slice(30, 82))
    difference = np.abs(chips[0][inner].astype(int) - chips[1][inner])
    assert difference.mean() < 12


def test_an_identity_keeps_the_raw_embeddings(file, portrait_path, tmp_path):
    analyser = FaceAnalyser(recogniser=ArcFaceRecogniser(file))
    face = analyser.analyse(portrait_path)
    assert face.aligned.shape == (112, 112, 3)
    assert face.embedding.shape == (512,)
    assert np.linalg.norm(face.embedding) > 2
    identity = Identity.from_photos([portrait_path], analyser=analyser)
    np.testing.assert_array_equal(identity.embeddings[0], face.embedding)
    identity.save(tmp_path / "person.safetensors")
    loaded = Identity.load(tmp_path / "person.safetensors")
    np.testing.assert_array_equal(loaded.embeddings, identity.embeddings)


def test_similarity_is_a_cosine_whatever_the_length(file, portrait_path, other_portrait):
    analyser = FaceAnalyser(recogniser=ArcFaceRecogniser(file))
    one, other = analyser.analyse(portrait_path), analyser.analyse(other_portrait)
    assert one.similarity(one) == pytest.approx(1, abs=1e-5)
    assert one.similarity(other) < 0.999


def test_a_warning_names_the_licence(file, caplog):
    with caplog.at_level(logging.WARNING):
        ArcFaceRecogniser(file)
    assert "non-commercial" in caplog.text
    assert str(file) in caplog.text


def test_other_files_are_refused(tmp_path):
    with pytest.raises(ModelError, match="there is no recogniser"):
        ArcFaceRecogniser(tmp_path / "nowhere.onnx")
    (tmp_path / "damaged.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match="damaged"):
        ArcFaceRecogniser(tmp_path / "damaged.onnx")
    write_network(tmp_path / "large.onnx", size=128)
    with pytest.raises(ModelError, match=r"large.onnx is no ArcFace network"):
        ArcFaceRecogniser(tmp_path / "large.onnx")


def test_a_network_in_pytorch_computes_what_onnxruntime_does(tmp_path):
    """A residual network with every kind of layer that ArcFace's have."""
    rng = np.random.default_rng(0)

    def weights(name, *shape):
        return onnx.numpy_helper.from_array(rng.normal(0, 0.3, shape).astype(np.float32), name)

    tensors = [
        weights("w1", 8, 3, 3, 3),
        weights("b1", 8),
        weights("slope", 8, 1, 1),
        weights("w2", 8, 8, 3, 3),
    ]
    tensors += [weights("w3", 8, 8, 1, 1), weights("g", 8), weights("b", 8), weights("m", 8)]
    tensors += [onnx.numpy_helper.from_array(rng.uniform(0.5, 2, 8).astype(np.float32), "v")]
    tensors += [weights("w4", 16, 8 * 28 * 28), weights("b4", 16)]
    make, wide = onnx.helper.make_node, {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = [
        make("Conv", ["faces", "w1", "b1"], ["c1"], strides=[2, 2], **wide),
        make("PRelu", ["c1", "slope"], ["p1"]),
        make("BatchNormalization", ["p1", "g", "b", "m", "v"], ["n1"], epsilon=2e-5),
        make("Conv", ["n1", "w2"], ["c2"], strides=[2, 2], **wide),
        make("Conv", ["p1", "w3"], ["c3"], kernel_shape=[1, 1], strides=[2, 2]),
        make("Add", ["c2", "c3"], ["sum"]),
        make("Flatten", ["sum"], ["flat"]),
        make("Gemm", ["flat", "w4", "b4"], ["embeddings"], transB=1),
    ]
    places = {"faces": ["batch", 3, 112, 112], "embeddings": ["batch", 16]}
    values = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s) for n, s in places.items()]
    graph = onnx.helper.make_graph(nodes, "network", values[:1], values[1:], tensors)
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "r.onnx")
    chips = rng.integers(0, 256, (2, 112, 112, 3), np.uint8)
    expected = ArcFaceRecogniser(tmp_path / "r.onnx")(chips)
    given = torch.tensor(chips).permute(0, 3, 1, 2).float() / 127.5 - 1
    found = OnnxNetwork(tmp_path / "r.onnx")(given.requires_grad_())
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-3, atol=1e-3)
    found.sum().backward()
    assert given.grad.abs().max() > 0


def test_an_operation_that_no_recogniser_has_is_named(tmp_path):
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    other = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Erf", ["x"], ["y"])], "g", [value], [other])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "r.onnx")
    with pytest.raises(ModelError, match="the operation Erf"):
        OnnxNetwork(tmp_path / "r.onnx")
