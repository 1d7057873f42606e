"""The photo's own pixels, drawn again: each has a place in space and moves with head, skin or body."""
