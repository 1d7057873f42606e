from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from hifi_portrait.errors import ImageError
from hifi_portrait.faces import load_image

HEIGHT, WIDTH = 40, 60


@pytest.fixture
def picture() -> np.ndarray:
    """A colour gradient with a bright top left corner, so that turns and swaps show."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    image = np.stack([x * 4, y * 5, 255 - x * 2], axis=2).astype(np.uint8)
    image[:10, :10] = (250, 240, 20)
    return image


def _saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def test_png_is_read_exactly(tmp_path: Path, picture: np.ndarray) -> None:
    path = _saved(tmp_path / "a.png", Image.fromarray(picture))
    assert np.array_equal(load_image(path), picture)


def test_exif_orientation_turns_the_picture_upright(tmp_path: Path, picture: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = Image.fromarray(np.rot90(picture))
    path = _saved(tmp_path / "a.png", turned, exif=exif)
    assert np.array_equal(load_image(path), picture)


def test_transparent_pixels_become_mid_grey(picture: np.ndarray) -> None:
    alpha = np.full((HEIGHT, WIDTH, 1), 255, np.uint8)
    alpha[20:] = 0
    loaded = load_image(Image.fromarray(np.concatenate([picture, alpha], axis=2)))
    assert np.array_equal(loaded[:20], picture[:20])
    assert (loaded[20:] == 128).all()


def test_palette_with_a_transparent_colour(tmp_path: Path, picture: np.ndarray) -> None:
    palette = Image.fromarray(picture).quantize(16)
    path = _saved(tmp_path / "a.png", palette, transparency=palette.getpixel((0, 0)))
    assert (load_image(path)[0, 0] == 128).all()


def test_palette_colours_are_kept(tmp_path: Path) -> None:
    flat = Image.new("RGB", (50, 50), (10, 200, 30))
    path = _saved(tmp_path / "a.gif", flat.quantize(4))
    assert (load_image(path) == (10, 200, 30)).all()


def test_greyscale_becomes_three_equal_channels(tmp_path: Path, picture: np.ndarray) -> None:
    path = _saved(tmp_path / "a.png", Image.fromarray(picture[:, :, 0]))
    assert np.array_equal(load_image(path), np.repeat(picture[:, :, :1], 3, axis=2))


def test_grey_with_alpha_is_composited(picture: np.ndarray) -> None:
    image = Image.fromarray(picture).convert("LA")
    image.putalpha(0)
    assert (load_image(image) == 128).all()


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey_keeps_its_brightness(tmp_path: Path, suffix: str) -> None:
    values = np.full((HEIGHT, WIDTH), 100 * 257, np.uint16)
    path = _saved(tmp_path / f"a.{suffix}", Image.fromarray(values))
    assert (load_image(path) == 100).all()


def test_16_bit_colour_tiff_keeps_its_colours(tmp_path: Path) -> None:
    import cv2

    values = np.empty((HEIGHT, WIDTH, 3), np.uint16)
    values[:] = np.array([10, 100, 200]) * 257
    path = tmp_path / "a.tif"
    assert cv2.imwrite(str(path), values[:, :, ::-1])
    assert (load_image(path) == (10, 100, 200)).all()


def test_16_bit_colour_png_keeps_its_colours(tmp_path: Path) -> None:
    import cv2

    values = np.empty((HEIGHT, WIDTH, 3), np.uint16)
    values[:] = np.array([10, 100, 200]) * 257
    path = tmp_path / "a.png"
    assert cv2.imwrite(str(path), values[:, :, ::-1])
    assert (load_image(path) == (10, 100, 200)).all()


def test_cmyk_jpeg_keeps_its_colours(tmp_path: Path) -> None:
    flat = Image.new("RGB", (64, 64), (200, 60, 40)).convert("CMYK")
    path = _saved(tmp_path / "a.jpg", flat, quality=95)
    assert np.abs(load_image(path).astype(int) - (200, 60, 40)).max() < 12


def test_unusable_colour_profile_is_ignored(tmp_path: Path, picture: np.ndarray) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    path = _saved(tmp_path / "a.png", Image.fromarray(picture), icc_profile=profile.tobytes())
    assert np.array_equal(load_image(path), picture)


@pytest.mark.parametrize("kind", ["uint16", "float", "bool", "two-dimensional", "one channel"])
def test_arrays_of_other_types(kind: str) -> None:
    white = np.ones((HEIGHT, WIDTH, 3))
    arrays = {
        "uint16": (white * 65535).astype(np.uint16),
        "float": white.astype(np.float32),
        "bool": white.astype(bool),
        "two-dimensional": np.full((HEIGHT, WIDTH), 255, np.uint8),
        "one channel": np.full((HEIGHT, WIDTH, 1), 255, np.uint8),
    }
    loaded = load_image(arrays[kind])
    assert loaded.shape == (HEIGHT, WIDTH, 3)
    assert (loaded == 255).all()


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.zeros((50, 50, 5), np.uint8), "not a picture"),
        (np.zeros(50, np.uint8), "not a picture"),
        (np.zeros((0, 50, 3), np.uint8), "empty"),
        (np.full((50, 50, 3), 200.0), r"\[0, 1\]"),
        (np.full((50, 50, 3), np.nan), r"\[0, 1\]"),
        (np.zeros((50, 50, 3), np.int64), "int64"),
    ],
)
def test_arrays_that_are_no_picture(array: np.ndarray, complaint: str) -> None:
    with pytest.raises(ImageError, match=complaint):
        load_image(array)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"nobody\.jpg does not exist"):
        load_image(tmp_path / "nobody.jpg")


def test_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is a folder"):
        load_image(tmp_path)


def test_text_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "letter.jpg"
    path.write_text("Dear Sir or Madam")
    with pytest.raises(ImageError, match=r"letter\.jpg is not a picture"):
        load_image(path)


def test_empty_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "empty.png"
    path.touch()
    with pytest.raises(ImageError, match=r"empty\.png is not a picture"):
        load_image(path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "gif"])
def test_truncated_file_is_named(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    path = _saved(tmp_path / f"half.{suffix}", Image.fromarray(noise))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageError, match=rf"half\.{suffix}"):
        load_image(path)


def test_one_pixel_is_too_small(tmp_path: Path) -> None:
    path = _saved(tmp_path / "dot.png", Image.new("RGB", (1, 1)))
    with pytest.raises(ImageError, match=r"dot\.png is too small: 1x1"):
        load_image(path)


def test_pixel_limit_is_checked_before_decoding(tmp_path: Path) -> None:
    path = _saved(tmp_path / "poster.png", Image.new("1", (20000, 15000)))
    with pytest.raises(ImageError, match=r"poster\.png is too large: 20000x15000 .* 256 megapixels"):
        load_image(path)


def test_pixel_limit_can_be_set(picture: np.ndarray) -> None:
    with pytest.raises(ImageError, match="too large"):
        load_image(picture, max_pixels=1000)


def test_other_objects_are_refused() -> None:
    with pytest.raises(ImageError, match="NumPy array"):
        load_image(b"bytes")  # type: ignore[arg-type]
