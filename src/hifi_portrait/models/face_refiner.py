"""The face refiner: fine-grained features of several faces of one person.

Two forms. *Tokens*: learned queries that read the patch tokens, recogniser embeddings and poses of all
references at once; their number does not grow with the references (simpler forms, to compare with, are in
`token_forms`). *Maps*: a convolutional picture of each
reference at two scales, with a confidence each, for surface alignment to carry into the target's frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from hifi_portrait.models.face_encoder import FaceTokens
from hifi_portrait.models.token_forms import (
    EmbeddingTokens,
    PlainTokens,
    PromptTokens,
    ResampledTokens,
    mean_over_references,
)

_FORMS = ("queries", "plain", "embedding", "resampled", "prompt")
_FUSIONS = ("learned", "mean")

_STEM = 4
"""Pixels a side that the map stem folds into channels."""


@dataclass
class FeatureMaps:
    """Maps of each reference at two scales. Without learned fusion there is no confidence."""

    fine: Tensor
    """(B, N, C, h, w), where h and w are a quarter of the crop's side."""
    fine_confidence: Tensor | None
    """(B, N, 1, h, w) logits."""
    coarse: Tensor
    """(B, N, C', h', w'), where h' and w' are a sixteenth of the crop's side."""
    coarse_confidence: Tensor | None
    """(B, N, 1, h', w') logits."""


class FaceRefiner(ModelMixin, ConfigMixin):
    """Tokens over all references, and feature maps of each.

    Parameters
    ----------
    encoder_dim
        Width of the face encoder's tokens.
    token_dim
        Width of the refined tokens: the cross-attention width of HiFi-Net and of the UNet.
    num_tokens
        How many tokens describe the person, whatever the number of references.
    num_layers, num_heads
        Of the attention that refines the tokens.
    fine_channels, coarse_channels
        Of the two feature maps.
    map_size
        Side in pixels to which crops are brought for the feature maps; a multiple of 16.
    form
        Of the tokens: "queries", learned ones that read all references; "plain", the face encoder's own,
        projected; "embedding", `num_tokens` of the recogniser's mean embedding; "resampled", as many that
        queries of width `resampler_dim` read in each embedding, averaged by quality; "prompt", one a
        reference, to be merged into the prompt with `merge`.
    fusion
        "learned", or "mean": queries read each reference alone and their tokens are averaged, and maps have
        no confidence.
    poses
        Whether the queries know the references' head poses.
    maps
        Whether there are feature maps.
    resampler_dim
        For form "resampled".

    Raises
    ------
    ValueError
        If `form` or `fusion` is none of these.
    """

    @register_to_config
    def __init__(
        self,
        encoder_dim: int = 192,
        token_dim: int = 320,
        num_tokens: int = 32,
        num_layers: int = 2,
        num_heads: int = 5,
        fine_channels: int = 24,
        coarse_channels: int = 96,
        map_size: int = 256,
        form: str = "queries",
        fusion: str = "learned",
        poses: bool = True,
        maps: bool = True,
        resampler_dim: int = 1280,
    ) -> None:
        super().__init__()
        for name, value, known in (("form", form, _FORMS), ("fusion", fusion, _FUSIONS)):
            if value not in known:
                raise ValueError(f"`{name}` must be one of {', '.join(known)}, but is {value!r}")
        self.projected: PlainTokens | EmbeddingTokens | ResampledTokens | PromptTokens | None = None
        if form == "queries":
            self._add_queries(encoder_dim, token_dim, num_tokens, num_layers, num_heads, poses)
        elif form == "plain":
            self.projected = PlainTokens(encoder_dim, token_dim)
        elif form == "embedding":
            self.projected = EmbeddingTokens(encoder_dim, token_dim, num_tokens)
        elif form == "resampled":
            sizes = (encoder_dim, resampler_dim, token_dim, num_tokens, num_layers, num_heads)
            self.projected = ResampledTokens(*sizes)
        else:
            self.projected = PromptTokens(encoder_dim, token_dim)
        if maps:
            self._add_maps(fine_channels, coarse_channels, confidence=int(fusion == "learned"))

    def _add_queries(
        self, encoder_dim: int, token_dim: int, num_tokens: int, num_layers: int, num_heads: int, poses: bool
    ) -> None:
        if poses:
            self.pose_projection = nn.Linear(6, encoder_dim)
        self.context_norm = nn.LayerNorm(encoder_dim)
        self.queries = nn.Parameter(torch.randn(num_tokens, token_dim) / math.sqrt(token_dim))
        self.layers = nn.ModuleList(
            [_RefinerLayer(token_dim, encoder_dim, num_heads) for _ in range(num_layers)]
        )
        self.token_norm = nn.LayerNorm(token_dim)

    def _add_maps(self, fine_channels: int, coarse_channels: int, confidence: int) -> None:
        middle = max(fine_channels, coarse_channels // 2)
        self.stem = nn.Sequential(
            nn.Conv2d(3 * _STEM**2, fine_channels, 3, padding=1), _ResidualBlock(fine_channels)
        )
        self.fine_head = nn.Conv2d(fine_channels, fine_channels + confidence, 1)
        self.down = nn.Sequential(
            nn.Conv2d(fine_channels, middle, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(middle, coarse_channels, 3, stride=2, padding=1),
            _ResidualBlock(coarse_channels),
        )
        self.coarse_head = nn.Conv2d(coarse_channels, coarse_channels + confidence, 1)

    def tokens(self, faces: FaceTokens, poses: Tensor, mask: Tensor, quality: Tensor | None = None) -> Tensor:
        """Refine the tokens of all references into one set.

        Parameters
        ----------
        faces
            From the face encoder.
        poses
            (B, N, 3) yaw, pitch and roll of each reference, in degrees.
        mask
            (B, N) True where a reference is present.
        quality
            (B, N) in [0, 1], of the photos; form "resampled" weighs by it.

        Returns
        -------
        Tensor
            (B, K, token_dim); zeros, or `unconditional_tokens`, for a sample without any reference. K is
            `num_tokens` for forms "queries", "embedding" and "resampled", that of one face's tokens for
            "plain", N for "prompt".
        """
        if isinstance(self.projected, ResampledTokens):
            output: Tensor = self.projected(faces, mask, quality)
            return output
        if self.projected is not None:
            tokens: Tensor = self.projected(faces, mask)
            return tokens * mask.any(dim=1)[:, None, None].to(tokens.dtype)
        context = faces.joined().to(self.dtype)
        if self.config.poses:
            angles = torch.deg2rad(poses.float())
            pose = self.pose_projection(torch.cat([angles.sin(), angles.cos()], dim=-1).to(self.dtype))
            context = context + pose.unsqueeze(2)
        if self.config.fusion == "learned":
            return self._read(context, mask)
        alone = self._read(context.flatten(0, 1).unsqueeze(1), mask.flatten().unsqueeze(1))
        return mean_over_references(alone.unflatten(0, mask.shape), mask)

    def unconditional_tokens(self, faces: FaceTokens) -> Tensor | None:
        """Return what the unconditional half of guidance reads (B, K, token_dim), if it reads any."""
        return self.projected.of_nobody(faces) if isinstance(self.projected, ResampledTokens) else None

    def merge(self, text: Tensor, places: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the prompt as the networks read it: with the faces in it for form "prompt", else as it was.

        Arguments as for `PromptTokens.merge`.
        """
        if not isinstance(self.projected, PromptTokens):
            return text
        return self.projected.merge(text, places, tokens, mask)

    @property
    def in_prompt(self) -> bool:
        """Whether the tokens are to be merged into the prompt."""
        return isinstance(self.projected, PromptTokens)

    def _read(self, context: Tensor, mask: Tensor) -> Tensor:
        """Let the queries read references' tokens (B, N, T, D): (B, num_tokens, token_dim)."""
        present = mask[:, :, None].expand(context.shape[:3]).flatten(1)  # B (N T)
        context = self.context_norm(context).flatten(1, 2).masked_fill(~present.unsqueeze(-1), 0.0)
        some = mask.any(dim=1)
        readable = present | ~some[:, None]  # attention over nothing is undefined; such rows are zeroed below
        tokens = self.queries.expand(len(mask), -1, -1)
        for layer in self.layers:
            tokens = layer(tokens, context, readable)
        output: Tensor = self.token_norm(tokens) * some[:, None, None].to(tokens.dtype)
        return output

    def maps(self, crops: Tensor) -> FeatureMaps:
        """Feature maps of each reference's crop (B, N, 3, S, S) in [-1, 1]."""
        batch, references = crops.shape[:2]
        size = self.config.map_size
        pixels = crops.flatten(0, 1).to(self.dtype)
        if pixels.shape[-1] != size:
            pixels = F.interpolate(
                pixels.float(), size=(size, size), mode="bilinear", antialias=True, align_corners=False
            ).to(self.dtype)
        folded = F.pixel_unshuffle(pixels, _STEM).contiguous(memory_format=torch.channels_last)
        stem = self.stem(folded)
        fine = self.fine_head(stem).unflatten(0, (batch, references))
        coarse = self.coarse_head(self.down(stem)).unflatten(0, (batch, references))
        if self.config.fusion == "mean":
            return FeatureMaps(fine, None, coarse, None)
        return FeatureMaps(fine[:, :, :-1], fine[:, :, -1:], coarse[:, :, :-1], coarse[:, :, -1:])

    def forward(
        self,
        crops: Tensor,
        faces: FaceTokens,
        poses: Tensor,
        mask: Tensor,
        quality: Tensor | None = None,
        *,
        with_maps: bool = True,
    ) -> tuple[Tensor, Tensor | None, FeatureMaps | None]:
        """`tokens`, `unconditional_tokens`, and `maps` where they are wanted."""
        tokens = self.tokens(faces, poses, mask, quality)
        return tokens, self.unconditional_tokens(faces), self.maps(crops) if with_maps else None


class _RefinerLayer(nn.Module):
    """Queries read the context, then pass through a feed-forward layer (a Perceiver resampler's layer)."""

    def __init__(self, dim: int, context_dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(dim)
        self.to_q = nn.Linear(dim, dim, bias=False)
        self.to_kv = nn.Linear(context_dim, 2 * dim, bias=False)
        self.to_out = nn.Linear(dim, dim)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim)
        )

    def forward(self, tokens: Tensor, context: Tensor, readable: Tensor) -> Tensor:
        def split(x: Tensor) -> Tensor:
            output: Tensor = x.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            return output

        key, value = self.to_kv(context).chunk(2, dim=-1)
        query = split(self.to_q(self.norm(tokens)))
        mask = readable[:, None, None, :]
        read = F.scaled_dot_product_attention(query, split(key), split(value), attn_mask=mask)
        tokens = tokens + self.to_out(read.transpose(1, 2).flatten(2))
        output: Tensor = tokens + self.feed_forward(tokens)
        return output


class _ResidualBlock(nn.Module):
    """Two normalised convolutions around a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        groups = math.gcd(channels, 8)
        self.layers = nn.Sequential(
            nn.GroupNorm(groups, channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.GroupNorm(groups, channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = x + self.layers(x)
        return output
