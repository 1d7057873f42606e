import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROW = r"^\| (\w[\w, -]*) \| ([\d. |]+) \|$"
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


def test_memory_of_tensors_is_counted_while_they_live():
    """Two pictures at a time, of a chain of three; what was there before does not count, nor do views."""
    with_path = {**os.environ, "PYTHONPATH": str(BENCHMARK.parent)}
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
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env=with_path).stdout
    assert printed.split() == ["8000", "8000"]


def test_the_cost_of_preprocessing_is_measured_by_its_parts():
    command = [sys.executable, BENCHMARK.with_name("preprocessing.py"), "--rounds", "1"]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = dict(re.findall(r"^\| (.+) \| (\d+) \|$", table, re.MULTILINE))
    *parts, total = map(int, rows.values())
    assert list(rows)[-2:] == ["rest", "all"] and len(rows) == 8
    assert abs(sum(parts) - total) <= len(parts)


def test_the_memory_of_training_is_counted():
    command = [sys.executable, BENCHMARK.with_name("sdxl_memory.py")]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = {name: list(map(float, rest.split("|"))) for name, rest in re.findall(ROW, table, re.MULTILINE)}
    assert rows["unet"] == [2567]  # SDXL's, as its authors give it: 2.6 billion
    learning, adamw, eight_bit = rows["all of HiFi"]
    assert abs(adamw - eight_bit - 6e-3 * learning) < 0.1
