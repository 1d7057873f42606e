"""Atomic writing of files, and the record inside each picture of how it was made."""
