"""Training and drawing on a pretended GPU: everything lies there, and nothing waits for it without need."""

from __future__ import annotations

import math

import pytest

from pretended_gpu import results_of

pytestmark = pytest.mark.slow

CASES = ("plain", "guidance", "from the warp")


@pytest.fixture(scope="module")
def results(prepared, base_folder, tmp_path_factory):
    """What was found in one process, which imports the libraries once for all tests."""
    return results_of(prepared.folder, base_folder, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def trained(results):
    return results["train"]


@pytest.fixture(scope="module")
def drawn(results):
    return results["draw"]


def test_networks_and_critic_learn_there(trained):
    assert trained["devices"] == ["pretended"]
    assert trained["learned"] > 50
    assert all(math.isfinite(loss) for loss in trained["losses"])


def test_a_step_waits_once(trained):
    """For the numbers that are written down, and by which a step that diverged is skipped."""
    assert [len(waits) for waits in trained["waits"]] == [1] * 3, trained["waits"]


def test_the_pretended_gpu_refuses_what_a_real_one_refuses(drawn):
    two_devices, also, *two_precisions = drawn["refusals"]
    assert "two devices" in two_devices and "two devices" in also
    assert all("same dtype" in message for message in two_precisions)


def test_it_notes_each_wait(drawn):
    assert drawn["noted"] == {"item": 1, "cpu": 1, "mask": 1, "places": 0, "copy to it": 0}


@pytest.mark.parametrize("case", CASES)
def test_portraits_are_those_of_the_cpu(drawn, case):
    assert drawn[case]["apart"] < 1e-4


@pytest.mark.parametrize("case", CASES)
def test_the_denoising_loop_does_not_wait(drawn, case):
    """The scheduler that is used does, at each step; nothing of this package."""
    assert drawn[case]["steps"] >= 3
    assert drawn[case]["schedulers"] > 0
    assert drawn[case]["loop"] == []


def test_half_precision_and_offload(drawn):
    assert drawn["half"]
    assert drawn["offload"] < 1e-4
