"""An autoencoder whose latents are folded in patches: half the side, and only the channels that matter.

A base model spends most of its time on the latents' side, not on their channels. Here the latents of an
ordinary `AutoencoderKL` are cut into patches of 2 x 2, whose values are rotated to their principal components
(PCA). The last of these hardly vary and are left out, so that nothing has to be trained. Of the bundled
autoencoder's 16 channels at an eighth of the picture's side 32 components at a sixteenth are left, which have
0.99 of the variance (`scripts/patch_autoencoder.py` prints it).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from diffusers.configuration_utils import register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput, DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.utils.accelerate_utils import apply_forward_hook
from torch import Tensor

logger = logging.getLogger(__name__)

_LEAST_VARIANCE = 1e-6
"""Variance of a component at least, for its logarithm and for what it is divided by."""


def load_autoencoder(folder: str | Path) -> AutoencoderKL:
    """Load an autoencoder from its own folder, patched or not, as its ``config.json`` says."""
    name = json.loads((Path(folder) / "config.json").read_text()).get("_class_name")
    cls = PatchedAutoencoder if name == PatchedAutoencoder.__name__ else AutoencoderKL
    loaded: AutoencoderKL = cls.from_pretrained(folder)
    return loaded


class PatchedAutoencoder(AutoencoderKL):
    """An `AutoencoderKL` that gives its latents in patches.

    It encodes pictures (B, 3, H, W) to latents (B, `latent_channels`, h / p, w / p), where (h, w) is the size
    of the latents that it has within and p the side of a patch. Settings are those of `AutoencoderKL` that
    differ between the models of this package, and these:

    Parameters
    ----------
    latent_channels
        Components that are kept of each patch: at most `inner_channels` times `patch_size` squared.
    inner_channels
        Channels of the latents before they are cut into patches.
    patch_size
        Side p of a patch.
    """

    # What this package leaves at AutoencoderKL's defaults is not part of its files.
    ignore_for_config = ["act_fn", "latents_mean", "latents_std", "shift_factor"]  # noqa: RUF012

    basis: Tensor
    """(`latent_channels`, D): what a patch's D values are multiplied by; D = `inner_channels` p p."""
    inverse: Tensor
    """(D, `latent_channels`): what brings them back."""
    centre: Tensor
    """(D,): the mean patch."""

    @register_to_config
    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        down_block_types: tuple[str, ...] = ("DownEncoderBlock2D",),
        up_block_types: tuple[str, ...] = ("UpDecoderBlock2D",),
        block_out_channels: tuple[int, ...] = (64,),
        layers_per_block: int = 1,
        latent_channels: int = 16,
        inner_channels: int = 4,
        patch_size: int = 2,
        norm_num_groups: int = 32,
        sample_size: int = 32,
        scaling_factor: float = 1.0,
        force_upcast: bool = False,
        use_quant_conv: bool = False,
        use_post_quant_conv: bool = False,
        mid_block_add_attention: bool = False,
    ) -> None:
        super().__init__(
            in_channels=in_channels,
            out_channels=out_channels,
            down_block_types=down_block_types,
            up_block_types=up_block_types,
            block_out_channels=block_out_channels,
            layers_per_block=layers_per_block,
            latent_channels=inner_channels,
            norm_num_groups=norm_num_groups,
            sample_size=sample_size,
            scaling_factor=scaling_factor,
            force_upcast=force_upcast,
            use_quant_conv=use_quant_conv,
            use_post_quant_conv=use_post_quant_conv,
            mid_block_add_attention=mid_block_add_attention,
        )
        values = inner_channels * patch_size**2
        if not 0 < latent_channels <= values:
            raise ValueError(f"latent_channels must be from 1 to {values}, not {latent_channels}")
        self.register_to_config(latent_channels=latent_channels)
        self.register_buffer("basis", torch.eye(latent_channels, values))
        self.register_buffer("inverse", torch.eye(values, latent_channels))
        self.register_buffer("centre", torch.zeros(values))

    @classmethod
    def fit(
        cls,
        vae: AutoencoderKL,
        pictures: Iterable[Tensor],
        channels: int,
        *,
        patch_size: int = 2,
        power: float = 0.5,
    ) -> PatchedAutoencoder:
        """Fold another autoencoder's latents, by what patches of pictures look like in them.

        Parameters
        ----------
        vae
            The autoencoder, whose weights are taken over.
        pictures
            Each (3, H, W) in [-1, 1], as the autoencoder will get them. H and W are multiples of
            `reduction` (`models.latents`) times ``patch_size``. Together they must have many more patches
            than a patch has values.
        channels
            Components that are kept.
        patch_size
            Side of a patch in latents.
        power
            By which power of their standard deviation components are divided, in [0, 1]. 0 leaves them as
            they are: noise drowns fine detail first and large shapes last. 1 makes all of them equal.

        Raises
        ------
        ValueError
            The autoencoder's latents are in patches already, or ``channels`` is more than a patch has.
        """
        if isinstance(vae, PatchedAutoencoder):
            raise ValueError("this autoencoder's latents are in patches already")
        known = cls._get_init_keys(cls)
        settings = {name: value for name, value in vae.config.items() if name in known}
        settings |= {"inner_channels": vae.config.latent_channels, "latent_channels": channels}
        patched: PatchedAutoencoder = cls(**settings | {"patch_size": patch_size, "scaling_factor": 1.0})
        patched.load_state_dict({**patched.state_dict(), **vae.state_dict()})
        with torch.no_grad():
            modes = [vae.encode(each[None]).latent_dist.mode()[0].float() for each in pictures]
            folded = [F.pixel_unshuffle(mode, patch_size).flatten(1) for mode in modes]
            values = torch.cat(folded, dim=1).double()
            variance, directions = torch.linalg.eigh(torch.cov(values))
            kept = float(variance[-channels:].sum() / variance.sum())
            logger.info("%d of %d components have %.3f of the variance", channels, len(variance), kept)
            variance = variance.flip(0)[:channels].clamp(min=_LEAST_VARIANCE)
            directions = directions.flip(1)[:, :channels]
            scale = variance.sqrt() ** power
            scale = scale * (variance / scale**2).mean().sqrt()  # unit variance over all components
            patched.basis.copy_((directions / scale).T)
            patched.inverse.copy_(directions * scale)
            patched.centre.copy_(values.mean(1))
        return patched

    @apply_forward_hook
    def encode(self, x: Tensor, return_dict: bool = True) -> Any:
        """Encode pictures (B, 3, H, W) in [-1, 1] to a distribution of latents."""
        inner = super().encode(x).latent_dist
        side = self.config.patch_size
        mean = F.pixel_unshuffle(inner.mean, side) - self.centre.view(1, -1, 1, 1)
        variance = F.pixel_unshuffle(inner.var, side)
        mean = F.conv2d(mean, self.basis[:, :, None, None])
        variance = F.conv2d(variance, self.basis.square()[:, :, None, None])
        moments = torch.cat([mean, variance.clamp(min=_LEAST_VARIANCE).log()], dim=1)
        posterior = DiagonalGaussianDistribution(moments)
        return AutoencoderKLOutput(latent_dist=posterior) if return_dict else (posterior,)

    @apply_forward_hook
    def decode(self, z: Tensor, return_dict: bool = True, generator: Any = None) -> Any:
        """Decode latents (B, `latent_channels`, h, w) to pictures, about in [-1, 1]."""
        values = F.conv2d(z, self.inverse[:, :, None, None]) + self.centre.view(1, -1, 1, 1)
        inner = F.pixel_shuffle(values, self.config.patch_size)
        decoded: DecoderOutput = super().decode(inner)
        return decoded if return_dict else (decoded.sample,)
