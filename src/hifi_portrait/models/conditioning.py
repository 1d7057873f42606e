"""From photos and a target to what HiFi-Net and face attention read: one code path for pipeline and training.

`face_inputs` turns the analysed photos and a drawn target into plain tensors, without networks;
`FaceConditioner` runs the networks over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import Tensor

from hifi_portrait.fitting.keypoints import five_keypoints
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.surface import SurfaceView
from hifi_portrait.landmarks.generator import LandmarkImage
from hifi_portrait.models.alignment import carry, fuse, subsample_raster, surface_grid
from hifi_portrait.models.face_encoder import FaceEncoder
from hifi_portrait.models.face_refiner import FaceRefiner, FeatureMaps
from hifi_portrait.models.hifi_condition import HiFiCondition
from hifi_portrait.models.hifi_net import HiFiNet
from hifi_portrait.models.keypoints import draw_keypoints
from hifi_portrait.models.latents import encode_picture, reduction
from hifi_portrait.models.tensors import PADDED, map_tensors
from hifi_portrait.models.token_forms import reference_weights
from hifi_portrait.person.references import References
from hifi_portrait.warp.draw import warp_picture

T = TypeVar("T")

_ALIGNED = ("fine", "fine_coverage", "coarse", "coarse_coverage")
"""Fields of `FaceFeatures` that surface alignment gives."""


@dataclass
class FaceInputs:
    """A batch of people and targets as tensors, with N references each, some of them padding.

    `join_tensors` makes one batch of several.
    """

    crops: Tensor = field(metadata=PADDED)
    """(B, N, 3, S, S) uint8: the portrait crops."""
    mask: Tensor = field(metadata=PADDED)
    """(B, N) True where there is a reference."""
    embeddings: Tensor = field(metadata=PADDED)
    """(B, N, E) as the recogniser gave them."""
    quality: Tensor = field(metadata=PADDED)
    """(B, N) in [0, 1]."""
    poses: Tensor = field(metadata=PADDED)
    """(B, N, 3) yaw, pitch and roll in degrees."""
    view_xy: Tensor = field(metadata=PADDED)
    """(B, N, V, 2) places of the vertices in each reference, as its `SurfaceView` has them."""
    view_visibility: Tensor = field(metadata=PADDED)
    """(B, N, V) in [0, 1], how well each vertex is seen there."""
    landmark: Tensor
    """(B, 7, H, W): the landmark image in [0, 1], canonical coordinates in [-1, 1], and their mask."""
    triangle: Tensor
    """(B, h, w) of the target's raster, where h, w are H, W or a whole fraction of them."""
    barycentric: Tensor
    """(B, h, w, 3) of the target's raster."""
    warp: Tensor
    """(B, 3, H, W) in [-1, 1]: the plain warp."""
    warp_coverage: Tensor
    """(B, 1, H, W) in [0, 1]: how well references see it."""
    keypoints: Tensor
    """(B, 5, 2): the target's eyes, nose and mouth corners, as fractions of width and height."""

    def to(self, device: torch.device | str) -> FaceInputs:
        """Move every tensor to `device`."""
        return map_tensors(self, lambda t: t.to(device))

    def show_pictures(self, pictures: Tensor) -> FaceInputs:
        """Repeat for K pictures (K, 3, H, W) in [-1, 1], each in a warp's place; K is a multiple of B."""
        return replace(_repeat(self, len(pictures)), warp=pictures.to(self.warp))


def _repeat(tensors: T, count: int) -> T:
    """Repeat B samples for ``count`` pictures, a multiple of B; one sample without copies in memory."""

    def repeat(value: Tensor) -> Tensor:
        if len(value) == 1:
            return value.expand(count, *value.shape[1:])
        return value.repeat_interleave(count // len(value), dim=0)

    return map_tensors(tensors, repeat)


def face_inputs(
    references: References,
    landmark: LandmarkImage,
    *,
    model: HeadModel | None = None,
    views: Sequence[SurfaceView] | None = None,
    warp: tuple[Array, FloatArray] | None = None,
    with_warp: bool = True,
) -> FaceInputs:
    """Tensors of one person and one target (B = 1).

    Parameters
    ----------
    references
        The person's analysed photos.
    landmark
        The target, drawn by the landmark generator.
    model
        The head model; the default one if not given.
    views
        Each reference's view of the head, if already known.
    warp
        Picture (H, W, 3) in [0, 255] and coverage (H, W) in [0, 1], if already known.
    with_warp
        Whether anything reads the warp. If not it is left grey, and covers nothing.
    """
    model = model or HeadModel.load()
    if views is None:
        views = view_photos(references, model)
    if warp is None and not with_warp:
        extent = landmark.image.shape[:2]
        warp = np.full((*extent, 3), 127.5, np.float32), np.zeros(extent, np.float32)
    elif warp is None:
        warp = warp_picture(references, landmark, model=model)
    picture, coverage = warp
    poses = [geometry.pose for geometry in references.geometries]
    visibility = np.stack([view.visibility for view in views]) * references.uncovered
    condition = np.concatenate(
        [
            landmark.image.astype(np.float32) / 255,
            landmark.coordinates,
            np.asarray(landmark.mask, np.float32)[..., None],
        ],
        axis=-1,
    )
    return FaceInputs(
        crops=torch.tensor(references.crops).permute(0, 3, 1, 2)[None],
        mask=torch.ones(1, len(views), dtype=torch.bool),
        embeddings=_to_tensor(references.embeddings),
        quality=_to_tensor(references.quality),
        poses=_to_tensor([[pose.yaw, pose.pitch, pose.roll] for pose in poses]),
        view_xy=_to_tensor([view.xy for view in views]),
        view_visibility=_to_tensor(visibility),
        landmark=_to_tensor(condition).permute(0, 3, 1, 2),
        triangle=torch.tensor(landmark.raster.triangle)[None],
        barycentric=_to_tensor(landmark.raster.barycentric),
        warp=_to_tensor(picture).permute(0, 3, 1, 2) / 127.5 - 1,
        warp_coverage=_to_tensor(coverage)[:, None],
        keypoints=_to_tensor(five_keypoints(model, landmark.vertices, landmark.geometry.camera)),
    )


def view_photos(references: References, model: HeadModel | None = None) -> list[SurfaceView]:
    """Give each reference's view of the head."""
    model = model or HeadModel.load()
    return [SurfaceView.from_geometry(model, geometry) for geometry in references.geometries]


def _to_tensor(value: npt.ArrayLike) -> Tensor:
    return torch.tensor(np.asarray(value, dtype=np.float32))[None]


@dataclass
class FaceFeatures:
    """What the face networks read in the references for a target, whatever its warp shows."""

    tokens: Tensor
    """(B, K, D) face tokens."""
    unconditional_tokens: Tensor | None
    """(B, K, D) that the unconditional half of guidance reads; None where it reads no face."""
    fine: Tensor | None
    """(B, C, s h, s w), the fine map in the target's frame, s its scale; None without surface alignment, as
    the others."""
    fine_coverage: Tensor | None
    """(B, 1, s h, s w) in [0, 1]."""
    coarse: Tensor | None
    """(B, C', h, w), the coarse map."""
    coarse_coverage: Tensor | None
    """(B, 1, h, w) in [0, 1]."""

    def repeat(self, count: int) -> FaceFeatures:
        """Repeat for K pictures, a multiple of B."""
        return _repeat(self, count)


@dataclass
class Conditioning:
    """What the networks read of a batch."""

    hifi: HiFiCondition
    """HiFi-Net's condition."""
    tokens: Tensor = field(metadata=PADDED)
    """(B, K, D) face tokens, for face attention."""
    warp_latents: Tensor
    """(B, C, h, w) scaled latents of the warp; zeros where nothing reads it."""
    references: Tensor = field(metadata=PADDED)
    """(B, N) True where there is a reference."""
    unconditional_tokens: Tensor | None = None
    """(B, K, D) that the unconditional half of guidance reads; None where it reads no face."""

    def without(self, nobody: Tensor) -> Conditioning:
        """With the tokens that guidance's unconditional half reads where `nobody` (B,) is True.

        Those are zeros, which add nothing (keys and values of face attention have no bias), if it has none.
        HiFi-Net's are left alone then: nothing of it reaches that half.
        """
        where = nobody[:, None, None]
        others = self.unconditional_tokens
        if others is None:
            return replace(self, tokens=torch.where(where, 0, self.tokens))
        tokens = torch.where(where, others.to(self.tokens), self.tokens)
        read = None if self.hifi.tokens is None else tokens
        return replace(self, tokens=tokens, hifi=replace(self.hifi, tokens=read))


class FaceConditioner:
    """Runs face encoder, face refiner, surface alignment and HiFi-Net's preparation over `FaceInputs`.

    Parameters
    ----------
    face_encoder, face_refiner, hifi_net, vae
        The networks; they stay the caller's.
    triangles
        (F, 3) triangles of the head model; the default model's if not given.
    """

    def __init__(
        self,
        face_encoder: FaceEncoder,
        face_refiner: FaceRefiner,
        hifi_net: HiFiNet,
        vae: AutoencoderKL,
        triangles: npt.NDArray[np.integer[Any]] | None = None,
    ) -> None:
        self.face_encoder = face_encoder
        self.face_refiner = face_refiner
        self.hifi_net = hifi_net
        self.vae = vae
        self.triangles = torch.from_numpy(
            np.asarray(HeadModel.load().triangles if triangles is None else triangles, np.int64)
        )

    def __call__(
        self,
        inputs: FaceInputs,
        *,
        warp_latents: Tensor | None = None,
        landmark: Tensor | None = None,
        features: FaceFeatures | None = None,
        with_warp: bool = True,
        separate_warp: bool = False,
    ) -> Conditioning:
        """Compute all that HiFi-Net and face attention need.

        Parameters
        ----------
        inputs
            On the networks' device.
        warp_latents
            (B, C, h, w) scaled latents of `inputs.warp`, if already known.
        landmark
            Replaces the control image, which is `inputs.landmark` or its keypoints.
        features
            What `read_faces` gave for the same references and target, if already known.
        with_warp
            Whether the warp's latents are wanted even where HiFi-Net does not read them.
        separate_warp
            As for `HiFiNet.prepare`.
        """
        if warp_latents is None:
            warp_latents = self._encode_warp(inputs, encode=with_warp or self.hifi_net.config.warp_latents)
        size = (warp_latents.shape[-2], warp_latents.shape[-1])
        features = self.read_faces(inputs) if features is None else features
        hifi = self.hifi_net.prepare(
            self._control(inputs) if landmark is None else landmark,
            warp_latents=warp_latents,
            warp_coverage=F.adaptive_avg_pool2d(inputs.warp_coverage, size),
            tokens=features.tokens,
            unconditional_tokens=features.unconditional_tokens,
            fine=features.fine,
            fine_coverage=features.fine_coverage,
            coarse=features.coarse,
            coarse_coverage=features.coarse_coverage,
            separate_warp=separate_warp,
        )
        return Conditioning(hifi, features.tokens, warp_latents, inputs.mask, features.unconditional_tokens)

    def read_faces(self, inputs: FaceInputs) -> FaceFeatures:
        """Read the references for a target, whatever its warp shows."""
        crops = inputs.crops.float() / 127.5 - 1
        # Through the modules' forward, so that offloading finds them.
        tokens, unconditional, maps = self.face_refiner(
            crops,
            self.face_encoder(crops, inputs.embeddings, inputs.mask),
            inputs.poses,
            inputs.mask,
            inputs.quality,
            with_maps=self.hifi_net.config.surface_alignment,
        )
        aligned = (
            dict.fromkeys(_ALIGNED) if maps is None else self._align(inputs, maps, self._latent_size(inputs))
        )
        return FaceFeatures(tokens, unconditional, **aligned)

    def _latent_size(self, inputs: FaceInputs) -> tuple[int, int]:
        """Height and width of the latents of a target."""
        factor = reduction(self.vae)
        height, width = inputs.warp.shape[-2:]
        return height // factor, width // factor

    def _encode_warp(self, inputs: FaceInputs, *, encode: bool) -> Tensor:
        if encode:
            return encode_picture(self.vae, inputs.warp)
        channels, size = self.vae.config.latent_channels, self._latent_size(inputs)
        return torch.zeros(len(inputs.warp), channels, *size, device=inputs.warp.device, dtype=self.vae.dtype)

    def _control(self, inputs: FaceInputs) -> Tensor:
        """Make the control image that HiFi-Net takes."""
        if not self.hifi_net.config.keypoints:
            return inputs.landmark
        height, width = inputs.landmark.shape[-2:]
        return draw_keypoints(inputs.keypoints, (height, width))

    def _align(
        self, inputs: FaceInputs, maps: FeatureMaps, size: tuple[int, int]
    ) -> dict[str, Tensor | None]:
        """Fused maps in the target's frame: the fine one at a multiple of the latents' resolution."""
        weights = reference_weights(inputs.quality, inputs.mask)
        aligned: dict[str, Tensor | None] = {}
        for name, values, confidence, scale in (
            ("fine", maps.fine, maps.fine_confidence, self.hifi_net.config.fine_scale),
            ("coarse", maps.coarse, maps.coarse_confidence, 1),
        ):
            raster = subsample_raster(inputs.triangle, inputs.barycentric, (size[0] * scale, size[1] * scale))
            grid, visibility = surface_grid(
                *raster, self.triangles.to(inputs.triangle.device), inputs.view_xy, inputs.view_visibility
            )
            if confidence is None:
                fused = fuse(carry(values.float(), grid), visibility, weights=weights)
            else:
                carried = carry(torch.cat([values, confidence], dim=2).float(), grid)
                fused = fuse(carried[:, :, :-1], visibility, carried[:, :, -1:], weights)
            aligned[name], aligned[f"{name}_coverage"] = fused
        return aligned
