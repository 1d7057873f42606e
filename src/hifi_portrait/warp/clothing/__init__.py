"""Clothes: told from hair and skin, extended below a photo's end, found in a picture."""
