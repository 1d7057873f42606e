"""Networks and measures that score pictures."""
