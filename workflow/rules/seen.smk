"""What the viewer shows: which tables hold its sites, and what the sample sheet says of panoramas."""

from damascene.viewer.page import page_sources

# Candidates stand for sites where nothing is classified.
SEEN_SITES = f"results/{'sites' if PLAN.classifies else 'candidates'}/{{panorama}}.parquet"


def seen_in_sheet():
    """Return what the sample sheet says of each panorama, in the order of the study."""
    columns = ["strain_percent", "condition", "specimen"]
    return {name: PLAN.sheet.loc[name, columns].to_dict() for name in PLAN.panoramas}
