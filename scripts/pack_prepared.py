"""Pack what the recipe `base` reads of a prepared folder into few megabytes, and unpack it elsewhere.

usage: python scripts/pack_prepared.py pack PREPARED --out FILE.zip [--step 0.1] [--people N]
       python scripts/pack_prepared.py unpack FILE.zip --out PREPARED

Latents are rounded to multiples of ``--step`` and compressed: to about 6 bits each with a step of 0.1, whose
error has a standard deviation of 0.03 beside the latents' 1. The autoencoder and the tokenizers come along.
For a machine with a GPU that data reach through a narrow line, or for a short time.
"""

import argparse
import io
import json
import zipfile
from pathlib import Path

import numpy as np

from hifi_portrait.errors import DatasetError, HiFiPortraitError
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.training.data.prepared import Prepared, write_header

FOLDERS = ("vae", "tokenizer", "tokenizer_2")
ROWS = ("identity", "split", "named", "sitting")
CHUNK = 256
"""Photos whose latents are compressed together."""


def main() -> None:
    """Pack or unpack."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack", help="write a prepared folder's latents and captions to a file")
    packing.add_argument("prepared", type=Path)
    packing.add_argument("--out", type=Path, required=True)
    packing.add_argument("--step", type=float, default=0.1, help="what latents are rounded to")
    packing.add_argument("--people", type=int, help="the first so many people alone")
    unpacking = commands.add_parser("unpack", help="make a prepared folder of that file")
    unpacking.add_argument("packed", type=Path)
    unpacking.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    if chosen.command == "pack" and not 0 < chosen.step < np.inf:
        parser.error(f"--step must be a number above 0, not {chosen.step}")
    if chosen.command == "pack" and chosen.people is not None and chosen.people < 1:
        parser.error(f"--people must be 1 or more, not {chosen.people}")
    try:
        if chosen.command == "pack":
            pack(chosen.prepared, chosen.out, step=chosen.step, people=chosen.people)
        else:
            unpack(chosen.packed, chosen.out)
    except (HiFiPortraitError, OSError, zipfile.BadZipFile) as error:
        parser.error(str(error))
    print(chosen.out)


def pack(folder: Path, out: Path, *, step: float = 0.1, people: int | None = None) -> None:
    """Write the latents, rounded to multiples of ``step``, and what goes with them, of the first people."""
    prepared = Prepared(folder)
    count = len(prepared)
    if people is not None:
        count = int((prepared.arrays["identity"] < people).sum())  # they are in the people's order
    with (
        atomic_write(out) as partial,
        zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
    ):
        about = {"size": prepared.size, "step": step}
        archive.writestr("packed.json", json.dumps(about))
        archive.writestr("captions.json", json.dumps(prepared.captions[:count]))
        for name in ROWS:
            archive.writestr(f"{name}.npy", to_bytes(prepared.arrays[name][:count]))
        for start in range(0, count, CHUNK):
            latents = prepared.arrays["latents"][start : min(start + CHUNK, count)].astype(np.float32)
            steps = np.rint(latents / step)
            if np.abs(steps).max() > np.iinfo(np.int16).max:
                raise DatasetError(
                    f"--step {step} is too small for latents up to {np.abs(latents).max():.3g}"
                )
            rounded = steps.astype(np.int8 if np.abs(steps).max() <= 127 else np.int16)
            # Channel after channel: neighbours in the file are then of the same scale.
            archive.writestr(f"latents/{start:08d}.npy", to_bytes(rounded.transpose(1, 0, 2, 3)))
        for model in FOLDERS:
            for file in sorted((folder / model).rglob("*")):
                archive.write(file, file.relative_to(folder))


def unpack(packed: Path, out: Path) -> None:
    """Make a prepared folder that holds what the recipe `base` reads; one that is there is refused."""
    if (out / "prepared.json").exists():
        raise DatasetError(f"{out} is a prepared folder already: give another --out")
    with zipfile.ZipFile(packed) as archive:
        if "packed.json" not in archive.namelist():
            raise DatasetError(f"{packed} is no packed folder: give a file that `pack` wrote")
        about = json.loads(archive.read("packed.json"))
        out.mkdir(parents=True, exist_ok=True)
        names = archive.namelist()
        for name in names:
            if name.startswith(tuple(f"{model}/" for model in FOLDERS)):
                archive.extract(name, out)
        (out / "captions.json").write_bytes(archive.read("captions.json"))
        for name in ROWS:
            np.save(out / f"{name}.npy", np.load(io.BytesIO(archive.read(f"{name}.npy"))))
        chunks = sorted(name for name in names if name.startswith("latents/"))
        rounded = [np.load(io.BytesIO(archive.read(name))).transpose(1, 0, 2, 3) for name in chunks]
        latents = np.concatenate(rounded).astype(np.float32) * about["step"]
        np.save(out / "latents.npy", latents.astype(np.float16))
        write_header(out, about["size"], complete=True)


def to_bytes(array: np.ndarray) -> bytes:
    """Give an array as the bytes of a `.npy` file."""
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array))
    return stream.getvalue()


if __name__ == "__main__":
    main()
