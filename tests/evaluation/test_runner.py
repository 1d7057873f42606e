"""The runner: what it draws, and what it does not draw twice."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from hifi_portrait.errors import DatasetError
from hifi_portrait.evaluation.benchmark import score
from hifi_portrait.evaluation.protocol import REAL_REQUESTS, list_real_cases
from hifi_portrait.evaluation.report.sheets import line_up_rows, line_up_targets
from hifi_portrait.evaluation.runner import (
    Sampling,
    check_same_run,
    count_seeds,
    draw_rows,
    list_rows,
    make_pipeline_row,
    make_warp_row,
    picture_path,
)
from hifi_portrait.evaluation.scorers.calibration import Calibration, LinearCalibration
from hifi_portrait.faces import load_image
from picture_files import size_of

SIZE = 64


def never(identity, target, seed):
    raise AssertionError("drawn again")


@pytest.fixture(scope="module")
def drawn(photo_folder, tmp_path_factory):
    """Cases, and a folder in which the plain warp's row is complete."""
    out = tmp_path_factory.mktemp("out")
    cases = list_real_cases(photo_folder)
    draw_rows(cases, {"warp": make_warp_row(SIZE)}, out)
    return cases, out


def test_each_sub_folder_with_a_photo_is_a_person(photo_folder):
    assert [case.name for case in list_real_cases(photo_folder)] == ["anna", "nobody"]


def test_a_persons_own_smile_does_not_replace_what_is_asked_for_and_measured(photo_folder):
    requests = [request for case in list_real_cases(photo_folder) for request in case.requests]
    assert requests and all(not request.target.expression_parts for request in requests)


def test_a_folder_without_people_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="no sub-folder"):
        list_real_cases(tmp_path)


def test_every_request_of_a_person_is_drawn(drawn):
    (anna, _), out = drawn
    for request in range(len(REAL_REQUESTS)):
        assert size_of(picture_path(out, "warp", anna, request)) == (SIZE, SIZE)


def test_a_person_without_a_face_has_no_picture(drawn):
    (_, nobody), out = drawn
    assert not picture_path(out, "warp", nobody, 0).exists()


def test_a_picture_that_is_there_is_not_drawn_again(drawn):
    (anna, _), out = drawn
    draw_rows([anna], {"warp": never}, out)


def test_only_the_missing_picture_is_drawn(drawn):
    (anna, _), out = drawn
    path = picture_path(out, "warp", anna, 1)
    before = np.asarray(Image.open(path))
    path.unlink()
    draw_rows([anna], {"warp": make_warp_row(SIZE)}, out)
    np.testing.assert_array_equal(np.asarray(Image.open(path)), before)


def test_rows_are_found_by_their_folders(drawn):
    assert list_rows(drawn[1]) == ["warp"]


def test_another_list_in_the_same_folder_is_refused(tmp_path):
    check_same_run(tmp_path, "synthetic 60")
    check_same_run(tmp_path, "synthetic 60")
    with pytest.raises(DatasetError, match="another evaluation"):
        check_same_run(tmp_path, "synthetic 4")


def test_without_scoring_weights_pictures_are_counted_and_the_reason_is_given(drawn):
    cases, out = drawn
    result = score(cases, ["warp"], out, None, against="warp")
    assert [(row.name, row.pictures, row.identity) for row in result.rows] == [("warp", 8, {})]
    assert len(result.skipped) == 4


def test_a_row_to_compare_with_that_is_not_there_is_refused(drawn):
    cases, out = drawn
    with pytest.raises(DatasetError, match=r"no row 'other'.*it has warp"):
        score(cases, ["warp"], out, None, against="other")


def test_each_seed_has_pictures_and_noise_of_its_own(photo_folder, tmp_path):
    anna = list_real_cases(photo_folder)[0]
    noise = []

    def draw(identity, target, seed):
        noise.append(seed)
        return np.zeros((4, 4, 3), np.uint8)

    draw_rows([anna], {"row": draw}, tmp_path)
    draw_rows([anna], {"row": draw}, tmp_path, seeds=3)
    assert len(set(noise)) == len(noise) == 3 * len(REAL_REQUESTS)
    assert [count_seeds([anna], "row", tmp_path, most) for most in (1, 2, 5)] == [1, 2, 3]


@pytest.mark.scoring
def test_with_scoring_weights_a_person_without_a_face_lowers_the_figures(drawn, scoring_dir):
    cases, out = drawn
    counts = {"yaw": 1, "pitch": 1, "roll": 1, "smile": 4, "jaw": 1, "blink": 2, "brow": 5, "gaze_yaw": 2}
    calibration = {name: LinearCalibration((1.0,) * count, 0.0, 0.0, 1.0) for name, count in counts.items()}
    Calibration(0, calibration).save(out / "rulers.json")
    row = score(cases, ["warp"], out, scoring_dir, against="warp").rows[-1]
    assert row.face_found == 0.5
    assert len(row.identity) == 2
    assert all(figures.similarity.value > 0.1 for figures in row.identity.values())
    assert row.control.score.value == pytest.approx(1)


@pytest.mark.slow
def test_the_pipelines_row_is_drawn_with_the_tiny_model(photo_folder, tiny_model, tmp_path):
    from hifi_portrait.pipeline import HiFiPortraitPipeline

    pipe = HiFiPortraitPipeline.from_pretrained(tiny_model)
    pipe.set_progress_bar_config(disable=True)
    anna = list_real_cases(photo_folder)[0]
    draw_rows([anna], {"portrait": make_pipeline_row(pipe, Sampling(steps=1))}, tmp_path)
    assert len(list((tmp_path / "rows" / "portrait").iterdir())) == len(REAL_REQUESTS)


def test_sheets_show_every_row_and_every_request(drawn):
    cases, out = drawn
    (reference, photos), (row, pictures) = line_up_rows(cases, ["warp"], out)
    assert (reference, row) == ("reference", "warp")
    assert len(photos) == len(pictures) == len(cases)
    for place, (case, picture) in enumerate(zip(cases, pictures, strict=True)):
        path = picture_path(out, "warp", case, place % len(case.requests))
        expected = load_image(path) if path.exists() else np.full((1, 1, 3), 255)
        assert np.array_equal(picture, expected)
    lines = line_up_targets(cases, "warp", out)
    assert [name for name, _ in lines] == [case.name for case in cases]
    assert all(len(line) == 1 + len(REAL_REQUESTS) for _, line in lines)


def test_a_missing_picture_leaves_its_place_on_a_sheet(drawn):
    cases, out = drawn
    *_, (_, pictures) = line_up_rows(cases, ["never drawn"], out)
    assert len(pictures) == len(cases)
    assert all(bool((picture == 255).all()) for picture in pictures)
