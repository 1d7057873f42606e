import functools
import json
import re
import sys

import parts
import preprocessing
import pytest
import sdxl_step
import sdxl_training
import torch
from peak_memory import PeakMemory
from sdxl_training import ATTENTION, CLIP_FROZEN, HIFI, LEARNING, Step, measured
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from hifi_portrait.faces import analyser
from hifi_portrait.person import identity

pytestmark = pytest.mark.slow

counted = functools.cache(measured)
"""A step takes seconds to count, and two tests count the same one."""


@pytest.fixture
def printed(monkeypatch, capsys):
    """Runs a benchmark with arguments, in this process; gives what it prints."""

    def run(main, *words):
        monkeypatch.setattr(sys, "argv", ["benchmark.py", *map(str, words)])
        main()
        return capsys.readouterr().out

    return run


def test_the_cost_of_a_step_is_measured(printed, tmp_path):
    out = tmp_path / "figures.json"
    table = printed(sdxl_step.main, "--model", "tiny", "--latents", 8, "--rounds", 1, "--out", out)
    figures = json.loads(out.read_text())
    rows = ["SDXL", "HiFi-Net", "HiFi-Net, 1 reference", "HiFi-Net, 16 references"]
    rows += ["HiFi-Net, every 2nd step", "InstantID", "IP-Adapter"]
    assert re.findall(r"^\| (\w[^|]*) \| [\d.]+ \|", table, re.MULTILINE) == rows == list(figures["ratios"])
    assert figures["ratios"]["SDXL"] == 1 and all(len(taken) == 1 for taken in figures["seconds"].values())
    work, memory = figures["operations"], figures["gigabytes"]
    assert work["SDXL"] == 1 < work["HiFi-Net"] == work["HiFi-Net, 16 references"]
    assert memory["HiFi-Net, 16 references"] == memory["HiFi-Net, 1 reference"] > memory["SDXL"]


def test_a_step_of_sdxls_size_costs_a_tenth_more_in_operations():
    """At 1024 pixels, with four references."""
    rows = ["SDXL", "HiFi-Net"]
    bare, four = sdxl_step.count_operations("sdxl", 128, torch.bfloat16, rows=rows).values()
    assert 1.05 < four / bare <= 1.11


def test_memory_of_tensors_is_counted_while_they_live():
    """Two pictures at a time, of a chain of three; what was there before does not count, nor do views."""
    given = torch.zeros(1000)
    with torch.inference_mode(), PeakMemory() as tensors:
        first = given.view(10, -1) + 1
        second = first * 2
        del first
        third = second.view(-1) + 1
        third.add_(1)
        given.add_(1)
    assert (tensors.peak, tensors.alive) == (8000, 8000)


def test_the_cost_of_preprocessing_is_measured_by_its_parts(printed, monkeypatch):
    for module, name in ((analyser, "load_image"), (identity, "fit")):  # the benchmark replaces these
        monkeypatch.setattr(module, name, getattr(module, name))
    table = printed(preprocessing.main, "--rounds", 1)
    rows = dict(re.findall(r"^\| (.+) \| (\d+) \|$", table, re.MULTILINE))
    *taken, total = map(int, rows.values())
    assert list(rows)[-2:] == ["rest", "all"] and len(rows) == 8
    assert abs(sum(taken) - total) <= len(taken)


def test_the_cost_of_geometric_parts_is_measured_beside_its_limit(capsys):
    parts.main(rounds=1)
    rows = re.findall(r"^\| (.+) \| (\d+\.\d) \| (\d+|inf) \|$", capsys.readouterr().out, re.MULTILINE)
    assert len(rows) == 8 and all(float(ms) > 0 and float(limit) > 20 for _, ms, limit in rows)


def test_memory_and_work_of_training_are_those_of_a_real_step():
    """Of tensors with numbers in them, up to what their kernels leave out; two samples are twice the work."""
    _, memory, operations = counted("tiny", HIFI, 1, frozen_clip=True)
    step = Step("tiny", HIFI, frozen_clip=True)
    with PeakMemory() as tensors:
        step.run(1)
        step.run(1)
    assert memory == pytest.approx(tensors.peak, rel=0.1)
    with PeakMemory() as two, FlopCounterMode(display=False, custom_mapping=ATTENTION) as work:
        step.run(2)
    assert work.get_total_flops() == 2 * operations > 0
    assert step.gradients() + two.peak > tensors.peak
    learnt = [name for name in HIFI if any(p.grad is not None for p in step.parts[name].parameters())]
    assert learnt == ["hifi_net", "face_encoder", "face_refiner", "face_attention"]
    assert (step.kept(8) - step.kept(2)) / step.parameters(HIFI, learning=True) == 6
    assert step.parameters(HIFI, learning=True) < step.parameters(HIFI)


def test_work_of_attention_is_counted():
    """Two products of 64 x 64 with 32 wide heads, twice 4 of them, and five on the way back."""
    with FakeTensorMode(), FlopCounterMode(display=False, custom_mapping=ATTENTION) as work:
        tokens = torch.randn(2, 4, 64, 32, requires_grad=True)
        nn.functional.scaled_dot_product_attention(tokens, tokens, tokens).sum().backward()
    assert work.get_total_flops() / (2 * 2 * 4 * 64 * 64 * 32) == 7


def test_training_of_sdxls_size_is_estimated(printed, monkeypatch):
    """Of what learns but for a frozen part of a part; other choices go the same way."""
    monkeypatch.setattr(sdxl_training, "measured", counted)
    learning = {CLIP_FROZEN: LEARNING[CLIP_FROZEN]}
    monkeypatch.setattr(sdxl_training, "LEARNING", learning)
    table = printed(sdxl_training.main, "--model", "tiny", "--batches", 1)
    rows = re.findall(r"^\| ([a-zH][^|]+) \| 0 \| 1 \|(?: [\d.]+ \|){7}$", table, re.MULTILINE)
    assert rows == list(learning)
