"""Recipes: TOML files with the settings of a training run, and how they are read."""
