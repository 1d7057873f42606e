"""What a run tells of itself: loss terms, held-out figures and sample sheets."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from hifi_portrait.errors import needs_extra

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch.utils.tensorboard import SummaryWriter

logger = logging.getLogger(__name__)


class RunLog:
    """Tells TensorBoard, accelerate's trackers and Python's log of a run; for the main process alone.

    Parameters
    ----------
    run
        The run's folder: events go to ``logs/`` in it, sheets to ``sheets/``.
    step
        At which the run begins or goes on; TensorBoard forgets what was logged from there on before.
    accelerator
        Whose trackers are told, too.

    Raises
    ------
    MissingExtraError
        TensorBoard is not installed.
    """

    def __init__(self, run: Path, step: int, accelerator: Accelerator) -> None:
        self._sheets = run / "sheets"
        self._accelerator = accelerator
        self._writer = _summary_writer(run / "logs", step)
        self._terms: dict[str, list[float]] = {}
        self._since = (step, time.monotonic())

    def add(self, terms: dict[str, float]) -> None:
        """Keep a step's values for `write_means`."""
        for name, value in terms.items():
            self._terms.setdefault(name, []).append(value)

    def write_means(self, step: int, minutes: float, samples_per_step: int) -> None:
        """The means of what was added since the last time, at a step and so many minutes of the run."""
        now = time.monotonic()
        samples = (step - self._since[0]) * samples_per_step
        means = {name: sum(values) / len(values) for name, values in self._terms.items()}
        means["samples_per_second"] = samples / max(now - self._since[1], 1e-9)
        for name, value in means.items():
            self._writer.add_scalar(f"train/{name}", value, step)
        self._accelerator.log({f"train/{name}": value for name, value in means.items()}, step)
        logger.info("step %d, %.1f min: %s", step, minutes, _readable(means))
        self._terms, self._since = {}, (step, now)

    def write_held_out(self, step: int, sheet: np.ndarray, metrics: dict[str, float]) -> None:
        """A sheet, uint8 (H, W, 3), and figures of held-out data, at a step."""
        self._sheets.mkdir(exist_ok=True)
        Image.fromarray(sheet).save(self._sheets / f"step-{step:08d}.png")
        self._writer.add_image("sheet", sheet, step, dataformats="HWC")
        for name, value in metrics.items():
            self._writer.add_scalar(f"held_out/{name}", value, step)
        if metrics:
            logger.info("step %d held out: %s", step, _readable(metrics))

    def close(self) -> None:
        """Write down what is still to be written."""
        self._writer.close()


def _summary_writer(folder: Path, step: int) -> SummaryWriter:
    with needs_extra("train"):
        from torch.utils.tensorboard import SummaryWriter
    return SummaryWriter(str(folder), purge_step=step)


def _readable(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())
