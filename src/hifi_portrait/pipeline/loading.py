"""How a pipeline is loaded and saved: bases of every layout, HiFi weights beside them, LoRAs."""

from os import PathLike
from pathlib import Path
from typing import Any, Self

import torch
from diffusers import StableDiffusionXLControlNetPipeline
from torch import Tensor

from hifi_portrait.errors import ModelError, needs_extra
from hifi_portrait.models.base_model import check_hub_is_sdxl, check_is_sdxl, is_single_file, load_single_file
from hifi_portrait.models.files import BUNDLED, HIFI_PARTS, check_folder, reading
from hifi_portrait.models.hifi_files import load_hifi_parts, save_hifi_parts
from hifi_portrait.pipeline.model_card import write_model_card

_PARTS = ("image_encoder", "feature_extractor")  # that need not be there
_HUB_SETTINGS = ("token", "cache_dir", "local_files_only")


class LoadablePipeline(StableDiffusionXLControlNetPipeline):
    """What `HiFiPortraitPipeline` knows of files and hub repositories."""

    @classmethod
    def from_pretrained(
        cls, base: str | Path | None = None, *, hifi: str | Path | None = None, **kwargs: Any
    ) -> Self:
        """Load a pipeline.

        Parameters
        ----------
        base
            Folder or hub id of a saved `HiFiPortraitPipeline`, or of an SDXL base model; or an SDXL
            checkpoint in the original layout, one `.safetensors` file. The model that comes with the package,
            if not given.
        hifi
            HiFi-Net and the face networks for an SDXL base: a folder with `hifi_net/`, `face_encoder/`,
            `face_refiner/` and `face_attention/`, a hub id, or the one file that `save_hifi` wrote.
        kwargs
            As for `DiffusionPipeline.from_pretrained`, or for `StableDiffusionXLPipeline.from_single_file`;
            weights become float32 unless `torch_dtype` says otherwise. `revision` is the base's,
            `hifi_revision` that of `hifi`.

        Raises
        ------
        ModelError
            If a folder or file is missing or damaged, the base is no SDXL base model, or the parts do not
            belong together.
        """
        dtype = kwargs.pop("torch_dtype", kwargs.pop("dtype", torch.float32))
        source = BUNDLED if base is None else base
        hub = {name: kwargs[name] for name in _HUB_SETTINGS if name in kwargs}
        if hifi is not None:
            revision = kwargs.pop("hifi_revision", None)
            kwargs = load_hifi_parts(hifi, dtype, revision=revision, **hub) | kwargs
        if is_single_file(source):
            return cls._from_single_file(source, dtype, kwargs)
        if base is None or Path(source).is_dir():
            check_is_sdxl(source)
            check_folder(source, beside=[*kwargs])
        else:
            check_hub_is_sdxl(str(source), revision=kwargs.get("revision"), **hub)
        with reading(source):
            pipeline: Self = super().from_pretrained(str(source), dtype=dtype, **kwargs)
        return pipeline

    @classmethod
    def _from_single_file(cls, file: str | Path, dtype: torch.dtype, settings: dict[str, Any]) -> Self:
        own = {name: settings.pop(name) for name in HIFI_PARTS if name in settings}
        missing = [name for name in HIFI_PARTS if name not in own]
        if missing:
            raise ModelError(f"{file} is a base model without {', '.join(missing)}: give them as `hifi`")
        _, optional = cls._get_signature_keys(cls)
        said = {name: settings.pop(name) for name in optional if name in settings and name not in _PARTS}
        return cls(**(load_single_file(file, dtype, **settings) | own | said))

    def save_pretrained(self, save_directory: str | PathLike[str], *args: Any, **kwargs: Any) -> None:
        """As diffusers'; and a model card, `README.md`, beside the parts, as the hub shows one.

        A card that somebody else wrote is left as it is.
        """
        super().save_pretrained(save_directory, *args, **kwargs)
        parts = {name: part for name, part in self.components.items() if isinstance(part, torch.nn.Module)}
        sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items()}
        write_model_card(save_directory, sizes, self.face_encoder.config.recogniser_dim)

    def save_hifi(self, to: str | Path) -> None:
        """Save HiFi-Net and the face networks alone, as `from_pretrained(base, hifi=to)` reads them.

        `to` is a folder, or one file if its name ends in `.safetensors`.
        """
        save_hifi_parts({part: getattr(self, part) for part in HIFI_PARTS}, to)

    def load_lora_weights(self, source: str | Path | dict[str, Tensor], *args: Any, **kwargs: Any) -> None:
        """As diffusers'; but a LoRA for another architecture is refused, and leaves nothing behind.

        Raises
        ------
        ModelError
            If it does not fit the base model.
        MissingExtraError
            If peft is not installed.
        """
        with needs_extra("lora"):
            import peft  # noqa: F401  (diffusers uses it)
        named = "the LoRA" if isinstance(source, dict) else f"the LoRA {kwargs.get('weight_name') or source}"
        before = self._lora_names()
        if not kwargs.get("hotswap") and kwargs.get("adapter_name") in before:
            raise ModelError(f"there is a LoRA named {kwargs['adapter_name']!r} already: give another name")
        try:
            super().load_lora_weights(source, *args, **kwargs)
        except (RuntimeError, ValueError) as error:
            self._forget(self._lora_names() - before)
            raise ModelError(
                f"{named} does not fit this base model: give one that was made for SDXL ({error})"
            ) from error
        if self._lora_names() == before and not kwargs.get("hotswap"):
            raise ModelError(f"{named} holds nothing for an SDXL model: give one that was made for SDXL")

    def _lora_names(self) -> set[str]:
        return {name for names in self.get_list_adapters().values() for name in names}

    def _forget(self, loras: set[str]) -> None:
        if loras:
            self.delete_adapters(sorted(loras))

    def register_modules(self, **modules: Any) -> None:
        """As diffusers', but our own classes are saved under the package's name, not that of their module."""
        super().register_modules(**modules)
        own = {name: ("hifi_portrait", self.config[name][1]) for name in HIFI_PARTS if name in modules}
        self.register_to_config(**own)
