"""A small objective with all that the trainer uses; as a script, a process of a run of several.

    python -m torch.distributed.run --nproc_per_node 2 tests/line_objective.py RUN SETTINGS [KILL_AT]

SETTINGS are the trainer's, as JSON. At sample KILL_AT the process that makes it is killed outright, once for
each run folder. Each process writes down the shapes of what it keeps of the parameters, and the names of its
threads before and after it leaves the process group.
"""

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from hifi_portrait.training.engine.checkpoint import latest_checkpoint, load_state
from hifi_portrait.training.engine.config import TrainerConfig
from hifi_portrait.training.engine.objective import Objective
from hifi_portrait.training.engine.process_group import leave_process_group
from hifi_portrait.training.engine.trainer import Trainer

SETTINGS = {"batch_size": 4, "learning_rate": 1e-2, "precision": "no"}


class Saved:
    """The one method of diffusers' models that checkpoints need."""

    def save_pretrained(self, folder):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        torch.save(self.state_dict(), folder / "weights.pt")


class Line(Saved, nn.Linear):
    """A model."""


class Filter(Saved, nn.Conv2d):
    """A model whose weights lie in memory otherwise, where nothing is shared out."""


class LineObjective(Objective):
    """Least squares with dropout: small, random, and with all that the trainer uses."""

    def __init__(self, kill_at=None, kill=os.getpid, dropout=0.3):
        torch.manual_seed(0)
        parts = {"line": Line(8, 4), "filter": Filter(2, 2, 3, padding=1), "frozen": Line(4, 4)}
        super().__init__(parts, ["line", "filter"])
        self.kill_at, self.kill = kill_at, kill
        self.dropout = dropout
        self.seen = []

    def sample(self, index):
        self.seen.append(index)
        if self.kill_at is not None and index >= self.kill_at:
            os.kill(self.kill(), signal.SIGTERM)
            self.kill_at = None
        generator = torch.Generator().manual_seed(index)
        return {"x": torch.randn(8, generator=generator)}

    def forward(self, batch, progress=0.0):
        filtered = self.part("filter")(batch["x"].reshape(-1, 2, 2, 2)).flatten(1)
        hidden = nn.functional.dropout(self.part("line")(batch["x"] + filtered), self.dropout)
        return {"fit": ((self.part("frozen")(hidden) - 1) ** 2).mean(), "size": 0.01 * hidden.abs().mean()}

    def sheet(self):
        return np.zeros((4, 4, 3), np.uint8)


class KilledOnce(LineObjective):
    """Without dropout, so that nothing depends on which process a sample is in; killed at a sample."""

    def __init__(self, run, kill_at):
        super().__init__(dropout=0.0)
        self.run, self.at = Path(run), kill_at

    def sample(self, index):
        mark = self.run.with_suffix(".killed")
        if self.at is not None and index >= self.at and not mark.exists():
            mark.write_text(str(index))
            os.kill(os.getpid(), signal.SIGKILL)
        return super().sample(index)


def trainer(run, objective=None, **changes):
    settings = SETTINGS | {"max_steps": 20} | changes
    return Trainer(objective or LineObjective(), TrainerConfig(**settings), run)


def final_state(run):
    return load_state(latest_checkpoint(run))


def flat(value):
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in flat(item)]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in flat(item)]
    return [value]


def weights(run):
    return final_state(run)["parts"]["line"]["weight"]


def main(folder, settings, *kill):
    objective = KilledOnce(folder, int(kill[0]) if kill else None)
    process = Trainer(objective, TrainerConfig(**json.loads(settings)), folder)
    process.train()
    shapes = [list(shard.shape) for shard in process.averaged.shards]
    write(folder, "shares", process.accelerator.process_index, shapes)
    return process.accelerator.process_index


def write(folder, name, process, value):
    (Path(folder) / f"{name}-{process}.json").write_text(json.dumps(value))


def threads():
    """Names of this process's threads, also of those that are not Python's."""
    return [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]


if __name__ == "__main__":
    process = main(*sys.argv[1:])
    before = threads()
    leave_process_group()
    write(sys.argv[1], "threads", process, [before, threads()])
