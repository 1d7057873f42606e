"""How a pipeline is loaded and saved."""

from os import PathLike
from pathlib import Path
from typing import Any, Self

from diffusers import StableDiffusionXLControlNetPipeline
from torch import Tensor

from hifi_portrait.models.files import HIFI_PARTS, reading
from hifi_portrait.models.hifi_files import save_hifi_parts
from hifi_portrait.pipeline import loading
from hifi_portrait.pipeline.model_card import write_model_card


class LoadablePipeline(StableDiffusionXLControlNetPipeline):
    """Diffusers' SDXL ControlNet pipeline, with the files that this package has."""

    @classmethod
    def from_pretrained(
        cls, base: str | Path | None = None, *, hifi: str | Path | None = None, **kwargs: Any
    ) -> Self:
        """Load a pipeline.

        Parameters
        ----------
        base
            Folder or hub id of a saved `HiFiPortraitPipeline` or SDXL base model, or a `.safetensors` file of
            one in the original layout. The model that comes with the package, if not given.
        hifi
            HiFi-Net and the face networks for an SDXL base: a folder with `hifi_net/`, `face_encoder/`,
            `face_refiner/` and `face_attention/`, a hub id, or the one file that `save_hifi` wrote.
        kwargs
            As for `DiffusionPipeline.from_pretrained`, or for `StableDiffusionXLPipeline.from_single_file`;
            weights become float32 if `torch_dtype` is not given. `revision` is the base's,
            `hifi_revision` that of `hifi`.

        Raises
        ------
        ModelError
            If something is missing or damaged, is no SDXL base model, or does not belong together.
        """
        source = loading.find_source(base, hifi, kwargs)
        if source.is_single_file:
            _, optional = cls._get_signature_keys(cls)
            return cls(**source.load_single_file(optional))
        with reading(source.base):
            pipeline: Self = super().from_pretrained(str(source.base), dtype=source.dtype, **source.settings)
            return pipeline

    def save_pretrained(self, save_directory: str | PathLike[str], *args: Any, **kwargs: Any) -> None:
        """As diffusers'; and a model card, `README.md`, beside the parts, as the hub shows one.

        A card that somebody else wrote is left as it is.

        Raises
        ------
        ModelError
            If a LoRA is loaded, with which the model could not be loaded again.
        """
        loading.check_no_lora(self)
        super().save_pretrained(save_directory, *args, **kwargs)
        if self.face_encoder is not None:
            write_model_card(save_directory, self.components, self.face_encoder.config.recogniser_dim)

    def save_hifi(self, to: str | Path) -> None:
        """Save HiFi-Net and the face networks alone, as `from_pretrained(base, hifi=to)` reads them.

        `to` is a folder, or one file if its name ends in `.safetensors`.
        """
        save_hifi_parts({part: getattr(self, part) for part in HIFI_PARTS}, to)

    def load_lora_weights(self, source: str | Path | dict[str, Tensor], *args: Any, **kwargs: Any) -> None:
        """As diffusers'; but a LoRA for another architecture is refused, and leaves nothing behind.

        Raises
        ------
        ModelError, MissingExtraError
            If it does not fit the base model, or peft is not installed.
        """
        loading.load_lora(self, super().load_lora_weights, source, *args, **kwargs)

    def register_modules(self, **modules: Any) -> None:
        """As diffusers', but our own classes are saved under the package's name, not that of their module."""
        super().register_modules(**modules)
        saved = {name: self.config[name] for name, module in modules.items() if module is not None}
        own = {
            name: ("hifi_portrait", class_name)
            for name, (library, class_name) in saved.items()
            if library.startswith("hifi_portrait.")
        }
        self.register_to_config(**own)
