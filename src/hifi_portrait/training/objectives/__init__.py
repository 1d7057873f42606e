"""What can be trained: each objective's parts, samples and losses."""
