"""Glasses in pictures: detected, removed, drawn."""
