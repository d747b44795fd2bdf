"""Dark sites found in a panorama.

Coordinates follow the image: `x_px` is the column and `y_px` the row, both counted from the centre
of the upper left pixel.
"""

import pandera.pandas as pa

from damascene.contracts.columns import POSITIVE, contract, flag, number, text, whole

POSITION = {
    "x_px": number("column of the centroid", pa.Check.ge(-0.5)),
    "y_px": number("row of the centroid", pa.Check.ge(-0.5)),
}

CANDIDATES = contract(
    {
        "panorama": text("name in the sample sheet"),
        "site_id": whole("number of the site within its panorama"),
        **POSITION,
        "fragments": whole("clusters of dark pixels that were joined to the site", pa.Check.ge(1)),
        "area_px": whole("number of its pixels, with its holes where these are filled"),
        "area_um2": number("area in square micrometres", POSITIVE),
        "equivalent_diameter_um": number("diameter of the circle of the same area", POSITIVE),
        "aspect_ratio": number("longer over shorter axis of the ellipse", pa.Check.ge(1)),
        "orientation_deg": number(
            "angle of the longer axis against the x axis, in [-90, 90), counted from x towards y "
            "(clockwise on the screen)",
            pa.Check.in_range(-90, 90),
        ),
        "convexity": number(
            "area over the area of the convex hull", pa.Check.in_range(0, 1, include_min=False)
        ),
        "left_px": whole("first column of the bounding box"),
        "top_px": whole("first row of the bounding box"),
        "width_px": whole("columns of the bounding box"),
        "height_px": whole("rows of the bounding box"),
        "mean_grey": number("mean grey value of its pixels, 0 to 255"),
        "minimum_grey": number("lowest grey value of its pixels, 0 to 255"),
        "touches_border": flag("at the border of the panorama, so it may be cut off"),
        "touches_mask": flag("beside a pixel that is not valid, so it may be cut off"),
    },
    description="one dark site that the detection found in a panorama",
    key=["panorama", "site_id"],
)
