"""The ID data set: its one on-disk format, and the analysis that fills it."""

from hifi_portrait.errors import needs_extra

with needs_extra("data"):
    import pyarrow  # noqa: F401  (every module here reads or writes tables)
