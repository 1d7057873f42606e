"""Atomic writing of files, videos, and the record inside each picture of how it was made."""
