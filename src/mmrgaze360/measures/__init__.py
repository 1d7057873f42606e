"""How right heat maps on the sphere are, and how sure one can be of it."""

from mmrgaze360.measures.heat_maps import auc_64, auc_point, auc_sphere, great_circle_distance, peak_direction
from mmrgaze360.measures.summary import (
    average_precision,
    bootstrap_interval,
    measure,
    strata_of,
    summarise,
)

__all__ = [
    "auc_64",
    "auc_point",
    "auc_sphere",
    "average_precision",
    "bootstrap_interval",
    "great_circle_distance",
    "measure",
    "peak_direction",
    "strata_of",
    "summarise",
]
