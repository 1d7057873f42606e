"""Decoupled face attention for the UNet: each cross-attention also reads the face tokens.

Beside a layer's attention to the text stands a second one, with the same queries and keys and values of its
own for the face tokens; their outputs are added (IP-Adapter, arXiv 2308.06721, eq. 5). Values are
zero-initialised, so that untrained it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin, UNet2DConditionModel
from diffusers.configuration_utils import register_to_config
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor, nn

from hifi_portrait.errors import ModelError
from hifi_portrait.models.regions import Regions

KeysAndValues = tuple[Tensor, Tensor]


class FaceAttention(ModelMixin, ConfigMixin):
    """Keys and values of face tokens for every cross-attention of a UNet.

    Parameters
    ----------
    token_dim
        Width of the face tokens.
    hidden_sizes
        Width of each of the UNet's cross-attention layers, in the order of `unet.attn_processors`
        (down, up, middle). None at all leaves every UNet as it is: for designs whose faces are in the prompt.
    """

    @register_to_config
    def __init__(self, token_dim: int, hidden_sizes: Sequence[int]) -> None:
        super().__init__()
        self.to_k = nn.ModuleList([nn.Linear(token_dim, size, bias=False) for size in hidden_sizes])
        self.to_v = nn.ModuleList([nn.Linear(token_dim, size, bias=False) for size in hidden_sizes])
        if not hidden_sizes:  # a model's file needs one tensor at least
            self.register_buffer("empty", torch.zeros(1))
        for weight in self.to_v.parameters():
            nn.init.zeros_(weight)
        # One a layer, for the processors to read: all layers' compiled code then reads the same place.
        self._layers = [_Layer() for _ in hidden_sizes]

    @classmethod
    def for_unet(cls, unet: UNet2DConditionModel, token_dim: int | None = None) -> FaceAttention:
        """Fresh face attention of the widths that `unet` has; tokens as wide as its text embeddings."""
        sizes = [layer.to_q.out_features for _, layer in cross_attention_layers(unet)]
        attention: FaceAttention = cls(
            token_dim=token_dim or unet.config.cross_attention_dim, hidden_sizes=sizes
        )
        return attention

    def forward(self, tokens: Tensor) -> list[KeysAndValues]:
        """Keys and values (B, K, C) of face tokens (B, K, D) for each layer; once a call, not once a step."""
        tokens = tokens.to(self.dtype)
        return [(to_k(tokens), to_v(tokens)) for to_k, to_v in zip(self.to_k, self.to_v, strict=False)]

    @contextmanager
    def bound(
        self, tokens: Tensor, scale: float = 1.0, copies: int = 1, unconditional: Tensor | None = None
    ) -> Iterator[None]:
        """Within this context an attached UNet also reads `tokens` (B, K, D), weighed by `scale`.

        Each sample's tokens count for `copies` pictures side by side; below, B is the number of pictures.

        The UNet may run on B samples, or on 2 B of which the second half is conditional, as diffusers orders
        them for classifier-free guidance; the unconditional half reads `unconditional` (B, K, D), or no face
        if there is none.
        """
        with self.bound_to_several([tokens], None, scale, copies, [unconditional]):
            yield

    @contextmanager
    def bound_to_several(
        self,
        tokens: Sequence[Tensor],
        regions: Regions | None,
        scale: float = 1.0,
        copies: int = 1,
        unconditional: Sequence[Tensor | None] = (),
    ) -> Iterator[None]:
        """As `bound`, with the tokens of several people, each read within an own part of the pictures.

        `regions` may be None where there is one person.
        """
        before = [layer.bound for layer in self._layers]
        self.bind(tokens, regions, scale, copies, unconditional)
        try:
            yield
        finally:
            self._hand_out(before)

    def bind(
        self,
        tokens: Sequence[Tensor],
        regions: Regions | None = None,
        scale: float = 1.0,
        copies: int = 1,
        unconditional: Sequence[Tensor | None] = (),
    ) -> None:
        """As `bound_to_several`, until other tokens are bound.

        For training with gradient checkpointing, which reads the tokens once more on the way back.
        """
        if scale == 0:
            self._hand_out([None] * len(self._layers))
            return
        nobody = [None] * len(tokens)
        people = [
            self._read_person(own, of_nobody, copies)
            for own, of_nobody in zip(tokens, unconditional or nobody, strict=True)
        ]
        self._hand_out([_Bound(each, regions, scale) for each in zip(*people, strict=True)])

    def rebind_for_gradient(self, output: Tensor) -> None:
        """Bind once more what is bound now when a gradient comes back to a UNet's output.

        With gradient checkpointing the UNet then reads again what made this output, even if other tokens were
        bound and read after it.
        """
        bound = [layer.bound for layer in self._layers]
        if output.requires_grad:
            output.register_hook(lambda _: self._hand_out(bound))

    def _hand_out(self, bound: Sequence[_Bound | None]) -> None:
        """Give each layer what it is to read."""
        for layer, each in zip(self._layers, bound, strict=True):
            layer.bound = each

    def _read_person(self, tokens: Tensor, unconditional: Tensor | None, copies: int) -> list[_BoundPerson]:
        """Keys and values of one person for each layer."""
        own = self._repeat_keys(tokens, copies)
        if unconditional is None:
            return [_BoundPerson(each, None) for each in own]
        pairs = zip(self._repeat_keys(unconditional, copies), own, strict=True)
        return [_BoundPerson((k, v), (torch.cat([k0, k]), torch.cat([v0, v]))) for (k0, v0), (k, v) in pairs]

    def _repeat_keys(self, tokens: Tensor, copies: int) -> list[KeysAndValues]:
        return [(k.repeat_interleave(copies, 0), v.repeat_interleave(copies, 0)) for k, v in self(tokens)]

    def attach(self, unet: UNet2DConditionModel) -> None:
        """Let the UNet's cross-attention layers read faces; processors already set keep working beneath.

        Raises
        ------
        ModelError
            If the UNet's cross-attention layers have other widths.
        """
        if not self.config.hidden_sizes:
            return
        layers = cross_attention_layers(unet)
        widths = [layer.to_q.out_features for _, layer in layers]
        if widths != list(self.config.hidden_sizes):
            raise ModelError(
                f"face attention made for {len(self.config.hidden_sizes)} layers of widths "
                f"{sorted(set(self.config.hidden_sizes))} does not fit a UNet with {len(widths)} of widths "
                f"{sorted(set(widths))}"
            )
        self.detach(unet)
        for (_, layer), read in zip(layers, self._layers, strict=True):
            layer.set_processor(FaceAttentionProcessor(self, read, layer.get_processor()))

    @staticmethod
    def detach(unet: UNet2DConditionModel) -> None:
        """Give the UNet's cross-attention layers the processors back that they had before `attach`."""
        for _, layer in cross_attention_layers(unet):
            if isinstance(layer.processor, FaceAttentionProcessor):
                layer.set_processor(layer.processor.inner)

    @contextmanager
    def attached(self, unet: UNet2DConditionModel) -> Iterator[None]:
        """Attached within this context; a UNet to which it is attached already is left as it is."""
        processors = [layer.processor for _, layer in cross_attention_layers(unet)]
        if all(isinstance(p, FaceAttentionProcessor) and p.face_attention is self for p in processors):
            yield
            return
        self.attach(unet)
        try:
            yield
        finally:
            self.detach(unet)

    @property
    def is_bound(self) -> bool:
        """Whether there are tokens to read."""
        return any(layer.bound is not None for layer in self._layers)

    def read(self, attn: Attention, query: Tensor, index: int) -> Tensor:
        """Attend to what is bound with queries (R, L, C) of layer `index`, of R samples that read faces."""
        bound = self._layers[index].bound
        return torch.zeros_like(query) if bound is None else bound.read(attn, query)


@dataclass(frozen=True)
class _BoundPerson:
    """One person's keys and values for a layer, and for both halves if the unconditional one reads too."""

    own: KeysAndValues
    both: KeysAndValues | None

    @property
    def pictures(self) -> int:
        return len(self.own[0])

    def for_readers(self, count: int) -> KeysAndValues:
        """Those for so many readers: the last ones read this person, and nobody comes before."""
        if count == self.pictures:
            return self.own
        first = self.own if self.both is None else self.both
        if count == len(first[0]):
            return first
        return torch.cat([first[0], self.own[0]]), torch.cat([first[1], self.own[1]])


@dataclass(frozen=True)
class _Bound:
    """What a layer reads."""

    people: tuple[_BoundPerson, ...]
    regions: Regions | None
    scale: float

    def readers(self, samples: int) -> int:
        """How many of so many samples read faces: the last ones, or all.

        Raises
        ------
        ModelError
            If there are neither as many samples as pictures, nor twice or three times as many.
        """
        first = self.people[0]
        if samples not in (first.pictures, 2 * first.pictures, 3 * first.pictures):
            raise ModelError(
                f"face attention is bound to {first.pictures} pictures, but the UNet runs on {samples} "
                "samples: it takes as many, or two or three times as many with the unconditional ones first"
            )
        if first.both is not None or samples == first.pictures:
            return samples
        return samples - first.pictures

    def read(self, attn: Attention, query: Tensor) -> Tensor:
        """Attend with a layer's queries (R, L, C), of its `readers`, to the bound tokens: (R, L, C)."""
        outputs = [_read(attn, query, person.for_readers(len(query))) for person in self.people]
        if self.regions is None:
            return outputs[0] * self.scale
        masks = self.regions.along(query.shape[1]).to(query)
        total: Tensor = sum(output * mask for output, mask in zip(outputs, masks, strict=True))
        return total * self.scale


@dataclass
class _Layer:
    """What a layer's processor reads at present; None outside of calls, or where faces count for nothing."""

    bound: _Bound | None = None


def cross_attention_layers(unet: UNet2DConditionModel) -> list[tuple[str, Attention]]:
    """Names and layers of a UNet's cross-attention, in the order of `unet.attn_processors`."""
    names = [name.removesuffix(".processor") for name in unet.attn_processors]
    return [(name, unet.get_submodule(name)) for name in names if name.endswith("attn2")]


class FaceAttentionProcessor:
    """An attention processor that adds attention to faces to that of the processor it wraps.

    It is no module: the weights belong to `FaceAttention` and stay out of the UNet's.
    """

    def __init__(self, face_attention: FaceAttention, layer: _Layer, inner: Any) -> None:
        self.face_attention = face_attention
        self.layer = layer
        self.inner = inner

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *args: Any,
        ip_adapter_masks: Any = None,  # named, as diffusers hands on only what a processor names
        **kwargs: Any,
    ) -> Tensor:
        """Attend to the text, then to the faces. Arguments as for any diffusers attention processor."""
        if ip_adapter_masks is not None:
            kwargs["ip_adapter_masks"] = ip_adapter_masks
        bound = self.layer.bound
        if bound is None:
            output: Tensor = self.inner(
                attn, hidden_states, encoder_hidden_states, attention_mask, *args, **kwargs
            )
            return output
        plain = type(self.inner) is AttnProcessor2_0 and not attn.residual_connection
        if plain and encoder_hidden_states is not None and attention_mask is None:
            return self._attend_to_both(bound, attn, hidden_states, encoder_hidden_states)
        output = self.inner(attn, hidden_states, encoder_hidden_states, attention_mask, *args, **kwargs)
        query = attn.to_q(hidden_states[-bound.readers(len(hidden_states)) :])
        # The output projection is linear: it may be applied to the faces' part by itself, without its bias.
        projection = attn.to_out[0]
        faces = projection(bound.read(attn, query))
        faces = faces if projection.bias is None else faces - projection.bias
        return _add_last(output, faces / attn.rescale_output_factor)

    @staticmethod
    def _attend_to_both(bound: _Bound, attn: Attention, hidden_states: Tensor, text: Tensor) -> Tensor:
        """Attend as diffusers' plain processor does, and add the faces' part before the output projection."""
        query = attn.to_q(hidden_states)
        read = _read(attn, query, (attn.to_k(text), attn.to_v(text)))
        read = _add_last(read, bound.read(attn, query[-bound.readers(len(query)) :]))
        output: Tensor = attn.to_out[1](attn.to_out[0](read)) / attn.rescale_output_factor
        return output


def _read(attn: Attention, query: Tensor, keys_and_values: KeysAndValues) -> Tensor:
    """Attention (B, L, C) of queries (B, L, C) to keys and values (B, K, C), with the layer's heads."""

    def split(x: Tensor) -> Tensor:
        output: Tensor = x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
        return output

    key, value = (split(x.to(query.dtype)) for x in keys_and_values)
    return F.scaled_dot_product_attention(split(query), key, value).transpose(1, 2).flatten(2)


def _add_last(values: Tensor, addend: Tensor) -> Tensor:
    """Add to the last samples of a batch."""
    if len(values) == len(addend):
        return values + addend
    return torch.cat([values[: -len(addend)], values[-len(addend) :] + addend])
