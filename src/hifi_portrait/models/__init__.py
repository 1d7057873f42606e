"""The networks: face encoder, face refiner, HiFi-Net, face attention, and alignment on the head's surface."""
