"""What one guided denoising step costs at SDXL's widths, beside bare SDXL and other designs.

    python benchmarks/sdxl_step.py [--latents 32] [--rounds 5] [--device cpu] [--out FILE]

The weights are random. The rows take turns, so that a noisy machine is noisy for all of them; figures are
ratios to the bare UNet's median. What does not depend on the timestep is computed before the clock runs where
a design's pipeline does so: face keys and values; of HiFi-Net aligned maps and the control embedding, too.

- `SDXL`: the UNet on both halves of a guided step.
- `HiFi-Net`: and HiFi-Net on the conditional half, and face attention, which the unconditional half skips.
- `HiFi-Net, every 2nd step`: the mean of such a step and one that takes its residuals (`hifi_every=2`).
- `InstantID`: and a ControlNet that reads 16 face tokens, and 16 tokens' attention, on both halves.
- `IP-Adapter`: and 4 tokens' attention on both halves.
"""

from __future__ import annotations

import argparse
import inspect
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import ControlNetModel
from torch import Tensor, nn

from hifi_portrait.models import build, size_config
from hifi_portrait.models.face_attention import FaceAttention
from hifi_portrait.models.hifi_net import HiFiCondition, HiFiNet

Step = Callable[[], Tensor]
REUSED = "HiFi-Net, every 2nd step"


def filled(model: nn.Module, device: str, dtype: torch.dtype) -> Any:
    """A model built on the meta device, with random weights on another."""
    model = model.to_empty(device=device).to(dtype).eval().requires_grad_(False)
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            tensor.normal_(std=0.02)
    return model


class Bench:
    """The networks, their inputs, and a step of each row."""

    def __init__(self, size: str, latents: int, device: str, dtype: torch.dtype) -> None:
        config = size_config(size)
        with init_empty_weights(include_buffers=False):
            parts = build(size, ["unet", "hifi_net", "face_attention"])
            settings = {
                name: value
                for name, value in config["hifi_net"].items()
                if name in inspect.signature(ControlNetModel.__init__).parameters
            }
            controlnet = ControlNetModel(**settings | {"conditioning_channels": 3})
        self.unet = filled(parts["unet"], device, dtype)
        self.hifi_net: HiFiNet = filled(parts["hifi_net"], device, dtype)
        self.attention: FaceAttention = filled(parts["face_attention"], device, dtype)
        self.controlnet = filled(controlnet, device, dtype)
        self.cast = {"device": device, "dtype": dtype}
        unet = config["unet"]
        self.width = unet["cross_attention_dim"]
        pooled = unet["projection_class_embeddings_input_dim"] - 6 * unet["addition_time_embed_dim"]
        self.text, self.pooled = self.noise(2, 77, self.width), self.noise(2, pooled)
        self.latents, self.time = self.noise(2, 4, latents, latents), torch.tensor(500, device=device)
        self.picture = self.noise(2, 3, 8 * latents, 8 * latents)
        self.face_tokens = config["face_refiner"]["num_tokens"]
        self.condition = self._condition(latents)

    def noise(self, *shape: int) -> Tensor:
        """Random numbers of a shape."""
        return torch.randn(*shape, **self.cast)

    def steps(self) -> dict[str, Step]:
        """A guided step of each row."""
        return {
            "SDXL": self.bare,
            "HiFi-Net": self.hifi,
            REUSED: self.hifi,
            "InstantID": self.instantid,
            "IP-Adapter": self.bare,
        }

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

    def hifi(self) -> Tensor:
        """HiFi-Net on the conditional half, then the UNet."""
        down, middle = self.hifi_net(
            self.latents[1:],
            self.time,
            self.text[1:],
            self.condition,
            added_cond_kwargs=self._added(1),
            return_dict=False,
        )
        return self.bare(
            down_block_additional_residuals=[_after_zeros(each) for each in down],
            mid_block_additional_residual=_after_zeros(middle),
        )

    def instantid(self) -> Tensor:
        """A ControlNet on both halves, then the UNet."""
        down, middle = self.controlnet(
            self.latents,
            self.time,
            self.tokens,
            controlnet_cond=self.picture,
            added_cond_kwargs=self._added(2),
            return_dict=False,
        )
        return self.bare(down_block_additional_residuals=down, mid_block_additional_residual=middle)

    def timed(self, name: str, step: Step) -> float:
        """Seconds of one step."""
        of_ours = (1, self.face_tokens)
        read = {"HiFi-Net": of_ours, REUSED: of_ours, "InstantID": (2, 16), "IP-Adapter": (2, 4)}
        if name not in read:
            return self._seconds(step)
        count, tokens = read[name]
        self.tokens = self.noise(count, tokens, self.width)
        every = 2 if name == REUSED else 1
        with (
            self.attention.attached(self.unet),
            self.attention.bound(self.tokens),
            self.hifi_net.reusing(every),
        ):
            return statistics.mean(self._seconds(step) for _ in range(every))

    def _seconds(self, step: Step) -> float:
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

    def _condition(self, side: int) -> HiFiCondition:
        config = self.hifi_net.config
        return self.hifi_net.prepare(
            self.noise(1, config.conditioning_channels, 8 * side, 8 * side),
            warp_latents=self.noise(1, 4, side, side),
            warp_coverage=self.noise(1, 1, side, side),
            fine=self.noise(1, config.fine_channels, 2 * side, 2 * side),
            fine_coverage=self.noise(1, 1, 2 * side, 2 * side),
            coarse=self.noise(1, config.coarse_channels, side, side),
            coarse_coverage=self.noise(1, 1, side, side),
            tokens=self.noise(1, self.face_tokens, self.width),
        )


def _after_zeros(residual: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(residual), residual])


def main() -> None:
    """Measure, print a table, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="sdxl", help="size: sdxl, bundled or tiny")
    parser.add_argument("--latents", type=int, default=32, help="side of the latents; 128 for 1024 pixels")
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 1000), metavar="N")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    arguments = parser.parse_args()
    with torch.inference_mode():
        bench = Bench(arguments.model, arguments.latents, arguments.device, getattr(torch, arguments.dtype))
        seconds: dict[str, list[float]] = {name: [] for name in bench.steps()}
        for turn in range(arguments.rounds + 1):
            for name, step in bench.steps().items():
                taken = bench.timed(name, step)
                if turn:  # the first one warms up
                    seconds[name].append(taken)
            print(f"round {turn} of {arguments.rounds}", file=sys.stderr)
    bare = statistics.median(seconds["SDXL"])
    print("| guided step | seconds, median | ratio to bare SDXL |\n| --- | --- | --- |")
    ratios = {name: statistics.median(taken) / bare for name, taken in seconds.items()}
    for name, ratio in ratios.items():
        print(f"| {name} | {ratio * bare:.3f} | {ratio:.3f} |")
    if arguments.out:
        arguments.out.write_text(json.dumps({"seconds": seconds, "ratios": ratios}, indent=1))


if __name__ == "__main__":
    main()
