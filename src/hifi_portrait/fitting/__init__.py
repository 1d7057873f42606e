"""How a landmark detector sees a head, and the fit of one identity to several photos."""

from hifi_portrait.fitting.solver import FitSettings, HeadFit, fit

__all__ = ["FitSettings", "HeadFit", "fit"]
