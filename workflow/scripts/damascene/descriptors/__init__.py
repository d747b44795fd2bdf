"""What a metallographer reads off a site, as numbers."""

# Edge of the window from which descriptors are measured.
DESCRIPTOR_WINDOW = "8 um"
# Clips for the descriptors are resampled to one scale, at any pixel size of the panorama.
CLIP_PX = 160
PIXEL_UM = 0.05
