"""Networks of others, written anew from what is published, to compare with: trained on the same data."""

from mmrgaze360.baselines.dual_pathway import DualPathway, DualPathwayConfig
from mmrgaze360.baselines.gaze_lle import GazeLLE, GazeLLEConfig

__all__ = ["DualPathway", "DualPathwayConfig", "GazeLLE", "GazeLLEConfig"]
