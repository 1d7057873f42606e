"""A baked head's file: what glTF asks of it, read without the library that wrote it."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from hifi_portrait import OutputError
from hifi_portrait.head.geometry import EXPRESSION_NAMES

TYPES = {5121: np.uint8, 5123: np.uint16, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class File:
    """A GLB file's document and its arrays."""

    def __init__(self, path) -> None:
        data = path.read_bytes()
        magic, version, length = struct.unpack("<4sII", data[:12])
        assert (magic, version, length) == (b"glTF", 2, len(data))
        size, kind = struct.unpack("<I4s", data[12:20])
        assert kind == b"JSON"
        self.document = json.loads(data[20 : 20 + size])
        assert data[24 + size : 28 + size] == b"BIN\0"
        self.binary = data[28 + size :]
        assert self.document["buffers"][0]["byteLength"] <= len(self.binary)

    def view(self, number, kind, count, width):
        view = self.document["bufferViews"][number]
        start = view["byteOffset"]
        assert start % 4 == 0
        data = self.binary[start : start + view["byteLength"]]
        return np.frombuffer(data, TYPES[kind], count * width).reshape(count, width)

    def array(self, number):
        accessor = self.document["accessors"][number]
        width, kind = WIDTHS[accessor["type"]], accessor["componentType"]
        if "sparse" not in accessor:
            return self.view(accessor["bufferView"], kind, accessor["count"], width)
        values, sparse = np.zeros((accessor["count"], width), np.float32), accessor["sparse"]
        indices = sparse["indices"]
        rows = self.view(indices["bufferView"], indices["componentType"], sparse["count"], 1)[:, 0]
        assert (np.diff(rows.astype(int)) > 0).all()
        values[rows] = self.view(sparse["values"]["bufferView"], kind, sparse["count"], width)
        return values


@pytest.fixture(scope="module")
def file(head, tmp_path_factory):
    path = tmp_path_factory.mktemp("glb") / "new" / "anna.glb"
    head.save(path, {"references": ["anna.jpg"]})
    return File(path)


def test_all_52_shapes_move_vertices(file):
    mesh = file.document["meshes"][0]
    assert mesh["extras"]["targetNames"] == list(EXPRESSION_NAMES)
    for target in mesh["primitives"][0]["targets"]:
        assert np.abs(file.array(target["POSITION"])).max() > 1e-4


def test_triangles_and_limits_are_those_of_their_vertices(file):
    for mesh in file.document["meshes"]:
        primitive = mesh["primitives"][0]
        number = primitive["attributes"]["POSITION"]
        points = file.array(number)
        assert file.array(primitive["indices"]).max() < len(points)
        np.testing.assert_allclose(file.document["accessors"][number]["min"], points.min(axis=0), rtol=1e-6)
        for attribute in primitive["attributes"].values():
            assert len(file.array(attribute)) == len(points)


def test_bones_hold_every_vertex(file):
    skin = file.document["skins"][0]
    names = [file.document["nodes"][joint]["name"] for joint in skin["joints"]]
    assert names == ["body", "neck01", "neck02", "neck03", "head", "eye.L", "eye.R"]
    for mesh in file.document["meshes"]:
        attributes = mesh["primitives"][0]["attributes"]
        np.testing.assert_allclose(file.array(attributes["WEIGHTS_0"]).sum(axis=1), 1, atol=1e-5)
        assert file.array(attributes["JOINTS_0"]).max() < len(names)


def test_at_rest_bones_leave_vertices_where_they_are(file):
    nodes, skin = file.document["nodes"], file.document["skins"][0]
    inverse = file.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4)
    places = {0: np.array(nodes[0]["translation"])}
    for number in skin["joints"]:
        for child in nodes[number].get("children", []):
            places[child] = places[number] + nodes[child]["translation"]
    for number in skin["joints"]:
        np.testing.assert_allclose(inverse[number, 3, :3], -places[number], atol=1e-6)


def test_materials_are_unlit_and_the_file_says_how_it_was_made(file):
    assert all("KHR_materials_unlit" in each["extensions"] for each in file.document["materials"])
    extras = file.document["asset"]["extras"]
    assert extras["synthetic"] is True and extras["look"] == 0 and extras["references"] == ["anna.jpg"]


def test_another_kind_of_file_is_refused(head, tmp_path):
    with pytest.raises(OutputError, match="glb"):
        head.save(tmp_path / "anna.obj")


def test_a_place_that_cannot_be_written_is_named(head, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        head.save(tmp_path / "file" / "anna.glb")
