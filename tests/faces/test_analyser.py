from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from hifi_portrait.errors import NoFaceError, SeveralFacesError
from hifi_portrait.faces import Face, FaceAnalyser, analyse, analyse_all, load_image
from hifi_portrait.faces.detector import _group_by_place
from hifi_portrait.faces.matting import smooth_steps
from hifi_portrait.faces.protocols import Detection


@pytest.fixture(scope="module")
def face(portrait_path: Path) -> Face:
    return analyse(portrait_path)


@pytest.fixture(scope="module")
def pair(portrait: np.ndarray, other_portrait: np.ndarray) -> np.ndarray:
    """Two people side by side, the second at 60 % of the size of the first."""
    canvas = np.full((256, 420, 3), 120, np.uint8)
    canvas[:, :256] = portrait
    canvas[50:204, 260:414] = cv2.resize(other_portrait, (154, 154), interpolation=cv2.INTER_AREA)
    return canvas


def _in_a_large_photo(portrait: np.ndarray, size: int) -> np.ndarray:
    canvas = np.full((1200, 1800, 3), (90, 110, 130), np.uint8)
    canvas[700 : 700 + size, 1200 : 1200 + size] = cv2.resize(
        portrait, (size, size), interpolation=cv2.INTER_AREA
    )
    return canvas


def test_shapes_and_types(face: Face, portrait_path: Path) -> None:
    assert face.source == str(portrait_path)
    assert face.box.shape == (4,)
    assert face.keypoints.shape == (5, 2)
    assert face.landmarks.shape == face.crop_landmarks.shape == (478, 3)
    assert face.landmarks.dtype == face.crop_landmarks.dtype == np.float32
    assert (face.crop.shape, face.crop.dtype) == ((256, 256, 3), np.uint8)
    assert (face.matte.shape, face.matte.dtype) == ((256, 256), np.float32)
    assert (face.aligned.shape, face.aligned.dtype) == ((150, 150, 3), np.uint8)
    assert (face.embedding.shape, face.embedding.dtype) == ((128,), np.float32)
    assert 0 <= face.matte.min() <= face.matte.max() <= 1
    assert 0 <= face.quality <= 1


def test_large_photos_make_large_crops(portrait: np.ndarray) -> None:
    large = analyse(cv2.resize(portrait, (1200, 1200), interpolation=cv2.INTER_CUBIC))
    assert large.crop.shape == (1024, 1024, 3) and large.matte.shape == (1024, 1024)
    assert large.matte.min() >= 0 and large.matte.max() == 1


def test_outlines_of_large_mattes_have_no_steps() -> None:
    """The network sees 256 pixels; enlarged to 1024, an outline that leans goes on evenly."""
    rows, columns = np.mgrid[:256, :256]
    small = (rows > 60 + 0.3 * columns).astype(np.float32)
    stairs = cv2.resize(small, (1024, 1024), interpolation=cv2.INTER_NEAREST)

    def steps(matte: np.ndarray) -> float:
        outline = np.argmax(matte > 0.5, axis=0)[100:900]
        line = np.polyval(np.polyfit(np.arange(len(outline)), outline, 1), np.arange(len(outline)))
        return float(np.abs(outline - line).max())

    smooth = smooth_steps(stairs, 4.0)
    assert steps(stairs) > 2 > 1.2 > steps(smooth)
    assert smooth.min() == 0 and smooth.max() == 1
    np.testing.assert_array_equal(smooth_steps(stairs, 2.0), stairs)


def test_faces_cannot_be_written_to(face: Face) -> None:
    with pytest.raises(ValueError, match="read-only"):
        face.crop[0, 0] = 0


def test_keypoints_go_from_image_left_to_right(face: Face) -> None:
    left_eye, right_eye, nose, left_mouth, right_mouth = face.keypoints
    assert left_eye[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


def test_crop_landmarks_are_the_landmarks_in_the_crop(face: Face) -> None:
    points = np.c_[face.landmarks[:, :2], np.ones(478)] @ face.crop_transform.T
    np.testing.assert_allclose(face.crop_landmarks[:, :2], points[:, :2], atol=1e-3)


def test_matte_tells_the_person_from_the_background(face: Face) -> None:
    nose = face.crop_landmarks[1, :2].astype(int)
    assert face.matte[nose[1], nose[0]] > 0.9
    assert face.matte[:10, :10].mean() < 0.1


def test_chip_has_the_eyes_level(face: Face) -> None:
    again = analyse(np.asarray(face.aligned).repeat(2, axis=0).repeat(2, axis=1))
    assert abs(again.keypoints[0, 1] - again.keypoints[1, 1]) < 12


@pytest.mark.parametrize("angle", [-45, 45])
def test_leaning_heads_are_found(portrait: np.ndarray, face: Face, angle: int) -> None:
    turn = cv2.getRotationMatrix2D((128, 128), angle, 1)
    turned = analyse(cv2.warpAffine(portrait, turn, (256, 256), borderMode=cv2.BORDER_REPLICATE))
    expected = face.landmarks[:, :2] @ turn[:, :2].T + turn[:, 2]
    assert np.abs(turned.landmarks[:, :2] - expected).mean() < 3


def test_crop_is_the_same_wherever_the_face_is(portrait: np.ndarray, face: Face) -> None:
    moved = analyse(_in_a_large_photo(portrait, 256))
    offset = np.linalg.inv(moved.crop_transform)[:2, 2] - np.linalg.inv(face.crop_transform)[:2, 2]
    np.testing.assert_allclose(offset, (1200, 700), atol=6)


def test_small_face_in_a_large_photo(portrait: np.ndarray, face: Face) -> None:
    small = analyse(_in_a_large_photo(portrait, 100))
    expected = face.landmarks[:, :2] * (100 / 256) + (1200, 700)
    assert np.abs(small.landmarks[:, :2] - expected).mean() < 2


def test_eyes_of_faces_that_are_a_small_part_of_a_picture_are_placed_exactly(
    analyser: FaceAnalyser, portrait: np.ndarray, other_portrait: np.ndarray
) -> None:
    """Landmarks are believed only where the detector's eyes are near theirs."""
    canvas = np.full((256, 640, 3), 128, np.uint8)
    canvas[20:244, 16:240] = cv2.resize(portrait, (224, 224), interpolation=cv2.INTER_AREA)
    canvas[:, 380:636] = cv2.resize(other_portrait, (256, 256), interpolation=cv2.INTER_AREA)
    found = list(analyser.find_faces(canvas))
    assert len(found) == 2
    for detection, landmarks in found:
        apart = np.linalg.norm(detection.keypoints[:2] - landmarks[[468, 473], :2], axis=1)
        assert (apart < 0.055 * detection.size).all()


def test_too_small_a_face_says_how_large_it_must_be(portrait: np.ndarray) -> None:
    with pytest.raises(NoFaceError, match=r"too small: .* pixels, at least 64 are needed"):
        analyse(cv2.resize(portrait, (44, 44), interpolation=cv2.INTER_AREA))


def test_no_face_is_named(tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    cv2.imwrite(str(path), np.full((200, 200, 3), 90, np.uint8))
    with pytest.raises(NoFaceError, match=r"wall\.png: no face was found"):
        analyse(path)


def test_the_largest_face_comes_first(pair: np.ndarray, face: Face) -> None:
    assert analyse(pair).similarity(face) > 0.98


def test_all_faces_largest_first(pair: np.ndarray) -> None:
    faces = analyse_all(pair)
    assert len(faces) == 2
    assert np.ptp(faces[0].box[[0, 2]]) > np.ptp(faces[1].box[[0, 2]])


def test_a_face_by_index(pair: np.ndarray, other_portrait: np.ndarray) -> None:
    assert analyse(pair, index=1).similarity(analyse(other_portrait)) > 0.95


@pytest.mark.parametrize("index", [2, -1])
def test_an_index_too_many(pair: np.ndarray, index: int) -> None:
    with pytest.raises(NoFaceError, match=f"there is no face {index}"):
        analyse(pair, index=index)


def test_several_faces_where_one_was_asked_for(pair: np.ndarray) -> None:
    with pytest.raises(SeveralFacesError, match="shows 2 faces"):
        analyse(pair, single=True)


def test_one_face_where_one_was_asked_for(portrait: np.ndarray, face: Face) -> None:
    assert analyse(portrait, single=True).similarity(face) > 0.999


def test_many_photos_at_once_give_the_same_faces(
    analyser: FaceAnalyser, portrait: np.ndarray, other_portrait: np.ndarray
) -> None:
    together = analyser.analyse_many([portrait, other_portrait])
    alone = analyser.analyse(other_portrait)
    np.testing.assert_allclose(together[1][0].embedding, alone.embedding, atol=1e-5)


def test_parts_can_be_exchanged(analyser: FaceAnalyser, portrait: np.ndarray) -> None:
    blank = replace(analyser, matting=lambda image: np.zeros(image.shape[:2], np.float32))
    assert (blank.analyse(portrait).matte == 0).all()


def test_threads_agree(portrait_path: Path, face: Face) -> None:
    with ThreadPoolExecutor(2) as pool:
        faces = list(pool.map(analyse, [portrait_path] * 4))
    assert all(np.array_equal(other.landmarks, face.landmarks) for other in faces)


def test_mediapipe_writes_nothing_to_the_terminal(
    portrait_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    FaceAnalyser().analyse(portrait_path)
    assert capfd.readouterr().err == ""


def test_quality_falls_with_blur(portrait: np.ndarray, face: Face) -> None:
    assert analyse(cv2.GaussianBlur(portrait, (0, 0), 4)).quality < 0.8 * face.quality


def test_quality_falls_with_darkness(portrait: np.ndarray, face: Face) -> None:
    assert analyse((portrait * 0.12).astype(np.uint8)).quality < 0.8 * face.quality


def test_quality_falls_with_size(portrait: np.ndarray, face: Face) -> None:
    assert analyse(cv2.resize(portrait, (90, 90), interpolation=cv2.INTER_AREA)).quality < 0.85 * face.quality


def test_portrait_crops_to_nearly_itself(portrait_path: Path) -> None:
    photo = load_image(portrait_path)
    corners = np.array([[0, 0, 1], [photo.shape[1], photo.shape[0], 1]]) @ analyse(photo).crop_transform.T
    np.testing.assert_allclose(corners[:, :2], [[0, 0], [256, 256]], atol=40)


def test_a_face_that_is_upright_comes_first_unless_another_turn_is_clearly_surer() -> None:
    box, level = np.array((10.0, 10.0, 110.0, 110.0)), np.array(((40.0, 50.0), (80.0, 52.0)))

    def first(upright: float, turned: float) -> float:
        found = [Detection(box, level, upright), Detection(box, 120 - level, turned)]
        return _group_by_place(found)[0][0].score

    assert first(0.80, 0.86) == 0.80
    assert first(0.75, 0.95) == 0.95
    assert first(0.90, 0.70) == 0.90
