"""How a face is turned, where the detector sees it in more than one way."""

import numpy as np
import pytest

from hifi_portrait.faces.analyser import FaceAnalyser
from hifi_portrait.faces.detector import MediaPipeFaceDetector, _group_by_place, _turned_alike
from hifi_portrait.faces.protocols import Detection
from hifi_portrait.fitting.keypoints import KEYPOINTS

_PICTURE = np.zeros((400, 400, 3), np.uint8)


def detection(score: float, turn: float = 0, middle=(100, 100), size: float = 80) -> Detection:
    """A face whose eyes are level at ``turn`` 0, turned by so many degrees otherwise."""
    along = np.array([np.cos(np.radians(turn)), np.sin(np.radians(turn))])
    centre = np.array(middle, float)
    keypoints = np.tile(centre, (6, 1))
    keypoints[:2] = centre - 0.2 * size * along, centre + 0.2 * size * along
    return Detection(np.concatenate([centre - size / 2, centre + size / 2]), keypoints, score)


def analyser(detections, off=lambda _: 0.0) -> FaceAnalyser:
    """An analyser that is given detections, and landmarks whose eyes are ``off`` by so many boxes."""

    def landmarker(_picture, found):
        landmarks = np.zeros((478, 3), np.float32)
        landmarks[list(KEYPOINTS.values())[:2], :2] = found.keypoints[:2]
        return landmarks + np.float32(off(found) * found.size / np.sqrt(2)) * np.array([1, 1, 0], np.float32)

    return FaceAnalyser(detector=lambda _: detections, landmarker=landmarker)


def upright_refused(found: Detection) -> float:
    """Landmarks are far from an upright face's eyes, and agree with every other."""
    return 0.5 if found.keypoints[1, 0] > found.keypoints[0, 0] else 0.0


@pytest.mark.parametrize(("score", "taken"), [(0.7, 0), (0.95, 1)])
def test_a_refused_face_is_turned_over_only_if_that_is_surer(score, taken):
    upright, over = detection(0.9), detection(score, 180, (100, 112))
    found = list(analyser([upright, over], upright_refused).find_faces(_PICTURE))
    assert [each is over for each, _ in found] == [True] * taken


def test_a_refused_leaning_face_leaves_the_photos_own_turn():
    """A mask painted on a face in a photo that is turned by 90 degrees."""
    leaning, right = detection(0.81, -55), detection(0.79, 90)
    odd = {"off": lambda found: 0.5 if found is leaning else 0.0}
    found = list(analyser([leaning, right], **odd).find_faces(_PICTURE))
    assert [each for each, _ in found] == [right]


def test_a_refused_face_leaves_other_places_alone():
    other = detection(0.7, middle=(300, 300))
    odd = {"off": lambda found: 0.5 if found.keypoints[0, 0] < 200 else 0.0}
    found = list(analyser([detection(0.9), other], **odd).find_faces(_PICTURE))
    assert [each for each, _ in found] == [other]


def twice_looked(found: Detection, *, eyes: float = 16, moved: float = 0, beside: float = 0) -> list:
    """Faces found where landmarks put the eyes elsewhere, ``moved`` by so many pixels the second time.

    They are of a face so many pixels ``beside`` the detected one.
    """
    landmarks = np.random.default_rng(0).uniform(60, 140, (478, 3)).astype(np.float32)
    landmarks[list(KEYPOINTS.values())[:2], :2] = [[100 - eyes, 80], [100 + eyes, 80]]
    landmarks[:, 0] += beside
    looks = iter([landmarks, landmarks + np.float32(moved) * np.array([1, 0, 0], np.float32)])
    return list(
        FaceAnalyser(detector=lambda _: [found], landmarker=lambda *_: next(looks)).find_faces(_PICTURE)
    )


@pytest.mark.parametrize("moved", [0.0, 1.5])
def test_landmarks_found_twice_confirm_a_sure_face(moved):
    ((_, landmarks),) = twice_looked(detection(0.75), moved=moved)
    assert landmarks[KEYPOINTS["right eye"], 0] == 84 + moved


@pytest.mark.parametrize(
    ("found", "change"),
    [
        (detection(0.65), {}),
        (detection(0.9, 180), {}),
        (detection(0.9), {"eyes": 6}),  # seen from the side
        (detection(0.9), {"moved": 3}),
        (detection(0.9), {"beside": 70}),  # the person beside, who is found by another detection
    ],
)
def test_landmarks_found_twice_confirm_no_other(found, change):
    assert twice_looked(found, **change) == []


def test_a_face_and_the_same_one_upside_down_are_one_place():
    """Turned over, its box holds the neck for the forehead, and overlaps by a quarter."""
    upright, over = detection(0.8), detection(0.85, 180, (125, 130))
    ((first, second),) = _group_by_place([upright, over])
    assert first is upright and second is over
    assert len(_group_by_place([upright, detection(0.85, middle=(125, 130))])) == 2


@pytest.mark.parametrize(("turn", "count"), [(180, 1), (90, 2), (0, 2)])
def test_one_photo_shows_nobody_upside_down_beside_others(turn, count):
    places = _group_by_place([detection(0.9), detection(0.7, turn, (300, 300))])
    assert len(_turned_alike(places)) == count


def test_beside_others_a_face_keeps_the_reading_that_fits():
    over, upright = detection(0.92, 180, (300, 300)), detection(0.78, middle=(300, 305))
    first, second = _turned_alike(_group_by_place([detection(0.95), over, upright]))
    assert len(first) == 1 and second == [upright]


def test_without_a_face_nothing_is_left_out():
    assert _turned_alike([]) == [] and list(MediaPipeFaceDetector()(_PICTURE)) == []
