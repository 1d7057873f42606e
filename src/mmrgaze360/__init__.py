"""MMRGaze360: who looks where in a 360-degree picture."""
