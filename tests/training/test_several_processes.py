import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import line_objective
from hifi_objectives import BASE_PARTS
from hifi_portrait.errors import RecipeError
from hifi_portrait.training.engine.checkpoint import latest_checkpoint, load_state
from hifi_portrait.training.engine.weights import find_part
from hifi_portrait.training.objectives.hifi.config import FACE_PARTS
from hifi_portrait.training.objectives.hifi.critic import LatentCritic
from hifi_portrait.training.run import train
from line_objective import SETTINGS, LineObjective, final_state, flat, trainer, weights
from ranks import TIMEOUT, run_ranks

pytestmark = pytest.mark.slow


def launch(count, words, _folder):
    """Run a script or module in so many processes, as `accelerate launch` would: each is started anew."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={count}"]
    path = os.pathsep.join([str(Path(line_objective.__file__).parent), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    return subprocess.run(
        [*command, *words], env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )


def of_several(run, processes, *kill, **changes):
    """Train the line in so many processes."""
    settings = SETTINGS | {"max_steps": 12} | changes
    words = [line_objective.__file__, str(run), json.dumps(settings), *map(str, kill)]
    return run_ranks(processes, words, run.with_suffix(".logs"))


def assert_ended_well(done):
    assert done.returncode == 0, done.stderr[-6000:]


def assert_about_the_same_training(first, second):
    for part in ("parts", "optimiser", "ema"):
        pairs = zip(flat(final_state(first)[part]), flat(final_state(second)[part]), strict=True)
        tensors = [pair for pair in pairs if isinstance(pair[0], torch.Tensor)]
        assert len(tensors) >= 2
        for a, b in tensors:
            torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-5)


def test_two_processes_learn_what_one_does_with_twice_the_batch(tmp_path):
    assert_ended_well(of_several(tmp_path / "two", 2, batch_size=2))
    one = trainer(tmp_path / "one", LineObjective(dropout=0.0), batch_size=4, max_steps=12)
    one.train()
    torch.testing.assert_close(weights(tmp_path / "two"), weights(tmp_path / "one"), atol=1e-6, rtol=1e-5)
    fewer = trainer(tmp_path / "fewer", LineObjective(dropout=0.0), batch_size=2, max_steps=12)
    fewer.train()
    assert not torch.allclose(weights(tmp_path / "two"), weights(tmp_path / "fewer"), atol=1e-4)


def test_a_run_of_two_processes_goes_on_after_one_is_killed_outright(tmp_path):
    """Killed between checkpoints, it goes on from the last one, to the same weights."""
    often = {"checkpoint_minutes": 1e-6}
    assert of_several(tmp_path / "killed", 2, 50, **often).returncode != 0
    assert (tmp_path / "killed.killed").exists()
    assert 0 < final_state(tmp_path / "killed")["step"] < 12
    assert_ended_well(of_several(tmp_path / "killed", 2, 50, **often))
    assert_ended_well(of_several(tmp_path / "whole", 2))
    assert final_state(tmp_path / "killed")["step"] == 12
    assert torch.equal(weights(tmp_path / "killed"), weights(tmp_path / "whole"))


def test_two_processes_that_share_parameters_out_learn_what_one_does(tmp_path):
    two = {"batch_size": 2, "shard": True, "checkpoint_minutes": 1e-6, "keep_checkpoints": 20}
    assert_ended_well(of_several(tmp_path / "two", 2, **two))
    trainer(tmp_path / "one", LineObjective(dropout=0.0), max_steps=12).train()
    assert_about_the_same_training(tmp_path / "two", tmp_path / "one")
    assert (tmp_path / "two" / "sheets" / "step-00000012.png").exists()
    saved = torch.load(find_part([tmp_path / "two"], "line") / "weights.pt")
    assert torch.equal(saved["weight"], final_state(tmp_path / "two")["ema"]["shadow_params"][0])
    kept = [json.loads((tmp_path / "two" / f"shares-{process}.json").read_text()) for process in (0, 1)]
    assert kept == [[[2, 8], [2], [1, 2, 3, 3], [1]]] * 2  # of weights (4, 8) and (2, 2, 3, 3), and biases


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are told by Linux alone")
@pytest.mark.parametrize("shard", [False, True])
def test_no_thread_of_a_process_group_outlives_it(tmp_path, shard):
    """One that did would abort the process now and then, where it asks for the lock of an ending Python."""
    assert_ended_well(of_several(tmp_path / "run", 2, max_steps=2, shard=shard))
    for process in (0, 1):
        before, after = json.loads((tmp_path / "run" / f"threads-{process}.json").read_text())
        assert [name for name in before if "gloo" in name]
        assert not [name for name in after if "gloo" in name]


@pytest.mark.parametrize("first", ["sharded", "whole"])
def test_a_run_goes_on_whether_parameters_are_shared_out_or_not(tmp_path, first):
    ways = {"sharded": (2, {"batch_size": 2, "shard": True}), "whole": (1, {"batch_size": 4})}
    second = "whole" if first == "sharded" else "sharded"
    for way, steps in ((first, 6), (second, 12)):
        processes, settings = ways[way]
        settings |= {"max_steps": steps, "final_lr_share": 1}
        assert_ended_well(of_several(tmp_path / "both", processes, **settings))
    assert_ended_well(of_several(tmp_path / "straight", 1, final_lr_share=1))
    assert_about_the_same_training(tmp_path / "both", tmp_path / "straight")


def train_in_two_processes(recipe, data, run, settings, start=run_ranks):
    wanted = [
        word
        for setting in ("trainer.max_steps=2", "trainer.batch_size=1", *settings)
        for word in ("--set", setting)
    ]
    words = ["-m", "hifi_portrait.training", recipe, "--data", str(data), "--out", str(run), *wanted]
    assert_ended_well(start(2, words, run.with_suffix(".logs")))
    state = load_state(latest_checkpoint(run))
    assert state["step"] == 2
    return state["parts"]


def moved(state, start):
    return torch.cat([(values - start[name]).abs().flatten() for name, values in state.items()]).mean()


def differences(first, second):
    pairs = [(v, second[part][name]) for part in first for name, v in first[part].items()]
    return torch.cat([(a - b).abs().flatten().float() for a, b in pairs])


def test_two_processes_train_one_autoencoder_also_with_parameters_shared_out(id_data, tmp_path):
    settings = ["autoencoder.losses.recogniser=0.1", "autoencoder.losses.recogniser_from=0.0"]
    settings += ["trainer.checkpoint_minutes=1e-6", 'trainer.precision="no"']
    each = train_in_two_processes("autoencoder-tiny", id_data, tmp_path / "each", settings, launch)
    shared = train_in_two_processes(
        "autoencoder-tiny", id_data, tmp_path / "shared", [*settings, "trainer.shard=true"]
    )
    assert set(each) == set(shared) == {"vae"}
    assert differences(each, shared).mean() < 1e-7
    scales = [
        json.loads((find_part([tmp_path / run], "vae") / "config.json").read_text())["scaling_factor"]
        for run in ("each", "shared")
    ]
    assert scales[0] == pytest.approx(scales[1], rel=1e-4) != 0.18215


@pytest.fixture
def in_sittings(prepared, tmp_path):
    """A prepared folder in which some identities, and not others, were photographed in one sitting."""
    folder = shutil.copytree(prepared.folder, tmp_path / "prepared")
    identity = np.array(prepared.arrays["identity"], np.int64)
    np.save(folder / "sitting.npy", np.where(identity % 2 == 0, identity, -1))
    return folder


def test_two_processes_train_one_portrait_model_also_with_parameters_shared_out(
    in_sittings, base_folder, tmp_path
):
    trainable = [*BASE_PARTS, *FACE_PARTS, "critic"]
    settings = [
        f'hifi.init_from=["{base_folder}"]',
        f"hifi.trainable={json.dumps(trainable)}",
        "hifi.losses.adversary=0.3",
        "hifi.warp_starts=1.0",
        "hifi.sheet_people=1",
        "hifi.sheet_steps=1",
        "trainer.accumulate=2",
        'trainer.precision="no"',
    ]
    each = train_in_two_processes("hifi-tiny", in_sittings, tmp_path / "each", settings)
    shared = train_in_two_processes(
        "hifi-tiny",
        in_sittings,
        tmp_path / "shared",
        [*settings, "trainer.shard=true", "hifi.gradient_checkpointing=true"],
    )
    assert set(each) == set(shared) == set(trainable)
    apart = differences(each, shared)
    assert apart.mean() < 1e-6 and apart.max() < 1e-3
    start = load_file(base_folder / "unet" / "diffusion_pytorch_model.safetensors")
    assert moved(each["unet"], start) > 1e-5
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        fresh = LatentCritic(
            latent_channels=each["critic"]["stem.parametrizations.weight.original"].shape[1] // 2
        )
    start = {name: values.detach() for name, values in fresh.named_parameters()}
    assert moved({name: each["critic"][name] for name in start}, start) > 1e-5


def test_shared_out_parameters_do_not_go_with_kept_samples(prepared, tmp_path):
    with pytest.raises(RecipeError, match=r"trainer\.shard and hifi\.kept_samples do not go together"):
        train("hifi-tiny", prepared.folder, tmp_path, overrides=["trainer.shard=true", "hifi.kept_samples=4"])
