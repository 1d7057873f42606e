"""Who is who, on vectors alone."""

from dataclasses import replace

import numpy as np
import pytest

from dataset.curate.unit_vectors import CALIBRATION, WIDTH, people
from hifi_portrait.dataset.curate import grouping, neighbours
from hifi_portrait.dataset.curate.communities import chinese_whispers
from hifi_portrait.dataset.curate.grouping import GroupingOptions, group_faces
from hifi_portrait.dataset.curate.likelihood import learn_ratios
from hifi_portrait.dataset.curate.matching import Matcher
from hifi_portrait.dataset.curate.neighbours import choose_neighbourhoods, nearest


def group(vectors, folders=None, pictures=None, **options):
    number = len(vectors)
    return group_faces(
        vectors,
        np.arange(number) if pictures is None else np.asarray(pictures),
        folders or [""] * number,
        CALIBRATION,
        GroupingOptions(**options),
    )


def same(person: np.ndarray, truth: np.ndarray) -> bool:
    return bool(((person[:, None] == person) == (truth[:, None] == truth)).all()) and bool(
        (person >= 0).all()
    )


@pytest.mark.parametrize("purity", ["strict", "balanced"])
def test_faces_without_names_are_put_together_by_person(purity: str):
    vectors, truth = people(12, 6)
    assert same(group(vectors, purity=purity).person, truth)


def test_a_face_that_is_alone_is_nobody():
    vectors, truth = people(5, 4)
    alone = group(vectors[[*range(16), 16]]).person
    assert alone[-1] == -1 and same(alone[:16], truth[:16])


def test_two_faces_of_one_picture_are_never_one_person():
    vectors, _ = people(1, 6)
    pictures = [0, 0, 1, 2, 3, 4]
    person = group(vectors, pictures=pictures).person
    assert person[0] != person[1] or person[0] == -1


def test_who_does_not_belong_to_a_folder_leaves_it_for_his_own():
    vectors, truth = people(3, 6)
    folders = [f"album/{name}" for name in truth]
    folders[0] = "album/1"
    found = group(vectors, folders)
    assert same(found.person, truth)
    assert found.names[int(found.person[6])] == ("album/1",)


def test_a_stranger_in_a_folder_is_nobody():
    vectors, _ = people(2, 6)
    person = group(vectors[:7], ["album/a"] * 7).person
    assert person[6] == -1 and (person[:6] == 0).all()


def test_two_folders_of_one_person_become_one():
    vectors, _ = people(1, 8)
    found = group(vectors, ["album/x"] * 4 + ["album/y"] * 4)
    assert (found.person == found.person[0]).all()
    assert found.names[int(found.person[0])] == ("album/x", "album/y")


def test_ratios_learn_where_people_differ_and_where_photos_do():
    """Most of the scatter is along one direction, which the plain cosine counts like any other."""
    rng = np.random.default_rng(0)
    vectors, truth = people(40, 5, 0.02)
    vectors = vectors + np.outer(rng.normal(size=len(vectors)), np.eye(WIDTH)[0]) * 0.5
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    rows, together = np.arange(len(vectors)), truth[:, None] == truth
    ratios = learn_ratios(vectors, truth)

    def overlap(values: np.ndarray) -> float:
        return float((values[together] < np.quantile(values[~together], 0.99)).mean())

    found = ratios.of(rows, rows)
    assert overlap(found) < overlap(vectors @ vectors.T) / 3
    np.testing.assert_allclose(ratios.of_pairs(rows[:3], rows[[[4, 5]] * 3]), found[:3, 4:6], rtol=1e-4)


def test_at_a_ratio_of_one_a_pair_is_of_one_person_as_likely_as_of_two():
    """Of unit vectors, which are not quite from the model: within a factor of two and a half."""
    rng = np.random.default_rng(1)
    truth = np.repeat(np.arange(300), 4)
    vectors = rng.normal(size=(300, WIDTH))[truth] + rng.normal(size=(1200, WIDTH))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    rows = np.arange(1200)
    found, together = learn_ratios(vectors, truth).of(rows, rows), truth[:, None] == truth
    np.fill_diagonal(together, False)
    two = ~together & ~np.eye(1200, dtype=bool)
    for logarithm in (-2, 0, 2):
        near = np.abs(found - logarithm) < 0.5
        ratio = near[together].mean() / near[two].mean()
        assert abs(np.log(ratio) - logarithm) < np.log(2.5)


def test_nothing_is_learnt_from_few_faces():
    vectors, truth = people(3, 4)
    assert learn_ratios(vectors, truth) is None


def test_the_plain_cosine_must_agree_with_the_ratio():
    vectors, truth = people(40, 5)
    matcher = Matcher(plain=vectors, ratios=learn_ratios(vectors, truth), plain_threshold=2.0)
    assert (matcher.at(plain=2.0, ratio=-1e6).margins(np.arange(len(vectors))) < 0).all()


def test_ratios_must_be_greater_in_larger_collections():
    assert CALIBRATION.more_for(1000) == CALIBRATION.more_for(10) == 0
    assert CALIBRATION.more_for(4000) == 4.0


def test_people_of_a_set_that_grows_stay_who_they_are():
    """Two people so alike that they would be one in a new set, and newcomers of two others."""
    vectors, _ = people(3, 6)
    alike = vectors[:6].mean(axis=0) + 0.45 * vectors[6:12]
    alike /= np.linalg.norm(alike, axis=1, keepdims=True)
    faces = np.concatenate([vectors, alike])
    settled = ["a"] * 5 + [""] + ["b"] * 6 + ["c"] * 5 + [""] + ["d"] * 6
    without = group(faces).person
    assert without[0] == without[18]
    person = group_faces(faces, np.arange(24), [""] * 24, CALIBRATION, GroupingOptions(), settled).person
    assert person[5] == person[0] and person[17] == person[16]
    assert len({*person[:5]}) == len({*person[6:12]}) == len({*person[12:17]}) == len({*person[18:]}) == 1
    assert person[0] != person[18]


def test_a_settled_person_is_not_torn_by_folders():
    vectors, truth = people(2, 8)
    folders = ["album/a"] * 4 + ["album/b"] * 4 + ["album/c"] * 8
    settled = ["x"] * 3 + [""] + ["x"] * 4 + ["y"] * 8
    person = group_faces(vectors, np.arange(16), folders, CALIBRATION, GroupingOptions(), settled).person
    assert same(person, truth)
    # faces that nobody would put together by now
    person = group_faces(
        vectors, np.arange(16), [""] * 16, CALIBRATION, GroupingOptions(), ["x", "", "", ""] * 4
    ).person
    assert len({*person[::4]}) == 1


def test_a_face_without_a_name_goes_to_the_person_of_a_folder_whom_it_is_most_like():
    vectors, truth = people(3, 6)
    folders = [f"album/{who}" if place % 6 else "" for place, who in enumerate(truth)]
    folders[12:] = [""] * 6
    calibration = replace(CALIBRATION, plain_strict=0.9999, plain_guard=0.9999, folder_plain=0.7)
    person = group_faces(vectors, np.arange(18), folders, calibration, GroupingOptions()).person
    assert person[0] == -1  # where nothing can be learnt, strictly
    vectors, truth = people(40, 6)
    folders = [f"album/{who}" if place % 6 else "" for place, who in enumerate(truth)]
    folders[-6:] = [""] * 6
    person = group_faces(vectors, np.arange(240), folders, calibration, GroupingOptions()).person
    assert same(person[:-6], truth[:-6]) and (person[-6:] == -1).all()


def test_whispers_find_groups_that_are_linked_by_little():
    """Two cliques of five, and one link between them."""
    neighbours = np.array([[n for n in range(at - at % 5, at - at % 5 + 5) if n != at] for at in range(10)])
    neighbours[0, 0] = 5
    labels = chinese_whispers(neighbours, np.ones(neighbours.shape, np.float32), 0.5)
    assert same(labels, np.repeat([0, 1], 5))
    alone = chinese_whispers(neighbours, np.zeros(neighbours.shape, np.float32), 0.5)
    assert len(np.unique(alone)) == 10


def test_more_faces_than_are_compared_with_all_others_are_grouped(monkeypatch: pytest.MonkeyPatch):
    for module, name in ((grouping, "_LEARNT_FROM"), (neighbours, "EXACT_BELOW")):
        monkeypatch.setattr(module, name, 400)
    vectors, truth = people(100, 6)
    person = group(vectors).person
    assert same(person[person >= 0], truth[person >= 0])
    assert (person >= 0).mean() > 0.97


def test_chosen_neighbourhoods_hold_people_whole():
    vectors, truth = people(300, 8, 0.02)
    chosen = choose_neighbourhoods(vectors, 1200)
    assert 800 < len(chosen) <= 1200
    seen = np.bincount(truth[chosen], minlength=300)
    assert (seen[seen > 0] == 8).mean() > 0.8


def test_neighbours_are_without_the_face_itself():
    vectors, _ = people(4, 5)
    found, similarities = nearest(np.concatenate([vectors, vectors[:1]]), 3)
    assert not (found == np.arange(21)[:, None]).any()
    assert found[0, 0] == 20 and similarities[0, 0] > 0.999
