"""Designs to compare: ways for a face to reach a frozen base model, each a few settings of the same parts.

They are trained alike (base, data, samples) and have about as many parameters. What differs is what is read
of the references, through which door it goes in, and what is known of the target:

| design | identity goes in by | target goes in by |
| --- | --- | --- |
| `ip-adapter-faceid` | face attention to the projected mean embedding | - |
| `instantid` | the same tokens, resampled, in face attention and in HiFi-Net | five keypoints |
| `photomaker` | each photo's embedding, stacked in the prompt | - |
| `paper` | refined tokens of all photos, in face attention and in HiFi-Net | landmarks |
| `ours` | the same, and features and colours aligned on the surface | landmarks, the warp |

The others are `ours` with one thing less. A HiFi-Net without control reads the prompt alone: it gives such a
design the parameters of the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hifi_portrait.errors import ModelError

Overrides = dict[str, dict[str, Any]]

_NO_SURFACE: dict[str, Any] = {"warp_latents": False, "surface_alignment": False}
_NO_CONTROL: dict[str, Any] = _NO_SURFACE | {"landmark": False, "face_tokens": False}
_MEAN_EMBEDDING: dict[str, Any] = {"patches": False, "mean_embedding": True}


@dataclass(frozen=True)
class Design:
    """A way for a face to reach a frozen base model."""

    words: str
    """What it is, and the paper that it follows."""
    overrides: Overrides = field(default_factory=dict)
    """Settings by part that differ from those of `ours`."""


DESIGNS: dict[str, Design] = {
    "ip-adapter-faceid": Design(
        "mean recogniser embedding through decoupled cross-attention (arXiv 2308.06721)",
        {
            "hifi_net": _NO_CONTROL,
            "face_encoder": _MEAN_EMBEDDING,
            "face_refiner": {"form": "embedding", "num_tokens": 8, "maps": False},
        },
    ),
    "instantid": Design(
        "keypoint ControlNet whose cross-attention reads the identity, and decoupled cross-attention "
        "(arXiv 2401.07519)",
        {
            "hifi_net": _NO_SURFACE | {"keypoints": True, "conditioning_channels": 3, "text_tokens": False},
            "face_encoder": _MEAN_EMBEDDING,
            "face_refiner": {"num_tokens": 16, "num_layers": 4, "poses": False, "maps": False},
        },
    ),
    "photomaker": Design(
        "embeddings of all photos stacked in the place of the prompt's class word (arXiv 2312.04461)",
        {
            "hifi_net": _NO_CONTROL,
            "face_refiner": {"form": "prompt", "maps": False},
            "face_attention": {"hidden_sizes": []},
        },
    ),
    "paper": Design(
        "refined multi-face tokens and a landmark-conditioned HiFi-Net (arXiv 2512.14542)",
        {"hifi_net": _NO_SURFACE, "face_refiner": {"maps": False}},
    ),
    "ours": Design("the paper's, with surface alignment and the warp"),
    "ours-without-refiner": Design(
        "tokens of the face encoder, averaged over references and projected, no learned queries",
        {"face_refiner": {"form": "plain"}},
    ),
    "ours-without-recogniser": Design(
        "nothing of the recogniser's embedding", {"face_encoder": {"identity": False}}
    ),
    "ours-mean-fusion": Design(
        "aligned features averaged by visibility, tokens averaged over references",
        {"face_refiner": {"fusion": "mean"}},
    ),
}


def design_overrides(name: str) -> Overrides:
    """Return the settings that replace those of a model size, by part, as `build` takes them.

    Raises
    ------
    ModelError
        If there is no design of that name.
    """
    if name not in DESIGNS:
        raise ModelError(f"there is no design {name!r}; choose one of {', '.join(DESIGNS)}")
    return {part: dict(settings) for part, settings in DESIGNS[name].overrides.items()}
