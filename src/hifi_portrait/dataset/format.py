"""The one on-disk format of an ID data set: many photos each of many people. See ``docs/dataset.md``.

A data set is a folder::

    dataset.json                 format name, version, counts
    images/<shard>.tar           the encoded pictures, one plain tar a shard
    photos/<shard>.parquet       one row a picture of that shard: who, where in the tar, caption, truth
    analysis/<shard>.parquet     one row a picture: what perception found (optional)

All photos of an identity are in one shard. A shard is committed by the appearance of its ``photos`` table,
which is written last. This module gathers what reading and writing one takes.
"""

from hifi_portrait.dataset.reader import IDDataset, sample_pairs
from hifi_portrait.dataset.records import SPLITS, PhotoAnalysis, PhotoRecord, split_of
from hifi_portrait.dataset.writer import IDDatasetWriter, write_analysis

__all__ = [
    "SPLITS",
    "IDDataset",
    "IDDatasetWriter",
    "PhotoAnalysis",
    "PhotoRecord",
    "sample_pairs",
    "split_of",
    "write_analysis",
]
