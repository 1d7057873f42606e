import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed.run
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
from ranks import run_ranks

pytestmark = pytest.mark.slow


@pytest.fixture
def launch(monkeypatch):
    """Runs a script in so many processes as `torchrun` does: each is started anew."""

    def start(count, words):
        path = os.pathsep.join([str(Path(line_objective.__file__).parent), os.environ.get("PYTHONPATH", "")])
        for name, value in (("ACCELERATE_USE_CPU", "true"), ("OMP_NUM_THREADS", "1"), ("PYTHONPATH", path)):
            monkeypatch.setenv(name, value)
        kept = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            torch.distributed.run.main(["--standalone", f"--nproc_per_node={count}", *words])
        finally:
            for each, handler in kept.items():
                signal.signal(each, handler)

    return start


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


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of two processes, at one go."""
    run = tmp_path_factory.mktemp("several") / "whole"
    assert_ended_well(of_several(run, 2, batch_size=2))
    return run


@pytest.fixture(scope="module")
def sharded(tmp_path_factory):
    """A run of two processes that share parameters out."""
    run = tmp_path_factory.mktemp("several") / "sharded"
    settings = {"batch_size": 2, "shard": True, "checkpoint_minutes": 1e-6, "keep_checkpoints": 20}
    assert_ended_well(of_several(run, 2, **settings))
    return run


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A run of one process with twice the batch."""
    run = tmp_path_factory.mktemp("several") / "alone"
    trainer(run, LineObjective(dropout=0.0), max_steps=12).train()
    return run


def test_two_processes_learn_what_one_does_with_twice_the_batch(whole, alone, tmp_path):
    torch.testing.assert_close(weights(whole), weights(alone), atol=1e-6, rtol=1e-5)
    fewer = trainer(tmp_path / "fewer", LineObjective(dropout=0.0), batch_size=2, max_steps=12)
    fewer.train()
    assert not torch.allclose(weights(whole), weights(tmp_path / "fewer"), atol=1e-4)


def test_a_run_of_two_processes_goes_on_after_one_is_killed_outright(whole, tmp_path):
    """Killed between checkpoints, it goes on from the last one, to the same weights."""
    often = {"batch_size": 2, "checkpoint_minutes": 1e-6}
    assert of_several(tmp_path / "killed", 2, 25, **often).returncode != 0
    assert (tmp_path / "killed.killed").exists()
    assert 0 < final_state(tmp_path / "killed")["step"] < 12
    assert_ended_well(of_several(tmp_path / "killed", 2, 25, **often))
    assert final_state(tmp_path / "killed")["step"] == 12
    assert torch.equal(weights(tmp_path / "killed"), weights(whole))


def test_two_processes_that_share_parameters_out_learn_what_one_does(sharded, alone):
    assert_about_the_same_training(sharded, alone)
    assert (sharded / "sheets" / "step-00000012.png").exists()
    saved = torch.load(find_part([sharded], "line") / "weights.pt")
    assert torch.equal(saved["weight"], final_state(sharded)["ema"]["shadow_params"][0])
    kept = [json.loads((sharded / f"shares-{process}.json").read_text()) for process in (0, 1)]
    assert kept == [[[2, 8], [2], [1, 2, 3, 3], [1]]] * 2  # of weights (4, 8) and (2, 2, 3, 3), and biases


def test_a_launcher_starts_each_process_anew(tmp_path, whole, launch):
    settings = SETTINGS | {"max_steps": 12, "batch_size": 2}
    launch(2, [line_objective.__file__, str(tmp_path / "run"), json.dumps(settings)])
    assert torch.equal(weights(tmp_path / "run"), weights(whole))
    assert_no_thread_is_left(tmp_path / "run")


def assert_no_thread_is_left(run):
    for process in (0, 1):
        before, after = json.loads((run / f"threads-{process}.json").read_text())
        assert [name for name in before if "gloo" in name]
        assert not [name for name in after if "gloo" in name]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are told by Linux alone")
@pytest.mark.parametrize("run", ["whole", "sharded"])
def test_no_thread_of_a_process_group_outlives_it(run, request):
    """One that did would abort the process now and then, where it asks for the lock of an ending Python."""
    assert_no_thread_is_left(request.getfixturevalue(run))


@pytest.mark.parametrize("first", ["sharded", "whole"])
def test_a_run_goes_on_whether_parameters_are_shared_out_or_not(tmp_path, first, straight):
    run, second = tmp_path / "both", "whole" if first == "sharded" else "sharded"
    for way, steps in ((first, 6), (second, 12)):
        settings = {"max_steps": steps, "final_lr_share": 1}
        if way == "sharded":
            assert_ended_well(of_several(run, 2, batch_size=2, shard=True, **settings))
        else:
            trainer(run, LineObjective(dropout=0.0), **settings).train()
    assert_about_the_same_training(run, straight)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A run of one process at one go, at a rate that does not depend on the run's length."""
    run = tmp_path_factory.mktemp("several") / "straight"
    trainer(run, LineObjective(dropout=0.0), max_steps=12, final_lr_share=1).train()
    return run


def train_in_two_processes(recipe, data, run, settings):
    wanted = [
        word
        for setting in ("trainer.max_steps=2", "trainer.batch_size=1", *settings)
        for word in ("--set", setting)
    ]
    words = ["-m", "hifi_portrait.training", recipe, "--data", str(data), "--out", str(run), *wanted]
    assert_ended_well(run_ranks(2, words, run.with_suffix(".logs")))
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
    each = train_in_two_processes("autoencoder-tiny", id_data, tmp_path / "each", settings)
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
