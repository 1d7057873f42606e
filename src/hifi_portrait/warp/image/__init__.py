"""Operations on pictures and masks that the warp's stages share."""
