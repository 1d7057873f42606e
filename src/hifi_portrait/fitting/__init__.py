"""How a landmark detector sees a head, and the fit of one identity to several photos."""

from typing import TYPE_CHECKING

from hifi_portrait.lazy import lazy_names

if TYPE_CHECKING:
    from hifi_portrait.fitting.solver import FitSettings, HeadFit, fit
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "solver": ("FitSettings", "HeadFit", "fit"),
        },
    )

__all__ = ["FitSettings", "HeadFit", "fit"]
