"""Settings of the training loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class TrainerConfig:
    """How to train. A run ends at ``max_steps`` or ``max_minutes``, whichever comes first (0: no limit).

    The learning rate rises over ``warmup_steps`` and falls along a cosine to ``final_lr_share`` of itself
    at the end of the run. ``batch_size`` is per process, and a step takes ``accumulate`` of such batches, one
    after the other. ``workers`` are processes that make samples ahead. ``*_minutes`` of 0 switch that off.
    With ``shard`` several processes share out what learns (FSDP), instead of keeping all of it each.
    A ``precision`` of "bf16" is float32 on a CPU without instructions for bfloat16, which is faster there.
    ``optimiser`` "adamw8bit" keeps AdamW's moments in 8 bits, and needs bitsandbytes and a GPU. ``trackers``
    are further loggers of accelerate's, such as "wandb", beside TensorBoard.
    """

    batch_size: int
    learning_rate: float
    accumulate: int = 1
    optimiser: Literal["adamw", "adamw8bit"] = "adamw"
    trackers: tuple[str, ...] = ()
    max_steps: int = 0
    max_minutes: float = 0.0
    warmup_steps: int = 100
    final_lr_share: float = 0.01
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)
    gradient_clip: float = 1.0
    ema_decay: float = 0.998
    precision: Literal["no", "bf16", "fp16"] = "bf16"
    shard: bool = False
    workers: int = 0
    seed: int = 0
    checkpoint_minutes: float = 5.0
    keep_checkpoints: int = 2
    log_steps: int = 20
    sheet_minutes: float = 10.0

    def __post_init__(self) -> None:
        if self.max_steps <= 0 and self.max_minutes <= 0:
            raise ValueError("one of max_steps and max_minutes must be above 0")
        if self.accumulate < 1:
            raise ValueError(f"accumulate must be 1 or more, not {self.accumulate}")
        if self.shard and (self.optimiser == "adamw8bit" or self.precision == "fp16"):
            raise ValueError(
                "shard needs the optimiser adamw, whose moments it shares out, and the precision bf16 or no"
            )
