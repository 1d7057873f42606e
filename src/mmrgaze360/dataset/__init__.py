"""Data sets of panoramas and of who looks where in them."""

from mmrgaze360.dataset.format import SceneDataset, SceneRecord, write_header, write_shard
from mmrgaze360.dataset.records import SPLITS, GazeRecord

__all__ = ["SPLITS", "GazeRecord", "SceneDataset", "SceneRecord", "write_header", "write_shard"]
