"""Fold a trained autoencoder's latents in patches (`hifi_portrait.models.patched_autoencoder`).

usage: python scripts/patch_autoencoder.py --vae bundled --data DIR --out DIR [--channels 32]

The components are measured on the training photos of an ID data set. ``hifi-portrait prepare --vae`` takes
the folder that is written.
"""

import argparse
import logging
from pathlib import Path

import numpy as np

from hifi_portrait.dataset.format import IDDataset
from hifi_portrait.models.patched_autoencoder import PatchedAutoencoder, load_autoencoder
from hifi_portrait.training.engine.weights import find_part
from hifi_portrait.training.objectives.autoencoder import fit_square
from hifi_portrait.training.objectives.sheets import to_tensor


def main() -> None:
    """Measure the components and write the autoencoder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--vae", required=True, help="the autoencoder: its folder, a pipeline's, or bundled")
    parser.add_argument("--data", type=Path, required=True, help="an ID data set")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    parser.add_argument("--channels", type=int, default=32, help="components kept of each patch")
    parser.add_argument("--power", type=float, default=0.5, help="how much alike components are made, 0 to 1")
    parser.add_argument("--side", type=int, default=256, help="side of the model's pictures, in pixels")
    parser.add_argument("--photos", type=int, default=400, help="how many photos are measured")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    place = find_part([chosen.vae], "vae", "AutoencoderKL")
    if place is None:
        parser.error(f"no autoencoder in {chosen.vae}")
    photos = IDDataset(chosen.data, split="train")
    rows = np.random.default_rng(0).permutation(len(photos))[: chosen.photos]
    pictures = (to_tensor(fit_square(photos.pixels(int(row)), chosen.side)) for row in rows)
    vae = load_autoencoder(place).eval()
    try:
        patched = PatchedAutoencoder.fit(vae, pictures, chosen.channels, power=chosen.power)
    except ValueError as error:
        parser.error(f"{chosen.vae}: {error}")
    patched.save_pretrained(chosen.out)
    print(chosen.out)


if __name__ == "__main__":
    main()
