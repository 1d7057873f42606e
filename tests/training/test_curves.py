"""Curves read back from a run's logs."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.errors import DatasetError
from hifi_portrait.training.engine.curves import read_curves, smooth


def test_curves_are_what_a_run_has_logged(prepared, run_recipe):
    run = run_recipe("text", prepared.folder)
    curves = read_curves(run)
    assert {"hidden", "pooled", "loss", "learning_rate"} <= set(curves)
    steps, values = curves["hidden"]
    assert steps.tolist() == [2, 4]
    assert np.isfinite(values).all()
    assert "mean" in read_curves(run, "held_out/")


def test_a_folder_without_logs_is_named(tmp_path):
    with pytest.raises(DatasetError, match=f"{tmp_path.name} holds no logs"):
        read_curves(tmp_path)


def test_smoothing_is_the_mean_of_the_last_values():
    values = np.array([1.0, 3.0, 5.0, 7.0])
    assert smooth(values, 2).tolist() == [1.0, 2.0, 4.0, 6.0]
    assert smooth(values, 1).tolist() == values.tolist()
