"""The training loop, whatever is trained: loader, optimiser, checkpoints, logs, several processes."""
