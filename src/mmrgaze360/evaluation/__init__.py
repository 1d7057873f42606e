"""Measuring MMRGaze360 and the rows that it is compared with."""

from mmrgaze360.evaluation.finders import FACES, FINDERS
from mmrgaze360.evaluation.protocol import evaluate, format_table, possible_rows
from mmrgaze360.evaluation.rows import ROWS

__all__ = ["FACES", "FINDERS", "ROWS", "evaluate", "format_table", "possible_rows"]
