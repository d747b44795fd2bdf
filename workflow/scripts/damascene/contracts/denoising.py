"""What denoisers do to panoramas: to each site, to each image, and in sum."""

from damascene.contracts.columns import (
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    contract,
    flag,
    number,
    text,
    whole,
)

_METHOD = {
    "panorama": text("name in the sample sheet"),
    "method": text("name of the denoiser, `none`, or `clean`: the image without noise"),
    "window": whole("number of the window of the panorama"),
}

DENOISED_SITES = contract(
    {
        **_METHOD,
        "outcome": text("what became of the site", among=("kept", "lost", "invented")),
        "site_id": whole("number of the found site in the window, -1 if lost", None),
        "truth_id": whole("number of the site that is there, -1 if invented", None),
        "area_um2": number("area of the site that is there, or that was invented", POSITIVE),
        "found_area_um2": number("area of the found site; missing unless kept", missing=True),
        "diameter_um": number("of the circle with the area `area_um2`", POSITIVE),
        "shift_um": number("between both centres; missing unless kept", missing=True),
        "is_damage_free": flag("invented where no site is within a micrometre"),
        "predicted_class": text("class of kept sites, as far as classes are compared"),
    },
    description="one site after one denoiser",
)

DENOISED_IMAGES = contract(
    {
        **_METHOD,
        "reference": text(
            "where the sites come from that are to be found",
            among=("truth", "second scan", "clean panorama"),
        ),
        "seconds": number("time that denoising took", NOT_NEGATIVE),
        "damage_free_mm2": number("scored area further than a micrometre from sites", NOT_NEGATIVE),
        "compared_px": whole("pixels compared with the image without noise"),
        "squared_error": number("mean over them, in grey levels squared", missing=True),
        "ssim": number("mean structural similarity over them", missing=True),
    },
    description="one window after one denoiser",
    key=["panorama", "method", "window"],
)


def _bounded(name, what, check=None):
    return {
        name: number(what, check, missing=True),
        f"{name}_low": number(f"lower bound of the interval of {name}", missing=True),
        f"{name}_high": number(f"upper bound of the interval of {name}", missing=True),
    }


DENOISING = contract(
    {
        "panorama": text("name in the sample sheet, or `all`"),
        "reference": text("where the sites come from that are to be found; several with commas"),
        "method": _METHOD["method"],
        "size": text("range of the diameter of a circle of the same area, or `all`"),
        "reference_sites": whole("sites that are there and large enough to be asked for"),
        "kept": whole("of these, found"),
        "lost": whole("of these, not found"),
        "invented": whole("sites found where none is"),
        **_bounded("recall", "kept over reference sites; missing without any", FRACTION),
        **_bounded("precision", "kept over kept and invented; missing without any", FRACTION),
        **_bounded("f_score", "harmonic mean of recall and precision", FRACTION),
        "median_shift_um": number("of the centres of kept sites", missing=True),
        "shift_90_um": number("90th percentile of it", missing=True),
        "median_area_ratio": number("found over reference area of kept sites", missing=True),
        "total_area_ratio": number("the same for the sums of their areas", missing=True),
        "class_changes": number(
            "part of the kept sites to which networks give another class than without noise",
            FRACTION,
            missing=True,
        ),
        "classes_compared": whole("kept sites of which both classes are known"),
        "damage_free_mm2": number(
            "area further than a micrometre from sites; missing by size", missing=True
        ),
        "false_sites": whole("sites invented there"),
        **_bounded("false_per_mm2", "false sites over this area; missing by size"),
        "psnr_db": number(
            "peak signal-to-noise ratio against the image without noise; missing by size, and "
            "where both are the same",
            missing=True,
        ),
        "ssim": number("structural similarity to it; missing by size", missing=True),
        "megapixels_per_s": number(
            "speed, of all threads together; missing by size and where nothing was done",
            missing=True,
        ),
        "confidence": number("coverage of the intervals", FRACTION),
    },
    description="one denoiser on one panorama, or on all of them, for one range of sizes",
    key=["panorama", "method", "size"],
)
