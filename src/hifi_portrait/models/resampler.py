"""Learned queries that read one face: the resampler of IP-Adapter (arXiv 2308.06721) and InstantID.

Its layers also let the queries read each other, which those of the face refiner do not.

diffusers' `IPAdapterPlusImageProjection` computes the same. It is not used here because models that are saved
already would not load: its weights have other names, and keys and values are two matrices where ours are one.
A test compares the two.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Resampler(nn.Module):
    """A few tokens (B, num_tokens, output_dim) of any number of inputs (B, L, input_dim).

    Parameters
    ----------
    input_dim, dim, output_dim
        Width of what is read, of the layers, and of the tokens.
    num_tokens, num_layers, num_heads
        Of the queries and the attention between them and what is read.
    """

    def __init__(
        self, input_dim: int, dim: int, output_dim: int, num_tokens: int, num_layers: int, num_heads: int
    ) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(1, num_tokens, dim) / math.sqrt(dim))
        self.proj_in = nn.Linear(input_dim, dim)
        self.layers = nn.ModuleList([_Layer(dim, num_heads) for _ in range(num_layers)])
        self.proj_out = nn.Linear(dim, output_dim)
        self.norm_out = nn.LayerNorm(output_dim)

    def forward(self, values: Tensor) -> Tensor:
        """Tokens (B, num_tokens, output_dim) of ``values`` (B, L, input_dim)."""
        values = self.proj_in(values)
        queries = self.queries.expand(len(values), -1, -1)
        for layer in self.layers:
            queries = layer(queries, values)
        tokens: Tensor = self.norm_out(self.proj_out(queries))
        return tokens


class _Layer(nn.Module):
    """Queries read the values and each other, then pass through a feed-forward layer."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.attention = _Attention(dim, heads)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(dim),
            nn.Linear(dim, 4 * dim, bias=False),
            nn.GELU(),
            nn.Linear(4 * dim, dim, bias=False),
        )

    def forward(self, queries: Tensor, values: Tensor) -> Tensor:
        queries = queries + self.attention(queries, values)
        output: Tensor = queries + self.feed_forward(queries)
        return output


class _Attention(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.to_q = nn.Linear(dim, dim, bias=False)
        self.to_kv = nn.Linear(dim, 2 * dim, bias=False)
        self.to_out = nn.Linear(dim, dim, bias=False)

    def forward(self, queries: Tensor, values: Tensor) -> Tensor:
        def split(x: Tensor) -> Tensor:
            output: Tensor = x.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            return output

        queries = self.norm2(queries)
        readable = torch.cat([self.norm1(values), queries], dim=1)
        key, value = self.to_kv(readable).chunk(2, dim=-1)
        read = F.scaled_dot_product_attention(split(self.to_q(queries)), split(key), split(value))
        output: Tensor = self.to_out(read.transpose(1, 2).flatten(2))
        return output
