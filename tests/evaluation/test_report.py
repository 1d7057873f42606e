"""The Markdown report."""

from __future__ import annotations

from hifi_portrait.evaluation.benchmark import Benchmark
from hifi_portrait.evaluation.metrics import Interval
from hifi_portrait.evaluation.report import benchmark_section, write_section
from hifi_portrait.evaluation.summary import Row


def _benchmark(*rows, **changes):
    values = {
        "rows": rows,
        "skipped": (),
        "ruler": None,
        "people": 60,
        "references": (4, 4),
        "gallery_is_unseen": True,
    }
    return Benchmark(**(values | changes))


def test_a_row_shows_its_figures_with_their_intervals():
    row = Row("portrait", 240, face_found=1.0, rank_one=Interval(0.8, 0.75, 0.85), pose_error=(1.0, 2.0, 3.0))
    text = benchmark_section("People", "command", _benchmark(row))
    assert "| portrait | 240 | 1.000 | 0.800 [0.750, 0.850] | 1.0 / 2.0 / 3.0 |" in text


def test_a_column_that_no_row_fills_is_left_out():
    text = benchmark_section("People", "command", _benchmark(Row("portrait", 4)))
    assert "| row | pictures |\n" in text


def test_what_was_left_out_is_said_with_its_reason():
    text = benchmark_section("People", "command", _benchmark(skipped=("X needs y: no folder",)))
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
