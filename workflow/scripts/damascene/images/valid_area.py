"""Which pixels of a panorama were looked at: the codes of its mask."""

VALID = 255
#: Missing cell of a grid, or outside of all frames.
NO_IMAGE = 0
#: Margin or empty area inside an image.
BLANK = 64
#: Saturated by charging.
CHARGING = 128
