"""The command ``mmrgaze360``."""
