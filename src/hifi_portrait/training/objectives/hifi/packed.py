"""A sample's faces in a fifth of the memory, as they travel from the processes that make samples.

Whatever was made of bytes travels as bytes, references at the size at which the face refiner looks at them,
canonical coordinates in 10 bits each, and the target's raster at half its size, which is all that surface
alignment reads of it. At 1024 pixels with 4 references that is 16 MB instead of 75.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from hifi_portrait.models.conditioning import FaceInputs
from hifi_portrait.models.tensors import PADDED, map_tensors
from hifi_portrait.training.engine.objective import Batch

_LEVELS = 511
"""Steps from 0 to 1 of a canonical coordinate in 10 bits, so that -1, 0 and 1 are exact."""

_ON_HEAD = 1 << 30
"""The bit beside three coordinates that says whether there is a head."""


@dataclass
class PackedFaces:
    """What `FaceInputs` are unpacked from; (B, N, ...) fields are filled up with zeros when joined."""

    crops: Tensor = field(metadata=PADDED)
    """(B, N, 3, s, s) uint8."""
    mask: Tensor = field(metadata=PADDED)
    """(B, N) bool."""
    embeddings: Tensor = field(metadata=PADDED)
    """(B, N, E)."""
    quality: Tensor = field(metadata=PADDED)
    """(B, N)."""
    poses: Tensor = field(metadata=PADDED)
    """(B, N, 3)."""
    view_xy: Tensor = field(metadata=PADDED)
    """(B, N, V, 2)."""
    view_visibility: Tensor = field(metadata=PADDED)
    """(B, N, V)."""
    landmark: Tensor
    """(B, 3, H, W) uint8, the landmark image."""
    coordinates: Tensor
    """(B, H, W) int32, three coordinates of 10 bits and the mask's bit."""
    triangle: Tensor
    """(B, H / 2, W / 2) int16."""
    barycentric: Tensor
    """(B, H / 2, W / 2, 2) float16, the first two weights."""
    warp: Tensor
    """(B, 3, H, W) uint8."""
    warp_coverage: Tensor
    """(B, 1, h, w), at the latents' size."""
    keypoints: Tensor
    """(B, 5, 2)."""

    def to(self, device: torch.device | str) -> PackedFaces:
        """Move every tensor to `device`."""
        return map_tensors(self, lambda t: t.to(device))

    def unpack(self) -> FaceInputs:
        """Give the tensors that the networks read."""
        bits = self.coordinates
        levels = torch.stack([bits & 1023, (bits >> 10) & 1023, (bits >> 20) & 1023], dim=1)
        on_head = ((bits & _ON_HEAD) != 0).unsqueeze(1)
        coordinates = torch.where(on_head, levels.float() / _LEVELS - 1, 0.0)
        first = self.barycentric.float()
        return FaceInputs(
            crops=self.crops,
            mask=self.mask,
            embeddings=self.embeddings,
            quality=self.quality,
            poses=self.poses,
            view_xy=self.view_xy,
            view_visibility=self.view_visibility,
            landmark=torch.cat([self.landmark.float() / 255, coordinates, on_head.float()], dim=1),
            triangle=self.triangle.int(),
            barycentric=torch.cat([first, 1 - first.sum(dim=-1, keepdim=True)], dim=-1),
            warp=self.warp.float() / 127.5 - 1,
            warp_coverage=self.warp_coverage,
            keypoints=self.keypoints,
        )


def pack_faces(faces: FaceInputs, latent_size: tuple[int, int], crop_size: int) -> PackedFaces:
    """Pack faces for targets whose latents are of a size.

    Parameters
    ----------
    faces
        As `face_inputs` makes them.
    latent_size
        Height and width of the targets' latents.
    crop_size
        Side in pixels to which larger crops are brought.
    """
    levels = (faces.landmark[:, 3:6].clamp(-1, 1) * _LEVELS).round().int() + _LEVELS
    on_head = (faces.landmark[:, 6] > 0.5).int() * _ON_HEAD
    return PackedFaces(
        crops=_reduce_crops(faces.crops, crop_size),
        mask=faces.mask,
        embeddings=faces.embeddings,
        quality=faces.quality,
        poses=faces.poses,
        view_xy=faces.view_xy,
        view_visibility=faces.view_visibility,
        landmark=(faces.landmark[:, :3] * 255).round().byte(),
        coordinates=levels[:, 0] | (levels[:, 1] << 10) | (levels[:, 2] << 20) | on_head,
        triangle=faces.triangle[:, ::2, ::2].short(),
        barycentric=faces.barycentric[:, ::2, ::2, :2].half(),
        warp=((faces.warp + 1) * 127.5).round().clamp(0, 255).byte(),
        warp_coverage=F.adaptive_avg_pool2d(faces.warp_coverage, latent_size),
        keypoints=faces.keypoints,
    )


def unpack_batch(batch: Batch) -> Batch:
    """Give a batch with its faces as the networks read them, however they travelled."""
    faces = batch["faces"]
    return batch | {"faces": faces.unpack()} if isinstance(faces, PackedFaces) else batch


def _reduce_crops(crops: Tensor, size: int) -> Tensor:
    """Bring crops (B, N, 3, S, S) to a side as the face refiner does; smaller ones are left."""
    if crops.shape[-1] <= size:
        return crops
    small = F.interpolate(
        crops.flatten(0, 1).float(), size=(size, size), mode="bilinear", antialias=True, align_corners=False
    )
    output: Tensor = small.round().clamp(0, 255).byte().unflatten(0, crops.shape[:2])
    return output
