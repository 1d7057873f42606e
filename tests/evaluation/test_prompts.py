"""The list of prompts, and the figures of how they are followed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from hifi_portrait.errors import DatasetError
from hifi_portrait.evaluation.asked import Sitter
from hifi_portrait.evaluation.attributes import HEADS
from hifi_portrait.evaluation.attributes.classes import BACKGROUND, GLASSES, KINDS_OF_PLACES, read_values
from hifi_portrait.evaluation.prompt_following import (
    count_appearances,
    draw_prompts,
    picture_path,
    score_prompts,
)
from hifi_portrait.evaluation.prompts import check_case, make_prompts
from hifi_portrait.evaluation.protocol import UNSEEN_SEED, Request, make_synthetic_cases
from hifi_portrait.evaluation.report.prompt_report import format_prompts
from hifi_portrait.person.target import Target
from hifi_portrait.scenery.place_names import PLACES
from hifi_portrait.synthetic import Person
from hifi_portrait.synthetic.caption import PLACE_PHRASES
from hifi_portrait.synthetic.photograph import describe

PEOPLE = range(6)
BY_NAME = {head.name: head for head in HEADS}


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """The protocol's first person, photographed small."""
    return make_synthetic_cases(1, tmp_path_factory.mktemp("people"), size=64)


def test_a_case_always_gets_the_same_prompts():
    assert [p.words for p in make_prompts(3)] == [p.words for p in make_prompts(3)]
    assert [p.words for p in make_prompts(3)] != [p.words for p in make_prompts(4)]


def test_what_changes_is_shown_by_no_reference_and_what_is_kept_by_one():
    for number in PEOPLE:
        sitter = Sitter.of_case(number)
        for asked in (asked for prompt in make_prompts(number) for asked in prompt.asked):
            head = BY_NAME[asked.attribute]
            shown = any(head.same(asked.value, value) for value in sitter.shown(head))
            assert shown is not asked.changed


def test_the_true_photo_shows_what_is_asked():
    for number in PEOPLE:
        for prompt in make_prompts(number):
            truth = read_values(describe(prompt.person, prompt.photo))
            assert all(asked.appears_in(truth) for asked in prompt.asked)


def test_the_words_name_what_is_asked():
    for number in PEOPLE:
        for prompt in make_prompts(number):
            for asked in prompt.asked:
                named = [asked.value]
                if (asked.attribute, asked.value) == (GLASSES.name, "none"):
                    named = ["no glasses"]
                if asked.attribute == BACKGROUND.name:
                    places = KINDS_OF_PLACES.get(asked.value, ())
                    phrases = [phrase for p in PLACES.values() if p.name in places for phrase in p.phrases]
                    painted = [phrase for name in places for phrase in PLACE_PHRASES.get(name, ())]
                    named += [*phrases, *painted, " background", " wall", " backdrop", "city at night"]
                assert any(name in prompt.words for name in named), prompt.words


def test_nobody_bald_is_asked_for_hair():
    bald = [n for n in range(60) if Person.sample(UNSEEN_SEED + n).hair.style == "bald"]
    assert bald
    for number in bald[:2]:
        assert all(a.attribute != "hair colour" for prompt in make_prompts(number) for a in prompt.asked)


def test_the_prompts_are_for_the_photos_of_the_protocol(cases):
    check_case(cases[0], 0)
    with pytest.raises(DatasetError, match="person 0000"):
        check_case(cases[0], 1)


def test_a_case_with_another_target_is_refused(cases):
    from dataclasses import replace

    requests = (Request(Target(expression="smile")), *cases[0].requests[1:])
    with pytest.raises(DatasetError, match="another version of the protocol"):
        check_case(replace(cases[0], requests=requests), 0)


def test_appearances_are_counted_over_people():
    answers = [
        [("glasses", True, True), ("hair colour", True, False), ("glasses", False, False)],
        [("glasses", True, False)],
    ]
    found = count_appearances(answers, changed=True)
    assert (found["glasses"].asked, found["glasses"].appears.value) == (2, 0.5)
    assert found["all"].appears.value == pytest.approx(1 / 3)
    assert "clothing colour" not in found
    assert count_appearances(answers, changed=False)["all"].asked == 1


class ReadsTheFirstPixel:
    """A reader of plain pictures, for which red says whether glasses are worn."""

    def read(self, picture):
        worn = "glasses" if picture[0, 0, 0] > 100 else "none"
        return {head.name: worn if head is GLASSES else head.classes[0] for head in HEADS}


def paint(out, row, case, place, red):
    path = picture_path(out, row, case, place)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 40), (red, 0, 0)).save(path)


def test_glasses_are_counted_where_they_are_seen(cases, tmp_path):
    asked = [[a for a in prompt.asked if a.attribute == GLASSES.name] for prompt in make_prompts(0)]
    assert [[a.value for a in row] for row in asked] == [[], ["glasses"], *[[]] * (len(asked) - 2)]
    for row, red in (("with", 200), ("without", 0)):
        for place in range(len(make_prompts(0))):
            paint(tmp_path, row, cases[0], place, red)
    result = score_prompts(cases, tmp_path, None, ReadsTheFirstPixel())
    assert [(row.name, row.changed[GLASSES.name].appears.value) for row in result.rows] == [
        ("with", 1.0),
        ("without", 0.0),
    ]


def test_a_picture_that_is_missing_shows_nothing(cases, tmp_path):
    paint(tmp_path, "portrait", cases[0], 0, 200)
    (row,) = score_prompts(cases, tmp_path, lambda image: np.ones(4), ReadsTheFirstPixel()).rows
    assert row.changed[GLASSES.name].appears.value == 0
    assert row.similarity.value == pytest.approx(1 / len(make_prompts(0)))


def test_people_with_unlike_numbers_of_prompts_are_counted_together(tmp_path):
    """Men are asked for a beard, too."""
    cases = make_synthetic_cases(2, tmp_path / "people", size=64)
    counts = [len(make_prompts(number)) for number in range(2)]
    assert counts[0] != counts[1]
    for case, count in zip(cases, counts, strict=True):
        for place in range(count):
            paint(tmp_path, "portrait", case, place, 200)
    (row,) = score_prompts(cases, tmp_path, lambda image: np.ones(4), ReadsTheFirstPixel()).rows
    assert row.similarity.value == pytest.approx(1)
    assert row.pictures == sum(counts)


def test_the_section_has_a_line_for_each_attribute_that_was_asked(cases, tmp_path):
    for place in range(len(make_prompts(0))):
        paint(tmp_path, "portrait", cases[0], place, 200)
    text = format_prompts("command", score_prompts(cases, tmp_path, None, ReadsTheFirstPixel()), "none")
    assert "| changed: glasses | 1 | 1.000 [1.000, 1.000] |" in text
    assert "kept: glasses" not in text


@pytest.mark.slow
def test_what_is_there_is_not_drawn_again(tmp_path):
    """The first person at full size, of whom the identity can be made."""
    cases = make_synthetic_cases(1, tmp_path / "people")
    asked = []

    def draw(identity, target, words, seed):
        asked.append((words, seed))
        return np.zeros((32, 32, 3), np.uint8)

    for _ in range(2):
        draw_prompts(cases, "portrait", draw, tmp_path)
    assert asked == [(prompt.words, place) for place, prompt in enumerate(make_prompts(0))]
    assert len(list((tmp_path / "prompts" / "true photo").iterdir())) == len(make_prompts(0))
