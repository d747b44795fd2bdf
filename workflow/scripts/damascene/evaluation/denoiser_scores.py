"""Scores of denoisers over sites and panoramas, and which one they recommend."""

import numpy as np
import pandas as pd

from damascene.evaluation.denoised_sites import INVENTED, KEPT, LOST
from damascene.evaluation.denoisers import CLEAN
from damascene.statistics.intervals import poisson_interval, proportion_interval

#: All panoramas together; all sizes together.
ALL = "all"
#: Ranges of the diameter of the circle of the same area, in micrometres.
SIZES_UM = {"below 0.5 um": (0.0, 0.5), "0.5 to 1 um": (0.5, 1.0), "above 1 um": (1.0, np.inf)}
#: Fewer sites recommend nothing.
LEAST_SITES = 50
#: A smaller area without damage does not tell how often sites are invented.
LEAST_FREE_MM2 = 0.002
#: The simplest first: of methods that are as good, the one that asks least.
SIMPLEST = (
    "none",
    "gaussian",
    "median",
    "wavelet",
    "total_variation",
    "non_local_means",
    "simulated",
    "self_supervised",
    "paired",
)
#: What these learned or chose from the images on which they are compared.
_KNEW = {
    "self_supervised": "the noise of these panoramas",
    "paired": "these panoramas and their second scans",
}


def score_denoisers(
    sites: pd.DataFrame, images: pd.DataFrame, *, confidence: float
) -> pd.DataFrame:
    """Score each denoiser on each panorama and on all together.

    Parameters
    ----------
    sites, images : pandas.DataFrame
        `DENOISED_SITES` and `DENOISED_IMAGES` of all panoramas.
    confidence : float
        Coverage of the intervals: Clopper and Pearson for recall and precision; that of the
        F score follows from the share of kept sites among kept, lost and invented ones, of which
        it is a function; Garwood for false sites. They take sites as independent.

    Returns
    -------
    pandas.DataFrame
        `DENOISING`: the rows of all panoramas first.
    """
    clean = sites[(sites["method"] == CLEAN) & (sites["predicted_class"] != "")]
    clean = clean.set_index(["panorama", "window", "truth_id"])["predicted_class"]
    keys = pd.MultiIndex.from_frame(sites[["panorama", "window", "truth_id"]])
    # Invented sites have no counterpart, and share a number that no true site has.
    sites = sites.assign(clean_class=clean.reindex(keys).fillna("").to_numpy())
    rows = []
    panoramas = list(dict.fromkeys(images["panorama"]))
    methods = list(dict.fromkeys(images["method"]))
    for panorama in [ALL, *panoramas]:
        for method in methods:
            chosen_sites, chosen_images = (
                table[
                    (table["method"] == method)
                    & (table["panorama"].isin(panoramas if panorama == ALL else [panorama]))
                ]
                for table in (sites, images)
            )
            about = {
                "panorama": panorama,
                "reference": ", ".join(sorted(set(chosen_images["reference"]))),
                "method": method,
            }
            rows.append(about | {"size": ALL} | _of_sites(chosen_sites) | _of_images(chosen_images))
            for size, (least, most) in SIZES_UM.items():
                within = chosen_sites["diameter_um"].between(least, most, inclusive="left")
                rows.append(about | {"size": size} | _of_sites(chosen_sites[within]))
    return _with_intervals(pd.DataFrame(rows), confidence=confidence)


def _of_sites(sites):
    kept = sites[sites["outcome"] == KEPT]
    named = kept[(kept["predicted_class"] != "") & (kept["clean_class"] != "")]
    ratio = kept["found_area_um2"] / kept["area_um2"]
    counts = {
        name: int((sites["outcome"] == outcome).sum())
        for name, outcome in (("kept", KEPT), ("lost", LOST), ("invented", INVENTED))
    }
    nothing = float("nan")
    return counts | {
        "reference_sites": counts["kept"] + counts["lost"],
        "median_shift_um": kept["shift_um"].median(),
        "shift_90_um": kept["shift_um"].quantile(0.9),
        "median_area_ratio": ratio.median(),
        "total_area_ratio": (
            kept["found_area_um2"].sum() / kept["area_um2"].sum() if len(kept) else nothing
        ),
        "class_changes": (
            (named["predicted_class"] != named["clean_class"]).mean() if len(named) else nothing
        ),
        "classes_compared": len(named),
        "false_sites": int((sites["is_damage_free"] & (sites["outcome"] == INVENTED)).sum()),
    }


def _of_images(images):
    pixels = images["compared_px"].sum()
    error = (images["squared_error"] * images["compared_px"]).sum() / pixels if pixels else np.nan
    seconds = images["seconds"].sum()
    return {
        "damage_free_mm2": images["damage_free_mm2"].sum(),
        "psnr_db": 10 * np.log10(255**2 / error) if error > 0 else np.nan,
        "ssim": (images["ssim"] * images["compared_px"]).sum() / pixels if pixels else np.nan,
        "megapixels_per_s": images["compared_px"].sum() / 1e6 / seconds if seconds else np.nan,
    }


def _with_intervals(table, *, confidence):
    kept, lost, invented = (table[name].to_numpy(float) for name in ("kept", "lost", "invented"))
    with np.errstate(invalid="ignore", divide="ignore"):
        for name, total in (("recall", kept + lost), ("precision", kept + invented)):
            low, high = proportion_interval(kept, total, confidence=confidence)
            some = total > 0
            table[name] = kept / total
            table[f"{name}_low"] = np.where(some, low, np.nan)
            table[f"{name}_high"] = np.where(some, high, np.nan)
        total = kept + lost + invented
        share = [kept / total, *proportion_interval(kept, total, confidence=confidence)]
        for name, value in zip(("f_score", "f_score_low", "f_score_high"), share, strict=True):
            table[name] = np.where(total > 0, 2 * value / (1 + value), np.nan)
        area = table["damage_free_mm2"].to_numpy(float)
        bounds = poisson_interval(table["false_sites"], confidence=confidence)
        for name, value in zip(("", "_low", "_high"), (table["false_sites"], *bounds), strict=True):
            table[f"false_per_mm2{name}"] = np.where(area > 0, value / area, np.nan)
    return table.assign(confidence=confidence)


def recommend(scores: pd.DataFrame) -> tuple[str | None, str]:
    """Return the method that the scores recommend, and the sentence that says why.

    The rule, over all panoramas together: methods that invent more sites in areas without damage
    than there are without denoising are out. Of the others the one with the highest F score of
    sites is best. The simplest method is recommended whose F score lies in the interval of the
    best.

    Parameters
    ----------
    scores : pandas.DataFrame
        `DENOISING`.

    Returns
    -------
    method : str or None
        None where the data do not suffice.
    sentence : str
    """
    together = scores[(scores["panorama"] == ALL) & (scores["size"] == ALL)].set_index("method")
    together = together.drop(index=CLEAN, errors="ignore")
    lacking = _what_is_lacking(together)
    if lacking:
        return None, f"No method is recommended: {lacking}"
    without = together.loc["none"]
    allowed = together[together["false_sites"] <= without["false_sites"]]
    excluded = [name for name in together.index if name not in allowed.index]
    best = allowed["f_score"].idxmax()
    equal = allowed.index[allowed["f_score"] >= allowed["f_score_low"][best]]
    chosen = min(equal, key=_simplicity)
    row = together.loc[chosen]
    sentence = (
        f"Recommended: {chosen}. It keeps {row['kept']} of {row['reference_sites']} sites and "
        f"invents {row['invented']} (F score {row['f_score']:.3f}, from {row['f_score_low']:.3f} "
        f"to {row['f_score_high']:.3f}); in areas without damage {row['false_sites']} sites are "
        f"false, {without['false_sites']} without denoising. "
    )
    if chosen != best:
        sentence += (
            f"{best} has the highest F score ({allowed['f_score'][best]:.3f}), but no more than "
            f"chance above: of equals the simplest is taken. "
        )
    if excluded:
        sentence += f"Left out for more false sites than without denoising: {', '.join(excluded)}. "
    return chosen, sentence + _knew(together)


def _what_is_lacking(together):
    if "none" not in together.index:
        return "what happens without denoising was not measured."
    row = together.loc["none"]
    if row["reference_sites"] < LEAST_SITES:
        return (
            f"there are only {row['reference_sites']} sites to be found, at least {LEAST_SITES} "
            "are needed. Compare more or larger panoramas."
        )
    if row["damage_free_mm2"] < LEAST_FREE_MM2:
        return (
            f"only {row['damage_free_mm2']:.4f} mm² lie away from sites, at least "
            f"{LEAST_FREE_MM2:g} mm² are needed to tell how often sites are invented. Compare more "
            "or larger panoramas."
        )
    return ""


def _simplicity(method):
    return SIMPLEST.index(method) if method in SIMPLEST else len(SIMPLEST)


def _knew(together):
    said = [f"{name} learned from {what}" for name, what in _KNEW.items() if name in together.index]
    if not said:
        return "No setting was chosen by these sites."
    return (
        f"{' and '.join(said)}, so that their scores hold for these and may be too good for others."
    )
