"""What of a folder is a photo, and why the rest is none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hifi_portrait.errors import IdentityError, ImageError
from hifi_portrait.faces.folder import list_photos
from hifi_portrait.faces.image import IMAGE_SUFFIXES, load_image
from hifi_portrait.io.provenance import save_picture

PICTURES = Path(__file__).parents[1] / "pictures"


@pytest.fixture
def photo() -> Image.Image:
    return Image.new("RGB", (64, 64), (90, 120, 150))


def test_every_format_that_pillow_decodes_is_looked_for():
    Image.init()
    elsewhere = {"BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"}
    decoded = {
        suffix
        for suffix, kind in Image.registered_extensions().items()
        if kind in Image.OPEN and kind not in elsewhere
    }
    assert decoded <= IMAGE_SUFFIXES
    assert {".heic", ".heif", ".avif", ".jfif"} <= IMAGE_SUFFIXES


@pytest.mark.parametrize("name", ["a.jpg", "b.JPG", "c.jfif", "d.avif", "e.webp", "f.tiff", "g.jp2", "h.ppm"])
def test_a_folder_is_searched_for_pictures_of_every_format(tmp_path, photo, name):
    kind = {".jfif": "JPEG", ".jp2": "JPEG2000", ".ppm": "PPM"}.get(Path(name).suffix)
    photo.save(tmp_path / name, kind)
    assert list_photos([tmp_path]) == ([tmp_path / name], [])
    assert np.abs(load_image(tmp_path / name).astype(int) - (90, 120, 150)).max() < 6


def test_heic_photos_are_read(tmp_path):
    shutil.copy(PICTURES / "person_a_1.heic", tmp_path / "IMG_0001.HEIC")
    assert list_photos([tmp_path])[0] == [tmp_path / "IMG_0001.HEIC"]
    difference = load_image(tmp_path / "IMG_0001.HEIC").astype(int) - load_image(PICTURES / "person_a_1.jpg")
    assert np.abs(difference).mean() < 5


@pytest.mark.parametrize("keep", [0, 12, 200, 3000])
def test_a_damaged_heic_is_named(tmp_path, keep):
    path = tmp_path / "half.heic"
    path.write_bytes((PICTURES / "person_a_1.heic").read_bytes()[:keep])
    with pytest.raises(ImageError, match=r"half\.heic"):
        load_image(path)


@pytest.mark.parametrize("name", ["photo", "photo.jpg_large", "photo.jpg.download"])
def test_a_picture_without_a_pictures_name_is_one_by_its_contents(tmp_path, photo, name):
    photo.save(tmp_path / name, "JPEG")
    assert list_photos([tmp_path])[0] == [tmp_path / name]


def test_what_is_no_photo_is_left_out_by_name_and_reason(tmp_path, photo):
    photo.save(tmp_path / "me.jpg")
    (tmp_path / "._me.jpg").write_bytes(b"\0\5\x16\7Mac OS X")
    (tmp_path / ".hidden.png").touch()
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "drawing.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "holiday").mkdir()
    (tmp_path / "album.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    save_picture(photo, tmp_path / "portrait.png", {"seed": 1})
    save_picture(photo, tmp_path / "portrait-sheet.jpg", {"seed": 1})
    save_picture(photo, tmp_path / "warp.webp", {})
    photos, unused = list_photos([tmp_path])
    assert photos == [tmp_path / "me.jpg"]
    assert {file.path.name: file.reason.split()[-1] for file in unused} == {
        "._me.jpg": "hidden",
        ".hidden.png": "hidden",
        "notes.txt": "picture",
        "drawing.eps": "picture",
        "gone.jpg": "nothing",
        "holiday": "meant",
        "album.jpg": "meant",
        "pipe.jpg": "file",
        "portrait.png": "hifi-portrait",
        "portrait-sheet.jpg": "hifi-portrait",
        "warp.webp": "hifi-portrait",
    }


def test_an_unreadable_photo_stays_listed_so_that_its_error_is_told(tmp_path, photo):
    photo.save(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    assert len(list_photos([tmp_path])[0]) == 2


def test_a_folder_without_photos_says_what_it_holds(tmp_path):
    with pytest.raises(IdentityError, match="holds no photo: it is empty"):
        list_photos([tmp_path])
    (tmp_path / "trip").mkdir()
    with pytest.raises(IdentityError, match=r"holds no photo, only trip \(it is a folder"):
        list_photos([tmp_path])


def test_own_pictures_are_used_where_nothing_else_is_given(tmp_path, photo):
    own, other = tmp_path / "own.png", tmp_path / "other.png"
    save_picture(photo, own, {})
    photo.save(other)
    assert list_photos([own]) == ([own], [])
    photos, unused = list_photos([own, other])
    assert photos == [other]
    assert [file.path for file in unused] == [own]
    assert list_photos([own], beside_others=True)[0] == []


@pytest.mark.parametrize("kind", ["missing", "dangling"])
def test_a_single_file_that_is_not_there_is_an_error(tmp_path, kind):
    path = tmp_path / "a.jpg"
    if kind == "dangling":
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ImageError, match=r"a\.jpg (does not exist|is a link to nothing)"):
        list_photos([path])


@pytest.mark.slow
def test_a_photo_of_108_megapixels_is_read(tmp_path):
    path = tmp_path / "phone.jpg"
    Image.new("L", (12000, 9000), 90).save(path)
    assert load_image(path).shape == (9000, 12000, 3)


def test_a_photo_of_200_megapixels_is_opened(tmp_path):
    path = tmp_path / "phone.png"
    Image.new("1", (16320, 12240)).save(path)
    with pytest.raises(ImageError, match="more than the limit of 1 megapixels"):
        load_image(path, max_pixels=1_000_000)
    assert list_photos([path])[0] == [path]
