"""What a training step of SDXL's size takes in memory and work: `python benchmarks/sdxl_training.py`.

Nothing is computed: parts, forward and backward pass are gone through with tensors that have shapes alone
(FakeTensorMode), as the recipe `sdxl` has them: frozen parts in bfloat16, gradient checkpointing, autocast.

- Memory is what stays (2 bytes for each frozen parameter, 4 for the autoencoder's; for each that learns 4
  for the weight, 4 for the averaged weight, and 8 for AdamW's moments or 2 in 8 bits) and the most that a
  step's tensors take beside it, gradients included, while a second batch joins the first (`accumulate`).
  What kernels take for themselves and what a GPU's allocator wastes come on top.
- Work is counted in operations of matrix products and convolutions. The time it takes is an estimate: it
  assumes that a GPU reaches 40 % of its bfloat16 peak (arguments: --share, --peaks).
- With several GPUs (DDP) each keeps all of it, and buckets of gradients (4 bytes for each parameter that
  learns), and takes samples of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import torch
from peak_memory import PeakMemory
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from hifi_portrait.models import build, size_config
from hifi_portrait.models.latents import encode_picture
from hifi_portrait.training.engine.precision import own_precision
from hifi_portrait.training.recipes.reading import load_recipe

FROZEN = ("unet", "text_encoder", "text_encoder_2", "vae")
HIFI = ("hifi_net", "face_encoder", "face_refiner", "face_attention")
Shape = Sequence[int]
CLIP_FROZEN = "all but CLIP"
LEARNING = {
    "all of HiFi": HIFI,
    CLIP_FROZEN: HIFI,
    "all but the face encoder": ("hifi_net", "face_refiner", "face_attention"),
    "refiner and face attention alone": ("face_refiner", "face_attention"),
}
PEAKS = {"24 GB (RTX 4090)": 165, "80 GB (A100)": 312}  # TFLOP/s in bfloat16, dense, by their data sheets


def _attention(query: Shape, key: Shape, value: Shape, *_others: Any, **_more: Any) -> int:
    return int(sdpa_flop_count(query, key, value))


def _attention_back(grad: Shape, query: Shape, key: Shape, value: Shape, *_others: Any, **_more: Any) -> int:
    return int(sdpa_backward_flop_count(grad, query, key, value))


ATTENTION = {  # the kernels that fake tensors take; the counter knows those of GPUs only
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_back,
}


class Step:
    """One training step over parts of a size, of which ``learning`` learn, but CLIP if ``frozen_clip``."""

    def __init__(
        self, size: str, learning: Sequence[str], references: int = 4, *, frozen_clip: bool = False
    ) -> None:
        self.config = size_config(size)
        self.half = [name for name in (*FROZEN, *HIFI) if name not in (*learning, "vae")]
        self.parts = _of_precision(torch.bfloat16, size, self.half)
        self.parts |= _of_precision(torch.float32, size, ["vae", *learning])
        self.learning, self.references = learning, references
        for name, part in self.parts.items():
            part.requires_grad_(name in learning).train(name in learning)
        if frozen_clip:
            tower = _of_precision(torch.bfloat16, size, ["face_encoder"])["face_encoder"].tower
            self.parts["face_encoder"].tower = tower.requires_grad_(False)
        for name in ("unet", "hifi_net", "face_encoder"):
            self.parts[name].enable_gradient_checkpointing()

    def parameters(self, names: Sequence[str], *, learning: bool = False) -> int:
        """How many parameters parts have, or how many of them learn."""
        every = (p for name in names for p in self.parts[name].parameters())
        return sum(p.numel() for p in every if p.requires_grad or not learning)

    def kept(self, moments: int) -> float:
        """Bytes that stay from step to step, with so many for the optimiser's moments of a parameter."""
        learning = self.parameters(self.learning, learning=True)
        half = self.parameters(self.half) + self.parameters(self.learning) - learning
        return 4 * self.parameters(["vae"]) + 2 * half + (8 + moments) * learning

    def gradients(self) -> int:
        """Bytes of the gradients that are there."""
        every = (p.grad for part in self.parts.values() for p in part.parameters())
        return sum(grad.nbytes for grad in every if grad is not None)

    def run(self, batch: int) -> None:
        """Forward and backward pass over a batch."""
        parts, config = self.parts, self.config
        side = config["image_size"] // 8
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                ids = torch.zeros(batch, 77, dtype=torch.long)
                for name in ("text_encoder", "text_encoder_2"):
                    with own_precision(parts[name]):
                        parts[name](ids)
                encode_picture(parts["vae"], _noise(batch, 3, 8 * side, 8 * side))
            condition, tokens = self._condition(batch, side)
            unet = config["unet"]
            text = _noise(batch, 77, unet["cross_attention_dim"]).bfloat16()
            pooled = unet["projection_class_embeddings_input_dim"] - 6 * unet["addition_time_embed_dim"]
            added = {"text_embeds": _noise(batch, pooled).bfloat16(), "time_ids": _noise(batch, 6).bfloat16()}
            noisy, times = _noise(batch, 4, side, side), torch.zeros(batch)
            down, middle = parts["hifi_net"](
                noisy, times, text, condition, added_cond_kwargs=added, return_dict=False
            )
            attention = parts["face_attention"]
            with attention.attached(parts["unet"]), attention.bound(tokens):
                with own_precision(parts["unet"]):
                    drawn = parts["unet"](
                        noisy.bfloat16(),
                        times,
                        text,
                        added_cond_kwargs=added,
                        down_block_additional_residuals=[each.bfloat16() for each in down],
                        mid_block_additional_residual=middle.bfloat16(),
                    ).sample
                drawn.float().square().mean().backward()

    def _condition(self, batch: int, side: int) -> tuple[Any, Tensor]:
        parts, hifi = self.parts, self.parts["hifi_net"].config
        crops = _noise(batch, self.references, 3, 8 * side, 8 * side)
        there = torch.ones(batch, self.references, dtype=torch.bool)
        embeddings = _noise(batch, self.references, self.config["face_encoder"]["recogniser_dim"])
        encoded = parts["face_encoder"](crops, embeddings, there)
        poses = _noise(batch, self.references, 3)
        tokens, _, maps = parts["face_refiner"](crops, encoded, poses, there, there.float())
        fine = nn.functional.interpolate(maps.fine.float().mean(1), (2 * side, 2 * side))
        coarse = nn.functional.interpolate(maps.coarse.float().mean(1), (side, side))
        condition = parts["hifi_net"].prepare(
            _noise(batch, hifi.conditioning_channels, 8 * side, 8 * side),
            warp_latents=_noise(batch, 4, side, side),
            warp_coverage=_noise(batch, 1, side, side),
            fine=fine,
            fine_coverage=_noise(batch, 1, 2 * side, 2 * side),
            coarse=coarse,
            coarse_coverage=_noise(batch, 1, side, side),
            tokens=tokens,
        )
        return condition, tokens


def measured(
    size: str, learning: Sequence[str], batch: int, *, frozen_clip: bool = False
) -> tuple[Step, float, float]:
    """A step, the bytes that its tensors take at most, and its operations."""
    with FakeTensorMode():
        step = Step(size, learning, frozen_clip=frozen_clip)
        with FlopCounterMode(display=False, custom_mapping=ATTENTION) as work:
            step.run(batch)  # leaves gradients, which the second batch joins
        with PeakMemory() as tensors:
            step.run(batch)
    return step, step.gradients() + tensors.peak, work.get_total_flops()


def _of_precision(dtype: torch.dtype, size: str, names: Sequence[str]) -> dict[str, Any]:
    """Parts of a size with parameters of a precision; fake tensors cannot be converted."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        return build(size, names)
    finally:
        torch.set_default_dtype(before)


def _noise(*shape: int) -> Tensor:
    return torch.randn(shape)


def main() -> None:
    """Count, estimate, and print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="sdxl", help="size: sdxl or tiny")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2], help="batch sizes")
    parser.add_argument("--share", type=float, default=0.4, help="of a GPU's peak that is reached")
    parser.add_argument("--peaks", type=float, nargs=2, default=list(PEAKS.values()), help="TFLOP/s")
    arguments = parser.parse_args()
    trainer = load_recipe("sdxl").trainer
    samples = trainer.max_steps * trainer.batch_size * trainer.accumulate
    rates = [1e12 * peak * arguments.share for peak in arguments.peaks]
    columns = ["what learns", "million parameters", "batch", "GB with AdamW", "GB with 8-bit AdamW"]
    columns += ["TFLOP a sample", *(f"samples a second, {name}" for name in PEAKS)]
    columns += [f"days for {samples:,} samples on the latter", "on eight of them"]
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for words, learning in LEARNING.items():
        for batch in arguments.batches:
            step, peak, work = measured(arguments.model, learning, batch, frozen_clip=words == CLIP_FROZEN)
            learnt = step.parameters(learning, learning=True) / 1e6
            sizes = [(step.kept(moments) + peak) / 1e9 for moments in (8, 2)]
            speeds = [rate * batch / work for rate in rates]
            days = samples / speeds[1] / 86400
            figures = [f"{learnt:.0f}", f"{batch}", *(f"{size:.1f}" for size in sizes)]
            figures += [f"{work / batch / 1e12:.1f}", *(f"{speed:.2f}" for speed in speeds)]
            print(f"| {' | '.join([words, *figures, f'{days:.1f}', f'{days / 8:.1f}'])} |")


if __name__ == "__main__":
    main()
