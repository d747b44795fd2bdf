"""Frames that were stitched into a panorama, and the pairs of neighbours that were registered.

Positions are columns (x) and rows (y) of upper left corners in pixels.
"""

from damascene.contracts.columns import contract, flag, number, text, whole

FRAMES = contract(
    {
        "file": text("name of the frame in its list"),
        "nominal_x_px": number("column as listed"),
        "nominal_y_px": number("row as listed"),
        "x_px": number("column as registered"),
        "y_px": number("row as registered"),
        "placed_x_px": whole("column in the panorama"),
        "placed_y_px": whole("row in the panorama"),
        "width_px": whole("columns of the frame"),
        "height_px": whole("rows of the frame"),
        "accepted_pairs": whole("overlaps with neighbours that its position rests on"),
        "placed_by": text(
            "`nominal` where no overlap connects the frame to the largest group of frames",
            among=("overlap", "nominal"),
        ),
        "gain": number("factor on its grey values"),
    },
    description="one frame of a stitched panorama",
)

PAIRS = contract(
    {
        "first": text("name of one frame"),
        "second": text("name of the other"),
        "nominal_dx_px": number("corner of the second minus that of the first, as listed"),
        "nominal_dy_px": number("the same for rows"),
        "measured_dx_px": number("the same as registered, columns", missing=True),
        "measured_dy_px": number("the same as registered, rows", missing=True),
        "correlation": number("normalised correlation of grey values in the overlap", missing=True),
        "peak": number(
            "height of the peak of the phase correlation in standard deviations of its "
            "surroundings",
            missing=True,
        ),
        "first_level": number("mean grey of the first frame in the overlap", missing=True),
        "second_level": number("mean grey of the second frame in the overlap", missing=True),
        "accepted": flag("the positions rest on this pair"),
        "fault": text("why they do not; empty if they do"),
        "residual_px": number("distance of the measured offset from the final one", missing=True),
    },
    description="one pair of neighbouring frames",
)
