"""Training: the engine, the data, the objectives and their recipes, and the export of a pipeline."""
