"""The sample sheet."""

import pandera.pandas as pa

from damascene.contracts.columns import NOT_NEGATIVE, contract, flag, number, text

PANORAMAS = contract(
    {
        "panorama": text("name, which becomes part of the names of files"),
        "path": text("image file, list of tiles or frames, or `simulated`"),
        "tile_folder": text("folder of the tiles; empty: that of the list"),
        "page": number("page of the image file, counted from 1", pa.Check.ge(1), missing=True),
        "data_bar_px": number("rows of the data bar below the image", NOT_NEGATIVE, missing=True),
        "bit_depth": number(
            "bits that the greys of 16-bit images fill; missing where they are found out",
            pa.Check.in_range(8, 16),
            missing=True,
        ),
        "invert": text("`yes` where black and white are to be exchanged"),
        "overlap_percent": number(
            "overlap of neighbouring frames; missing where tiles only touch",
            pa.Check.in_range(0, 90, include_min=False, include_max=False),
            missing=True,
        ),
        "pixel_size_nm": number(
            "edge of a pixel; missing where the image's header is to be read", missing=True
        ),
        "pixel_size_overrides_header": flag(
            "whether that pixel size counts whatever the image's header says"
        ),
        "strain_percent": number("strain; missing where it is not known", missing=True),
        "triaxiality": number(
            "mean stress over equivalent stress; missing where it is not known",
            pa.Check.in_range(-5, 5),
            missing=True,
        ),
        "paired_scan": text(
            "another scan of the same place: image or list of tiles, or `simulated`; empty without"
        ),
        "noise_condition": text(
            "word that panoramas of one noise share; empty where all of them have one noise"
        ),
        "phase_labels": text(
            "label image of the phases of the panorama; empty where there is none"
        ),
        "specimen": text("name of the specimen"),
        "steel": text("name of the steel"),
        "condition": text("heat treatment or state; conditions are compared"),
        "notes": text("remarks, used nowhere"),
    },
    description="one panorama of the sample sheet",
    key=["panorama"],
)
