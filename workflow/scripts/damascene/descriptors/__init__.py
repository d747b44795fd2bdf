"""What a metallographer reads off a site, as numbers."""

# Edge of the window from which descriptors are measured.
DESCRIPTOR_WINDOW = "8 um"
