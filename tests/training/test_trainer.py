import os

import pytest
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType

from hifi_portrait.errors import HiFiPortraitError, ModelError
from hifi_portrait.training.engine.checkpoint import checkpoints, latest_checkpoint
from hifi_portrait.training.engine.config import TrainerConfig
from hifi_portrait.training.engine.objective import Objective
from hifi_portrait.training.engine.optimiser import learning_rate
from hifi_portrait.training.engine.weights import find_part
from line_objective import SETTINGS, Line, LineObjective, final_state, flat, trainer, weights


def same_training(first, second):
    pairs = zip(
        *(flat({k: s[k] for k in ("parts", "optimiser", "ema", "step")}) for s in (first, second)),
        strict=True,
    )
    return all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in pairs)


def test_a_killed_run_that_goes_on_equals_one_that_was_not_bit_for_bit(tmp_path):
    trainer(tmp_path / "whole").train()
    first = trainer(tmp_path / "killed", LineObjective(kill_at=10 * 4))
    result = first.train()
    assert result.interrupted
    assert result.step in (10, 11)
    assert trainer(tmp_path / "killed").train().step == 20
    assert same_training(final_state(tmp_path / "whole"), final_state(tmp_path / "killed"))


def test_a_signal_to_a_process_that_makes_samples_does_no_harm(tmp_path):
    assert trainer(tmp_path, LineObjective(kill_at=8), workers=1).train().step == 20


def test_a_run_with_a_process_that_makes_samples_stops_at_a_signal(tmp_path):
    result = trainer(
        tmp_path, LineObjective(kill_at=8, kill=os.getppid), workers=1, max_steps=100_000
    ).train()
    assert result.interrupted
    assert latest_checkpoint(tmp_path).name == f"step-{result.step:08d}"


def test_making_samples_in_another_process_changes_nothing(tmp_path):
    trainer(tmp_path / "here").train()
    trainer(tmp_path / "there", workers=1).train()
    assert same_training(final_state(tmp_path / "here"), final_state(tmp_path / "there"))


def test_another_seed_gives_other_weights(tmp_path):
    trainer(tmp_path / "a").train()
    trainer(tmp_path / "b", seed=1).train()
    assert not same_training(final_state(tmp_path / "a"), final_state(tmp_path / "b"))


def test_every_sample_is_used_once_and_in_order(tmp_path):
    objective = LineObjective()
    trainer(tmp_path, objective, max_steps=5).train()
    assert objective.seen[:20] == list(range(20))


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_a_run_goes_on_with_the_settings_it_is_given(tmp_path, optimiser):
    trainer(tmp_path, LineObjective(), max_steps=2, optimiser=optimiser).train()
    changed = {"weight_decay": 0.5, "betas": (0.5, 0.6), "ema_decay": 0.25, "learning_rate": 0.123}
    run = trainer(tmp_path, LineObjective(), max_steps=4, warmup_steps=0, optimiser=optimiser, **changed)
    run.train()
    assert run.step == 4
    for group in run.optimiser.param_groups:
        assert group["weight_decay"] == 0.5
        assert tuple(group["betas"]) == (0.5, 0.6)
    assert final_state(tmp_path)["ema"]["decay"] == 0.25


def test_only_trainable_parts_change(tmp_path):
    objective, untouched = LineObjective(), LineObjective()
    trainer(tmp_path, objective).train()
    assert torch.equal(objective.part("frozen").weight, untouched.part("frozen").weight)
    assert not torch.equal(objective.part("line").weight, untouched.part("line").weight)


def with_a_fresh_filter(**changes):
    objective = LineObjective(**changes)
    objective.fresh_parameters = {"parts.filter.weight", "parts.filter.bias"}
    return objective


def test_what_starts_from_nothing_has_a_learning_rate_of_its_own(tmp_path):
    settings = {"max_steps": 1, "warmup_steps": 0, "weight_decay": 0.0, "fresh_learning_rate": 0.05}
    before, objective = LineObjective(dropout=0.0), with_a_fresh_filter(dropout=0.0)
    run = trainer(tmp_path, objective, **settings)
    run.train()
    assert [group["lr"] for group in run.optimiser.param_groups] == pytest.approx([0.01, 0.05])
    moved = {
        name: (objective.part(name).weight - before.part(name).weight).abs().max().item()
        for name in ("line", "filter")
    }
    assert moved == pytest.approx({"line": 0.01, "filter": 0.05}, rel=1e-3)  # AdamW's first step is its rate


def test_a_run_of_two_learning_rates_goes_on_exactly(tmp_path):
    rates = {"fresh_learning_rate": 0.05}
    trainer(tmp_path / "whole", with_a_fresh_filter(), **rates).train()
    trainer(tmp_path / "killed", with_a_fresh_filter(kill_at=10 * 4), **rates).train()
    assert trainer(tmp_path / "killed", with_a_fresh_filter(), **rates).train().step == 20
    assert same_training(final_state(tmp_path / "whole"), final_state(tmp_path / "killed"))
    with pytest.raises(ModelError, match=r"set trainer\.optimiser and trainer\.fresh_learning_rate as"):
        trainer(tmp_path / "killed", with_a_fresh_filter())


def test_loss_falls(tmp_path):
    objective = LineObjective()
    batch = {"x": torch.stack([objective.sample(i)["x"] for i in range(64)])}

    def loss():
        torch.manual_seed(0)
        return float(objective(batch)["fit"].detach())

    before = loss()
    trainer(tmp_path, objective, max_steps=60, warmup_steps=1).train()
    assert loss() < 0.7 * before


def test_averaged_weights_are_saved_ready_for_use(tmp_path):
    objective = LineObjective()
    trainer(tmp_path, objective, ema_decay=0.9).train()
    saved = torch.load(find_part([tmp_path], "line") / "weights.pt")
    assert torch.equal(saved["weight"], final_state(tmp_path)["ema"]["shadow_params"][0])
    assert not torch.equal(saved["weight"], objective.part("line").weight)


def test_learning_rate_warms_up_and_ends_at_its_floor():
    config = TrainerConfig(**SETTINGS, max_steps=20, warmup_steps=10, final_lr_share=0.1)
    rates = [learning_rate(config, step, step / 20) for step in range(21)]
    assert rates[0] == pytest.approx(1e-3, rel=0.02)
    assert rates.index(max(rates)) == 9
    assert rates[-1] == pytest.approx(1e-3)


def test_each_step_takes_the_learning_rate_of_its_place_in_the_run(tmp_path):
    run = trainer(tmp_path, max_steps=6, warmup_steps=20)
    run.train()
    (group,) = final_state(tmp_path)["optimiser"]["param_groups"]
    assert group["lr"] == pytest.approx(learning_rate(run.config, 5, 5 / 6))
    assert group["lr"] < 0.1 * run.config.learning_rate


def test_the_optimiser_has_the_settings_of_the_run(tmp_path):
    run = trainer(tmp_path, weight_decay=0.3, betas=(0.5, 0.6))
    (group,) = run.optimiser.param_groups
    assert (group["weight_decay"], group["betas"]) == (0.3, (0.5, 0.6))


def test_long_gradients_are_clipped(tmp_path):
    """To a length that Adam's epsilon swallows, they change nothing; the log tells the length before."""
    objective = LineObjective()
    start = objective.part("line").weight.detach().clone()
    trainer(tmp_path, objective, gradient_clip=1e-14, weight_decay=0.0, max_steps=5).train()
    torch.testing.assert_close(objective.part("line").weight.detach(), start, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("steps", "minutes", "done"), [(8, 0.0, 0.5), (8, 4.0, 0.75), (0, 6.0, 0.5)])
def test_the_nearer_limit_tells_how_much_of_a_run_is_done(tmp_path, steps, minutes, done):
    run = trainer(tmp_path, max_steps=steps, max_minutes=minutes)
    run.step, run.minutes = 4, 3.0
    assert run.progress == done


def test_a_run_ends_at_its_minutes(tmp_path):
    assert trainer(tmp_path, max_steps=0, max_minutes=0.005).train().minutes >= 0.005


def test_step_without_a_finite_gradient_is_skipped(tmp_path):
    objective = LineObjective()
    start = objective.part("line").weight.detach().clone()
    objective.part("frozen").weight.data.fill_(float("nan"))
    trainer(tmp_path, objective, max_steps=2).train()
    assert torch.equal(objective.part("line").weight, start)


def test_only_the_newest_checkpoints_are_kept(tmp_path):
    trainer(tmp_path, checkpoint_minutes=1e-9, keep_checkpoints=2, max_steps=6).train()
    assert [path.name for path in checkpoints(tmp_path)] == ["step-00000005", "step-00000006"]


def test_run_folder_holds_sheet_and_logs(tmp_path):
    trainer(tmp_path, max_steps=2).train()
    assert (tmp_path / "sheets" / "step-00000002.png").exists()
    assert list((tmp_path / "logs").glob("events.*"))


def test_a_checkpoint_left_half_written_is_not_used(tmp_path):
    trainer(tmp_path, max_steps=2).train()
    (tmp_path / "checkpoints" / "step-00000099.partial").mkdir()
    assert latest_checkpoint(tmp_path).name == "step-00000002"


def test_damaged_checkpoint_is_named(tmp_path):
    trainer(tmp_path, max_steps=2).train()
    (latest_checkpoint(tmp_path) / "state.pt").write_bytes(b"junk")
    with pytest.raises(ModelError, match="step-00000002"):
        trainer(tmp_path)


def test_unknown_trainable_part_is_named():
    with pytest.raises(ModelError, match="unett"):
        Objective.__init__(LineObjective.__new__(LineObjective), {"unet": Line(1, 1)}, ["unett"])


def test_batches_one_after_the_other_count_as_one_of_their_size(tmp_path):
    for name, size, accumulate in (("whole", 8, 1), ("parts", 2, 4)):
        objective = LineObjective(dropout=0.0)
        trainer(tmp_path / name, objective, batch_size=size, accumulate=accumulate, max_steps=12).train()
        assert objective.seen[: 12 * 8] == list(range(12 * 8))
    torch.testing.assert_close(weights(tmp_path / "whole"), weights(tmp_path / "parts"), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("changes", [{"optimiser": "adamw8bit"}, {"precision": "fp16"}])
def test_what_cannot_be_shared_out_is_refused(changes):
    with pytest.raises(ValueError, match=r"shard needs the optimiser adamw.*and the precision bf16 or no"):
        TrainerConfig(batch_size=1, learning_rate=1e-3, max_steps=1, shard=True, **changes)


def test_further_trackers_log_too(tmp_path):
    trainer(tmp_path / "run", trackers=("tensorboard",), log_steps=5).train()
    assert list((tmp_path / "run" / "trackers").rglob("events.out*"))


def test_an_8_bit_optimiser_says_what_it_needs(tmp_path):
    with pytest.raises(HiFiPortraitError, match="pip install bitsandbytes"):
        trainer(tmp_path / "run", optimiser="adamw8bit")


@pytest.mark.parametrize("kind", ["FSDP", "DEEPSPEED", "MEGATRON_LM"])
def test_launchers_that_share_out_parameters_are_refused(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(Accelerator, "distributed_type", DistributedType[kind])
    with pytest.raises(HiFiPortraitError, match=rf"trainer\.shard = true .*; {kind} of the launcher's"):
        trainer(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_of_other_parts_is_not_gone_on_with(tmp_path):
    trainer(tmp_path / "run").train()
    wider = LineObjective()
    wider.parts["line"] = Line(9, 4)
    with pytest.raises(ModelError, match=r"holds other parts than the recipe makes.*recipe\.json"):
        trainer(tmp_path / "run", wider)
