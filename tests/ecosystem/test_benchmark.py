import json
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "sdxl_step.py"


def test_the_cost_of_a_step_is_measured(tmp_path):
    out = tmp_path / "figures.json"
    command = [sys.executable, BENCHMARK, "--model", "tiny", "--latents", "8", "--rounds", "2", "--out", out]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures = json.loads(out.read_text())
    assert set(figures["ratios"]) == {"SDXL", "HiFi-Net", "InstantID", "IP-Adapter"}
    assert figures["ratios"]["SDXL"] == 1 and all(len(taken) == 2 for taken in figures["seconds"].values())
    assert "| HiFi-Net |" in table
