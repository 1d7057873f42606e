"""HiFi-Net and the face networks: settings, samples and losses."""
