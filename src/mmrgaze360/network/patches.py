"""The multi-task multi-scale module: undistorted patches about points of the 360-Gaze, at several scales."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmrgaze360.network.generators import APERTURES, REACHES, cones_of_view, sight_line_points
from mmrgaze360.network.reborn import RebornConv, RebornMLP
from mmrgaze360.sphere.torch_patches import patch_directions, read_directions, view_rotations

PATCH_SIZE = 32
"""Pixels of a patch."""
_MAP_SIZE = PATCH_SIZE // 4
_TOKEN = 48


class PatchModule(nn.Module):
    """Looks at the panorama through tangent patches, in which ordinary convolutions are right.

    For each patch it tells where in it the target is, whether the target is in it, how far away the target is
    (log of its distance over the eyes'), and a token for what follows.

    Parameters
    ----------
    scales
        Angles of view in degrees.
    reborn
        Whether activations are reborn.
    """

    def __init__(self, scales: tuple[float, ...], reborn: bool) -> None:
        super().__init__()
        self.scales = scales
        self.first = RebornConv(3 + len(APERTURES), 16, 2, reborn=reborn)
        self.second = RebornConv(16, 32, 2, reborn=reborn)
        self.third = RebornConv(32, 48, 2, reborn=reborn)
        self.map = nn.Conv2d(32, 1, 1)
        patch_facts = len(REACHES) + len(scales)
        self.token = RebornMLP((48 + patch_facts, _TOKEN, _TOKEN), reborn=reborn)
        self.score = nn.Linear(_TOKEN, 1)
        self.depth = nn.Linear(_TOKEN, 1)
        for parameter in self.map.parameters():
            nn.init.zeros_(parameter)

    def forward(
        self, panorama: Tensor, head: Tensor, gaze: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Look through N = scales x points patches.

        Parameters
        ----------
        panorama
            (B, 3, H, 2 H) in [-1, 1].
        head, gaze
            (B, 3) unit.

        Returns
        -------
        rotations, maps, scores, depths, tokens
            (B, N, 3, 3) of the patches' cameras, patches of one scale together; (B, N, M, M) logits;
            (B, N) logits; (B, N); (B, N, T).
        """
        count = len(panorama)
        points = sight_line_points(head, gaze)
        rotations = view_rotations(points)
        rays = torch.cat([patch_directions(rotations, fov, PATCH_SIZE) for fov in self.scales], 1)
        patches = rays.shape[1]
        tall = rays.reshape(count, patches * PATCH_SIZE, PATCH_SIZE, 3)
        colours = read_directions(panorama, tall)
        cones = cones_of_view(tall, head, gaze)
        seen = torch.cat([colours, cones.to(colours.dtype)], 1)
        seen = seen.view(count, -1, patches, PATCH_SIZE, PATCH_SIZE).transpose(1, 2).flatten(0, 1)
        half = self.second(self.first(seen))
        small = self.third(half).mean((2, 3)).view(count, patches, -1)
        token = self.token(torch.cat([small, self._facts(small)], -1))
        maps = self.map(half).view(count, patches, _MAP_SIZE, _MAP_SIZE)
        all_rotations = rotations.repeat(1, len(self.scales), 1, 1)
        return all_rotations, maps, self.score(token)[..., 0], self.depth(token)[..., 0], token

    def _facts(self, like: Tensor) -> Tensor:
        """Say of each patch (B, N, P + S) which point it is about, and at which scale."""
        point = torch.eye(len(REACHES), dtype=like.dtype, device=like.device).repeat(len(self.scales), 1)
        scale = torch.eye(len(self.scales), dtype=like.dtype, device=like.device)
        facts = torch.cat([point, scale.repeat_interleave(len(REACHES), 0)], 1)
        return facts.expand(len(like), -1, -1)

    def on_sphere(self, rotations: Tensor, maps: Tensor, grid: Tensor) -> Tensor:
        """Put the patches' maps (B, N, M, M) back on the sphere: (B, N, h, w), 0 outside each patch.

        Parameters
        ----------
        rotations, maps
            Of `forward`.
        grid
            (h, w, 3) unit.
        """
        count, patches = maps.shape[:2]
        local = torch.einsum("hwi,bnij->bnhwj", grid, rotations)
        points = patches // len(self.scales)
        edge = torch.tensor([math.tan(math.radians(fov) / 2) for fov in self.scales], device=maps.device)
        edge = edge.repeat_interleave(points).view(1, -1, 1, 1)
        depth = local[..., 1]
        safe = depth.clamp(min=1e-3) * edge
        place = torch.stack([local[..., 0] / safe, -local[..., 2] / safe], -1)
        place = torch.where(depth[..., None] > 1e-3, place, torch.full_like(place, 9.0))
        flat = place.view(count * patches, *grid.shape[:2], 2).to(maps.dtype)
        laid = F.grid_sample(maps.reshape(count * patches, 1, *maps.shape[2:]), flat, align_corners=False)
        return laid.view(count, patches, *grid.shape[:2])

    def holds_target(self, rotations: Tensor, target: Tensor) -> Tensor:
        """Tell which patches (B, N) hold targets (B, 3)."""
        local = torch.einsum("bi,bnij->bnj", target, rotations)
        points = rotations.shape[1] // len(self.scales)
        edge = torch.tensor([math.tan(math.radians(fov) / 2) for fov in self.scales], device=target.device)
        reach = edge.repeat_interleave(points) * local[..., 1]
        inside = (local[..., 0].abs() < reach) & (local[..., 2].abs() < reach)
        return inside & (local[..., 1] > 0)
