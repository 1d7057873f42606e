"""Measuring a model: metrics, scorers, the benchmark protocol, its runner and its report."""
