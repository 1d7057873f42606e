"""What can be trained: an objective each, with its settings, parts, samples and losses."""
