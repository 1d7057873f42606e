"""The head model on torch tensors: the same numbers as ``HeadModel``, differentiable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from hifi_portrait.head.model import HeadModel


class TorchHeadModel(nn.Module):
    """Twin of ``HeadModel``; made by ``HeadModel.torch(device)``."""

    mean: Tensor
    identity_basis: Tensor
    expression_basis: Tensor

    def __init__(self, model: HeadModel) -> None:
        super().__init__()
        self._model = model
        for name in ("mean", "identity_basis", "expression_basis"):
            self.register_buffer(name, torch.from_numpy(getattr(model, name).copy()), persistent=False)

    def rest(self, identity: Tensor) -> Tensor:
        """Rest mesh (..., V + J, 3) of identities (..., 80)."""
        return self.mean + torch.tensordot(identity, self.identity_basis, dims=1)

    def eye_gaze(self, expression: Tensor, gaze: Tensor) -> Tensor:
        """Gaze (..., 2 eyes, 2) in degrees of each eye."""
        from hifi_portrait.head.model import EYE_LOOK_DEGREES, LOOK, OUTWARD

        outward = expression[..., LOOK["Out"]] - expression[..., LOOK["In"]]
        upward = expression[..., LOOK["Up"]] - expression[..., LOOK["Down"]]
        yaw = gaze[..., :1] + EYE_LOOK_DEGREES[0] * torch.from_numpy(OUTWARD).to(outward) * outward
        pitch = gaze[..., 1:] + EYE_LOOK_DEGREES[1] * upward
        return torch.stack([yaw, pitch], dim=-1)

    def blink_scale(self, rest: Tensor) -> Tensor:
        """Raw blink (..., 2) at which the lids of rest meshes just meet."""
        from hifi_portrait.head.model import BLINK_SCALE_RANGE, LID_OVERLAP

        lids = self._model.lids
        closing = torch.from_numpy(self._model.lid_closing).to(rest)
        gap = rest[..., lids[..., 0], 2] - rest[..., lids[..., 1], 2]
        return ((gap.mean(-1) + LID_OVERLAP) / closing).clamp(*BLINK_SCALE_RANGE)

    def raw_expression(self, expression: Tensor, eye_gaze: Tensor, blink_scale: Tensor) -> Tensor:
        """Weights (..., 52) of the expression basis; see ``HeadModel.raw_expression``."""
        from hifi_portrait.head.model import (
            ALL_LOOK,
            BLINK,
            LID_DROP,
            LID_LIFT,
            SQUINT,
            SQUINT_UNDER_BLINK,
            WIDE,
        )

        pitch = eye_gaze[..., 1]
        blink = expression[..., BLINK].clamp(0, 1)
        blink = blink + (1 - blink) * (-LID_DROP * pitch).clamp(0, 0.7)
        raw = expression.clone()
        raw[..., SQUINT] = expression[..., SQUINT] * (1 - SQUINT_UNDER_BLINK * blink)
        raw[..., WIDE] = (expression[..., WIDE] + (LID_LIFT * pitch).clamp(0, 0.4)) * (1 - blink)
        raw[..., BLINK] = blink * blink_scale
        raw[..., ALL_LOOK] = 0
        return raw

    def express(self, rest: Tensor, expression: Tensor, gaze: Tensor) -> Tensor:
        """Rest meshes (..., V + J, 3) with expressions (..., 52) and gazes (..., 2) in degrees."""
        eye_gaze = self.eye_gaze(expression, gaze)
        raw = self.raw_expression(expression, eye_gaze, self.blink_scale(rest))
        points = rest + torch.tensordot(raw, self.expression_basis, dims=1)
        turned = points.clone()
        joints = (self._model.joint("eye.L"), self._model.joint("eye.R"))
        for eye, (vertices, joint) in enumerate(zip(self._model.eye_vertices, joints, strict=True)):
            centre = points[..., joint, None, :]
            turn = _gaze_rotation(eye_gaze[..., eye, :])
            turned[..., vertices, :] = centre + (points[..., vertices, :] - centre) @ turn.transpose(-1, -2)
        return turned

    def vertices(
        self, identity: Tensor, expression: Tensor | None = None, gaze: Tensor | None = None
    ) -> Tensor:
        """Head-space vertices (..., V, 3) of identities (..., 80), expressions (..., 52), gazes (..., 2)."""
        lead = identity.shape[:-1]
        expression = (
            identity.new_zeros((*lead, len(self.expression_basis))) if expression is None else expression
        )
        gaze = identity.new_zeros((*lead, 2)) if gaze is None else gaze
        return self.express(self.rest(identity), expression, gaze)[..., : self._model.num_vertices, :]

    forward = vertices


def _gaze_rotation(gaze: Tensor) -> Tensor:
    """``Rz(yaw) @ Rx(-pitch)``, (..., 3, 3), of gazes (..., 2) in degrees."""
    yaw, pitch = torch.deg2rad(gaze).unbind(-1)
    cy, sy, cp, sp = yaw.cos(), yaw.sin(), pitch.cos(), pitch.sin()
    zero = torch.zeros_like(cy)
    rows = [
        torch.stack([cy, -sy * cp, -sy * sp], -1),
        torch.stack([sy, cy * cp, cy * sp], -1),
        torch.stack([zero, -sp, cp], -1),
    ]
    return torch.stack(rows, -2)
