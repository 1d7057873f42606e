"""What is decided about faces, on vectors, hashes and names alone."""

from dataclasses import replace

import numpy as np
import pytest

from dataset.curate.unit_vectors import CALIBRATION, people
from hifi_portrait.dataset.curate.assemble import bucket_of
from hifi_portrait.dataset.curate.detect import Forgotten
from hifi_portrait.dataset.curate.duplicates import DuplicateOptions, find_duplicates
from hifi_portrait.dataset.curate.exclude import find_excluded
from hifi_portrait.dataset.curate.faces import compared_landmarks
from hifi_portrait.dataset.curate.identities import assign_ids, identity_id
from hifi_portrait.dataset.curate.quality import QualityOptions, find_poor
from hifi_portrait.dataset.curate.reasons import Rejection
from hifi_portrait.dataset.records import split_of


@pytest.fixture
def mirror():
    return compared_landmarks()[1]


def test_opposite_landmarks_are_opposite(mirror):
    assert (mirror[mirror] == np.arange(len(mirror))).mean() > 0.95


def test_an_exact_copy_goes_and_the_first_stays(make_faces):
    faces = make_faces(people(2, 2)[0], sha256=["x", "y", "x", "z"])
    assert find_duplicates(faces, DuplicateOptions()) == {
        2: Rejection(reason="exact_duplicate", detail="0.jpg")
    }


def test_of_near_copies_the_largest_stays(make_faces):
    vectors = np.repeat(people(2, 1)[0], 2, axis=0)
    hashes = np.random.default_rng(0).integers(0, 256, (4, 32), np.uint8)
    hashes[1] = hashes[0]
    hashes[1, 0] ^= 7
    found = find_duplicates(
        make_faces(vectors, pdq=hashes, area=np.array([100, 400, 100, 100])), DuplicateOptions()
    )
    assert found == {0: Rejection(reason="near_duplicate", value=3.0, detail="1.jpg")}


def test_pictures_alike_of_two_people_are_no_copies(make_faces):
    hashes = np.repeat(np.random.default_rng(0).integers(0, 256, (1, 32), np.uint8), 2, axis=0)
    assert find_duplicates(make_faces(people(2, 1)[0], pdq=hashes), DuplicateOptions()) == {}


def test_a_mirrored_copy_is_found_by_its_face(make_faces, mirror):
    vectors = np.repeat(people(1, 1)[0], 2, axis=0)
    faces = make_faces(vectors)
    shapes = faces.shapes.copy()
    shapes[1] = np.array([148.6, 0]) + shapes[0][mirror] * [-1, 1]
    mirrored = faces.mirrored_pdq.copy()
    mirrored[1], mirrored[0] = faces.chip_pdq[0], faces.chip_pdq[1]
    mirrored[:, :4] ^= 255  # 32 bits of 256: as much as a mirrored copy may differ by
    copies = replace(faces, shapes=shapes, mirrored_pdq=mirrored)
    assert [each.reason for each in find_duplicates(copies, DuplicateOptions()).values()] == [
        "near_duplicate"
    ]
    moved = replace(copies, shapes=shapes + np.array([0, 1])[:, None, None] * 9)
    assert find_duplicates(moved, DuplicateOptions()) == {}


def test_a_poor_face_is_rejected_by_the_measure_that_is_worst(make_faces):
    measures = np.ones((2, 7), np.float32)
    measures[1, 0], measures[1, 5] = 0.01, 0.14
    found = find_poor(make_faces(people(1, 2)[0], measures=measures), QualityOptions())
    assert list(found) == [1]
    assert (found[1].reason, found[1].threshold) == ("blurred", 0.5)
    assert found[1].value == pytest.approx(0.01)


def test_people_of_an_evaluation_set_are_recognised_without_names():
    assert find_excluded(people(2, 2)[0], {0: [0, 1]}, [], CALIBRATION) == {}


def keys(*names: str) -> list[tuple[str, int]]:
    return [(name, 0) for name in names]


def test_a_group_keeps_the_id_with_which_it_shares_most_photos():
    known = dict.fromkeys(keys("a", "b", "c"), "id-0000000") | dict.fromkeys(keys("x"), "id-0000001")
    given = assign_ids([keys("a", "b", "x", "new"), keys("y", "z")], known, 2)
    assert (given.ids, given.next_number) == (["id-0000000", "id-0000002"], 3)


def test_an_id_goes_to_one_group_only():
    known = dict.fromkeys(keys("a", "b", "c"), "id-0000000")
    assert assign_ids([keys("c"), keys("a", "b")], known, 1).ids == ["id-0000001", "id-0000000"]


def test_ids_do_not_depend_on_the_order_of_the_groups():
    first = assign_ids([keys("a", "b"), keys("c", "d")], {}, 0).ids
    assert assign_ids([keys("c", "d"), keys("a", "b")], {}, 0).ids == first[::-1]


def test_nobody_changes_split_when_two_people_turn_out_to_be_one():
    trained = next(identity_id(n) for n in range(999) if split_of(identity_id(n)) == "train")
    tested = next(identity_id(n) for n in range(999) if split_of(identity_id(n)) == "test")
    known = dict.fromkeys(keys("a", "b"), trained) | dict.fromkeys(keys("x"), tested)
    given = assign_ids([keys("a", "b", "x", "new")], known, 999)
    assert given.ids == [trained] and given.moved == set(keys("x"))


def test_a_persons_shard_follows_from_the_id():
    places = [bucket_of(identity_id(n), 8) for n in range(400)]
    assert sorted(set(places)) == list(range(8))
    assert [bucket_of(identity_id(n), 16) % 8 for n in range(400)] == places


def test_a_forgotten_picture_is_known_by_its_hash():
    hashed = bytes(range(32))
    near = bytes([1, *range(1, 32)])
    gone = Forgotten(frozenset({"s"}), (hashed,))
    assert gone.knows({"sha256": "t", "pdq": near})
    assert gone.knows({"sha256": "s", "pdq": bytes(32)})
    assert not gone.knows({"sha256": "t", "pdq": bytes([255] * 32)})


def test_an_unknown_reason_is_refused():
    with pytest.raises(ValueError, match="'because'"):
        Rejection(reason="because")
