"""Training on a pretended GPU: all is there, all learns, and a step waits for the device once."""

from __future__ import annotations

import math

import pytest

from pretended_gpu import results_of


@pytest.fixture(scope="module")
def trained(prepared, base_folder, tmp_path_factory):
    return results_of("train", prepared.folder, base_folder, tmp_path_factory.mktemp("run"))


def test_networks_and_critic_learn_there(trained):
    assert trained["devices"] == ["pretended"]
    assert trained["learned"] > 50
    assert all(math.isfinite(loss) for loss in trained["losses"])


def test_a_step_waits_once(trained):
    """For the numbers that are written down, and by which a step that diverged is skipped."""
    assert [len(waits) for waits in trained["waits"]] == [1] * 6, trained["waits"]
