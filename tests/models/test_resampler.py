"""Our resampler beside diffusers' own, which computes the same by weights of other names."""

import re

import torch
from diffusers.models.embeddings import IPAdapterPlusImageProjection

from hifi_portrait.models.resampler import Resampler


def theirs(ours):
    """The weights of a `Resampler` under the names by which diffusers' has them."""
    named = {}
    for name, value in ours.state_dict().items():
        name = name.replace("queries", "latents").replace("attention.norm1", "ln0")
        name = name.replace("attention.norm2", "ln1").replace("attention.to_q", "attn.to_q")
        name = name.replace("attention.to_out", "attn.to_out.0").replace("feed_forward.0", "ff.0")
        name = name.replace("feed_forward.1", "ff.1.net.0.proj").replace("feed_forward.3", "ff.1.net.2")
        if "to_kv" in name:
            for part, half in zip("kv", value.chunk(2), strict=True):
                named[re.sub("attention.to_kv", f"attn.to_{part}", name)] = half
        else:
            named[name] = value
    return named


def test_it_computes_what_diffusers_does():
    torch.manual_seed(0)
    ours = Resampler(input_dim=12, dim=16, output_dim=20, num_tokens=3, num_layers=2, num_heads=4)
    other = IPAdapterPlusImageProjection(
        embed_dims=12, output_dims=20, hidden_dims=16, depth=2, dim_head=4, heads=4, num_queries=3
    )
    other.load_state_dict(theirs(ours))
    values = torch.randn(2, 5, 12)
    with torch.no_grad():
        torch.testing.assert_close(ours(values), other(values), atol=1e-6, rtol=1e-5)
