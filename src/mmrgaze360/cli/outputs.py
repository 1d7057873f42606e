"""Where commands on panoramas write: checked before the work, as `hifi_portrait.cli.outputs` does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hifi_portrait.cli.outputs import check_files, check_folder
from hifi_portrait.errors import OutputError
from hifi_portrait.io.names import printable

if TYPE_CHECKING:
    from hifi_portrait.head.arrays import FloatArray


def given(*paths: Path | None) -> list[Path]:
    """List the files and folders that were given."""
    return [path for path in paths if path is not None]


def files_of(folder: Path | None) -> list[Path]:
    """List the JSON files of a data set or of networks, which a table must not replace."""
    return [] if folder is None else [*folder.glob("*.json"), *folder.glob("*/*.json")]


def check_heat_maps(folder: Path, inputs: Sequence[Path], picture: Path | None) -> None:
    """Check that heat maps can be written into a folder, before anything is computed.

    Parameters
    ----------
    folder
        What ``--heatmaps`` names.
    inputs
        Files and folders that must stay.
    picture
        What ``--out`` names.

    Raises
    ------
    OutputError
        The folder is an input, a file or the picture's name, or a heat map in it would replace an input; or
        it cannot be made or written to.
    """
    if picture is not None and folder.resolve() == picture.resolve():
        raise OutputError(f"--heatmaps {printable(folder)} is the picture of --out: name another folder")
    check_folder(folder, inputs, "--heatmaps")
    check_files(sorted(folder.glob("person-*.*")), inputs, option="--heatmaps")


def write_heat_maps(folder: Path, heat_maps: Iterable[FloatArray]) -> None:
    """Write each heat map (H, W) as a picture and as an array.

    Raises
    ------
    OutputError
        One cannot be written.
    """
    import cv2
    import numpy as np

    from hifi_portrait.io.atomic import write_output
    from mmrgaze360.panorama import save_picture

    for number, heat_map in enumerate(heat_maps):
        shown = np.asarray(255 * np.sqrt(heat_map / heat_map.max()), np.uint8)
        coloured = np.asarray(cv2.applyColorMap(shown, cv2.COLORMAP_MAGMA)[..., ::-1], np.uint8)
        save_picture(np.ascontiguousarray(coloured), folder / f"person-{number:02d}.png")
        with write_output(folder / f"person-{number:02d}.npy") as partial, partial.open("wb") as file:
            np.save(file, heat_map)
