"""The objective `hifi`: HiFi-Net and the face networks, with settings, samples and losses."""
