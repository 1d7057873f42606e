"""GazeFollow360 (Li et al., ICCV 2021) in its authors' layout; it is not part of this project.

The layout, as two independent loaders of it read it::

    ROOT/
      train_vali_test_data/{train,vali,test}_data.mat
          path       (N,)       file below "all the videos", padded with spaces
          face_box   (N, 2, 2)  two corners in pixels, x and y, not always in order
          gaze       (N, 2)     x and y as shares of width and height
      all the videos/...        the panoramas

All targets are in view. Neither the eyes' distance nor the direction of the gaze in space is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import loadmat

from hifi_portrait.errors import DatasetError
from mmrgaze360.dataset.format import SceneRecord
from mmrgaze360.dataset.records import GazeRecord, box_of_corners
from mmrgaze360.sphere import pixel_to_direction

_TABLES = "train_vali_test_data"
_PICTURES = "all the videos"
_SPLITS = {"train": "train", "validation": "vali", "test": "test"}

PUBLISHED = (
    ("random", 1.5357, 0.5056),
    ("Lian et al. 2018", 1.2540, 0.6057),
    ("Salicon (saliency)", 1.0940, 0.8002),
    ("Chong et al. 2020", 0.9183, 0.7765),
    ("Ruiz et al. (head pose)", 0.7612, 0.7188),
    ("Zhang et al. (gaze)", 0.7366, 0.7213),
    ("Li et al. 2021, gaze direction alone", 0.6880, 0.7311),
    ("Li et al. 2021", 0.6067, 0.8104),
    ("human", 0.2531, 0.9350),
)
"""Published spherical distance in radians, and AUC (as `measures.auc_64`), on its test split."""


def is_gazefollow360(root: str | Path) -> bool:
    """Tell whether a folder has the layout of GazeFollow360."""
    return (Path(root) / _TABLES).is_dir()


class GazeFollow360:
    """A split of GazeFollow360; its pictures are read one by one, and never copied.

    Parameters
    ----------
    root
        Its folder.
    split
        "train", "validation" or "test".

    Raises
    ------
    DatasetError
        The folder does not have that layout, or its table cannot be read.
    ValueError
        ``split`` is unknown.
    """

    def __init__(self, root: str | Path, split: str = "test") -> None:
        if split not in _SPLITS:
            raise ValueError(f"unknown split {split!r}: take one of {', '.join(_SPLITS)}")
        self.root, self.split = Path(root), split
        file = self.root / _TABLES / f"{_SPLITS[split]}_data.mat"
        if not file.is_file():
            raise DatasetError(f"{self.root} is not GazeFollow360: there is no {file}")
        if not (self.root / _PICTURES).is_dir():
            raise DatasetError(f"{self.root} is not GazeFollow360: there is no folder {_PICTURES!r} in it")
        try:
            table = loadmat(str(file), squeeze_me=False)
            paths = [str(np.ravel(path)[0]) for path in np.ravel(table["path"])]
            self._boxes = np.asarray(table["face_box"], np.float64).reshape(-1, 2, 2)
            self._gazes = np.asarray(table["gaze"], np.float64).reshape(-1, 2)
        except Exception as error:  # scipy raises many kinds for a damaged file
            raise DatasetError(f"{file} cannot be read as a table of GazeFollow360: {error}") from error
        if not len(paths) == len(self._boxes) == len(self._gazes):
            counts = f"{len(paths)} paths, {len(self._boxes)} boxes and {len(self._gazes)} gazes"
            raise DatasetError(f"{file} is damaged: it has {counts}")
        self._paths = [path.strip().replace("\\", "/") for path in paths]

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> SceneRecord:
        path = self.root / _PICTURES / self._paths[index]
        try:
            data = path.read_bytes()
            with Image.open(path) as opened:
                width, height = opened.size
        except OSError as error:
            raise DatasetError(f"picture {path} of GazeFollow360 cannot be read: {error}") from error
        person = GazeRecord(
            head_box=box_of_corners(self._boxes[index], width, height),
            target=pixel_to_direction(self._gazes[index], 1, 1),
            in_view=True,
        )
        return SceneRecord(
            scene_id=self._paths[index], split=self.split, image=data, people=[person], source="GazeFollow360"
        )

    def __iter__(self) -> Iterator[SceneRecord]:
        """Give all records, one a panorama: several people of one picture are several records."""
        return (self[index] for index in range(len(self)))
