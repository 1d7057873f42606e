"""Write a diffusers SDXL model as one file in the layout of the original SDXL checkpoints."""

from __future__ import annotations

import re

import torch
from safetensors.torch import save_file

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
UNET = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}
AUTOENCODER = {
    "conv_shortcut": "nin_shortcut",
    "mid_block.resnets.0": "mid.block_1",
    "mid_block.resnets.1": "mid.block_2",
    "conv_norm_out": "norm_out",
    "downsamplers.0": "downsample",
    "upsamplers.0": "upsample",
}
OPEN_CLIP = {
    "embeddings.position_embedding.weight": "positional_embedding",
    "embeddings.token_embedding": "token_embedding",
    "final_layer_norm": "ln_final",
    "encoder.layers": "transformer.resblocks",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "self_attn": "attn",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}


def save_original(pipe, file):
    """The base model of a pipeline, in one safetensors file."""
    tensors = {f"model.diffusion_model.{name}": value for name, value in unet(pipe.unet).items()}
    tensors |= {f"first_stage_model.{name}": value for name, value in autoencoder(pipe.vae).items()}
    first = {
        name.removeprefix("text_model."): value for name, value in pipe.text_encoder.state_dict().items()
    }
    tensors |= {
        f"conditioner.embedders.0.transformer.text_model.{name}": value for name, value in first.items()
    }
    tensors |= {
        f"conditioner.embedders.1.model.{name}": value
        for name, value in open_clip(pipe.text_encoder_2).items()
    }
    save_file({name: value.contiguous() for name, value in tensors.items()}, file)


def renamed(name, names):
    for own, original in names.items():
        name = re.sub(rf"(^|\.){re.escape(own)}(?=\.|$)", rf"\g<1>{original}", name)
    return name


def unet(model):
    layers = model.config.layers_per_block

    def original(name):
        name = renamed(name, UNET)
        if match := re.match(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.*)", name):
            way, block, kind, layer, rest = match[1], int(match[2]), match[3], int(match[4]), match[5]
            first = (layers + 1) * block
            if kind == "downsamplers":
                return f"input_blocks.{first + layers + 1}.0.op.{rest.removeprefix('conv.')}"
            if kind == "upsamplers":
                attends = hasattr(model.up_blocks[block], "attentions")
                return f"output_blocks.{first + layers}.{1 + attends}.{rest}"
            place = f"input_blocks.{first + layer + 1}" if way == "down" else f"output_blocks.{first + layer}"
            name = f"{place}.{0 if kind == 'resnets' else 1}.{rest}"
        return name if "transformer_blocks" in name else renamed(name, RESNET)

    return {original(name): value for name, value in model.state_dict().items()}


def autoencoder(model):
    def original(name):
        name = re.sub(r"down_blocks\.(\d+)\.resnets", r"down.\1.block", name)
        name = re.sub(r"down_blocks\.(\d+)", r"down.\1", name)
        count = len(model.config.block_out_channels)
        name = re.sub(r"up_blocks\.(\d+)", lambda match: f"up.{count - 1 - int(match[1])}", name)
        return renamed(re.sub(r"(up\.\d+)\.resnets", r"\1.block", name), AUTOENCODER)

    return {original(name): value for name, value in model.state_dict().items()}


def open_clip(model):
    tensors = {}
    for name, value in model.state_dict().items():
        tensors[renamed(name.removeprefix("text_model."), OPEN_CLIP)] = value
    tensors["text_projection"] = tensors.pop("text_projection.weight").T
    for layer in range(model.config.num_hidden_layers):
        attention = f"transformer.resblocks.{layer}.attn"
        for kind in ("weight", "bias"):
            parts = [tensors.pop(f"{attention}.{part}_proj.{kind}") for part in "qkv"]
            tensors[f"{attention}.in_proj_{kind}"] = torch.cat(parts)
    return tensors
