"""InstantID by its published equations, written down anew without this project's networks, and a recording.

Run as a script it writes `recorded/instantid.safetensors`, which `ecosystem/test_instantid.py` compares with.
Weights and inputs are given by formulas, so that any other implementation can be recorded from the same ones:
the original, say, after `write_published` has written its two files.
"""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import ControlNetModel, EulerDiscreteScheduler
from safetensors.torch import save_file

from hifi_portrait.models import build, size_config

RECORDED = Path(__file__).parent / "recorded" / "instantid.safetensors"
EMBEDDING, TOKENS, DIM, LAYERS, HEADS = 24, 16, 128, 2, 2
SIZE, STEPS, GUIDANCE, CONTROL_SCALE, ADAPTER_SCALE = 64, 3, 5.0, 0.8, 0.7
KEYPOINTS = [
    [28.1677, 29.1471],
    [37.8390, 29.1640],
    [33.8905, 35.3765],
    [28.0772, 39.7553],
    [37.6821, 39.7167],
]
"""Of `an_identity(1)` with `TARGET` (tests/tiny_pipelines.py), in pixels of a picture of `SIZE`."""


def by_formula(number, *shape, scale=1.0):
    """Numbers that look random, spread evenly over plus and minus ``scale``, the same everywhere."""
    places = torch.arange(math.prod(shape), dtype=torch.float64)
    return (
        (scale * (2 * ((places + 1) * 0.6180339887 + number * 0.7548776662).frac() - 1)).float().view(shape)
    )


def filled(module):
    """A module with weights by formula, of a size at which signals neither die nor grow."""
    with torch.no_grad():
        for number, (name, parameter) in enumerate(sorted(module.named_parameters())):
            if parameter.dim() > 1:
                scale = (3 / parameter[0].numel()) ** 0.5
                parameter.copy_(by_formula(number, *parameter.shape, scale=scale))
            elif name.endswith("weight"):
                parameter.copy_(1 + by_formula(number, *parameter.shape, scale=0.2))
            else:
                parameter.copy_(by_formula(number, *parameter.shape, scale=0.2))
    return module


def base_parts():
    """UNet, autoencoder and text encoders of the tiny size."""
    names = ("vae", "text_encoder", "text_encoder_2", "unet")
    return {name: filled(part) for name, part in build("tiny", names).items()}


def published_controlnet():
    """A ControlNet of SDXL's layout, tiny."""
    unet = {name: value for name, value in size_config("tiny")["unet"].items() if name not in _UNET_ONLY}
    return filled(
        ControlNetModel(
            **unet,
            conditioning_channels=3,
            conditioning_embedding_out_channels=(4, 8, 8, 8),
        )
    )


_UNET_ONLY = ("out_channels", "sample_size", "up_block_types")


def published_adapter(unet):
    """The tensors of `ip-adapter.bin`, tiny: a resampler, and keys and values by the odd places."""
    width = unet.config.cross_attention_dim
    shapes = {
        "latents": (1, TOKENS, DIM),
        "proj_in.weight": (DIM, EMBEDDING),
        "proj_in.bias": (DIM,),
        "proj_out.weight": (width, DIM),
        "proj_out.bias": (width,),
        "norm_out.weight": (width,),
        "norm_out.bias": (width,),
    }
    for layer in range(LAYERS):
        for norm in ("0.norm1", "0.norm2", "1.0"):
            shapes |= {f"layers.{layer}.{norm}.{part}": (DIM,) for part in ("weight", "bias")}
        shapes |= {
            f"layers.{layer}.0.to_q.weight": (DIM, DIM),
            f"layers.{layer}.0.to_kv.weight": (2 * DIM, DIM),
            f"layers.{layer}.0.to_out.weight": (DIM, DIM),
            f"layers.{layer}.1.1.weight": (4 * DIM, DIM),
            f"layers.{layer}.1.3.weight": (DIM, 4 * DIM),
        }
    image_proj = {
        name: by_formula(100 + number, *shape, scale=(3 / shape[-1]) ** 0.5)
        for number, (name, shape) in enumerate(sorted(shapes.items()))
    }
    ip_adapter = {}
    for place, name in enumerate(unet.attn_processors):
        if "attn2" in name:
            size = unet.get_submodule(name.removesuffix(".processor")).to_q.out_features
            for part, number in (("to_k_ip", 300), ("to_v_ip", 500)):
                scale = (3 / width) ** 0.5
                ip_adapter[f"{place}.{part}.weight"] = by_formula(number + place, size, width, scale=scale)
    return {"image_proj": image_proj, "ip_adapter": ip_adapter}


def write_published(folder):
    """Write `ControlNetModel/` and `ip-adapter.bin`, as they are published."""
    published_controlnet().save_pretrained(folder / "ControlNetModel")
    torch.save(published_adapter(base_parts()["unet"]), folder / "ip-adapter.bin")


def inputs():
    """Embedding, latents' noise, and the prompt's embeddings with those of no prompt."""
    unet = size_config("tiny")["unet"]
    return {
        "embedding": by_formula(1, 1, EMBEDDING, scale=20.0),
        "latents": by_formula(2, 1, 4, SIZE // 8, SIZE // 8, scale=1.7),
        "prompt_embeds": by_formula(3, 1, 77, unet["cross_attention_dim"]),
        "negative_prompt_embeds": by_formula(4, 1, 77, unet["cross_attention_dim"]),
        "pooled_prompt_embeds": by_formula(5, 1, 16),
        "negative_pooled_prompt_embeds": by_formula(6, 1, 16),
    }


def scheduler():
    return EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")


def draw_kps(points, width, height, half_width=4, radius=10):
    """The control image, as its preprocessing draws it: uint8 RGB (height, width, 3)."""
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255)]
    canvas = np.zeros([height, width, 3])
    for outer in (0, 1, 3, 4):
        x, y = np.array([points[outer][0], points[2][0]]), np.array([points[outer][1], points[2][1]])
        length = ((x[0] - x[1]) ** 2 + (y[0] - y[1]) ** 2) ** 0.5
        angle = math.degrees(math.atan2(y[0] - y[1], x[0] - x[1]))
        centre, axes = (int(np.mean(x)), int(np.mean(y))), (int(length / 2), half_width)
        canvas = cv2.fillConvexPoly(
            canvas, cv2.ellipse2Poly(centre, axes, int(angle), 0, 360, 1), colours[outer]
        )
    canvas = (canvas * 0.6).astype(np.uint8)
    for (x, y), colour in zip(points, colours, strict=True):
        canvas = cv2.circle(canvas, (int(x), int(y)), radius, colour, -1)
    return canvas


def layer_norm(x, weights, name):
    return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"])


def resampled(weights, embedding):
    """Tokens (B, 16, width) of raw embeddings (B, E)."""
    latents = weights["latents"].repeat(len(embedding), 1, 1)
    face = (embedding @ weights["proj_in.weight"].T + weights["proj_in.bias"])[:, None]
    for layer in range(LAYERS):
        name = f"layers.{layer}"
        seen, asking = (
            layer_norm(face, weights, f"{name}.0.norm1"),
            layer_norm(latents, weights, f"{name}.0.norm2"),
        )
        query = asking @ weights[f"{name}.0.to_q.weight"].T
        key, value = (torch.cat([seen, asking], 1) @ weights[f"{name}.0.to_kv.weight"].T).chunk(2, -1)
        read = attention(query, key, value, HEADS)
        latents = latents + read @ weights[f"{name}.0.to_out.weight"].T
        hidden = layer_norm(latents, weights, f"{name}.1.0") @ weights[f"{name}.1.1.weight"].T
        latents = latents + F.gelu(hidden) @ weights[f"{name}.1.3.weight"].T
    return layer_norm(latents @ weights["proj_out.weight"].T + weights["proj_out.bias"], weights, "norm_out")


def attention(query, key, value, heads):
    """Softmax attention of (B, L, C) with ``heads``, by its definition."""

    def split(x):
        return x.reshape(len(x), x.shape[1], heads, -1).permute(0, 2, 1, 3)

    query, key, value = split(query), split(key), split(value)
    weights = (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).softmax(-1)
    return (weights @ value).permute(0, 2, 1, 3).flatten(2)


class Decoupled:
    """Cross-attention to the text and, apart from it, to the last 16 tokens of what stands behind it."""

    def __init__(self, to_k, to_v):
        self.to_k, self.to_v = to_k, to_v

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, **kwargs):
        text, face = encoder_hidden_states[:, :-TOKENS], encoder_hidden_states[:, -TOKENS:]
        query = attn.to_q(hidden_states)
        output = attention(query, attn.to_k(text), attn.to_v(text), attn.heads)
        output = output + ADAPTER_SCALE * attention(query, face @ self.to_k.T, face @ self.to_v.T, attn.heads)
        return attn.to_out[0](output)


@torch.no_grad()
def published_portrait(control):
    """What InstantID computes of `inputs` and a control image (1, 3, H, W) in [0, 1], step by step."""
    unet, given = base_parts()["unet"], inputs()
    adapter, controlnet = published_adapter(unet), published_controlnet()
    both = torch.cat([torch.zeros_like(given["embedding"]), given["embedding"]])
    tokens = resampled(adapter["image_proj"], both)
    processors = dict(unet.attn_processors)
    for place, name in enumerate(processors):
        if "attn2" in name:
            keys = (adapter["ip_adapter"][f"{place}.{part}.weight"] for part in ("to_k_ip", "to_v_ip"))
            processors[name] = Decoupled(*keys)
    unet.set_attn_processor(processors)
    text = torch.cat([given["negative_prompt_embeds"], given["prompt_embeds"]])
    added = {
        "text_embeds": torch.cat([given["negative_pooled_prompt_embeds"], given["pooled_prompt_embeds"]]),
        "time_ids": torch.tensor([[SIZE, SIZE, 0, 0, SIZE, SIZE]]).float().repeat(2, 1),
    }
    euler = scheduler()
    euler.set_timesteps(STEPS)
    latents = given["latents"] * euler.init_noise_sigma
    recorded = {"tokens": tokens}
    for step, timestep in enumerate(euler.timesteps):
        twice = euler.scale_model_input(torch.cat([latents, latents]), timestep)
        down, middle = controlnet(
            twice,
            timestep,
            encoder_hidden_states=tokens,
            controlnet_cond=torch.cat([control, control]),
            conditioning_scale=CONTROL_SCALE,
            added_cond_kwargs=added,
            return_dict=False,
        )
        noise = unet(
            twice,
            timestep,
            torch.cat([text, tokens], dim=1),
            added_cond_kwargs=added,
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
        ).sample
        without, having = noise.chunk(2)
        latents = euler.step(without + GUIDANCE * (having - without), timestep, latents).prev_sample
        recorded[f"latents_{step}"] = latents
    return recorded


def record():
    """All that is recorded: the control image, tokens, and latents after each step."""
    picture = draw_kps(KEYPOINTS, SIZE, SIZE, half_width=1, radius=1)  # a tiny picture's limbs are fine
    control = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    return {"control": control.contiguous()} | {
        k: v.contiguous() for k, v in published_portrait(control).items()
    }


if __name__ == "__main__":
    RECORDED.parent.mkdir(exist_ok=True)
    save_file(record(), RECORDED)
    print(RECORDED)
