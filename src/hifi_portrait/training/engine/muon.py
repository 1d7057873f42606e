"""Muon: momentum whose matrices are orthogonalised, so that a step moves all of their directions alike.

K. Jordan and others, 2024 (https://kellerjordan.github.io/posts/muon/), with three iterations in place of
five, which take less time and leave small singular values smaller; the length of a step is as in
arXiv 2502.16982, section 2.2, which makes learning rates about those of AdamW. PyTorch's own Muon takes
matrices alone: neither kernels of convolutions nor, beside them, what learns by AdamW.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from hifi_portrait.training.engine.precision import computes_bfloat16

_POLYNOMIAL = (3.4445, -4.775, 2.0315)
"""Coefficients of X, (X X^T) X and (X X^T)^2 X in an iteration of Newton and Schulz."""
_ITERATIONS = 3
_SAFETY = 1.01
"""What a matrix's norm is multiplied by before it is divided by it, as rounding could leave it above 1."""
_STEP_LENGTH = 0.2
"""Root mean square of a step's change beside the learning rate: about that of AdamW's."""
_NOT_HIDDEN = (
    *("conv_in.", "conv_out.", "embed", "warp_in.", "fine_in.", "coarse_in."),  # between unlike spaces
    *("controlnet_", "face_attention.to_v."),  # start at zero
    *("queries", "places"),  # learnt tokens
)
"""Parts of names of matrices and kernels that are no hidden layer's: they learn by AdamW."""


def is_orthogonalised(name: str, parameter: nn.Parameter) -> bool:
    """Tell whether a parameter is a hidden layer's matrix or kernel, for which Muon is meant."""
    return parameter.ndim >= 2 and not any(part in name for part in _NOT_HIDDEN)


class Muon(torch.optim.Optimizer):
    """Muon for groups of parameters with ``orthogonal`` = True, AdamW (arXiv 1711.05101) for all others.

    Kernels of convolutions (out, in, h, w) are matrices (out, in h w).

    Parameters
    ----------
    params
        Groups of parameters, each with ``orthogonal``.
    lr
        The learning rate.
    betas
        AdamW's decay of the gradient's mean and of its mean square.
    weight_decay
        Decoupled weight decay, in proportion to the learning rate.
    momentum
        What Muon's mean of gradients keeps of itself at each step, in [0, 1).
    """

    def __init__(
        self,
        params: Iterable[dict[str, Any]],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.98),
        weight_decay: float = 0.01,
        momentum: float = 0.95,
        eps: float = 1e-8,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "momentum": momentum, "eps": eps}
        super().__init__(params, {**defaults, "orthogonal": False})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Change the parameters by their gradients."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            change = self._by_muon if group["orthogonal"] else self._by_adam
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    change(parameter, parameter.grad, group)
        return loss

    def _by_muon(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["mean"] = torch.zeros_like(gradient)
        mean: Tensor = state["mean"].lerp_(gradient, 1 - group["momentum"])
        ahead = gradient.lerp(mean, group["momentum"])  # Nesterov's
        matrix = ahead.reshape(len(ahead), -1)
        length = _STEP_LENGTH * max(matrix.shape) ** 0.5
        turned = orthogonalise(matrix).reshape(ahead.shape).to(parameter.dtype)
        parameter.add_(turned, alpha=-group["lr"] * length)

    def _by_adam(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state |= {"steps": 0, "mean": torch.zeros_like(gradient), "square": torch.zeros_like(gradient)}
        state["steps"] += 1
        first, second = group["betas"]
        mean: Tensor = state["mean"].lerp_(gradient, 1 - first)
        square: Tensor = state["square"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        deviation = (square / (1 - second ** state["steps"])).sqrt_().add_(group["eps"])
        parameter.addcdiv_(mean, deviation, value=-group["lr"] / (1 - first ** state["steps"]))


def orthogonalise(matrix: Tensor) -> Tensor:
    """Bring the singular values of a matrix (m, n) near 1.

    Those above a hundredth of its norm come between 0.4 and 1.2. It is computed in bfloat16 where that is
    fast.
    """
    fast = computes_bfloat16(matrix.device)
    values = matrix.to(torch.bfloat16 if fast else torch.float32)
    tall = values.shape[0] > values.shape[1]
    if tall:
        values = values.T
    values = values / (_SAFETY * values.norm() + 1e-7)
    first, second, third = _POLYNOMIAL
    for _ in range(_ITERATIONS):
        square = values @ values.T
        values = first * values + (second * square + third * square @ square) @ values
    turned: Tensor = values.T if tall else values
    return turned.float()
