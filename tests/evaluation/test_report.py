"""The Markdown report."""

from __future__ import annotations

from hifi_portrait.evaluation.benchmark import Benchmark
from hifi_portrait.evaluation.metrics import Interval
from hifi_portrait.evaluation.report.report import QUANTITIES, format_benchmark, write_section
from hifi_portrait.evaluation.report.summary import Row
from hifi_portrait.evaluation.scorers.calibration import Calibration, LinearCalibration
from hifi_portrait.evaluation.scorers.control import ControlFigures
from hifi_portrait.evaluation.scorers.recognition import IdentityFigures


def _benchmark(*rows, **changes):
    values = {
        "rows": rows,
        "skipped": (),
        "calibration": None,
        "people": 60,
        "references": (4, 4),
        "gallery_is_unseen": True,
        "against": "plain warp",
    }
    return Benchmark(**(values | changes))


def _exactly(value):
    return Interval(value, value, value)


def test_each_recogniser_has_a_line_with_its_intervals():
    figures = IdentityFigures(similarity=Interval(0.5, 0.4, 0.6), rank_one=Interval(0.8, 0.75, 0.85))
    text = format_benchmark("People", "command", _benchmark(Row("portrait", 4, identity={"A": figures})))
    assert "| portrait | A | 0.800 [0.750, 0.850] | 0.500 [0.400, 0.600] |" in text


def test_control_errors_and_both_correlations_are_shown():
    names = ("yaw", "pitch", "roll", "expression", "gaze", *QUANTITIES)
    control = ControlFigures(
        {name: _exactly(index) for index, name in enumerate(names)},
        {name: _exactly(0.25) for name in QUANTITIES} | {"blink": _exactly(float("nan"))},
        {"smile": _exactly(0.75)},
        score=_exactly(0.5),
    )
    row = Row("portrait", 4, control=control)
    text = format_benchmark("People", "command", _benchmark(row, calibration=Calibration(240, {})))
    assert "| portrait | 0.0° / 1.0° / 2.0° | 3.000 [3.000, 3.000] | 4.0 [4.0, 4.0] | 0.500 [" in text
    assert "| portrait | 0.25 / 0.75 | 0.25 | 0.25 | 0.25 |" in text  # the column of blinks is left out


def test_a_column_that_no_row_fills_is_left_out():
    text = format_benchmark("People", "command", _benchmark(Row("portrait", 4)))
    assert "| row | pictures | seeds |\n" in text


def test_what_was_left_out_is_said_with_its_reason():
    text = format_benchmark("People", "command", _benchmark(skipped=("X needs y: no folder",)))
    assert "Left out: X needs y: no folder." in text


def test_a_section_written_again_takes_the_old_ones_place(tmp_path):
    path = tmp_path / "results.md"
    for key, text in (("a", "first"), ("b", "other"), ("a", "second \\1")):
        write_section(path, key, text)
    written = path.read_text()
    assert "first" not in written
    assert written.index("second \\1") < written.index("other")


def test_text_around_the_sections_is_kept(tmp_path):
    path = tmp_path / "results.md"
    path.write_text("# Results\n\nBy hand.\n")
    write_section(path, "a", "figures")
    assert path.read_text().startswith("# Results\n\nBy hand.\n\n")


def test_saved_figures_have_the_keys_that_earlier_ones_have():
    control = ControlFigures({"yaw": _exactly(1)}, {"smile": _exactly(0.5)}, {})
    calibration = Calibration(240, {"yaw": LinearCalibration((2.0,), 1.0, 0.5, 0.9)})
    result = _benchmark(Row("portrait", 4, control=control), Row("bare", 4), calibration=calibration)
    saved = result.to_dict()
    assert set(saved) == {
        "rows", "skipped", "rulers", "people", "references", "gallery_is_unseen", "against"
    }  # fmt: skip
    assert saved["rulers"]["photos"] == 240
    assert saved["rulers"]["rulers"]["yaw"] == {
        "weights": (2.0,), "offset": 1.0, "error": 0.5, "correlation": 0.9
    }  # fmt: skip
    first, second = saved["rows"]
    assert set(first["control"]) == {"errors", "wish_correlation", "photo_correlation", "score"}
    assert second["control"] is None
    assert _benchmark().to_dict()["rulers"] is None
