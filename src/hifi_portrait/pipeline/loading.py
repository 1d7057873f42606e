"""How a pipeline is loaded and saved: bases of every layout, HiFi weights beside them, LoRAs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline
from diffusers.utils.import_utils import is_invisible_watermark_available, is_peft_available
from torch import Tensor

from hifi_portrait.errors import ModelError, needs_extra
from hifi_portrait.io.hub import check_reachable
from hifi_portrait.io.lora_files import check_lora
from hifi_portrait.models.base_model import check_hub_is_sdxl, check_is_sdxl, is_single_file, load_single_file
from hifi_portrait.models.dtypes import Dtypes, dtype_of, saved_dtypes
from hifi_portrait.models.files import BUNDLED, HIFI_PARTS, check_folder
from hifi_portrait.models.hifi_files import load_hifi_parts

_OPTIONAL_PARTS = ("image_encoder", "feature_extractor")
_HUB_SETTINGS = ("token", "cache_dir", "local_files_only")


@dataclass(frozen=True)
class Source:
    """Where a pipeline is loaded from."""

    base: str | Path
    """Folder, hub id or single file."""
    dtype: Dtypes
    """Of the weights, or of each part's."""
    settings: dict[str, Any]
    """Parts that are loaded already, and other arguments of diffusers' loaders."""

    @property
    def is_single_file(self) -> bool:
        """Whether the base is one file in the original layout."""
        return is_single_file(self.base)

    def load_single_file(self, optional: Collection[str]) -> dict[str, Any]:
        """Load the parts of a single file and join them with the HiFi parts: a pipeline's arguments.

        Parameters
        ----------
        optional
            Names of the pipeline's arguments that may be left out.

        Raises
        ------
        ModelError
            If the file cannot be read, or there are no HiFi parts.
        """
        settings = dict(self.settings)
        own = {name: settings.pop(name) for name in HIFI_PARTS if name in settings}
        missing = [name for name in HIFI_PARTS if name not in own]
        if missing:
            raise ModelError(f"{self.base} is a base model without {', '.join(missing)}: give them as `hifi`")
        of_pipeline = [name for name in optional if name in settings and name not in _OPTIONAL_PARTS]
        given = {name: settings.pop(name) for name in of_pipeline}
        whole = self.dtype if isinstance(self.dtype, torch.dtype) else torch.float32
        parts = load_single_file(self.base, whole, **settings)
        if not isinstance(self.dtype, torch.dtype | str):  # the loader of single files takes one for all
            for name, part in parts.items():
                if isinstance(part, torch.nn.Module):
                    part.to(dtype_of(name, self.dtype))
        return parts | own | given


def find_source(base: str | Path | None, hifi: str | Path | None, settings: dict[str, Any]) -> Source:
    """Find what `from_pretrained` is to load, and load the HiFi parts that lie beside it.

    Parameters
    ----------
    base, hifi, settings
        As `HiFiPortraitPipeline.from_pretrained` takes them.

    Raises
    ------
    ModelError
        If a folder or file is missing or damaged, or the base is no SDXL base model.
    """
    settings = dict(settings)
    dtype = settings.pop("torch_dtype", settings.pop("dtype", torch.float32))
    hub = {name: settings[name] for name in _HUB_SETTINGS if name in settings}
    if hifi is not None:
        revision = settings.pop("hifi_revision", None)
        settings = load_hifi_parts(hifi, dtype, revision=revision, **hub) | settings
    if dtype == "auto" and Path(BUNDLED if base is None else base).is_dir():
        dtype = saved_dtypes(Path(BUNDLED if base is None else base))  # diffusers takes that for float32
    elif dtype == "auto":
        dtype = torch.float32
    source = Source(BUNDLED if base is None else base, dtype, settings)
    if source.is_single_file:
        return source
    if base is None or Path(base).is_dir():
        check_is_sdxl(source.base)
        check_folder(source.base, beside=[*settings])
    else:
        check_reachable(str(base), **hub)
        check_hub_is_sdxl(str(base), revision=settings.get("revision"), **hub)
    return source


def load_lora(
    pipe: DiffusionPipeline,
    load: Callable[..., None],
    source: str | Path | dict[str, Tensor],
    *args: Any,
    **kwargs: Any,
) -> None:
    """Load a LoRA by diffusers' own loader; one for another architecture leaves nothing behind.

    Parameters
    ----------
    pipe
        The pipeline that gets it.
    load
        diffusers' loader, which takes ``source``, ``args`` and ``kwargs``.

    Raises
    ------
    ModelError
        If it does not fit the base model, or its name is taken.
    MissingExtraError
        If peft is not installed.
    """
    with needs_extra("lora"):
        import peft  # noqa: F401  (diffusers uses it)
    if not isinstance(source, dict):
        file = Path(source, kwargs.get("weight_name") or "")
        if file.is_file() or (kwargs.get("weight_name") and Path(source).is_dir()):
            check_lora(file, pipe.unet.config.cross_attention_dim)
    named = "the LoRA" if isinstance(source, dict) else f"the LoRA {kwargs.get('weight_name') or source}"
    before = _lora_names(pipe)
    if not kwargs.get("hotswap") and kwargs.get("adapter_name") in before:
        raise ModelError(f"there is a LoRA named {kwargs['adapter_name']!r} already: give another name")
    try:
        load(source, *args, **kwargs)
    except (RuntimeError, ValueError) as error:
        loaded = _lora_names(pipe) - before
        if loaded:
            pipe.delete_adapters(sorted(loaded))
        raise ModelError(
            f"{named} does not fit this base model: give one that was made for SDXL ({error})"
        ) from error
    if _lora_names(pipe) == before and not kwargs.get("hotswap"):
        raise ModelError(f"{named} holds nothing for an SDXL model: give one that was made for SDXL")


def check_no_lora(pipe: DiffusionPipeline) -> None:
    """Check that no LoRA is loaded before a pipeline is saved.

    Raises
    ------
    ModelError
        If one is.
    """
    if names := sorted(_lora_names(pipe)):
        raise ModelError(
            f"a model cannot be saved with LoRAs loaded ({', '.join(names)}): call unload_lora_weights()"
            " first, after fuse_lora() if the model is to keep what they do"
        )


def _lora_names(pipe: DiffusionPipeline) -> set[str]:
    if not is_peft_available():  # diffusers, asked for the names, would raise: there are none
        return set()
    return {name for names in pipe.get_list_adapters().values() for name in names}


def make_watermarker(requested: bool | None) -> Any:
    """Make diffusers' invisible watermarker; None without. By default where its library is installed."""
    if requested is None:
        requested = is_invisible_watermark_available()
    if not requested:
        return None
    from diffusers.pipelines.stable_diffusion_xl.watermark import StableDiffusionXLWatermarker

    return StableDiffusionXLWatermarker()
