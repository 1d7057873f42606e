"""Settings of the training loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class TrainerConfig:
    """Settings of the training loop, whatever is trained.

    A run ends at ``max_steps`` or ``max_minutes``, whichever comes first. One of them must be above 0.

    Raises
    ------
    ValueError
        The run has no end, ``accumulate`` is below 1, or ``shard`` does not go with the optimiser or the
        precision.
    """

    batch_size: int
    """Samples that one process takes at a time, 1 or more."""

    learning_rate: float
    """Greatest learning rate of the run, above 0: that after the warm-up."""

    fresh_learning_rate: float = 0.0
    """Greatest learning rate of parameters that start from nothing, beside copied ones, which have learnt
    before and keep to ``learning_rate``; 0 for the same rate."""

    accumulate: int = 1
    """Batches whose gradients make one step, 1 or more. They are computed one after the other."""

    optimiser: Literal["adamw", "adamw8bit", "muon"] = "adamw"
    """The optimiser. "adamw8bit" keeps the moments in 8 bits, which needs bitsandbytes and a GPU. "muon"
    orthogonalises the steps of hidden layers (`hifi_portrait.training.engine.muon`), whose computation is
    worth it where a step takes many samples."""

    trackers: tuple[str, ...] = ()
    """Further loggers of accelerate's beside TensorBoard, such as "wandb"."""

    max_steps: int = 0
    """Steps after which the run ends; 0 for no limit."""

    max_minutes: float = 0.0
    """Minutes of training, those before a pause included, after which the run ends; 0 for no limit."""

    warmup_steps: int = 100
    """Steps over which the learning rate rises from nearly 0."""

    final_lr_share: float = 0.01
    """Fraction of ``learning_rate``, in [0, 1], to which a cosine lowers it by the end of the run."""

    weight_decay: float = 0.01
    """AdamW's decoupled weight decay (arXiv 1711.05101), 0 or more, in proportion to the learning rate."""

    betas: tuple[float, float] = (0.9, 0.98)
    """AdamW's decay of the gradient's mean and of its mean square, each in [0, 1)."""

    gradient_clip: float = 1.0
    """Greatest norm of the gradient of all parameters together; a longer one is shortened to it."""

    ema_decay: float = 0.998
    """What the averaged weights keep of themselves at each step, in [0, 1). They are what a run gives."""

    precision: Literal["no", "bf16", "fp16"] = "bf16"
    """Number format of autocast; "no" is float32, as is "bf16" on a CPU without instructions for it."""

    shard: bool = False
    """Whether several processes each keep a shard of what learns (FSDP), instead of all of it."""

    workers: int = 0
    """Processes that make samples ahead, for each process that trains; 0 makes them in that process."""

    seed: int = 0
    """Seed of the order of samples and of everything random in them and in the loss, of 32 bits."""

    checkpoint_minutes: float = 5.0
    """Minutes between checkpoints; 0 for none but the last."""

    keep_checkpoints: int = 2
    """How many of the newest checkpoints stay, 1 or more."""

    log_steps: int = 20
    """Steps between entries of the log, which are means over these steps."""

    sheet_minutes: float = 10.0
    """Minutes between sample sheets and figures of held-out data; 0 for none but the last."""

    def __post_init__(self) -> None:
        if self.max_steps <= 0 and self.max_minutes <= 0:
            raise ValueError("one of max_steps and max_minutes must be above 0")
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"seed must be from 0 to {2**32 - 1}, not {self.seed}")
        if self.accumulate < 1:
            raise ValueError(f"accumulate must be 1 or more, not {self.accumulate}")
        if self.shard and (self.optimiser != "adamw" or self.precision == "fp16"):
            raise ValueError(
                "shard needs the optimiser adamw, whose moments it shards, and the precision bf16 or no"
            )
