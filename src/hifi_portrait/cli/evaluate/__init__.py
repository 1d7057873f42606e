"""``hifi-portrait evaluate``: a module for each thing that is measured, see docs/evaluation.md."""
