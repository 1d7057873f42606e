"""Which faces of several photos are one person's, by embeddings of chosen similarities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from hifi_portrait.faces import Face
from hifi_portrait.faces.same_person import mean_similarity, select_person

SAME = 0.9  # cosine from which on two faces are one person's


def faces_of(similarities: Sequence[Sequence[float]]) -> list[Face]:
    """Faces whose embeddings have these cosines (N, N)."""
    embeddings = np.linalg.cholesky(np.array(similarities) + 1e-9 * np.eye(len(similarities)))
    nothing = np.zeros(0)
    return [
        Face(f"photo {n}", *[nothing.copy() for _ in range(8)], embedding=embedding.copy(), quality=1.0)
        for n, embedding in enumerate(embeddings)
    ]


def groups(*sizes: int, within: float = 0.95, between: float = 0.2) -> list[Face]:
    """Faces of people in so many photos each, alike within a person and not between two."""
    person = np.repeat(np.arange(len(sizes)), sizes)
    similarity = np.where(person[:, None] == person, within, between)
    np.fill_diagonal(similarity, 1)
    return faces_of(similarity)


def select(faces: Sequence[Face]):
    return select_person([[face] for face in faces], SAME)


def test_a_photo_alone_is_the_person():
    (face,) = groups(1)
    selection = select([face])
    assert (selection.faces, selection.strangers, selection.rivals) == ((face,), (), ())


def test_the_person_is_who_is_in_most_photos():
    *two, other = groups(2, 1)
    selection = select([other, *two])
    assert selection.faces == tuple(two)
    assert selection.strangers == (other,)
    assert selection.rivals == ()


def test_as_many_photos_of_somebody_else_are_rivals():
    first, second, third, fourth = groups(2, 2)
    selection = select([first, second, third, fourth])
    assert selection.faces == (first, second)
    assert selection.rivals == (third, fourth)


def test_the_person_of_three_loosely_alike_photos_comes_before_that_of_two_equal_ones():
    """Even where the two are more like all photos together."""
    similarities = np.array(
        [
            [1, 0.905, 0.905, 0.7, 0.7, 0.5],
            [0.905, 1, 0.905, 0.7, 0.7, 0.5],
            [0.905, 0.905, 1, 0.7, 0.7, 0.5],
            [0.7, 0.7, 0.7, 1, 0.99, 0.89],
            [0.7, 0.7, 0.7, 0.99, 1, 0.89],
            [0.5, 0.5, 0.5, 0.89, 0.89, 1],
        ]
    )
    assert similarities[3].mean() > similarities[0].mean()
    faces = faces_of(similarities)
    assert select(faces).faces == tuple(faces[:3])


@pytest.mark.parametrize(("odd", "kept"), [(0.92, False), (0.96, True)])
def test_a_face_far_below_what_the_others_reach_is_somebody_elses(odd: float, kept: bool):
    similarities = np.full((5, 5), 0.99)
    similarities[4, :4] = similarities[:4, 4] = odd
    np.fill_diagonal(similarities, 1)
    faces = faces_of(similarities)
    assert select(faces).faces == tuple(faces if kept else faces[:4])


def test_of_few_photos_none_is_judged_by_the_others():
    similarities = [[1, 0.99, 0.92], [0.99, 1, 0.92], [0.92, 0.92, 1]]
    faces = faces_of(similarities)
    assert select(faces).faces == tuple(faces)


def test_of_a_group_photo_the_face_is_taken_that_agrees_with_the_others():
    first, second, same, stranger = groups(3, 1)
    selection = select_person([[first], [stranger, same], [second]], SAME)
    assert selection.faces == (first, same, second)


def test_the_mean_similarity_leaves_the_face_itself_out():
    first, second, third = faces_of([[1, 0.5, 0.1], [0.5, 1, 0.3], [0.1, 0.3, 1]])
    assert mean_similarity(first, [first, second, third]) == pytest.approx(0.3)
    assert mean_similarity(first, [first]) == 1
