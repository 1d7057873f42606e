"""Training on a pretended GPU: all is there, all learns, and a step waits for the device once."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "on_a_pretended_gpu.py"


@pytest.fixture(scope="module")
def trained(prepared, base_folder, tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    command = [sys.executable, "-W", "ignore", str(SCRIPT), "train"]
    done = subprocess.run(
        [*command, str(prepared.folder), str(base_folder), str(run)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_networks_and_critic_learn_there(trained):
    assert trained["devices"] == ["pretended"]
    assert trained["learned"] > 50
    assert all(math.isfinite(loss) for loss in trained["losses"])


def test_a_step_waits_once(trained):
    """For the numbers that are written down, and by which a step that diverged is skipped."""
    assert [len(waits) for waits in trained["waits"]] == [1] * 6, trained["waits"]
