"""The model card that a saved pipeline carries, as the hub shows it."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import ModelCard, ModelCardData

_TEXT = """
# A HiFi-Portrait pipeline

Portraits of one person from several photos, with a requested expression, head pose and gaze, and no training
per person. The base model is of SDXL's layout; HiFi-Net and the face networks read the photos.

```python
from hifi_portrait import HiFiPortraitPipeline, Identity, Target
from hifi_portrait.head import HeadPose

pipe = HiFiPortraitPipeline.from_pretrained("REPOSITORY")
identity = Identity.from_photos(["a.jpg", "b.jpg", "c.jpg"])
portrait = pipe(identity, Target(expression="smile", pose=HeadPose(yaw=25)), "studio light").images[0]
```

| part | million parameters |
| --- | --- |
{rows}

The recogniser must give embeddings of {recogniser_dim} numbers{which}. Use it only on photos of people who
agreed to it. Licence, training data and limits: to be added by whoever publishes these weights.
"""
_DLIB_DIM = 128
"""Length of the embeddings of the default recogniser, dlib's."""


def write_model_card(folder: str | PathLike[str], components: Mapping[str, Any], recogniser_dim: int) -> None:
    """Write `README.md` into a model folder; one that somebody wrote is left as it is.

    Parameters
    ----------
    folder
        Of the saved pipeline.
    components
        The pipeline's parts by name, of which networks are listed with their number of parameters.
    recogniser_dim
        Length of the embeddings that its face encoder reads.
    """
    file = Path(folder) / "README.md"
    if file.exists() and "hifi-portrait" not in (ModelCard.load(file).data.tags or []):
        return
    networks = {name: part for name, part in components.items() if isinstance(part, torch.nn.Module)}
    sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in networks.items()}
    rows = "\n".join(f"| `{name}` | {size / 1e6:.1f} |" for name, size in sizes.items())
    which = (
        ", as the default one does" if recogniser_dim == _DLIB_DIM else " (`faces.ArcFaceRecogniser`, say)"
    )
    data = ModelCardData(
        library_name="diffusers", pipeline_tag="text-to-image", tags=["hifi-portrait", "portrait", "sdxl"]
    )
    text = _TEXT.format(rows=rows, recogniser_dim=recogniser_dim, which=which)
    ModelCard(f"---\n{data.to_yaml()}\n---\n{text}").save(file)
