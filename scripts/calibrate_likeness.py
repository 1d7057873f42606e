"""Learn which directions of head shape tell people apart, and store them beside the head asset.

    python scripts/calibrate_likeness.py --dataset DIR [--people 500] [--fits FILE]

Fits each person's first and second three photos apart, from the landmarks in the data set's analysis
(``hifi-portrait prepare`` makes it), and keeps a fifth of the people to measure on.
"""

from __future__ import annotations

import argparse
from importlib import resources
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tqdm import tqdm

from hifi_portrait.dataset.format import IDDataset, PhotoRecord
from hifi_portrait.fitting import fit
from hifi_portrait.head.likeness import LIKENESS_ASSET
from measure_head import rank1

PHOTOS = 3


def learn_axes(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (80,) and axes (80, 80) from two fits (P, 80) each of the same P people, to disjoint photos.

    The scatter within people is shrunk halfway to a sphere; each axis is weighed by the share of its variance
    that is not noise.
    """
    difference, middle = (first - second).astype(np.float64), ((first + second) / 2).astype(np.float64)
    within = difference.T @ difference / (2 * len(difference))
    values, vectors = np.linalg.eigh(within + np.trace(within) / len(within) * np.eye(len(within)))
    whiten = vectors / np.sqrt(values) @ vectors.T
    spread, directions = np.linalg.eigh(whiten @ np.cov(middle.T) @ whiten)
    axes = whiten @ directions
    noise = np.einsum("ik,ij,jk->k", axes, within, axes) / 2  # what the mean of two fits keeps of it
    return middle.mean(0), axes * np.clip((spread - noise) / spread, 0, 1)


def fit_halves(dataset: IDDataset, people: int) -> np.ndarray:
    """Identity coefficients (P, 2, 80) of two fits of each person."""
    halves = []
    for identity in tqdm(list(dataset.identities)[:people], unit="person"):
        photos = [dataset[index] for index in dataset.identities[identity]]
        found = [photo for photo in photos if photo.analysis and photo.analysis.landmarks is not None]
        if len(found) >= 2 * PHOTOS:
            halves.append([_identity(found[:PHOTOS]), _identity(found[PHOTOS : 2 * PHOTOS])])
    return np.array(halves)


def _identity(photos: list[PhotoRecord]) -> np.ndarray:
    landmarks = [photo.analysis.landmarks for photo in photos]
    return fit(landmarks, [(photo.width, photo.height) for photo in photos]).identity


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", type=Path, required=True, help="analysed ID data set")
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--fits", type=Path, help="npy of the fits, read if it is there, else written")
    arguments = parser.parse_args()
    if arguments.fits and arguments.fits.exists():
        halves = np.load(arguments.fits)
    else:
        halves = fit_halves(IDDataset(arguments.dataset), arguments.people)
        if arguments.fits:
            np.save(arguments.fits, halves)
    held_out = len(halves) // 5
    seen, unseen = halves[held_out:], halves[:held_out]
    mean, axes = learn_axes(seen[:, 0], seen[:, 1])
    plain = rank1(unseen[:, 0], unseen[:, 1])
    learnt = rank1((unseen[:, 0] - mean) @ axes, (unseen[:, 1] - mean) @ axes)
    print(f"rank-1 of {held_out} unseen people: {learnt:.3f}; by the coefficients' cosine: {plain:.3f}")
    mean, axes = learn_axes(halves[:, 0], halves[:, 1])
    path = resources.files("hifi_portrait") / "assets" / LIKENESS_ASSET
    tensors = {"mean": mean.astype(np.float32), "axes": axes.astype(np.float32)}
    save_file(tensors, str(path), {"people": str(len(halves)), "photos": str(PHOTOS)})


if __name__ == "__main__":
    main()
