"""Latents of pictures, by the autoencoder that a prepared folder keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from hifi_portrait.errors import DatasetError
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.models.latents import encode_picture, reduction
from hifi_portrait.models.patched_autoencoder import load_autoencoder
from hifi_portrait.training.data.prepared import Prepared
from hifi_portrait.training.engine.precision import autocast_where_fast
from hifi_portrait.training.engine.weights import find_part


class LatentEncoder:
    """Encodes pictures by the autoencoder found in a folder.

    Parameters
    ----------
    folder
        The autoencoder's own folder, a pipeline's, or that of a training run.

    Attributes
    ----------
    factor : int
        By which sides of pictures are reduced.

    Raises
    ------
    DatasetError
        There is none.
    """

    def __init__(self, folder: str | Path) -> None:
        place = find_part([folder], "vae", "AutoencoderKL")
        if place is None:
            raise DatasetError(f"no autoencoder in {folder}: give its folder or its training run")
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = load_autoencoder(place).eval()
        self.model.to(self.device, memory_format=torch.channels_last)
        self.factor = reduction(self.model)

    @property
    def channels(self) -> int:
        """Channels of the latents."""
        return int(self.model.config.latent_channels)

    def __call__(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        """Encode pictures (B, H, W, 3) to scaled latents (B, C, h, w)."""
        pixels = torch.tensor(crops).permute(0, 3, 1, 2).float() / 127.5 - 1
        pixels = pixels.to(self.device, memory_format=torch.channels_last)
        with autocast_where_fast(self.device):
            encoded = encode_picture(self.model, pixels)
        return encoded.float().cpu().numpy().astype(np.float16)


def encode_latents(
    folder: str | Path,
    vae: str | Path,
    *,
    mirrored: bool = False,
    batch_size: int = 8,
    progress: bool = False,
) -> None:
    """Write the scaled latents of all crops of a prepared folder, and save the autoencoder beside them.

    Parameters
    ----------
    folder
        The prepared folder.
    vae
        Folder of the autoencoder, of a pipeline or of a training run.
    mirrored
        Whether to write those of the crops' mirror images, too.
    batch_size
        Pictures that are encoded at a time.
    progress
        Whether to show a progress bar.

    Raises
    ------
    DatasetError
        There is no autoencoder in ``vae``, or the folder is not prepared.
    """
    prepared, encoder = Prepared(folder), LatentEncoder(vae)
    side = prepared.size // encoder.factor
    shape = (len(prepared), encoder.channels, side, side)
    encoder.model.save_pretrained(prepared.folder / "vae")
    for name in ("latents", "mirrored") if mirrored else ("latents",):
        with atomic_write(prepared.folder / f"{name}.npy") as partial:
            latents = np.lib.format.open_memmap(partial, "w+", np.float16, shape)
            for start in tqdm(range(0, len(prepared), batch_size), desc=name, disable=not progress):
                rows = slice(start, start + batch_size)
                crops = prepared.arrays["crops"][rows]
                latents[rows] = encoder(crops[:, :, ::-1].copy() if name == "mirrored" else crops)
            latents.flush()
