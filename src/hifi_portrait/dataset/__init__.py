"""The ID data set: its one on-disk format, and the pipeline that fills it."""
