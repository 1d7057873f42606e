"""Plots of evaluations' figures."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from hifi_portrait.errors import DatasetError
from hifi_portrait.evaluation.report.plots import (
    collect_control_bars,
    collect_identity_lines,
    draw_control,
    draw_identity,
    draw_training,
    read_figures,
)
from picture_files import size_of


def exactly(value):
    return {"value": value, "low": value, "high": value}


def figures(references, share, error=1.0):
    identity = {"SFace": {"share_of_true": exactly(share)}, "other": {"share_of_true": None}}
    errors = {name: exactly(error) for name in ("pose", "expression", "gaze")}
    portrait = {"name": "portrait", "identity": identity, "control": {"errors": errors}}
    return {
        "references": [1, references],
        "rows": [portrait, {"name": "bare", "identity": {}, "control": None}],
    }


def test_identity_is_a_line_over_the_numbers_of_references():
    lines = collect_identity_lines([figures(4, 0.9), figures(1, 0.7)])
    assert lines == {("portrait", "SFace"): [(1, exactly(0.7)), (4, exactly(0.9))]}


def test_rows_without_control_have_no_bar():
    assert collect_control_bars(figures(4, 0.9, error=2.0))["gaze"] == {"portrait": exactly(2.0)}


def test_a_file_without_figures_is_named(tmp_path):
    path = tmp_path / "time.json"
    path.write_text(json.dumps({"portrait_seconds": 1}))
    with pytest.raises(DatasetError, match=r"time\.json holds no figures"):
        read_figures(path)


def test_plots_are_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    draw_identity([figures(1, 0.7), figures(4, 0.9)], tmp_path / "identity.png")
    draw_control(figures(4, 0.9), tmp_path / "control.png")
    for name in ("identity", "control"):
        assert len(Image.open(tmp_path / f"{name}.png").convert("L").getcolors()) > 2


def test_training_curves_are_drawn_without_what_is_no_loss(tmp_path):
    pytest.importorskip("matplotlib")
    steps = np.arange(50)
    curves = {"denoising": (steps, 1 / (1 + steps)), "learning_rate": (steps, steps * 1.0)}
    draw_training({"first": curves, "second": curves}, tmp_path / "training.png")
    width, height = size_of(tmp_path / "training.png")
    assert width / height == pytest.approx(5 / 4)
