import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
    memory = figures["gigabytes"]
    assert memory["HiFi-Net, 16 references"] == memory["HiFi-Net, 1 reference"] > memory["SDXL"]


def of_benchmarks(code):
    """What Python code prints that imports benchmarks."""
    environment = {**os.environ, "PYTHONPATH": str(BENCHMARK.parent)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def test_memory_of_tensors_is_counted_while_they_live():
    """Two pictures at a time, of a chain of three; what was there before does not count, nor do views."""
    code = """
import torch
from peak_memory import PeakMemory
given = torch.zeros(1000)
with torch.inference_mode(), PeakMemory() as tensors:
    first = given.view(10, -1) + 1
    second = first * 2
    del first
    third = second.view(-1) + 1
    third.add_(1)
    given.add_(1)
print(tensors.peak, tensors.alive)
"""
    assert of_benchmarks(code).split() == ["8000", "8000"]


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
    code = """
import json, torch
from peak_memory import PeakMemory
from sdxl_training import HIFI, Step, measured
counted = {batch: measured("tiny", HIFI, batch) for batch in (1, 2)}
step = Step("tiny", HIFI)
with PeakMemory() as tensors:
    step.run(1), step.run(1)
learnt = [name for name in HIFI if any(p.grad is not None for p in step.parts[name].parameters())]
kept = step.kept(8) - step.kept(2)
print(json.dumps([[c[1:] for c in counted.values()], tensors.peak, learnt, kept / step.parameters(HIFI)]))
"""
    (one, two), real, learnt, moments = json.loads(of_benchmarks(code))
    assert two[1] == 2 * one[1] > 0
    assert two[0] > one[0] == pytest.approx(real, rel=0.1)
    assert learnt == ["hifi_net", "face_encoder", "face_refiner", "face_attention"]
    assert moments == 6


def test_work_of_attention_is_counted():
    """Two products of 64 x 64 with 32 wide heads, twice 4 of them, and five on the way back."""
    code = """
import torch
from sdxl_training import ATTENTION
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode
with FakeTensorMode(), FlopCounterMode(display=False, custom_mapping=ATTENTION) as work:
    tokens = torch.randn(2, 4, 64, 32, requires_grad=True)
    torch.nn.functional.scaled_dot_product_attention(tokens, tokens, tokens).sum().backward()
print(work.get_total_flops() / (2 * 2 * 4 * 64 * 64 * 32))
"""
    assert float(of_benchmarks(code)) == 7


def test_training_of_sdxls_size_is_estimated():
    command = [sys.executable, BENCHMARK.with_name("sdxl_training.py"), "--model", "tiny"]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert len(re.findall(r"^\| all of HiFi \| 0 \| [12] \|( [\d.]+ \|){7}$", table, re.MULTILINE)) == 2
