"""Ranges of what users give, for the command line and for what it calls."""

LEAST_FOV, MOST_FOV = 1.0, 179.0
"""Degrees: angles of view of a flat photo, and of a view out of a panorama."""

SMALLEST_SIZE, LARGEST_SIZE = 128, 8192
"""Columns of a drawn panorama."""

MOST_SCENES = 10_000_000
"""The most scenes of one data set."""

LARGEST_SEED = 2**63 - 1 - MOST_SCENES
"""First number of scenes, so that the last one's is a number of 64 bits; and other seeds."""
