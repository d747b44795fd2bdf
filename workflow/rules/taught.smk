"""What the workshop shows: the image that its pages look at, and what each page reads of the study."""

from damascene.jobs.fingerprint import notebook_fingerprint
from damascene.workshop.pages import ENDING, NOTEBOOKS

WORKSHOP_PANORAMA = STUDY.workshop.panorama or PLAN.panoramas[0]


def workshop_image(_):
    """Return the user's picture, or the working image of a panorama with its mask and record."""
    if STUDY.workshop.image:
        return [STUDY.workshop.image]
    folder = "results/panoramas/{panorama}"
    paths = [WORKING_IMAGE, f"{folder}.valid.ome.tif", f"{folder}.json"]
    return expand(paths, panorama=WORKSHOP_PANORAMA)


def workshop_origin():
    """Return what the pages look at, in words."""
    return Path(STUDY.workshop.image).name if STUDY.workshop.image else WORKSHOP_PANORAMA


def workshop_page_files(wildcards):
    """Return what a page reads of the study beside the cut: lists are empty where it has none."""
    return TAUGHT.get(wildcards.page, dict)()


def labelled_sites():
    """Return labelled sites with their clips and descriptors, by the names that pages know."""
    labelled = PLAN.has_labels
    return {
        "split": "results/labels/split.parquet" if labelled else [],
        "clips": clips_of("damage") if labelled else [],
        "descriptors": "results/labels/descriptors.parquet" if labelled else [],
    }


def sites_to_group():
    """Return labelled sites, and the candidates of a panorama for studies with few or no labels."""
    folder = "results/panoramas/{panorama}"
    paths = {
        "candidates": "results/candidates/{panorama}.parquet",
        "image": WORKING_IMAGE,
        "valid": f"{folder}.valid.ome.tif",
    }
    reference = {"reference": list(matched_reference_files().values())}
    return (labelled_sites() | reference) | {
        name: path.format(panorama=WORKSHOP_PANORAMA) for name, path in paths.items()
    }


def products_of_steel():
    """Return what the study made of the panorama that the workshop looks at."""

    def existing(condition, path):
        return path.format(panorama=name) if condition else []

    name, tested = WORKSHOP_PANORAMA, PLAN.classifies and PLAN.has_labels
    phases = STUDY.segmentation.method != "none"
    paired = [f"results/paired/{name}.{suffix}" for suffix in ("ome.tif", "valid.ome.tif", "json")]
    return {
        "image": WORKING_IMAGE.format(panorama=name),
        "valid": f"results/panoramas/{name}.valid.ome.tif",
        "scan": f"results/panoramas/{name}.ome.tif",
        "paired": paired if name in PLAN.paired else [],
        "reference": list(matched_reference_files().values()),
        "sites": existing(PLAN.classifies, "results/sites/{panorama}.parquet"),
        "confusion": existing(tested, "results/evaluation/confusion.tsv"),
        "calibration": existing(tested, "results/evaluation/calibration_errors.tsv"),
        "temperature": existing(tested, "results/models/calibration.json"),
        "phases": existing(phases, "results/phases/{panorama}.ome.tif"),
        "fractions": existing(phases, "results/statistics/phases.tsv"),
        "corrected": existing(PLAN.classifies, "results/statistics/corrected.tsv"),
        "verdict": existing(PLAN.classifies, "results/statistics/verdict.tsv"),
    }


# What pages read of the study, by their names.
TAUGHT = {
    "4_without_labels": sites_to_group,
    "5_with_labels": labelled_sites,
    "7_steel": products_of_steel,
}


def workshop_library(wildcards):
    """Return the fingerprint of the code that a page runs."""
    path = NOTEBOOKS / f"{wildcards.page}{ENDING}"
    return notebook_fingerprint(path) if workflow.is_main_process else ""
