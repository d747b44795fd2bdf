"""Labels as other tools write and read them; `docs/exchange.md` states how each counts pixels.

Inside this room an edge lies at a whole number: the upper left pixel covers 0 to 1. Everywhere else
in the library 0 is the centre of that pixel.
"""

#: From edges, which count from the corner of the upper left pixel, to centres of pixels.
CORNER = 0.5
