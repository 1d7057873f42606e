"""HiFi-Net: a ControlNet that reads faces.

It steers a frozen SDXL UNet by residuals, as a ControlNet does, from three sources: the landmark image and
canonical coordinates of the target; the references' colours and refined features, carried through the fitted
head into the target's frame; and face tokens, which its cross-attention reads beside the prompt.

All of that is independent of the timestep. `prepare` computes it once a call, `bound` hands it to `forward`
while diffusers' own denoising loop runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from diffusers.configuration_utils import register_to_config
from diffusers.models.controlnets.controlnet import ControlNetOutput
from diffusers.utils.accelerate_utils import apply_forward_hook
from torch import Tensor, nn

from hifi_portrait.errors import ModelError
from hifi_portrait.models.hifi_condition import HiFiCondition, SharedPicture, join_coverage
from hifi_portrait.models.latent_prior import LatentPrior
from hifi_portrait.models.reuse import Residuals, Reuse


@dataclass(frozen=True)
class _Bound:
    """What a call has bound to HiFi-Net, as one object that takes the place of another as a whole."""

    condition: HiFiCondition | SharedPicture | None = None
    reuse: Reuse | None = None
    warp_fading: tuple[float, float] | None = None


class HiFiNet(ControlNetModel):
    """A `ControlNetModel` conditioned on faces and landmarks.

    The output convolutions are zero-initialised: untrained, it leaves the base model's output as it is. So
    are those through which the guidance comes in: they do not disturb an encoder copied from the base.
    The settings are those of `ControlNetModel` that SDXL uses, and these:

    Parameters
    ----------
    conditioning_channels
        Of the picture-sized condition: 3 for the landmark image alone, 7 with canonical coordinates and
        their mask.
    fine_channels, coarse_channels
        Of the face refiner's maps.
    fine_scale
        How many times the latents' sides the fine map has in the target's frame: 2 for autoencoders that
        reduce sides to an eighth, 4 for a sixteenth.
    landmark, warp_latents, surface_alignment, face_tokens
        Switches for the sources of guidance. Without `warp_latents` the prior does not know the warp either.
    text_tokens
        Whether the cross-attention reads the prompt beside the face tokens.
    keypoints
        Whether the control image is five keypoints (`models.keypoints`) in the landmark image's place.
    latent_prior
        Side of the latents for which there is a `LatentPrior`, to which the networks add the rest; 0 for
        none. It is for base models trained along with it: it changes what they have to predict.
    """

    # What SDXL leaves at ControlNetModel's defaults is not part of our files.
    ignore_for_config = [  # noqa: RUF012  (diffusers reads it so)
        "only_cross_attention", "downsample_padding", "mid_block_scale_factor", "act_fn", "norm_eps",
        "encoder_hid_dim", "encoder_hid_dim_type", "num_attention_heads", "class_embed_type",
        "num_class_embeds", "upcast_attention", "resnet_time_scale_shift",
        "controlnet_conditioning_channel_order", "addition_embed_type_num_heads",
    ]  # fmt: skip

    @register_to_config
    def __init__(
        self,
        in_channels: int = 4,
        conditioning_channels: int = 7,
        flip_sin_to_cos: bool = True,
        freq_shift: int = 0,
        down_block_types: tuple[str, ...] = ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        mid_block_type: str | None = "UNetMidBlock2DCrossAttn",
        block_out_channels: tuple[int, ...] = (320, 640, 1280),
        layers_per_block: int = 2,
        norm_num_groups: int | None = 32,
        cross_attention_dim: int = 2048,
        transformer_layers_per_block: int | tuple[int, ...] = (1, 2, 10),
        attention_head_dim: int | tuple[int, ...] = (5, 10, 20),
        use_linear_projection: bool = True,
        addition_embed_type: str | None = "text_time",
        addition_time_embed_dim: int | None = 256,
        projection_class_embeddings_input_dim: int | None = 2816,
        conditioning_embedding_out_channels: tuple[int, ...] = (16, 32, 96, 256),
        global_pool_conditions: bool = False,
        fine_channels: int = 32,
        coarse_channels: int = 256,
        fine_scale: int = 2,
        landmark: bool = True,
        warp_latents: bool = True,
        surface_alignment: bool = True,
        face_tokens: bool = True,
        text_tokens: bool = True,
        keypoints: bool = False,
        latent_prior: int = 0,
    ) -> None:
        super().__init__(
            in_channels=in_channels,
            conditioning_channels=conditioning_channels,
            flip_sin_to_cos=flip_sin_to_cos,
            freq_shift=freq_shift,
            down_block_types=down_block_types,
            mid_block_type=mid_block_type,
            block_out_channels=block_out_channels,
            layers_per_block=layers_per_block,
            norm_num_groups=norm_num_groups,
            cross_attention_dim=cross_attention_dim,
            transformer_layers_per_block=transformer_layers_per_block,
            attention_head_dim=attention_head_dim,
            use_linear_projection=use_linear_projection,
            addition_embed_type=addition_embed_type,
            addition_time_embed_dim=addition_time_embed_dim,
            projection_class_embeddings_input_dim=projection_class_embeddings_input_dim,
            conditioning_embedding_out_channels=conditioning_embedding_out_channels,
            global_pool_conditions=global_pool_conditions,
        )
        if not (face_tokens or text_tokens):
            raise ValueError(
                "`face_tokens` and `text_tokens` cannot both be off: the cross-attention needs one"
            )
        width = block_out_channels[0]
        if not landmark:
            del self.controlnet_cond_embedding
        if warp_latents:
            self.warp_in = nn.Conv2d(in_channels + 1, width, 3, padding=1)
        if surface_alignment:
            # The fine map comes at a multiple of the latent resolution and is folded into channels.
            self.fine_in = nn.Conv2d(fine_scale**2 * (fine_channels + 1), width, 3, padding=1)
            self.coarse_in = nn.Conv2d(coarse_channels + 1, width, 3, stride=2, padding=1)
        for name in ("warp_in", "fine_in", "coarse_in"):
            if hasattr(self, name):
                nn.init.zeros_(getattr(self, name).weight)
                nn.init.zeros_(getattr(self, name).bias)
        self.prior = LatentPrior(in_channels, latent_prior) if latent_prior else None
        self._bound = _Bound()

    def copy_unet(self, unet: UNet2DConditionModel) -> set[str]:
        """Start from the weights of the base UNet's encoder half, where names and shapes agree.

        Returns the names of the parameters that were copied.
        """
        own = self.state_dict()
        encoder = ("conv_in.", "time_embedding.", "add_embedding.", "down_blocks.", "mid_block.")
        shared = {
            name: value
            for name, value in unet.state_dict().items()
            if name.startswith(encoder) and name in own and own[name].shape == value.shape
        }
        self.load_state_dict(shared, strict=False)
        return set(shared)

    @apply_forward_hook  # so that offloading finds it
    def prepare(
        self,
        landmark: Tensor,
        *,
        warp_latents: Tensor | None = None,
        warp_coverage: Tensor | None = None,
        fine: Tensor | None = None,
        fine_coverage: Tensor | None = None,
        coarse: Tensor | None = None,
        coarse_coverage: Tensor | None = None,
        tokens: Tensor | None = None,
        unconditional_tokens: Tensor | None = None,
        separate_warp: bool = False,
    ) -> HiFiCondition:
        """Compute what does not depend on the timestep. Sources that are switched off are not looked at.

        Parameters
        ----------
        landmark
            (B, conditioning_channels, H, W) picture-sized condition: the landmark image in [0, 1], canonical
            coordinates in [-1, 1] and their mask.
        warp_latents, warp_coverage
            (B, in_channels, h, w) scaled latents of the warp and (B, 1, h, w) how well it is seen.
        fine, fine_coverage
            (B, fine_channels, s h, s w) and (B, 1, s h, s w): fused fine maps, s = `fine_scale`.
        coarse, coarse_coverage
            (B, coarse_channels, h, w) and (B, 1, h, w): fused coarse maps.
        tokens, unconditional_tokens
            (B, K, cross_attention_dim) refined face tokens, and what the unconditional half reads in their
            place, if anything.
        separate_warp
            Whether the condition also holds the warp's share apart, so that it can fade (`bound`).

        Raises
        ------
        ValueError
            If a source that is switched on is missing.
        """
        config = self.config
        like_weights = {"device": landmark.device, "dtype": self.dtype}
        scale = 2 ** (len(config.conditioning_embedding_out_channels) - 1)
        shape = [size // scale for size in landmark.shape[-2:]]
        latent_map = torch.zeros(len(landmark), config.block_out_channels[0], *shape, **like_weights)
        lower_map, warp_map = None, None
        if config.landmark:
            latent_map = latent_map + self.controlnet_cond_embedding(landmark.to(**like_weights))
        if config.warp_latents:
            warp = join_coverage("warp_latents", warp_latents, warp_coverage)
            own = self.warp_in(warp.to(**like_weights))
            latent_map, warp_map = latent_map + own, own if separate_warp else None
        if config.surface_alignment:
            folded = nn.functional.pixel_unshuffle(
                join_coverage("fine", fine, fine_coverage), config.fine_scale
            )
            latent_map = latent_map + self.fine_in(folded.to(**like_weights))
            lower_map = self.coarse_in(join_coverage("coarse", coarse, coarse_coverage).to(**like_weights))
        if config.face_tokens and tokens is None:
            raise ValueError("`tokens` is missing, but this HiFi-Net has `face_tokens` switched on")
        read = tokens.to(**like_weights) if config.face_tokens and tokens is not None else None
        given = (warp_latents, warp_coverage) if config.warp_latents else (None, None)
        mean = self._prior_mean(*given, torch.zeros(len(landmark), config.in_channels, *shape).to(landmark))
        return HiFiCondition(latent_map, lower_map, read, mean, unconditional_tokens, warp_map)

    def _prior_mean(self, warp: Tensor | None, coverage: Tensor | None, nothing: Tensor) -> Tensor | None:
        """Mean of the clean latents, expected of the warp, or, shaped like `nothing`, without one."""
        if self.prior is None:
            return None
        if warp is None or coverage is None:
            return self.prior.mean_alone(nothing.float())
        return self.prior.mean_given(warp, coverage)

    @contextmanager
    def bound(
        self,
        condition: HiFiCondition | SharedPicture | None = None,
        *,
        every: int = 1,
        warp_fading: tuple[float, float] | None = None,
    ) -> Iterator[None]:
        """Bind a call's condition to `forward` within this context.

        Parameters
        ----------
        condition
            What `forward` uses, whatever `controlnet_cond` it is given. None leaves that to the caller.
        every
            Compute residuals at every so-many-th call of `forward` only; the calls between return the last
            ones. See `Reuse`.
        warp_fading
            Timesteps between which the warp fades out (`HiFiCondition.fade_warp`); None for no fading.
        """
        reuse = Reuse(every) if every > 1 else None
        before, self._bound = self._bound, _Bound(condition, reuse, warp_fading)
        try:
            yield
        finally:
            self._bound = before

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor | float | int,
        encoder_hidden_states: Tensor,
        controlnet_cond: Tensor | HiFiCondition | SharedPicture | None = None,
        conditioning_scale: float = 1.0,
        class_labels: Tensor | None = None,
        timestep_cond: Tensor | None = None,
        attention_mask: Tensor | None = None,
        added_cond_kwargs: dict[str, Tensor] | None = None,
        cross_attention_kwargs: dict[str, Any] | None = None,
        guess_mode: bool = False,
        return_dict: bool = True,
    ) -> ControlNetOutput | tuple[list[Tensor], Tensor]:
        """Residuals for the UNet, as `ControlNetModel.forward`.

        Parameters
        ----------
        sample
            (B, in_channels, h, w) noisy latents.
        timestep
            A number or (B,).
        encoder_hidden_states
            (B, L, cross_attention_dim) text embeddings.
        controlnet_cond
            A `HiFiCondition` for B pictures, or a `SharedPicture` of them. Anything else is ignored in favour
            of the bound condition. One with unconditional tokens may be for B / 2 pictures, of which the
            unconditional samples come first.
        conditioning_scale
            Multiplies the residuals.
        added_cond_kwargs
            SDXL's `text_embeds` and `time_ids`.
        guess_mode
            Taken for diffusers' loop, which then asks for the conditional half only; nothing is rescaled.
        class_labels, timestep_cond, attention_mask
            Part of diffusers' signature, and unused.

        Raises
        ------
        ModelError
            If there is no condition.
        """
        condition, reuse = self._bound.condition, self._bound.reuse
        if isinstance(controlnet_cond, HiFiCondition | SharedPicture):
            condition = controlnet_cond
        if condition is None:
            raise ModelError(
                "HiFi-Net has no condition: pass one as `controlnet_cond`, or run inside `bound`"
            )

        def compute() -> Residuals:
            given = (sample, timestep, encoder_hidden_states, added_cond_kwargs or {}, cross_attention_kwargs)
            if not isinstance(condition, SharedPicture):
                return self._residuals(condition, *given)
            each = [self._residuals(one, *given) for one in condition.conditions]
            blend = condition.regions.blend
            down = [blend(states) for states in zip(*(states for states, _ in each), strict=True)]
            return down, blend([middle for _, middle in each])

        down, middle = reuse.residuals(compute, len(sample)) if reuse else compute()
        down, middle = [state * conditioning_scale for state in down], middle * conditioning_scale
        if not return_dict:
            return down, middle
        return ControlNetOutput(down_block_res_samples=tuple(down), mid_block_res_sample=middle)

    def _residuals(
        self,
        condition: HiFiCondition,
        sample: Tensor,
        timestep: Tensor | float | int,
        text: Tensor,
        added: dict[str, Tensor],
        cross_attention_kwargs: dict[str, Any] | None,
    ) -> Residuals:
        """Residuals for one person's condition."""
        if condition.unconditional_tokens is not None and len(sample) == 2 * condition.batch_size:
            condition = condition.for_both_halves()
        elif condition.batch_size != len(sample):
            condition = condition.expand(len(sample))
        if self._bound.warp_fading is not None:
            time = torch.as_tensor(timestep).to(sample.device)
            condition = condition.fade_warp(time, *self._bound.warp_fading)
        embedding = self._time_embedding(sample, timestep, added)
        context = self._context(text, condition)
        down, middle = self._encode(sample, embedding, context, condition, cross_attention_kwargs)
        down = [zero(state) for zero, state in zip(self.controlnet_down_blocks, down, strict=False)]
        return down, self.controlnet_mid_block(middle)

    def _time_embedding(
        self, sample: Tensor, timestep: Tensor | float | int, added: dict[str, Tensor]
    ) -> Tensor:
        """Embedding of the timestep and, for SDXL, of pooled text, sizes and crop."""
        timesteps = torch.as_tensor(timestep, device=sample.device).reshape(-1).expand(len(sample))
        embedding: Tensor = self.time_embedding(self.time_proj(timesteps).to(sample.dtype))
        if self.config.addition_embed_type != "text_time":
            return embedding
        text = added["text_embeds"]
        times = self.add_time_proj(added["time_ids"].flatten()).reshape(len(text), -1)
        output: Tensor = embedding + self.add_embedding(
            torch.cat([text, times.to(text.dtype)], dim=-1).to(embedding.dtype)
        )
        return output

    def _context(self, text: Tensor, condition: HiFiCondition) -> Tensor:
        """Join what the cross-attention reads: face tokens, text tokens or both (B, K + L, D)."""
        if condition.tokens is None:
            return text
        tokens = condition.tokens.to(text.dtype)
        return torch.cat([tokens, text], dim=1) if self.config.text_tokens else tokens

    def _encode(
        self,
        sample: Tensor,
        embedding: Tensor,
        context: Tensor,
        condition: HiFiCondition,
        cross_attention_kwargs: dict[str, Any] | None,
    ) -> tuple[list[Tensor], Tensor]:
        """Hidden states of every layer that has a counterpart among the UNet's skip connections."""
        hidden = self.conv_in(sample)
        hidden = hidden + condition.latent_map.to(hidden.dtype)
        states = [hidden]
        for level, block in enumerate(self.down_blocks):
            if level == 1 and condition.lower_map is not None:
                hidden = hidden + condition.lower_map.to(hidden.dtype)
            reads = getattr(block, "has_cross_attention", False)
            extra = {"encoder_hidden_states": context, "cross_attention_kwargs": cross_attention_kwargs}
            hidden, outputs = block(hidden_states=hidden, temb=embedding, **(extra if reads else {}))
            states += outputs
        if self.mid_block is None:
            return states, hidden
        if not getattr(self.mid_block, "has_cross_attention", False):
            return states, self.mid_block(hidden, embedding)
        middle = self.mid_block(
            hidden, embedding, encoder_hidden_states=context, cross_attention_kwargs=cross_attention_kwargs
        )
        return states, middle
