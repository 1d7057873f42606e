"""The networks that denoise together, as training runs them: a UNet, led by HiFi-Net and face attention."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hifi_portrait.models.conditioning import Conditioning
from hifi_portrait.training.data.text import TextEmbeddings
from hifi_portrait.training.engine.precision import own_precision
from hifi_portrait.training.objectives.diffusion import velocity_from_noise


@dataclass(frozen=True)
class Denoiser:
    """Predicts velocities of noisy latents, whatever the networks predict themselves."""

    unet: Any
    """The base model's UNet, which ``face_attention`` is attached to."""

    hifi_net: Any
    """The HiFi-Net beside it."""

    face_attention: Any
    """Its attention to face tokens."""

    alphas_cumprod: Tensor
    """(T,) cumulative products of the schedule's alphas."""

    predicted: str
    """What the networks predict: "v_prediction" or "epsilon"."""

    factor: int
    """By which the autoencoder reduces the sides of pictures."""

    def __call__(
        self,
        noisy: Tensor,
        timesteps: Tensor,
        text: TextEmbeddings,
        condition: Conditioning,
        unconditional: Tensor,
        noise_scale: Tensor | float = 1.0,
    ) -> Tensor:
        """Predict the velocity (B, C, h, w) of noisy latents at timesteps (B,).

        Where ``unconditional`` (B,), it is what the pipeline's guidance takes for its unconditional half:
        that of the bare base model without a prompt, or, for face parts with unconditional tokens, of
        nobody's face. ``noise_scale`` (B,) is what of the schedule's noise was added.
        """
        noisy = noisy.contiguous(memory_format=torch.channels_last)
        text, guided = text.without(unconditional), (~unconditional).to(noisy.dtype).view(-1, 1, 1, 1)
        height, width = (side * self.factor for side in noisy.shape[-2:])
        added, condition = text.added(height, width), condition.without(unconditional)
        down, middle = self.hifi_net(
            noisy, timesteps, text.hidden, condition.hifi, added_cond_kwargs=added, return_dict=False
        )
        if condition.unconditional_tokens is not None:
            guided = torch.ones_like(guided)  # the unconditional half reads nobody's face by them
        self.face_attention.bind([condition.tokens])
        unet = self.unet

        def cast(value: Tensor) -> Tensor:  # autocast does it for a UNet of full precision
            return value if unet.dtype == torch.float32 else value.to(unet.dtype)

        with own_precision(unet):
            output: Tensor = unet(
                cast(noisy),
                timesteps,
                cast(text.hidden),
                added_cond_kwargs={name: cast(value) for name, value in added.items()},
                down_block_additional_residuals=[cast(residual * guided) for residual in down],
                mid_block_additional_residual=cast(middle * guided),
            ).sample
        self.face_attention.rebind_for_gradient(output)
        alphas = self.alphas_cumprod.to(noisy.device)
        if self.predicted == "epsilon":
            return velocity_from_noise(output.float(), noisy, alphas, timesteps)
        known, prior = condition.hifi.prior_mean, self.hifi_net.prior
        if prior is None or known is None:
            return output.float()
        mean = torch.where(unconditional.view(-1, 1, 1, 1), prior.mean_alone(noisy), known)
        velocity: Tensor = output.float() + prior.velocity(noisy, alphas[timesteps], mean, noise_scale)
        return velocity

    def to(self, device: torch.device) -> None:
        """Move the networks, where they are not there yet."""
        for network in (self.unet, self.hifi_net, self.face_attention):
            network.to(device)

    def frozen_copy(self) -> Denoiser:
        """Copy the networks as they are now, frozen. What does not learn is shared, not copied."""
        networks = (self.unet, self.hifi_net, self.face_attention)
        shared = {
            id(tensor): tensor
            for network in networks
            for tensors in (network.parameters(), network.buffers())
            for tensor in tensors
            if not tensor.requires_grad
        }
        unet, hifi_net, face_attention = copy.deepcopy(networks, shared)
        for network in (unet, hifi_net, face_attention):
            network.requires_grad_(False)
            network.eval()
        return Denoiser(unet, hifi_net, face_attention, self.alphas_cumprod, self.predicted, self.factor)
