"""Maps of the phases of the steel, from the grey values of a panorama."""
