"""What one guided denoising step costs at SDXL's widths, beside bare SDXL and other designs.

    python benchmarks/sdxl_step.py [--latents 32] [--rounds 5] [--device cpu] [--layers 1 2 4] [--out FILE]

The weights are random. The rows take turns, so that a noisy machine is noisy for all of them; figures are
ratios to the bare UNet's median. What does not depend on the timestep is computed before the clock runs where
a design's pipeline does so: face keys and values; of HiFi-Net aligned maps and the control embedding, too.

- `SDXL`: the UNet on both halves of a guided step.
- `HiFi-Net`: and HiFi-Net on the conditional half, and face attention, which the unconditional half skips,
  for 4 references; `1 reference` and `16 references`: for so many.
- `HiFi-Net, every 2nd step`: the mean of such a step and one that takes its residuals (`hifi_every=2`).
- `InstantID`: and a ControlNet that reads 16 face tokens, and 16 tokens' attention, on both halves.
- `IP-Adapter`: and 4 tokens' attention on both halves.

Memory is what tensors take at most: the weights of what a row uses, and what one more step computes.

Operations of matrix products, convolutions and attention are counted on tensors that have shapes alone, so
that no machine's speed is in their ratio; with --rounds 0 nothing else is measured, at any size:

    python benchmarks/sdxl_step.py --latents 128 --rounds 0
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import ControlNetModel
from peak_memory import PeakMemory
from sdxl_training import ATTENTION
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from hifi_portrait.models import build, size_config
from hifi_portrait.models.face_encoder import FaceTokens
from hifi_portrait.models.hifi_condition import HiFiCondition

_PATCHES = 257  # of a face, with the class token


@dataclass(frozen=True)
class Row:
    """A design's step: what runs, the face tokens (B, K, D) it reads, whose weights, how often HiFi-Net."""

    step: Callable[[], Tensor]
    tokens: Tensor | None = None
    parts: tuple[nn.Module, ...] = ()
    every: int = 1


def filled(model: nn.Module, device: str, dtype: torch.dtype) -> Any:
    """A model built on the meta device, with random weights on another."""
    for module in model.modules():
        tensors = (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False))
        for (
            name,
            tensor,
        ) in tensors:  # replaced one by one: `Module.to` cannot convert tensors of shapes alone
            filling = torch.empty_like(tensor, device=device)
            if tensor.is_floating_point():
                filling = filling.to(dtype).normal_(std=0.02)
            is_parameter = isinstance(tensor, nn.Parameter)
            setattr(module, name, nn.Parameter(filling, requires_grad=False) if is_parameter else filling)
    return model.eval()


class Bench:
    """The networks, their inputs, and a step of each row."""

    def __init__(
        self, size: str, latents: int, device: str, dtype: torch.dtype, layers: Sequence[int] = ()
    ) -> None:
        config = size_config(size)
        depth = {"transformer_layers_per_block": list(layers)} if layers else {}
        names = ["unet", "hifi_net", "face_refiner", "face_attention"]
        with init_empty_weights(include_buffers=False):
            parts = build(size, names, overrides={"hifi_net": depth})
        self.unet, self.hifi_net, self.refiner, self.attention = (
            filled(parts[name], device, dtype) for name in names
        )
        self.cast = {"device": device, "dtype": dtype}
        unet = config["unet"]
        width = unet["cross_attention_dim"]
        pooled = unet["projection_class_embeddings_input_dim"] - 6 * unet["addition_time_embed_dim"]
        self.text, self.pooled = self.noise(2, 77, width), self.noise(2, pooled)
        self.latents, self.time = self.noise(2, 4, latents, latents), torch.tensor(500, device=device)
        self.picture = self.noise(2, 3, 8 * latents, 8 * latents)
        self._makers: dict[str, Callable[[], Row]] = {
            "SDXL": lambda: Row(self.bare),
            "HiFi-Net": lambda: self._ours(4),
            "HiFi-Net, 1 reference": lambda: self._ours(1),
            "HiFi-Net, 16 references": lambda: self._ours(16),
            "HiFi-Net, every 2nd step": lambda: self._ours(4, every=2),
            "InstantID": lambda: self._instantid(self.noise(2, 16, width)),
            "IP-Adapter": lambda: Row(self.bare, self.noise(2, 4, width), (self.attention,)),
        }
        self.names = tuple(self._makers)
        self._rows: dict[str, Row] = {}

    def row(self, name: str) -> Row:
        """Give a row of `names`; it is made when it is first asked for."""
        if name not in self._rows:
            self._rows[name] = self._makers[name]()
        return self._rows[name]

    def noise(self, *shape: int) -> Tensor:
        """Random numbers of a shape."""
        return torch.randn(*shape, **self.cast)

    def face_tokens(self, references: int) -> Tensor:
        """What the face refiner makes of so many references."""
        width = self.refiner.config.encoder_dim
        faces = FaceTokens(self.noise(1, references, _PATCHES, width), self.noise(1, references, width))
        there = torch.ones(1, references, dtype=torch.bool, device=self.latents.device)
        tokens: Tensor = self.refiner.tokens(faces, self.noise(1, references, 3), there)
        return tokens

    def bare(self, **residuals: Any) -> Tensor:
        """Both halves of the UNet."""
        prediction: Tensor = self.unet(
            self.latents,
            self.time,
            self.text,
            added_cond_kwargs=self._added(2),
            return_dict=False,
            **residuals,
        )[0]
        return prediction

    def hifi(self, condition: HiFiCondition) -> Tensor:
        """HiFi-Net on the conditional half, then the UNet."""
        down, middle = self.hifi_net(
            self.latents[1:],
            self.time,
            self.text[1:],
            condition,
            added_cond_kwargs=self._added(1),
            return_dict=False,
        )
        return self.bare(
            down_block_additional_residuals=[_after_zeros(each) for each in down],
            mid_block_additional_residual=_after_zeros(middle),
        )

    def instantid(self, controlnet: nn.Module, tokens: Tensor) -> Tensor:
        """A ControlNet on both halves, then the UNet."""
        down, middle = controlnet(
            self.latents,
            self.time,
            tokens,
            controlnet_cond=self.picture,
            added_cond_kwargs=self._added(2),
            return_dict=False,
        )
        return self.bare(down_block_additional_residuals=down, mid_block_additional_residual=middle)

    def _instantid(self, tokens: Tensor) -> Row:
        """InstantID's row: a ControlNet reads the tokens, and so does the UNet."""
        with init_empty_weights(include_buffers=False):
            controlnet = ControlNetModel.from_unet(self.unet, load_weights_from_unet=False)
        controlnet = filled(controlnet, **self.cast)
        return Row(lambda: self.instantid(controlnet, tokens), tokens, (controlnet, self.attention))

    def seconds(self, row: Row) -> float:
        """Of one step, the mean over those in which HiFi-Net runs once."""
        with self._reading(row):
            return statistics.mean(self._seconds(row.step) for _ in range(row.every))

    def operations(self, row: Row) -> float:
        """Of one step, the mean over those in which HiFi-Net runs once."""
        with self._reading(row), FlopCounterMode(display=False, custom_mapping=ATTENTION) as work:
            for _ in range(row.every):
                row.step()
        return work.get_total_flops() / row.every

    def memory(self, row: Row) -> int:
        """Bytes: the weights of what a row uses, and the most that a step takes beside them."""
        with self._reading(row), PeakMemory() as tensors:
            row.step()
        weights = sum(p.nbytes for part in (self.unet, *row.parts) for p in part.parameters())
        return weights + tensors.peak

    def _ours(self, references: int, every: int = 1) -> Row:
        """HiFi-Net's row for so many references."""
        tokens = self.face_tokens(references)
        condition = self._condition(self.latents.shape[-1], tokens)
        return Row(lambda: self.hifi(condition), tokens, (self.hifi_net, self.attention), every)

    @contextmanager
    def _reading(self, row: Row) -> Iterator[None]:
        """The UNet reads a row's tokens."""
        if row.tokens is None:
            yield
            return
        with (
            self.attention.attached(self.unet),
            self.attention.bound(row.tokens),
            self.hifi_net.bound(every=row.every),
        ):
            yield

    def _seconds(self, step: Callable[[], Tensor]) -> float:
        cuda = self.latents.is_cuda
        if cuda:
            torch.cuda.synchronize()
        start = time.perf_counter()
        step()
        if cuda:
            torch.cuda.synchronize()
        return time.perf_counter() - start

    def _added(self, count: int) -> dict[str, Tensor]:
        return {"text_embeds": self.pooled[-count:], "time_ids": torch.full((count, 6), 1024.0, **self.cast)}

    def _condition(self, side: int, tokens: Tensor) -> HiFiCondition:
        config = self.hifi_net.config
        return self.hifi_net.prepare(
            self.noise(1, config.conditioning_channels, 8 * side, 8 * side),
            warp_latents=self.noise(1, 4, side, side),
            warp_coverage=self.noise(1, 1, side, side),
            fine=self.noise(1, config.fine_channels, 2 * side, 2 * side),
            fine_coverage=self.noise(1, 1, 2 * side, 2 * side),
            coarse=self.noise(1, config.coarse_channels, side, side),
            coarse_coverage=self.noise(1, 1, side, side),
            tokens=tokens,
        )


def count_operations(
    size: str, latents: int, dtype: torch.dtype, layers: Sequence[int] = (), rows: Sequence[str] = ()
) -> dict[str, float]:
    """Count the operations of rows, of all if none is named, without computing anything."""
    with torch.device("meta"), torch.inference_mode():
        bench = Bench(size, latents, "meta", dtype, layers)
        return {name: bench.operations(bench.row(name)) for name in rows or bench.names}


def _after_zeros(residual: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(residual), residual])


def main() -> None:
    """Measure, print a table, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="sdxl", help="size: sdxl, bundled or tiny")
    parser.add_argument("--latents", type=int, default=32, help="side of the latents; 128 for 1024 pixels")
    parser.add_argument(
        "--rounds", type=int, default=5, choices=range(1000), metavar="N", help="0 counts operations alone"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--layers", type=int, nargs="+", default=(), help="of HiFi-Net's transformers")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    arguments = parser.parse_args()
    dtype = getattr(torch, arguments.dtype)
    work = count_operations(arguments.model, arguments.latents, dtype, arguments.layers)
    figures: dict[str, Any] = {"operations": {name: each / work["SDXL"] for name, each in work.items()}}
    if not arguments.rounds:
        print("| guided step | TFLOP | operations, ratio to bare SDXL |\n| --- | --- | --- |")
        for name, ratio in figures["operations"].items():
            print(f"| {name} | {work[name] / 1e12:.3f} | {ratio:.3f} |")
    else:
        figures |= _measure(arguments, dtype)
        bare = statistics.median(figures["seconds"]["SDXL"])
        print("| guided step | seconds, median | ratio to bare SDXL | GB | operations, ratio |")
        print("| --- | --- | --- | --- | --- |")
        for name, ratio in figures["ratios"].items():
            columns = f"{ratio * bare:.3f} | {ratio:.3f} | {figures['gigabytes'][name]:.2f}"
            print(f"| {name} | {columns} | {figures['operations'][name]:.3f} |")
    if arguments.out:
        arguments.out.write_text(json.dumps(figures, indent=1))


def _measure(arguments: argparse.Namespace, dtype: torch.dtype) -> dict[str, Any]:
    """Seconds, their ratios and gigabytes of each row."""
    with torch.inference_mode():
        bench = Bench(arguments.model, arguments.latents, arguments.device, dtype, arguments.layers)
        rows = {name: bench.row(name) for name in bench.names}
        seconds: dict[str, list[float]] = {name: [] for name in rows}
        for turn in range(arguments.rounds + 1):
            for name, row in rows.items():
                taken = bench.seconds(row)
                if turn:  # the first one warms up
                    seconds[name].append(taken)
            print(f"round {turn} of {arguments.rounds}", file=sys.stderr)
        memory = {name: bench.memory(row) / 1e9 for name, row in rows.items()}
    bare = statistics.median(seconds["SDXL"])
    ratios = {name: statistics.median(taken) / bare for name, taken in seconds.items()}
    return {"seconds": seconds, "ratios": ratios, "gigabytes": memory}


if __name__ == "__main__":
    main()
