"""Pack an analysed data set into a prepared folder (:mod:`hifi_portrait.training.data.prepared`).

``hifi-portrait prepare --data DIR --out DIR [--vae DIR]``; after a kill, the same call continues where it
was.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from hifi_portrait.dataset.analysis import analyse_dataset
from hifi_portrait.dataset.executor import each_of, run_shards
from hifi_portrait.dataset.format import SPLITS, IDDataset, PhotoRecord, split_of
from hifi_portrait.errors import DatasetError
from hifi_portrait.faces import chip_transform
from hifi_portrait.faces.geometry import cut_out, transform_points
from hifi_portrait.head import Camera, HeadGeometry
from hifi_portrait.head.arrays import Array
from hifi_portrait.models.build import size_config
from hifi_portrait.training.data.buckets import make_buckets, square_transform
from hifi_portrait.training.data.cached_text import cache_text
from hifi_portrait.training.data.embed import embed_photos
from hifi_portrait.training.data.encode import encode_latents
from hifi_portrait.training.data.prepared import ARRAYS, Prepared, read_header, write_header
from hifi_portrait.training.data.tokenizer import load_tokenizer, save_tokenizers, train_tokenizer

logger = logging.getLogger(__name__)

_MISREAD = 0.14
"""Distance, in crops, between a photo's true head and the fitted one from which on they are of two things.

Of half of 9,795 rendered photos it is less than 0.013, and of all but one in 500 less than 0.1."""

_CHUNK = 64
"""Photos of a process's task, which is done again as a whole after a kill."""


def prepare(
    data: str | Path,
    out: str | Path,
    *,
    model_size: str = "bundled",
    image_size: int | None = None,
    vae: str | Path | None = None,
    tokenizer: str | Path | None = None,
    recogniser: str | Path | None = None,
    text: str | Path | None = None,
    buckets: Sequence[tuple[int, int]] = (),
    mirrored: bool = False,
    workers: int = 2,
    progress: bool = False,
) -> Prepared:
    """Prepare a data set for training. Steps that are done already are skipped.

    Parameters
    ----------
    data
        The data set's folder. Photos without analysis are analysed first.
    out
        The prepared folder.
    model_size
        Model size, which sets the side of the crops and the size of the vocabulary.
    image_size
        Side of the crops in pixels, a multiple of what the networks halve; the model's own if None.
    vae
        Folder of an autoencoder, of a pipeline or of a training run; None makes no latents.
    tokenizer
        Pipeline or prepared folder whose tokenizers are taken, which a run from trained text encoders
        needs; None trains one on the captions.
    recogniser
        ONNX file of an ArcFace network, whose embeddings take the place of the data set's.
    text
        Folder with text encoders by which the captions are embedded
        (`hifi_portrait.training.data.cached_text`). It needs its own ``tokenizer``.
    buckets
        Further shapes (height, width) of targets (`hifi_portrait.training.data.buckets`), which need an
        autoencoder.
    mirrored
        Whether to make latents of the crops' mirror images, too, which need an autoencoder; for
        ``base.mirrored_share``.
    workers
        How many processes work, 1 or more.
    progress
        Whether to show progress bars.

    Raises
    ------
    DatasetError
        The data set cannot be read or has no usable photo, there is no tokenizer in ``tokenizer`` or no
        autoencoder in ``vae``, or a side of a bucket is no multiple of what the networks of ``model_size``
        halve; ``out`` has been begun with crops of another side; or ``mirrored`` has no ``vae``.
    ModelError
        There are no text encoders in ``text``, or ``recogniser`` is no such network.
    """
    data, out = Path(data), Path(out)
    config = size_config(model_size)
    if mirrored and vae is None:
        raise DatasetError(
            "mirror images are for latents: give an autoencoder (--vae), or leave out --mirrored"
        )
    side = config["image_size"] if image_size is None else image_size
    _check_sides([(side, side), *buckets], config)
    given = None if tokenizer is None else load_tokenizer(tokenizer)
    second = None if tokenizer is None else load_tokenizer(tokenizer, "tokenizer_2")
    analyse_dataset(data, workers=workers, progress=progress)
    if not (out / "prepared.json").exists():
        _begin(data, out, side)
    elif image_size is not None and (begun := read_header(out)["size"]) != image_size:
        raise DatasetError(f"{out} holds crops of {begun} pixels, not {image_size}: give another folder")
    _fill(data, out, workers, progress)
    prepared = Prepared(out)
    if not (out / "tokenizer_2").exists():
        vocabulary = config["text_encoder"]["vocab_size"]
        save_tokenizers(given or train_tokenizer(prepared.captions, vocabulary), out, second)
    if recogniser is not None:
        prepared = embed_photos(data, out, recogniser, progress=progress)
    if text is not None:
        cache_text(out, text, size=model_size, progress=progress)
    if vae is not None:
        encode_latents(out, vae, mirrored=mirrored, progress=progress)
    if buckets:
        make_buckets(data, out, buckets, progress=progress)
    return prepared


def crop_geometry(geometry: HeadGeometry, transform: np.ndarray, size: int) -> HeadGeometry:
    """Give a head as a crop of ``size`` pixels shows it; its ``transform`` (3, 3) scales and shifts."""
    camera, scale = geometry.camera, float(transform[0, 0])
    centre_x = scale * camera.cx + float(transform[0, 2])
    centre_y = scale * camera.cy + float(transform[1, 2])
    return replace(geometry, camera=Camera(scale * camera.focal, centre_x, centre_y, size, size))


def is_misread(photo: PhotoRecord) -> bool:
    """Tell whether analysis found another face than the true one, which the photo of a rendered person has.

    It may have taken the photo to be upside down, or a collar for a face.
    """
    analysis, truth = photo.analysis, photo.truth
    if truth is None or analysis is None or analysis.fit is None or analysis.crop_transform is None:
        return False
    if analysis.crop_transform[0, 0] <= abs(analysis.crop_transform[0, 1]):
        return True
    place = transform_points(truth.camera.project(truth.translation[None]), analysis.crop_transform)
    found = analysis.fit.camera.project(analysis.fit.translation[None])
    return bool(np.linalg.norm(place - found) > _MISREAD * analysis.crop_size)


def _check_sides(shapes: Sequence[tuple[int, int]], config: dict[str, Any]) -> None:
    """Refuse a picture's (height, width) that the networks cannot halve as often as they do."""
    halvings = sum(len(config[part]["block_out_channels"]) - 1 for part in ("vae", "unet"))
    step = 2**halvings * config["vae"].get("patch_size", 1)
    for height, width in shapes:
        if min(height, width) <= 0 or height % step or width % step:
            raise DatasetError(f"crops of {height}x{width} do not do: sides must be multiples of {step}")


def _begin(data: Path, out: Path, size: int) -> None:
    """Choose the photos, and make the arrays, unfilled, and the header."""
    photos = _open(data)
    chosen, identity, split, captions = [], [], [], []
    for number, (name, group) in enumerate(photos.identities.items()):
        for index in group:
            record = photos.entry(index)
            if record.analysis is None or not record.analysis.found:
                continue
            if is_misread(record):
                photo = f"{name}/{record.photo_id}"
                logger.warning("left out %s: its face was found elsewhere than it is", photo)
                continue
            chosen.append(index)
            identity.append(number)
            split.append(list(SPLITS).index(split_of(name)))
            captions.append(record.caption)
    if not chosen:
        raise DatasetError(f"{data} has no photo with a usable face")
    out.mkdir(parents=True, exist_ok=True)
    for name, (kind, shape) in ARRAYS.items():
        row = [size if isinstance(extent, str) else extent for extent in shape]
        np.lib.format.open_memmap(out / f"{name}.npy", "w+", np.dtype(kind), (len(chosen), *row))
    np.save(out / "identity.npy", np.array(identity, np.int32))
    np.save(out / "split.npy", np.array(split, np.uint8))
    np.save(out / "chosen.npy", np.array(chosen, np.int64))
    np.save(out / "done.npy", np.zeros(-(-len(chosen) // _CHUNK), bool))
    (out / "captions.json").write_text(json.dumps(captions))
    write_header(out, size, complete=False)


def _fill(data: Path, out: Path, workers: int, progress: bool) -> None:
    """Fill the arrays, chunk by chunk, from the first that is not done."""
    header = read_header(out)
    if header["complete"]:
        return
    done = np.lib.format.open_memmap(out / "done.npy", "r+")
    todo = [int(chunk) for chunk in np.flatnonzero(~done)]
    count = len(np.load(out / "chosen.npy", mmap_mode="r"))
    sizes = {chunk: min(_CHUNK, count - chunk * _CHUNK) for chunk in todo}
    chunks = [(str(chunk), [chunk]) for chunk in todo]
    fill = partial(_fill_chunk, data, out, header["size"])
    filled = run_shards(each_of(fill), chunks, workers=workers if workers > 1 else 0)
    with (
        closing(filled),
        tqdm(total=sum(sizes.values()), desc="prepare", unit="photo", disable=not progress) as bar,
    ):
        for _, [chunk] in filled:
            done[chunk] = True
            done.flush()
            bar.update(sizes[chunk])
    write_header(out, header["size"], complete=True)


def _fill_chunk(data: Path, out: Path, size: int, chunk: int) -> int:
    photos = _open(data)
    rows = slice(chunk * _CHUNK, (chunk + 1) * _CHUNK)
    computed = [name for name in ARRAYS if name not in ("identity", "split")]
    arrays = {name: np.load(out / f"{name}.npy", mmap_mode="r+") for name in computed}
    for row, index in enumerate(np.load(out / "chosen.npy")[rows], start=rows.start):
        for name, value in _row(photos[int(index)], size).items():
            arrays[name][row] = value
    for array in arrays.values():
        array.flush()
    return chunk


def _row(photo: PhotoRecord, size: int) -> dict[str, np.ndarray | float | bool]:
    """Compute all arrays' values of one photo."""
    analysis = photo.analysis
    assert analysis is not None and analysis.fit is not None and analysis.matte is not None
    assert analysis.landmarks is not None
    to_size = np.diag([size / analysis.crop_size, size / analysis.crop_size, 1])
    transform = square_transform(photo, size)
    matte: Array = np.rint(analysis.matte * 255).astype(np.uint8)
    if len(matte) != size:
        matte = cv2.resize(matte, (size, size), interpolation=cv2.INTER_AREA)
    landmarks = transform_points(analysis.landmarks, transform)
    values: dict[str, np.ndarray | float | bool] = {
        "crops": cut_out(photo.pixels(), transform, size),
        "mattes": matte,
        "embeddings": np.asarray(analysis.embedding),
        "quality": analysis.quality,
        "fit": crop_geometry(analysis.fit, to_size, size).to_vector(),
        "sitting": _sitting(photo),
        "named": bool(photo.attributes.get("named")),
        "has_truth": photo.truth is not None,
        "chips": chip_transform(landmarks),
        "landmarks": landmarks[:, :2],
    }
    if photo.truth is not None:
        values["truth"] = crop_geometry(photo.truth, transform, size).to_vector()
    return values


def _sitting(photo: PhotoRecord) -> int:
    """Find the number of a sitting, which version 1 keeps among the attributes; -1 where it is not known."""
    return int(photo.attributes.get("sitting", -1)) if photo.sitting is None else photo.sitting


@lru_cache(maxsize=1)
def _open(data: Path) -> IDDataset:
    return IDDataset(data)
