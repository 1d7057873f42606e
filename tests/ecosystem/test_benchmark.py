import functools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sdxl_step
import sdxl_training
import torch
from peak_memory import PeakMemory
from sdxl_training import ATTENTION, HIFI, Step, measured
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

pytestmark = pytest.mark.slow

counted = functools.cache(measured)
"""A step takes seconds to count, and two tests count the same one."""

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "sdxl_step.py"


def test_the_cost_of_a_step_is_measured(tmp_path):
    out = tmp_path / "figures.json"
    command = [sys.executable, BENCHMARK, "--model", "tiny", "--latents", "8", "--rounds", "2", "--out", out]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures = json.loads(out.read_text())
    rows = ["SDXL", "HiFi-Net", "HiFi-Net, 1 reference", "HiFi-Net, 16 references"]
    rows += ["HiFi-Net, every 2nd step", "InstantID", "IP-Adapter"]
    assert re.findall(r"^\| (\w[^|]*) \| [\d.]+ \|", table, re.MULTILINE) == rows == list(figures["ratios"])
    assert figures["ratios"]["SDXL"] == 1 and all(len(taken) == 2 for taken in figures["seconds"].values())
    assert figures["operations"]["SDXL"] == 1 < figures["operations"]["HiFi-Net"]
    memory = figures["gigabytes"]
    assert memory["HiFi-Net, 16 references"] == memory["HiFi-Net, 1 reference"] > memory["SDXL"]


def test_a_step_of_sdxls_size_costs_a_tenth_more_in_operations():
    """At 1024 pixels, with four references; as many operations with more."""
    rows = ["SDXL", "HiFi-Net", "HiFi-Net, 16 references"]
    bare, four, sixteen = sdxl_step.count_operations("sdxl", 128, torch.bfloat16, rows=rows).values()
    assert 1.05 < four / bare <= 1.11
    assert sixteen == four


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


def test_the_cost_of_preprocessing_is_measured_by_its_parts():
    command = [sys.executable, BENCHMARK.with_name("preprocessing.py"), "--rounds", "1"]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = dict(re.findall(r"^\| (.+) \| (\d+) \|$", table, re.MULTILINE))
    *parts, total = map(int, rows.values())
    assert list(rows)[-2:] == ["rest", "all"] and len(rows) == 8
    assert abs(sum(parts) - total) <= len(parts)


def test_the_cost_of_geometric_parts_is_measured_beside_its_limit():
    command = [sys.executable, BENCHMARK.with_name("parts.py"), "--rounds", "1"]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = re.findall(r"^\| (.+) \| (\d+\.\d) \| (\d+|inf) \|$", table, re.MULTILINE)
    assert len(rows) == 8 and all(float(ms) > 0 and float(limit) > 20 for _, ms, limit in rows)


def test_memory_and_work_of_training_are_those_of_a_real_step():
    """Of tensors with numbers in them, up to what kernels of real tensors leave out."""
    one, two = (counted("tiny", HIFI, batch) for batch in (1, 2))
    step = Step("tiny", HIFI)
    with PeakMemory() as tensors:
        step.run(1)
        step.run(1)
    assert two[2] == 2 * one[2] > 0
    assert two[1] > one[1] == pytest.approx(tensors.peak, rel=0.1)
    learnt = [name for name in HIFI if any(p.grad is not None for p in step.parts[name].parameters())]
    assert learnt == ["hifi_net", "face_encoder", "face_refiner", "face_attention"]
    assert (step.kept(8) - step.kept(2)) / step.parameters(HIFI) == 6


def test_work_of_attention_is_counted():
    """Two products of 64 x 64 with 32 wide heads, twice 4 of them, and five on the way back."""
    with FakeTensorMode(), FlopCounterMode(display=False, custom_mapping=ATTENTION) as work:
        tokens = torch.randn(2, 4, 64, 32, requires_grad=True)
        nn.functional.scaled_dot_product_attention(tokens, tokens, tokens).sum().backward()
    assert work.get_total_flops() / (2 * 2 * 4 * 64 * 64 * 32) == 7


def test_training_of_sdxls_size_is_estimated(monkeypatch, capsys):
    monkeypatch.setattr(sdxl_training, "measured", counted)
    monkeypatch.setattr(sys, "argv", ["sdxl_training.py", "--model", "tiny", "--batches", "1"])
    sdxl_training.main()
    rows = re.findall(
        r"^\| ([a-zH][^|]+) \| 0 \| 1 \|(?: [\d.]+ \|){7}$", capsys.readouterr().out, re.MULTILINE
    )
    assert rows == list(sdxl_training.LEARNING)
