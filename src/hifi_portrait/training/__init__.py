"""Training: recipes, losses, objectives, the trainer and its checkpoints, and the export of a pipeline."""
