"""The 360-Gaze generator and the 360-FoV generator: closed forms without weights, and differentiable.

The paper's abstract names them; the formulas are ours. A person's eyes are in direction ``p`` from the
camera, and their gaze has direction ``g`` in space. All points of the sight line, ``p + t g`` with distances
in units of the eyes' from the camera, are seen on the great-circle arc from ``p`` to ``g``: however far away
the person is. That arc is the 360-Gaze. A target in direction ``x``, ``r`` times as far from the camera as
the eyes, is seen from the eyes at the angle ``a`` off the gaze:

    cos a = (r x.g - p.g) / sqrt(r^2 - 2 r x.p + 1)

The cone of vision about the sight line, over all depths ``r``, is the 360-FoV.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

REACHES = (0.3, 0.6, 1.0, 1.5, 2.2, 3.5, 6.0, 1000.0)
"""Where the 360-Gaze's points are: distance from the eyes along the sight line, in the eyes' distances."""
DEPTHS = (0.35, 0.5, 0.7, 0.9, 1.1, 1.4, 1.8, 2.5, 4.0, 1000.0)
"""Distances of targets from the camera, in the eyes' distances, that the 360-FoV takes into account."""
FEW_DEPTHS = (0.5, 0.9, 1.4, 2.5, 1000.0)
"""Those of attention maps over patches."""
APERTURES = (200.0, 40.0, 10.0)
"""Concentration of the three cones: about 6, 13 and 26 degrees to one standard deviation."""

_USUAL_DEPTH = 1.3
"""The likeliest of ``DEPTHS``; the spread about it is a factor of e^0.5."""
_SURE = (4.0, 60.0)
"""Bounds of the concentration that the prior believes."""


def sight_line_points(head: Tensor, gaze: Tensor, reaches: tuple[float, ...] = REACHES) -> Tensor:
    """Generate the 360-Gaze: points (B, P, 3) on the arcs from ``head`` to ``gaze`` (B, 3), both unit."""
    t = torch.tensor(reaches, dtype=head.dtype, device=head.device)[:, None]
    return F.normalize(head[:, None] + t * gaze[:, None], dim=-1, eps=1e-6)


def off_gaze(directions: Tensor, head: Tensor, gaze: Tensor, depths: tuple[float, ...] = DEPTHS) -> Tensor:
    """Give the cosine of the angle off the gaze of targets in some directions, at several depths.

    Parameters
    ----------
    directions
        (B, ..., 3) or (1, ..., 3), unit.
    head, gaze
        (B, 3) unit.
    depths
        Distances of the targets, in the eyes'.

    Returns
    -------
    cosine
        (B, D, ...)
    """
    extra = directions.dim() - 2
    depth = torch.tensor(depths, dtype=head.dtype, device=head.device).view(1, -1, *[1] * extra)
    p, g = (v.view(len(v), *[1] * extra, 3) for v in (head, gaze))
    along, between = (directions * g).sum(-1)[:, None], (directions * p).sum(-1)[:, None]
    own = (head * gaze).sum(-1).view(-1, 1, *[1] * extra)
    away = (depth * depth - 2 * depth * between + 1).clamp(min=1e-6).sqrt()
    return ((depth * along - own) / away).clamp(-1, 1)


def cones_of_view(
    directions: Tensor, head: Tensor, gaze: Tensor, depths: tuple[float, ...] = FEW_DEPTHS
) -> Tensor:
    """Give the 360-FoV's cones (B, 3, ...) alone, over fewer depths: an attention map for patches."""
    cosine = (off_gaze(directions, head, gaze, depths) - 1).amax(1)
    return torch.stack([torch.exp(k * cosine) for k in APERTURES], 1)


def field_of_view(directions: Tensor, head: Tensor, gaze: Tensor, kappa: Tensor) -> tuple[Tensor, Tensor]:
    """Generate the 360-FoV.

    Parameters
    ----------
    directions, head, gaze
        As of `off_gaze`.
    kappa
        (B,) concentration of the gaze.

    Returns
    -------
    cones, log_prior
        (B, 3, ...) in [0, 1], one for each of ``APERTURES``: the largest over all depths; and (B, ...): log
        of the cone of the gaze's own concentration, over depths weighted by how usual they are.
    """
    cosine = off_gaze(directions, head, gaze) - 1
    cones = torch.stack([torch.exp(k * cosine.amax(1)) for k in APERTURES], 1)
    depth = torch.tensor(DEPTHS, dtype=head.dtype, device=head.device)
    weight = torch.exp(-2 * torch.log(depth.clamp(max=6.0) / _USUAL_DEPTH) ** 2)
    sure = kappa.clamp(*_SURE).view(-1, *[1] * (cosine.dim() - 1))
    shares = (weight / weight.sum()).view(1, -1, *[1] * (cosine.dim() - 2))
    return cones, torch.log((torch.exp(sure * cosine) * shares).sum(1) + 1e-4)
