"""Forms of face tokens beside the refined ones: those of simpler designs, to compare with.

Each is a projection of the face encoder's output, without queries that read several faces at once.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hifi_portrait.models.face_encoder import FaceTokens
from hifi_portrait.models.resampler import Resampler

_MIN_WEIGHT = 0.05
"""Weight of a photo of no quality."""


def mean_over_references(values: Tensor, weights: Tensor) -> Tensor:
    """Mean (B, ...) of values (B, N, ...) by ``weights`` (B, N), such as a mask; 0 where all are 0."""
    weights = weights.to(values.dtype).view(*weights.shape, *[1] * (values.dim() - 2))
    total = (values * weights).masked_fill(weights == 0, 0.0).sum(dim=1)
    weight = weights.sum(dim=1)
    return total / weight.masked_fill(weight == 0, 1.0)


def reference_weights(quality: Tensor, mask: Tensor) -> Tensor:
    """How much each reference counts (B, N), by the ``quality`` of its photo in [0, 1]; 0 where ``~mask``."""
    return (_MIN_WEIGHT + quality) * mask


class PlainTokens(nn.Module):
    """Every token of the face encoder, averaged over references and projected."""

    def __init__(self, encoder_dim: int, token_dim: int) -> None:
        super().__init__()
        self.projection = _mlp(encoder_dim, token_dim, 4 * token_dim)
        self.norm = nn.LayerNorm(token_dim)

    def forward(self, faces: FaceTokens, mask: Tensor) -> Tensor:
        """Tokens (B, T, token_dim) of faces with T tokens each; ``mask`` (B, N)."""
        output: Tensor = self.norm(self.projection(mean_over_references(faces.joined(), mask)))
        return output


class EmbeddingTokens(nn.Module):
    """A few tokens from one recogniser embedding (IP-Adapter FaceID, arXiv 2308.06721)."""

    def __init__(self, encoder_dim: int, token_dim: int, num_tokens: int) -> None:
        super().__init__()
        self.num_tokens = num_tokens
        self.projection = _mlp(encoder_dim, num_tokens * token_dim, 4 * token_dim)
        self.norm = nn.LayerNorm(token_dim)

    def forward(self, faces: FaceTokens, mask: Tensor) -> Tensor:
        """Tokens (B, num_tokens, token_dim); ``mask`` (B, N)."""
        if faces.identity is None:
            raise ValueError("tokens of form 'embedding' need a face encoder with `identity` switched on")
        tokens = self.projection(mean_over_references(faces.identity, mask))
        output: Tensor = self.norm(tokens.unflatten(-1, (self.num_tokens, -1)))
        return output


class ResampledTokens(nn.Module):
    """A few tokens that learned queries read in each reference's embedding (InstantID, arXiv 2401.07519).

    Those of several references are averaged by the quality of their photos.
    """

    def __init__(
        self, encoder_dim: int, dim: int, token_dim: int, num_tokens: int, num_layers: int, num_heads: int
    ) -> None:
        super().__init__()
        self.resampler = Resampler(encoder_dim, dim, token_dim, num_tokens, num_layers, num_heads)

    def forward(self, faces: FaceTokens, mask: Tensor, quality: Tensor | None = None) -> Tensor:
        """Tokens (B, num_tokens, token_dim); ``mask`` (B, N), ``quality`` (B, N), alike if not given."""
        if faces.identity is None:
            raise ValueError("tokens of form 'resampled' need a face encoder with `identity` switched on")
        weights = mask if quality is None else reference_weights(quality, mask)
        tokens = self.resampler(faces.identity.flatten(0, 1).unsqueeze(1)).unflatten(0, mask.shape)
        fused = mean_over_references(tokens, weights)
        some = mask.any(dim=1)
        return fused if bool(some.all()) else torch.where(some[:, None, None], fused, self.of_nobody(faces))

    def of_nobody(self, faces: FaceTokens) -> Tensor:
        """Return tokens (B, num_tokens, token_dim) of an embedding of zeros, for a sample without faces."""
        assert faces.identity is not None
        nothing = torch.zeros_like(faces.identity[:1, :1])
        output: Tensor = self.resampler(nothing).expand(len(faces.identity), -1, -1)
        return output


class PromptTokens(nn.Module):
    """One embedding a photo, stacked in the place of the class word (PhotoMaker, arXiv 2312.04461)."""

    def __init__(self, encoder_dim: int, token_dim: int) -> None:
        super().__init__()
        self.projection = _mlp(2 * encoder_dim, token_dim, 4 * token_dim)
        self.fuse = _mlp(2 * token_dim, token_dim, 4 * token_dim)
        self.refine = _mlp(token_dim, token_dim, 4 * token_dim)

    def forward(self, faces: FaceTokens, mask: Tensor) -> Tensor:
        """One token (B, N, token_dim) for each reference, of class token and embedding; 0 where ``~mask``."""
        if faces.identity is None or faces.patches is None:
            raise ValueError("tokens of form 'prompt' need a face encoder with both `patches` and `identity`")
        joined = torch.cat([faces.patches[:, :, 0], faces.identity], dim=-1)
        output: Tensor = self.projection(joined).masked_fill(~mask.unsqueeze(-1), 0.0)
        return output

    def merge(self, text: Tensor, places: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """Replace each class word in the prompt's hidden states by the stacked faces.

        What follows the word moves back by one place less than there are faces, and what then lies beyond
        the end, padding but for very long prompts, is dropped.

        Parameters
        ----------
        text
            (B, L, token_dim) hidden states.
        places
            (B,) where in them the class word is.
        tokens, mask
            (B, N, token_dim) from `forward` and (B, N).

        Returns
        -------
        Tensor
            (B, L, token_dim); the text as it was for a sample without any reference.
        """
        rows = torch.arange(len(text), device=text.device)
        word = text[rows, places].to(tokens.dtype).unsqueeze(1).expand_as(tokens)
        fused = word + self.fuse(torch.cat([word, tokens], dim=-1))
        fused = fused + self.refine(fused)
        first = mask.int().argsort(dim=1, descending=True, stable=True)  # references present come first
        fused = torch.take_along_dim(fused, first.unsqueeze(-1), dim=1)
        count = mask.sum(dim=1, keepdim=True)
        place = torch.arange(text.shape[1], device=text.device).expand(len(text), -1)
        offset = place - places.unsqueeze(1)
        moved = torch.where(offset > 0, place - (count - 1).clamp(min=0), place).clamp(min=0)
        shifted = torch.take_along_dim(text, moved.unsqueeze(-1), dim=1)
        faces = torch.take_along_dim(fused, offset.clamp(0, mask.shape[1] - 1).unsqueeze(-1), dim=1)
        stacked = (offset >= 0) & (offset < count)
        return torch.where(stacked.unsqueeze(-1), faces.to(text.dtype), shifted)


def _mlp(inputs: int, outputs: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(inputs), nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, outputs)
    )
