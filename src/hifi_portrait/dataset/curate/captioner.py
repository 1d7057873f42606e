"""Captions by a vision-language model of transformers, from the hub or from a folder."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from hifi_portrait.errors import ModelError
from hifi_portrait.head.arrays import ByteArray

PROMPT = (
    "Describe this portrait photo in one sentence: the person, expression, clothes, light and background."
)
"""What models that chat are asked."""

_MOST_TOKENS = 60
"""Tokens of a caption at most: with what prompts add, the text encoders take 77."""


class Captioner:
    """A model that writes a caption of a picture; the same picture always gets the same caption.

    Parameters
    ----------
    model
        Folder, or id on the hub, of any model that `AutoModelForImageTextToText` loads, with its processor:
        those that only caption, such as BLIP and GIT, and those that chat, such as Qwen-VL and SmolVLM.

    Raises
    ------
    ModelError
        It cannot be found or loaded, or it is a model of another kind.
    """

    def __init__(self, model: str) -> None:
        import torch
        from transformers import AutoModelForImageTextToText, AutoProcessor

        self.name = model
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            self._processor: Any = AutoProcessor.from_pretrained(model)
            self._model: Any = AutoModelForImageTextToText.from_pretrained(model).to(self.device).eval()
        except (OSError, ValueError, ImportError, KeyError) as error:
            what = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelError(
                f"{model}: no captioner could be loaded: {what}. Give a folder, or an id on the hub, of an"
                " image-to-text model of transformers with its processor"
            ) from error
        if not hasattr(self._processor, "image_processor"):
            raise ModelError(f"{model} has no image processor: it is no model that captions pictures")

    def __call__(self, picture: ByteArray) -> str:
        """Caption a uint8 RGB picture (H, W, 3), on one line; empty where the model says nothing."""
        import torch

        image = Image.fromarray(picture)
        inputs = self._chat(image) if getattr(self._processor, "chat_template", None) else self._plain(image)
        inputs = inputs.to(self.device)
        with torch.inference_mode():
            tokens = self._model.generate(**inputs, do_sample=False, max_new_tokens=_MOST_TOKENS)[0]
        asked = inputs["input_ids"][0] if "input_ids" in inputs else tokens[:0]
        if len(tokens) >= len(asked) and torch.equal(tokens[: len(asked)], asked):
            tokens = tokens[len(asked) :]
        return " ".join(self._processor.decode(tokens, skip_special_tokens=True).split()).rstrip(".")

    def _plain(self, image: Image.Image) -> Any:
        return self._processor(images=image, return_tensors="pt")

    def _chat(self, image: Image.Image) -> Any:
        said = [{"type": "image", "image": image}, {"type": "text", "text": PROMPT}]
        return self._processor.apply_chat_template(
            [{"role": "user", "content": said}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )


@lru_cache(maxsize=1)
def captioner_of(model: str) -> Captioner:
    """Give the captioner of a model, which is loaded once a process."""
    return Captioner(model)


def captioner_name(model: str) -> str:
    """Name a captioner as a data set keeps it: by the hub's id, or a folder by its name alone."""
    return Path(model).name if Path(model).exists() else model
