"""The log of a run: loss terms, figures of held-out data and sample sheets."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from hifi_portrait.errors import needs_extra
from hifi_portrait.head.arrays import ByteArray

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch.utils.tensorboard import SummaryWriter

logger = logging.getLogger(__name__)


class RunLog:
    """Writes to TensorBoard, to accelerate's trackers and to Python's log; for the main process alone.

    Parameters
    ----------
    run
        The run's folder: events go to ``logs/`` in it, sheets to ``sheets/``.
    step
        Step at which the run begins or continues. What was logged from there on before is dropped.
    accelerator
        Its trackers get the loss terms, too.

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
        """Keep a step's values by name for `write_means`."""
        for name, value in terms.items():
            self._terms.setdefault(name, []).append(value)

    def write_means(self, step: int, minutes: float, samples_per_step: int) -> None:
        """Write the means of what was added since the last time.

        Parameters
        ----------
        step
            Steps done so far.
        minutes
            Minutes of training so far.
        samples_per_step
            Samples that this process takes in a step, for the speed.
        """
        now = time.monotonic()
        samples = (step - self._since[0]) * samples_per_step
        means = {name: sum(values) / len(values) for name, values in self._terms.items()}
        means["samples_per_second"] = samples / max(now - self._since[1], 1e-9)
        for name, value in means.items():
            self._writer.add_scalar(f"train/{name}", value, step)
        self._accelerator.log({f"train/{name}": value for name, value in means.items()}, step)
        logger.info("step %d, %.1f min: %s", step, minutes, _format(means))
        self._terms, self._since = {}, (step, now)

    def write_held_out(self, step: int, sheet: ByteArray, metrics: dict[str, float]) -> None:
        """Write a sheet (H, W, 3) and figures of held-out data by name, after ``step`` steps."""
        self._sheets.mkdir(exist_ok=True)
        Image.fromarray(sheet).save(self._sheets / f"step-{step:08d}.png")
        self._writer.add_image("sheet", sheet, step, dataformats="HWC")
        for name, value in metrics.items():
            self._writer.add_scalar(f"held_out/{name}", value, step)
        if metrics:
            logger.info("step %d held out: %s", step, _format(metrics))

    def close(self) -> None:
        """Write what is still in memory."""
        self._writer.close()


def _summary_writer(folder: Path, step: int) -> SummaryWriter:
    with needs_extra("train"):
        from torch.utils.tensorboard import SummaryWriter
    return SummaryWriter(str(folder), purge_step=step)


def _format(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())
