"""Train the scene network with and without each of its parts, from several seeds, and print the table.

python benchmarks/gaze_ablations.py --data DATA --head MODEL/head --out runs/ablations --steps 3000

Each run is trained as its recipe says, but for the number of steps and the seed, and goes on where it was
stopped; a finished one is not trained again. Then each is measured on the test split, with the gazes that the
head network reads and with the true ones. Rows are means over the seeds, with the spread (standard deviation)
between them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from mmrgaze360 import GazeFollower, MMRGaze360
from mmrgaze360.dataset import SceneDataset
from mmrgaze360.evaluation import evaluate
from mmrgaze360.network import HeadNetwork, SceneNetwork
from mmrgaze360.network.model import load_network

RECIPES = (
    "scene",
    "scene_without_patches",
    "scene_without_field_of_view",
    "scene_without_reborn",
    "scene_without_image",
)
ROWS = ("MMRGaze360", "MMRGaze360, true gaze")


def train(recipe: str, seed: int, options: argparse.Namespace) -> Path:
    """Train one run, or finish it; give the folder of its averaged weights."""
    run = options.out / f"{recipe}-{seed}"
    done = run / "checkpoints" / f"step-{options.steps:08d}" / "ema" / "scene"
    if not done.is_dir():
        settings = [f"trainer.max_steps={options.steps}", f"trainer.seed={seed}", "trainer.sheet_minutes=0"]
        words = [word for setting in settings for word in ("--set", setting)]
        command = [sys.executable, "-m", "mmrgaze360.cli", "train", recipe, "--data", str(options.data)]
        subprocess.run([*command, "--out", str(run), *words], check=True)
    return done


def measure(recipe: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Train and measure one run; what was measured before is read."""
    kept = options.out / f"{recipe}-{seed}-{options.steps}.json"
    if not kept.exists():
        scene = load_network(SceneNetwork, train(recipe, seed, options))
        follower = GazeFollower(MMRGaze360(load_network(HeadNetwork, options.head), scene))
        data = SceneDataset(options.data, "test")
        found = evaluate(data, ROWS, follower, most=options.most, quiet=True)
        kept.write_text(json.dumps(found) + "\n")
    read: dict[str, Any] = json.loads(kept.read_text())
    return read


def main() -> None:
    kind = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=kind)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--head", type=Path, required=True, help="Folder of the trained head network.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--most", type=int, help="Test scenes to take, at most.")
    parser.add_argument("--recipe", action="append", choices=RECIPES, help="Some of the rows only.")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    print("| | distance rad | AUC64 | AUCsphere | in view, AP | distance with the true gaze |")
    print("| --- | --- | --- | --- | --- | --- |")
    for recipe in options.recipe or RECIPES:
        runs = [measure(recipe, seed, options) for seed in range(options.seeds)]
        cells = [
            spread([run["rows"][ROWS[0]][name] for run in runs])
            for name in ("distance", "auc_64", "auc_sphere")
        ]
        cells.append(spread([run["in_view"]["average_precision"] for run in runs]))
        cells.append(spread([run["rows"][ROWS[1]]["distance"] for run in runs]))
        print(f"| {recipe.replace('_', ' ')} | {' | '.join(cells)} |", flush=True)


def spread(values: list[float]) -> str:
    """Give the mean, and how far the seeds lie apart."""
    apart = f" +- {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
    return f"{np.mean(values):.4f}{apart}"


if __name__ == "__main__":
    main()
