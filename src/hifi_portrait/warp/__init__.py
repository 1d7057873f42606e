"""The plain warp: references' own pixels, carried through the fitted head into the target's frame."""
