"""The training loop: one for every objective, on a CPU, one GPU or many, through ``accelerate``.

Everything random follows from the seed and the step: sample ``n`` of the stream is always the same, and
torch's generator is seeded anew for each batch. So a run that is killed and continues gives the same weights
as one that was not, bit for bit on a CPU (where ``max_steps`` alone sets the run's length).
"""

from __future__ import annotations

import json
import logging
import math
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from hifi_portrait.errors import HiFiPortraitError, ModelError, needs_extra
from hifi_portrait.training.engine.checkpoint import latest_checkpoint, load_state, save_checkpoint
from hifi_portrait.training.engine.config import TrainerConfig
from hifi_portrait.training.engine.ema import AveragedWeights
from hifi_portrait.training.engine.fsdp import (
    gather_everywhere,
    gather_state,
    shard_optimiser_state,
    shard_parameters,
)
from hifi_portrait.training.engine.objective import Objective
from hifi_portrait.training.engine.optimiser import group_parameters, learning_rate, make_optimiser
from hifi_portrait.training.engine.precision import attention_kernel, choose_precision
from hifi_portrait.training.engine.run_log import RunLog
from hifi_portrait.training.engine.samples import check_shared_memory, make_loader

with needs_extra("train"):
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState
    from accelerate.utils import DistributedDataParallelKwargs, DistributedType, broadcast

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """How a run ended."""

    step: int
    """Steps done in all."""

    minutes: float
    """Minutes of training in all, those before a pause included."""

    interrupted: bool
    """Whether a signal cut the run short."""

    metrics: dict[str, float]
    """The objective's figures of held-out data at the end, by name; none where the run was cut short."""


class Trainer:
    """Trains an objective in a run folder, from the last checkpoint there if there is one.

    Parameters
    ----------
    objective
        What is trained.
    config
        How it is trained.
    run
        Folder for checkpoints, TensorBoard's logs and sample sheets.
    description
        Plain values that are kept in the run's folder as ``recipe.json``.

    Attributes
    ----------
    step : int
        Steps done so far.
    minutes : float
        Minutes of training so far.
    averaged : AveragedWeights
        Averages of the parameters that learn.

    Raises
    ------
    HiFiPortraitError
        The launcher was told to shard parameters (FSDP, DeepSpeed), or something that the config requests is
        not installed.
    ModelError
        The last checkpoint is damaged or holds other parts.
    """

    def __init__(
        self,
        objective: Objective,
        config: TrainerConfig,
        run: str | Path,
        *,
        description: dict[str, Any] | None = None,
    ) -> None:
        self.config = config
        self.run = Path(run)
        # CLIP's last layer gets no gradient: SDXL reads the one before it. Buffers are constants here.
        several = DistributedDataParallelKwargs(find_unused_parameters=True, broadcast_buffers=False)
        precision = choose_precision(config.precision)
        _allow_another_precision(precision)
        self.accelerator = Accelerator(
            mixed_precision=precision,
            kwargs_handlers=[several],
            log_with=list(config.trackers) or None,
            project_dir=self.run / "trackers",
        )
        _refuse_other_sharding(self.accelerator.distributed_type)
        self.objective = objective
        self.step = 0
        self.minutes = 0.0
        self._stop = False
        self._description = description or {}
        state = self._resume()
        self._sharded = config.shard and self.accelerator.num_processes > 1
        if self._sharded:
            objective.to(self.accelerator.device)
            shard_parameters(objective, self.accelerator.device, methods=("sheet", "metrics", "finish"))
            self.module = objective
        else:
            objective.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.module = self.accelerator.prepare(objective)
        learning = {name: p for name, p in objective.named_parameters() if p.requires_grad}
        groups = group_parameters(learning, objective.fresh_parameters, config)
        self.parameters = [parameter for group in groups for parameter in group["params"]]
        self.optimiser = self.accelerator.prepare(make_optimiser(groups, config))
        self.averaged = AveragedWeights(learning, config.ema_decay, self.accelerator.device)
        if state is not None:
            self._load_optimiser(state["optimiser"])
            self.averaged.load_state_dict(state["ema"])

    def train(self) -> TrainingResult:
        """Train to the end of the run, or to a SIGTERM or SIGINT, which is answered with a checkpoint."""
        main = self.accelerator.is_main_process
        check_shared_memory(self.objective, self.config, self.accelerator.num_processes)
        if main:
            self.run.mkdir(parents=True, exist_ok=True)
            (self.run / "recipe.json").write_text(json.dumps(self._description, indent=2) + "\n")
        if self.config.trackers:
            self.accelerator.init_trackers("hifi-portrait")
        log = RunLog(self.run, self.step, self.accelerator) if main else None
        with self._catching_signals():
            self._loop(log)
        self._checkpoint()
        (stopped,) = self._agree(self._stop)
        metrics = {} if stopped else self._show(log)
        if log is not None:
            log.close()
        for tracker in self.accelerator.trackers:
            tracker.finish()
        self.accelerator.wait_for_everyone()  # none leaves, and closes its connections, before the others end
        return TrainingResult(step=self.step, minutes=self.minutes, interrupted=self._stop, metrics=metrics)

    @property
    def progress(self) -> float:
        """Fraction of the run that is done, in [0, 1], by whichever limit is nearer."""
        steps = self.step / self.config.max_steps if self.config.max_steps > 0 else 0.0
        minutes = self.minutes / self.config.max_minutes if self.config.max_minutes > 0 else 0.0
        return min(1.0, max(steps, minutes))

    @property
    def _unfinished(self) -> bool:
        return self.progress < 1 and not self._stop

    def _loop(self, log: RunLog | None) -> None:
        config = self.config
        saved = shown = clock = time.monotonic()
        samples_per_step = config.batch_size * config.accumulate
        bar = tqdm(total=config.max_steps or None, initial=self.step, disable=log is None, mininterval=5)
        batches = self._batches()
        unfinished = self._agree(self._unfinished)[0]
        while unfinished:
            terms = self._train_step(batches)
            now = time.monotonic()
            self.minutes += (now - clock) / 60
            clock = now
            self.step += 1
            bar.update()
            if log is not None:
                log.add(terms)
                if self.step % config.log_steps == 0:
                    log.write_means(self.step, self.minutes, samples_per_step)
            to_save = 0 < config.checkpoint_minutes * 60 < now - saved
            to_show = 0 < config.sheet_minutes * 60 < now - shown
            unfinished, to_save, to_show = self._agree(self._unfinished, to_save, to_show)
            if to_save:
                self._checkpoint()
                saved = time.monotonic()
            if to_show:
                self._show(log)
                shown = time.monotonic()
        bar.close()

    def _train_step(self, batches: Iterator[dict[str, Any]]) -> dict[str, float]:
        progress = self.progress
        rate = learning_rate(self.config, self.step, progress)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group.get("rate", 1.0)  # runs from before there were groups have none
        values: dict[str, Tensor] = {}
        accumulate = self.config.accumulate
        for part in range(accumulate):
            last = part == accumulate - 1
            # Sharded gradients of each batch are summed at once: else each process would keep gathered ones.
            with nullcontext() if last else self.accelerator.no_sync(self.module):
                terms = self._backward(next(batches), self.step * accumulate + part, progress)
            for name, value in terms.items():
                values[name] = value / accumulate + values.get(name, 0.0)
        norm = gather_everywhere(
            torch.as_tensor(self.accelerator.clip_grad_norm_(self.parameters, self.config.gradient_clip))
        )
        values["gradient_norm"] = norm
        # The one place of a step that waits for a GPU.
        numbers = torch.stack([value.to(norm.device).float() for value in values.values()]).cpu().tolist()
        read = dict(zip(values, numbers, strict=True))
        if math.isfinite(read["gradient_norm"]):
            self.optimiser.step()
            self.averaged.step()
        else:
            logger.warning("step %d: the gradient is not finite; step skipped", self.step)
        self.optimiser.zero_grad(set_to_none=True)
        return read | {"learning_rate": rate}

    def _backward(self, batch: dict[str, Any], number: int, progress: float) -> dict[str, Tensor]:
        """Add the gradients of batch ``number`` of the run; give its loss terms and their sum, detached."""
        torch.manual_seed(_step_seed(self.config.seed, number, self.accelerator.process_index))
        with attention_kernel(self.accelerator.device):  # also of what is computed again on the way back
            with self.accelerator.autocast():
                terms = self.module(batch, progress)
            loss = torch.stack([term.float() for term in terms.values()]).sum()
            self.accelerator.backward(loss / self.config.accumulate)
        return {name: term.detach() for name, term in (terms | {"loss": loss}).items()}

    def _batches(self) -> Iterator[dict[str, Any]]:
        a_step = self.config.batch_size * self.config.accumulate * self.accelerator.num_processes
        loader = make_loader(
            self.objective,
            self.config,
            self.step * a_step,
            pin_memory=self.accelerator.device.type == "cuda",
        )
        return iter(self.accelerator.prepare_data_loader(loader))

    def _resume(self) -> dict[str, Any] | None:
        """Load the parts' weights from the last checkpoint, and give its state; None without one."""
        checkpoint = latest_checkpoint(self.run)
        if checkpoint is None:
            return None
        state = load_state(checkpoint)
        try:
            if set(state["parts"]) != set(self.objective.trainable):
                raise KeyError(f"there, {', '.join(state['parts'])} learn")
            for name in self.objective.trainable:
                self.objective.parts[name].load_state_dict(state["parts"][name])
        except (KeyError, RuntimeError) as error:
            raise ModelError(
                f"{checkpoint} holds other parts than the recipe makes: continue with the settings in "
                f"{self.run / 'recipe.json'}, or take another --out. {error}"
            ) from error
        self.step, self.minutes = state["step"], state["minutes"]
        if state["description"] != self._description:
            logger.warning("%s was made with other settings; going on with the new ones", checkpoint)
        logger.info("going on from %s", checkpoint)
        return state

    def _load_optimiser(self, state: dict[str, Any]) -> None:
        groups = self.optimiser.param_groups
        if _outline(state["param_groups"]) != _outline(groups):
            raise ModelError(
                f"the run in {self.run} has other groups of parameters than the recipe makes: set "
                "trainer.optimiser and trainer.fresh_learning_rate as they were there, or take another --out"
            )
        recipe = [{name: value for name, value in group.items() if name != "params"} for group in groups]
        self.optimiser.load_state_dict(shard_optimiser_state(state, self.parameters))
        for group, settings in zip(self.optimiser.param_groups, recipe, strict=True):
            group |= settings  # those of the checkpoint came with it

    def _checkpoint(self) -> None:
        self.accelerator.wait_for_everyone()
        averaged = self.averaged.state_dict()
        state = {
            "parts": gather_state(
                {name: self.objective.parts[name].state_dict() for name in self.objective.trainable}
            ),
            "optimiser": gather_state(self.optimiser.state_dict()),
            "ema": averaged,
            "step": self.step,
            "minutes": self.minutes,
            "description": self._description,
        }
        if self._sharded or self.accelerator.is_main_process:
            with self.averaged.applied(), self._evaluating():
                self.objective.finish()

        def save_averaged(folder: Path) -> None:
            with self.averaged.applied_gathered(self.objective, averaged):
                self.objective.save_parts(folder)

        if self.accelerator.is_main_process:
            keep = self.config.keep_checkpoints
            save_checkpoint(self.run, self.step, state, save_averaged, keep=keep)
        self.accelerator.wait_for_everyone()

    def _show(self, log: RunLog | None) -> dict[str, float]:
        """Draw and measure in the main process; where parameters are sharded, all processes take part."""
        if log is None and not self._sharded:
            return {}
        with (
            self.averaged.applied(),
            self._evaluating(),
            torch.no_grad(),
            torch.random.fork_rng(),
            self.accelerator.autocast(),
        ):
            torch.manual_seed(self.config.seed)
            sheet = self.objective.sheet()
            metrics = self.objective.metrics()
        if log is None:
            return {}
        log.write_held_out(self.step, sheet, metrics)
        return metrics

    def _agree(self, *decisions: bool) -> list[bool]:
        """Give every process the main process's decisions, because clocks and signals differ."""
        if self.accelerator.num_processes == 1:
            return list(decisions)
        flags: Tensor = torch.tensor(decisions, dtype=torch.uint8, device=self.accelerator.device)
        return [bool(flag) for flag in broadcast(flags).tolist()]

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        """Put the parts into evaluation mode, without dropout, until the end of the context."""
        training = {name: part.training for name, part in self.objective.parts.items()}
        self.objective.parts.eval()
        try:
            yield
        finally:
            for name, mode in training.items():
                self.objective.parts[name].train(mode)

    @contextmanager
    def _catching_signals(self) -> Iterator[None]:
        def stop(number: int, _frame: Any) -> None:
            logger.info("%s: finishing this step, then a checkpoint", signal.Signals(number).name)
            self._stop = True

        old = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)


def _allow_another_precision(precision: str) -> None:
    """Let this run have another precision than one before it in the same process, as in a notebook.

    accelerate keeps one state for a whole process and refuses to change its precision. Runs follow one
    another here, so the state is made anew; the process group, which several processes share, stays.
    """
    if AcceleratorState._shared_state.get("_mixed_precision", precision) != precision:
        AcceleratorState._reset_state()


def _refuse_other_sharding(kind: DistributedType) -> None:
    """Refuse what checkpoints and averaged weights do not know: they gather what `fsdp` shards alone."""
    if kind in (DistributedType.FSDP, DistributedType.DEEPSPEED, DistributedType.MEGATRON_LM):
        raise HiFiPortraitError(
            f"set trainer.shard = true to shard what learns; {kind.value} of the launcher's is not known "
            "here: choose multi-GPU without it in `accelerate config`, or launch with --multi_gpu"
        )


def _outline(groups: Sequence[Mapping[str, Any]]) -> list[tuple[int, bool | None]]:
    """Tell of each group of parameters how many there are, and whether Muon orthogonalises their steps."""
    return [(len(group["params"]), group.get("orthogonal")) for group in groups]


def _step_seed(seed: int, step: int, process: int) -> int:
    return (seed * 1_000_003 + step) * 4099 + process
