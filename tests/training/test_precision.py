import pytest
import torch

from hifi_portrait.training.engine import precision
from hifi_portrait.training.engine.precision import autocast_where_fast, choose_precision, computes_bfloat16
from line_objective import trainer

CPU = torch.device("cpu")
without_accelerator = pytest.mark.skipif(torch.accelerator.is_available(), reason="an accelerator is here")


@without_accelerator
@pytest.mark.parametrize(("computes", "trained_in"), [(True, "bf16"), (False, "no")])
def test_a_cpu_that_is_slower_in_bfloat16_trains_in_float32(monkeypatch, tmp_path, computes, trained_in):
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device: computes)
    assert choose_precision("bf16") == trained_in
    if not computes:
        assert trainer(tmp_path, precision="bf16").accelerator.mixed_precision == "no"


@without_accelerator
def test_runs_of_one_process_may_differ(monkeypatch, tmp_path):
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device: True)
    for number, wished in enumerate(("no", "bf16", "no")):
        run = trainer(tmp_path / str(number), precision=wished)
        assert run.accelerator.mixed_precision == wished
        if wished == "no":  # a CPU without instructions for bfloat16 need not train in it
            assert run.train().step == run.config.max_steps


def test_other_precisions_are_as_wished(monkeypatch):
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device: False)
    assert [choose_precision(wished) for wished in ("no", "fp16")] == ["no", "fp16"]


def test_accelerators_compute_bfloat16():
    assert computes_bfloat16(torch.device("cuda"))


@pytest.mark.parametrize("computes", [True, False])
def test_a_cpu_is_slowed_down_by_no_autocast(monkeypatch, computes):
    monkeypatch.setattr(precision, "computes_bfloat16", lambda device: computes)
    with autocast_where_fast(torch.device("cpu")):
        assert torch.is_autocast_enabled("cpu") is computes
