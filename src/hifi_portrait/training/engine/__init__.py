"""The training loop for any objective: samples, optimiser, checkpoints, logs, several processes."""
