"""What the viewer shows: which tables hold its sites, and what the sample sheet says of panoramas."""

from damascene.viewer.page import page_sources

# Candidates stand for sites where nothing is classified.
SEEN_SITES = f"results/{'sites' if PLAN.classifies else 'candidates'}/{{panorama}}.parquet"
# The phases round them, where there are phase maps of sites.
SEEN_PHASES = (
    "results/candidates/{panorama}.phases.parquet" if PLAN.classifies and PLAN.hard_phase else []
)


def seen_in_sheet():
    """Return what the sample sheet says of each panorama, in the order of the study."""
    columns = ["strain_percent", "condition", "specimen"]
    return {name: PLAN.sheet.loc[name, columns].to_dict() for name in PLAN.panoramas}


def answers_of(panorama):
    """Return the table of all answers of people, or nothing where a panorama has none."""
    return "results/labels/answers.parquet" if panorama in PLAN.labelled else []


def phase_colours():
    """Return the colours of the phases in the order of their numbers, empty without phase maps."""
    phases = STUDY.segmentation.phases
    return {name: one.colour for name, one in phases.items()} if PLAN.phases.mapped else {}


def seen_networks():
    """Return the network of each stage, where sites are classified."""
    stages = STAGES if PLAN.classifies else ()
    return {stage: f"{PLAN.models}/{stage}.keras" for stage in stages}


def seen_figures():
    """Return the figures that show where networks look, where they have been drawn."""
    paths = {stage: f"figures/attention_{stage}.png" for stage in STAGES}
    return [
        {"title": f"{stage} network", "path": f"../{path}"}
        for stage, path in paths.items()
        if Path(RESULTS, path).exists()
    ]


def seen_attention():
    """Return what networks look at in labelled sites, where that has been computed."""
    paths = [f"{RESULTS}explanation/attention_{stage}.npz" for stage in STAGES]
    return [path for path in paths if Path(path).exists()]


def seen_in_archive(_):
    """Return the viewer, and the review where one was made."""
    own = ["order.tsv", "reasons.parquet", "sheet.tsv", "sheet.html"]
    review = ["viewer/review", *(f"review/{name}" for name in own)]
    made = [RESULTS + path for path in review] if Path(RESULTS, "viewer/review").exists() else []
    return viewer_files(None) + made


def viewer_files(_):
    """Return the page and all that it loads."""
    tiles = expand("results/viewer/tiles/{panorama}", panorama=PLAN.panoramas)
    phases = expand("results/viewer/phases/{panorama}", panorama=PLAN.phases.mapped)
    sites = expand("results/viewer/sites/{panorama}.js", panorama=PLAN.panoramas)
    return ["results/viewer/index.html", *tiles, *phases, *sites]
