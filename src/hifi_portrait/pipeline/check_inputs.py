"""What is checked before a pipeline is made and before it draws."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from diffusers import StableDiffusionXLControlNetPipeline, UNet2DConditionModel

from hifi_portrait.errors import ModelError
from hifi_portrait.models.face_attention import FaceAttention
from hifi_portrait.models.face_encoder import FaceEncoder
from hifi_portrait.models.face_refiner import FaceRefiner
from hifi_portrait.models.hifi_net import HiFiNet
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.scene import Scene

_OWN_ARGUMENTS = {"self", "image", "controlnet_conditioning_scale", "guess_mode", "kwargs"}  # of diffusers


def check_fit(
    unet: UNet2DConditionModel,
    hifi_net: HiFiNet,
    face_encoder: FaceEncoder,
    face_refiner: FaceRefiner,
    face_attention: FaceAttention,
) -> None:
    """Check that HiFi-Net and the face networks were made for a base model.

    Raises
    ------
    ModelError
        If it is no SDXL model, or widths differ; the message names them.
    """
    if unet.config.addition_embed_type != "text_time":
        raise ModelError("the base model's UNet is not an SDXL one: HiFi-Portrait needs an SDXL base")
    width = unet.config.cross_attention_dim
    widths = {
        "hifi_net.cross_attention_dim": hifi_net.config.cross_attention_dim,
        "face_refiner.token_dim": face_refiner.config.token_dim,
        "face_attention.token_dim": face_attention.config.token_dim,
    }
    for name, value in widths.items():
        if value != width:
            raise ModelError(f"{name} is {value}, but the base model's cross-attention is {width} wide")
    if face_encoder.config.output_dim != face_refiner.config.encoder_dim:
        raise ModelError(
            f"face_refiner.encoder_dim is {face_refiner.config.encoder_dim}, but the face encoder's tokens "
            f"are {face_encoder.config.output_dim} wide"
        )


def check_known(arguments: Mapping[str, Any], call: Callable[..., Any]) -> None:
    """Refuse arguments that diffusers' own pipeline, which takes any, would silently ignore.

    Parameters
    ----------
    arguments
        That ``call`` hands on to diffusers' pipeline.
    call
        Our pipeline's.

    Raises
    ------
    TypeError
        If one is unknown; the message says which may have been meant.
    """
    passed_on = (
        set(inspect.signature(StableDiffusionXLControlNetPipeline.__call__).parameters) - _OWN_ARGUMENTS
    )
    for name in arguments:
        if name not in passed_on:
            near = difflib.get_close_matches(name, [*inspect.signature(call).parameters, *passed_on], 1)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            raise TypeError(f"a portrait takes no argument `{name}`{hint}")


def check_call(
    identity: Identity,
    target: Target,
    height: int,
    width: int,
    step: int,
    scales: dict[str, float],
    warp_strength: float,
    shares: dict[str, float],
) -> None:
    """Check what a portrait is asked for; ``step`` is what height and width must be multiples of.

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind or out of range; the message names it.
    """
    if not hasattr(identity, "geometries"):
        raise TypeError(f"`identity` must be an Identity, but is {type(identity)}: see Identity.from_photos")
    if not hasattr(target, "expression_vector"):
        raise TypeError(f"`target` must be a Target, but is {type(target)}: see Target.preset")
    if height % step or width % step:
        raise ValueError(f"`height` and `width` must be multiples of {step}, but are {height} and {width}")
    for name, value in scales.items():
        if not isinstance(value, int | float) or value < 0:
            raise ValueError(f"`{name}` must be a number of 0 or more, but is {value!r}")
    if not 0 < warp_strength <= 1:
        raise ValueError(f"`warp_strength` must be in (0, 1], but is {warp_strength!r}")
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise ValueError(f"`{name}` must be in [0, 1], but is {value!r}")


def check_counts(**counts: int) -> None:
    """Check what is to be counted.

    Raises
    ------
    ValueError
        If one is no whole number of 1 or more; the message names it.
    """
    for name, count in counts.items():
        if not isinstance(count, int) or count < 1:
            raise ValueError(f"`{name}` must be a whole number of 1 or more, but is {count!r}")


def check_scene(scene: Scene | None, people: int, height: int, width: int) -> None:
    """Check that a given picture can be redrawn as asked.

    Raises
    ------
    TypeError, ValueError
        If it is no scene, there are several people, or the portrait is not square.
    """
    if scene is None:
        return
    if not isinstance(scene, Scene):
        raise TypeError(f"`scene` must be a Scene, but is {type(scene)}: see Scene.from_photo")
    if people != 1:
        raise ValueError("a scene's face is one person's: redraw one after another for several")
    if height != width:
        raise ValueError(f"a scene is redrawn in a square, but `height` and `width` are {height} and {width}")
