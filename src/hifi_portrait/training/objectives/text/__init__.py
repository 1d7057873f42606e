"""The text encoders alone."""
