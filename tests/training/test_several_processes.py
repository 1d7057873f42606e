import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import line_objective
from hifi_objectives import BASE_PARTS
from hifi_portrait.training.checkpoint import latest_checkpoint, load_state
from hifi_portrait.training.hifi_config import FACE_PARTS
from hifi_portrait.training.objective import find_part
from line_objective import LineObjective, final_state, flat, trainer, weights


def in_processes(count, *arguments):
    """Run a script or module in so many processes, as `accelerate launch` would."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={count}"]
    path = os.pathsep.join([str(Path(line_objective.__file__).parent), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    return subprocess.run(
        [*command, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def of_several(run, processes, *kill, **changes):
    """Train the line in so many processes; the exit status."""
    settings = {"batch_size": 4, "learning_rate": 1e-2, "max_steps": 12, "precision": "no"} | changes
    return in_processes(
        processes, line_objective.__file__, str(run), json.dumps(settings), *map(str, kill)
    ).returncode


def assert_about_the_same_training(first, second):
    for part in ("parts", "optimiser", "ema"):
        pairs = zip(flat(final_state(first)[part]), flat(final_state(second)[part]), strict=True)
        tensors = [pair for pair in pairs if isinstance(pair[0], torch.Tensor)]
        assert len(tensors) >= 2
        for a, b in tensors:
            torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-5)


def test_two_processes_learn_what_one_does_with_twice_the_batch(tmp_path):
    assert of_several(tmp_path / "two", 2, batch_size=2) == 0
    one = trainer(tmp_path / "one", LineObjective(dropout=0.0), batch_size=4, max_steps=12)
    one.train()
    torch.testing.assert_close(weights(tmp_path / "two"), weights(tmp_path / "one"), atol=1e-6, rtol=1e-5)
    fewer = trainer(tmp_path / "fewer", LineObjective(dropout=0.0), batch_size=2, max_steps=12)
    fewer.train()
    assert not torch.allclose(weights(tmp_path / "two"), weights(tmp_path / "fewer"), atol=1e-4)


def test_a_run_of_two_processes_goes_on_after_one_is_killed_outright(tmp_path):
    """Killed between checkpoints, it goes on from the last one, to the same weights."""
    often = {"checkpoint_minutes": 1e-6}
    assert of_several(tmp_path / "killed", 2, 50, **often) != 0
    assert (tmp_path / "killed.killed").exists()
    assert 0 < final_state(tmp_path / "killed")["step"] < 12
    assert of_several(tmp_path / "killed", 2, 50, **often) == 0
    assert of_several(tmp_path / "whole", 2) == 0
    assert final_state(tmp_path / "killed")["step"] == 12
    assert torch.equal(weights(tmp_path / "killed"), weights(tmp_path / "whole"))


def test_two_processes_that_share_parameters_out_learn_what_one_does(tmp_path):
    two = {"batch_size": 2, "shard": True, "checkpoint_minutes": 1e-6, "keep_checkpoints": 20}
    assert of_several(tmp_path / "two", 2, **two) == 0
    trainer(tmp_path / "one", LineObjective(dropout=0.0), max_steps=12).train()
    assert_about_the_same_training(tmp_path / "two", tmp_path / "one")
    assert (tmp_path / "two" / "sheets" / "step-00000012.png").exists()
    saved = torch.load(find_part([tmp_path / "two"], "line") / "weights.pt")
    assert torch.equal(saved["weight"], final_state(tmp_path / "two")["ema"]["shadow_params"][0])
    kept = [json.loads((tmp_path / "two" / f"shares-{process}.json").read_text()) for process in (0, 1)]
    assert kept == [[[2, 8], [2]]] * 2  # of a weight (4, 8) and a bias (4,)


@pytest.mark.parametrize("first", ["sharded", "whole"])
def test_a_run_goes_on_whether_parameters_are_shared_out_or_not(tmp_path, first):
    ways = {"sharded": (2, {"batch_size": 2, "shard": True}), "whole": (1, {"batch_size": 4})}
    second = "whole" if first == "sharded" else "sharded"
    for way, steps in ((first, 6), (second, 12)):
        processes, settings = ways[way]
        assert of_several(tmp_path / "both", processes, max_steps=steps, final_lr_share=1, **settings) == 0
    assert of_several(tmp_path / "straight", 1, final_lr_share=1) == 0
    assert_about_the_same_training(tmp_path / "both", tmp_path / "straight")


def train_in_two_processes(recipe, data, run, settings):
    wanted = [
        word
        for setting in ("trainer.max_steps=3", "trainer.batch_size=1", *settings)
        for word in ("--set", setting)
    ]
    done = in_processes(
        2, "-m", "hifi_portrait.training", recipe, "--data", str(data), "--out", str(run), *wanted
    )
    assert done.returncode == 0, done.stderr[-2000:]
    state = load_state(latest_checkpoint(run))
    assert state["step"] == 3
    return state["parts"]


def test_two_processes_train_one_autoencoder(id_data, tmp_path):
    settings = ["autoencoder.losses.recogniser=0.1", "autoencoder.losses.recogniser_from=0.0"]
    assert set(train_in_two_processes("autoencoder-tiny", id_data, tmp_path / "run", settings)) == {"vae"}


def test_two_processes_train_one_portrait_model_also_with_parameters_shared_out(
    prepared, base_folder, tmp_path
):
    trainable = [*BASE_PARTS, *FACE_PARTS, "critic"]
    settings = [
        f'hifi.init_from=["{base_folder}"]',
        f"hifi.trainable={json.dumps(trainable)}",
        "hifi.losses.adversary=0.3",
        "hifi.warp_starts=1.0",
        'trainer.precision="no"',
    ]
    each = train_in_two_processes("hifi-tiny", prepared.folder, tmp_path / "each", settings)
    shared = train_in_two_processes(
        "hifi-tiny", prepared.folder, tmp_path / "shared", [*settings, "trainer.shard=true"]
    )
    assert set(each) == set(shared) == set(trainable)
    apart = [(v - shared[part][name]).abs().flatten() for part in trainable for name, v in each[part].items()]
    assert len(apart) > 500
    assert torch.cat(apart).mean() < 1e-7 and torch.cat(apart).max() < 1e-3
    start = load_file(base_folder / "unet" / "diffusion_pytorch_model.safetensors")
    moved = [(v - start[name]).abs().flatten() for name, v in each["unet"].items()]
    assert torch.cat(moved).mean() > 1e-5
