"""Synthetic panoramas of people who look at things, with exact truth."""
