"""How a picture was made, read back from its file."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hifi_portrait.errors import ImageError, OutputError
from hifi_portrait.io.provenance import file_sha256, read_record, save_picture, versions


def test_the_record_is_read_back_as_it_was(tmp_path):
    record = {"seed": 7, "prompt": "a café", "target": {"pose": {"yaw": 25.0}}}
    save_picture(np.zeros((4, 4, 3), np.uint8), tmp_path / "new" / "portrait.png", record)
    assert read_record(tmp_path / "new" / "portrait.png") == record


def test_the_pixels_are_kept(tmp_path):
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    save_picture(pixels, tmp_path / "portrait.png", {})
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "portrait.png")), pixels)


def test_a_picture_without_a_record_is_refused(tmp_path):
    Image.new("RGB", (2, 2)).save(tmp_path / "plain.png")
    with pytest.raises(ImageError, match="does not say how it was made"):
        read_record(tmp_path / "plain.png")


def test_a_files_hash_is_of_its_bytes(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert file_sha256(tmp_path / "empty").startswith("e3b0c44298fc1c14")


def test_versions_name_this_package():
    assert "hifi-portrait" in versions()


def test_a_record_is_written_alike_in_whatever_order_it_was_made(tmp_path):
    save_picture(np.zeros((2, 2, 3), np.uint8), tmp_path / "a.png", {"seed": 1, "prompt": "x"})
    save_picture(np.zeros((2, 2, 3), np.uint8), tmp_path / "b.png", {"prompt": "x", "seed": 1})
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("suffix", ["png", "jpg", "JPEG", "webp"])
def test_a_picture_is_of_the_kind_that_its_name_says_and_carries_its_record(tmp_path, suffix):
    path, record = tmp_path / f"a.{suffix}", {"prompt": "a café", "seed": 1}
    save_picture(np.full((32, 32, 3), 90, np.uint8), path, record)
    with Image.open(path) as image:
        assert image.format == {"jpg": "JPEG", "JPEG": "JPEG"}.get(suffix, suffix.upper())
        assert np.abs(np.asarray(image).astype(int) - 90).max() <= 2
    assert read_record(path) == record


@pytest.mark.parametrize("name", ["a.gif", "a", "a.safetensors"])
def test_a_kind_that_cannot_be_written_is_refused(tmp_path, name):
    with pytest.raises(OutputError, match=name.replace(".", r"\.")):
        save_picture(np.zeros((2, 2, 3), np.uint8), tmp_path / name, {})


def test_transparency_is_kept_or_refused(tmp_path):
    picture = np.full((8, 8, 4), 90, np.uint8)
    save_picture(picture, tmp_path / "a.png", {})
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), picture)
    with pytest.raises(OutputError, match="transparent"):
        save_picture(picture, tmp_path / "a.jpg", {})


def test_a_record_too_long_for_a_jpeg_loses_its_longest_entries(tmp_path):
    save_picture(np.zeros((8, 8, 3), np.uint8), tmp_path / "a.jpg", {"prompt": "x" * 100_000, "seed": 3})
    assert read_record(tmp_path / "a.jpg") == {"seed": 3}


def test_a_name_that_is_not_utf_8_goes_into_a_record(tmp_path):
    for name in (b"a\xff.png", b"a\xff.jpg"):
        path = tmp_path / os.fsdecode(name)
        save_picture(np.zeros((8, 8, 3), np.uint8), path, {"references": [{"name": path.name}]})
        assert read_record(path)["references"][0]["name"].startswith("a\ufffd")


def test_an_error_while_writing_leaves_the_old_picture(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    save_picture(np.zeros((8, 8, 3), np.uint8), path, {})
    old = path.read_bytes()

    def half(self, file, **_):
        Path(file).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", half)
    with pytest.raises(OutputError, match=r"a\.png cannot be written: No space left"):
        save_picture(np.ones((8, 8, 3), np.uint8), path, {})
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_pictures_are_written_into_one_folder_at_a_time(tmp_path):
    """Eight of each of three names: of each, one whole picture stays, and nothing beside them."""
    image = np.full((64, 64, 3), 90, np.uint8)
    names = ["a.png", "b.jpg", "c.webp"] * 8
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: save_picture(image, tmp_path / name, {"seed": 1}), names))
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    assert all(read_record(path)["seed"] == 1 for path in tmp_path.iterdir())


def test_a_transparent_webp_keeps_every_pixel_and_what_lies_under_clear_ones(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 4), np.uint8)
    picture[:20, :, 3] = 0
    save_picture(picture, tmp_path / "a.webp", {"picture": "x"})
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.webp")), picture)
