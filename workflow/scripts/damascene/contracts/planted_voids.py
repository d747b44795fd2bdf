"""Simulated voids that were planted into a panorama, and which of them the detector found."""

from damascene.contracts.columns import NOT_NEGATIVE, POSITIVE, contract, flag, number, text, whole

PLANTED_VOIDS = contract(
    {
        "panorama": text("name in the sample sheet"),
        "void": whole("number of the void within its panorama"),
        "shape": text("class of sites whose shape it has"),
        "x_px": number("column of its centre"),
        "y_px": number("row of its centre"),
        "area_um2": number("area that is darkened by half of its depth or more", POSITIVE),
        "dark_area_um2": number(
            "area that is darker than the threshold there, without noise", NOT_NEGATIVE
        ),
        "contrast": number(
            "how far its darkest place, without noise, lies below the grey of ferrite there, in "
            "steps from ferrite to martensite"
        ),
        "found": flag("whether the search with the study's settings gave a site in its place"),
        "found_area_um2": number("area of that site; missing where none was found", missing=True),
        "found_contrast": number(
            "contrast of the darkest pixel of that site; missing where none was found",
            missing=True,
        ),
    },
    description="one simulated void, planted alone where no candidate is near",
    key=["panorama", "void"],
)

SITE_CONTRASTS = contract(
    {
        "panorama": text("name in the sample sheet"),
        "site_id": whole("number of the site within its panorama"),
        "contrast": number(
            "how far its darkest pixel lies below the grey of ferrite there, in steps from ferrite "
            "to martensite"
        ),
    },
    description="the contrast of one candidate",
    key=["panorama", "site_id"],
)
