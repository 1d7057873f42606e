"""Measuring MMRGaze360 and the rows that it is compared with."""

from mmrgaze360.evaluation.protocol import evaluate, format_table
from mmrgaze360.evaluation.rows import ROWS

__all__ = ["ROWS", "evaluate", "format_table"]
