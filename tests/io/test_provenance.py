"""How a picture was made, read back from its file."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from hifi_portrait.errors import ImageError
from hifi_portrait.io.provenance import file_sha256, read_png, save_png, versions


def test_the_record_is_read_back_as_it_was(tmp_path):
    record = {"seed": 7, "prompt": "a café", "target": {"pose": {"yaw": 25.0}}}
    save_png(np.zeros((4, 4, 3), np.uint8), tmp_path / "new" / "portrait.png", record)
    assert read_png(tmp_path / "new" / "portrait.png") == record


def test_the_pixels_are_kept(tmp_path):
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    save_png(pixels, tmp_path / "portrait.png", {})
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "portrait.png")), pixels)


def test_a_png_without_a_record_is_refused(tmp_path):
    Image.new("RGB", (2, 2)).save(tmp_path / "plain.png")
    with pytest.raises(ImageError, match="does not say how it was made"):
        read_png(tmp_path / "plain.png")


def test_a_files_hash_is_of_its_bytes(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert file_sha256(tmp_path / "empty").startswith("e3b0c44298fc1c14")


def test_versions_name_this_package():
    assert "hifi-portrait" in versions()


def test_a_record_is_written_alike_in_whatever_order_it_was_made(tmp_path):
    save_png(np.zeros((2, 2, 3), np.uint8), tmp_path / "a.png", {"seed": 1, "prompt": "x"})
    save_png(np.zeros((2, 2, 3), np.uint8), tmp_path / "b.png", {"prompt": "x", "seed": 1})
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
