"""Training of MMRGaze360's two networks, on data sets of panoramas."""
