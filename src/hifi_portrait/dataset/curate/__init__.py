"""From a heap of photos to an ID data set. See ``docs/dataset_build.md``."""

from typing import TYPE_CHECKING

from hifi_portrait.lazy import lazy_names

if TYPE_CHECKING:
    from hifi_portrait.dataset.curate.account import BuildResult
    from hifi_portrait.dataset.curate.check import check_dataset, upgrade_dataset
    from hifi_portrait.dataset.curate.dry_run import Estimate, estimate_build
    from hifi_portrait.dataset.curate.forgetting import Removed, forget
    from hifi_portrait.dataset.curate.options import BuildOptions, kept_options
    from hifi_portrait.dataset.curate.report import write_report
    from hifi_portrait.dataset.curate.run import add_to_dataset, build_dataset
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "account": ("BuildResult",),
            "check": ("check_dataset", "upgrade_dataset"),
            "dry_run": ("Estimate", "estimate_build"),
            "forgetting": ("Removed", "forget"),
            "options": ("BuildOptions", "kept_options"),
            "report": ("write_report",),
            "run": ("add_to_dataset", "build_dataset"),
        },
    )

__all__ = [
    "BuildOptions",
    "BuildResult",
    "Estimate",
    "Removed",
    "add_to_dataset",
    "build_dataset",
    "check_dataset",
    "estimate_build",
    "forget",
    "kept_options",
    "upgrade_dataset",
    "write_report",
]
