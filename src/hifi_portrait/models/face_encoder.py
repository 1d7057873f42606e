"""The face encoder: CLIP patch tokens of each face and its recogniser embedding, in one space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.modeling_utils import get_parameter_dtype
from torch import Tensor, nn
from transformers import CLIPVisionConfig, CLIPVisionModel

from hifi_portrait.errors import ModelError

_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_STD = (0.26862954, 0.26130258, 0.27577711)

_TOWER = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "image_size",
    "patch_size",
    "hidden_act",
    "layer_norm_eps",
    "num_channels",
)
"""Fields of `transformers.CLIPVisionConfig` that say what the vision tower computes."""

_ALWAYS_SAID = 6
"""How many of these a model's settings name even where they are the library's default."""


@dataclass
class FaceTokens:
    """What the face encoder gives for each face."""

    patches: Tensor | None
    """(B, N, T, D) patch tokens with the class token first; None where the encoder has no vision tower."""
    identity: Tensor | None
    """(B, N, D) projected recogniser embedding; None where the encoder leaves it out."""

    def joined(self) -> Tensor:
        """All tokens of each face (B, N, T', D), the identity first."""
        identity = None if self.identity is None else self.identity.unsqueeze(2)
        return torch.cat([tokens for tokens in (identity, self.patches) if tokens is not None], dim=2)


class FaceEncoder(ModelMixin, ConfigMixin):
    """A CLIP vision tower and a projection of the recogniser's embedding.

    Parameters
    ----------
    vision
        Fields of `transformers.CLIPVisionConfig`.
    recogniser_dim
        Length of the recogniser's embedding: 128 for dlib, 512 for ArcFace.
    output_dim
        Width D of the tokens.
    crop_share
        Side of the middle of the portrait crop that is looked at, as a fraction of the crop's.
    patches, identity
        Switches for what is read of each face: the vision tower's tokens, the recogniser's embedding.
    mean_embedding
        Whether the mean over the references stands in for each one's embedding.
    projected
        Whether the embedding is normalised and projected. If not it is handed on as the recogniser gave it.

    Raises
    ------
    ValueError
        If both `patches` and `identity` are off, or an embedding that is handed on is not `output_dim` long.
    """

    _supports_gradient_checkpointing = True

    @register_to_config
    def __init__(
        self,
        vision: Mapping[str, Any],
        recogniser_dim: int = 128,
        output_dim: int = 192,
        crop_share: float = 0.75,
        patches: bool = True,
        identity: bool = True,
        mean_embedding: bool = False,
        projected: bool = True,
    ) -> None:
        super().__init__()
        if not (patches or identity):
            raise ValueError("`patches` and `identity` cannot both be off: there would be no token")
        if patches:
            vision_config = CLIPVisionConfig(**vision)
            self.tower = CLIPVisionModel(vision_config)
            width = vision_config.hidden_size
            self.patch_projection = nn.Identity() if width == output_dim else nn.Linear(width, output_dim)
        if not projected and output_dim != recogniser_dim:
            raise ValueError(
                f"`output_dim` is {output_dim}, but must be `recogniser_dim` ({recogniser_dim}) where "
                "embeddings are not projected"
            )
        if not patches and not projected:  # a model's file needs one tensor at least
            self.register_buffer("empty", torch.zeros(1))
        if identity and projected:
            self.identity_projection = nn.Sequential(
                nn.Linear(recogniser_dim, output_dim), nn.GELU(), nn.Linear(output_dim, output_dim)
            )
        self.register_buffer("mean", torch.tensor(_CLIP_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_CLIP_STD).view(1, 3, 1, 1), persistent=False)

    @classmethod
    def from_clip(cls, folder: str | Path, **settings: Any) -> FaceEncoder:
        """Take the vision tower of a published CLIP checkpoint; the rest is fresh.

        Parameters
        ----------
        folder
            Folder (or hub id) of a transformers CLIP checkpoint: of the whole CLIP or of its vision tower.
        settings
            The constructor's others: `recogniser_dim`, `output_dim`, `crop_share` and so on.

        Raises
        ------
        ModelError
            If the checkpoint cannot be read, or holds no CLIP vision tower.
        """
        try:
            published, report = CLIPVisionModel.from_pretrained(
                str(folder), dtype=torch.float32, output_loading_info=True
            )
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ModelError(f"no CLIP vision tower could be read from {folder}: {error}") from error
        if missing := sorted(report["missing_keys"]):
            raise ModelError(
                f"{folder} holds no CLIP vision tower ({missing[0]} is missing): give a CLIP such as "
                "openai/clip-vit-large-patch14, or its folder"
            )
        ordinary = CLIPVisionConfig()
        vision = {
            name: getattr(published.config, name)
            for number, name in enumerate(_TOWER)
            if number < _ALWAYS_SAID or getattr(published.config, name) != getattr(ordinary, name)
        }
        encoder: FaceEncoder = cls(vision=vision, **settings)
        encoder.tower.load_state_dict(published.state_dict())
        return encoder

    def forward(self, crops: Tensor, embeddings: Tensor, mask: Tensor | None = None) -> FaceTokens:
        """Encode faces.

        Parameters
        ----------
        crops
            (B, N, 3, S, S) portrait crops in [-1, 1], of any size.
        embeddings
            (B, N, E) embeddings as the recogniser gave them, E = `recogniser_dim`.
        mask
            (B, N) True where a reference is present; all are, if not given. The mean embedding needs it.

        Raises
        ------
        ValueError
            If the embeddings have another length than `recogniser_dim`.
        """
        expected = self.config.recogniser_dim
        if embeddings.shape[-1] != expected:
            raise ValueError(
                f"`embeddings` must have length {expected} (this face encoder's `recogniser_dim`), but has "
                f"{embeddings.shape[-1]}: was the identity made with another recogniser?"
            )
        return FaceTokens(
            self._patches(crops) if self.config.patches else None,
            self._identity(embeddings, mask) if self.config.identity else None,
        )

    def _patches(self, crops: Tensor) -> Tensor:
        # Frozen in training, the tower may be of half precision; layerwise casting keeps it in eight bits.
        pixels = self._pixels(crops.flatten(0, 1)).to(get_parameter_dtype(self.tower))
        hidden = self.tower(pixel_values=pixels).last_hidden_state
        if isinstance(self.patch_projection, nn.Linear):
            hidden = hidden.to(get_parameter_dtype(self.patch_projection))
        output: Tensor = self.patch_projection(hidden).unflatten(0, crops.shape[:2])
        return output

    def _identity(self, embeddings: Tensor, mask: Tensor | None) -> Tensor:
        if not self.config.projected:
            return embeddings.to(self.dtype)
        embeddings = F.normalize(embeddings, dim=-1)
        if self.config.mean_embedding:
            present = torch.ones_like(embeddings[..., :1]) if mask is None else mask.unsqueeze(-1)
            mean = (embeddings * present).sum(dim=1, keepdim=True)
            embeddings = F.normalize(mean, dim=-1).expand_as(embeddings)
        # An embedding of unit norm has small components; they are brought to unit scale.
        scaled = embeddings * self.config.recogniser_dim**0.5
        # Not `self.dtype`: a vision tower that is frozen in training may be of half precision.
        scaled = scaled.to(get_parameter_dtype(self.identity_projection))
        output: Tensor = self.identity_projection(scaled)
        return output

    def _pixels(self, crops: Tensor) -> Tensor:
        side = crops.shape[-1]
        margin = round(side * (1 - self.config.crop_share) / 2)
        middle = crops[..., margin : side - margin, margin : side - margin].float()
        size = self.tower.config.image_size
        resized = F.interpolate(
            middle, size=(size, size), mode="bilinear", antialias=True, align_corners=False
        )
        output: Tensor = (resized / 2 + 0.5 - self.mean.float()) / self.std.float()
        return output
