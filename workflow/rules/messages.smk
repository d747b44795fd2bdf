"""What a run shows: its progress, and at its end where to look.

The engine calls none of this in a dry-run, in the jobs of a cluster, or where another workflow uses
this one as a module.
"""

from snakemake.logging import logger

from damascene.jobs.progress import show_progress, tell_failures
from damascene.problems import MARK

# Below results/.
REPORT = "report/report.html"


def expected_seconds(rule, wildcards):
    """Return how long a job should take; targets, which only join products, have no costs."""
    try:
        return seconds(*cost_and_size(rule, wildcards))
    except KeyError:
        return 0.0


def caveats(headline):
    """Return what the headline numbers come with, none where there are no numbers."""
    lines = headline.read_text().splitlines() if headline.exists() else []
    return [line for line in lines if line.startswith(MARK)]


def caveats_of_scores():
    """Return which small pictures that were asked for gave no scores, and why."""
    asked = [job for job in workflow.dag.jobs if job.rule.name == "score_digits"]
    if not asked:
        return []
    from damascene.ledger.not_scored import not_scored_lines

    return not_scored_lines(sorted({str(path) for job in asked for path in job.output}))


onstart:
    if not (workflow.output_settings.quiet or workflow.output_settings.verbose):
        show_progress(
            logger,
            [(job.rule.name, job.wildcards_dict) for job in workflow.dag.needrun_jobs()],
            expected=expected_seconds,
        )


onsuccess:
    # As seen from the folder in which the command was given.
    results = Path(os.path.relpath("results", os.environ.get("PWD", ".")))
    numbers = "statistics/headline.txt"
    # Not there yet where another target than the default one was asked for.
    places = {
        **({"Headline numbers": numbers} if PLAN.classifies else {}),
        "Figures": "figures/",
        "Tables": "statistics/",
        "Scores": "evaluation/",
        "Report": REPORT,
        "Viewer and review": "viewer/index.html",
        "Workshop": "workshop/index.html",
        "For other tools": "exchange/",
    }
    places = {
        name: f"{results}/{path}"
        for name, path in places.items()
        if Path("results", path).exists()
    }
    places.setdefault("Report", "the same command with the target report")
    logger.info("\n".join(f"{name + ':':<20} {place}" for name, place in places.items()))
    # A published number that is not reproduced is a result: the run went well, and says so.
    for told in (*([numbers] if PLAN.classifies else []), "ledger/ledger.txt"):
        for caveat in caveats(Path("results", told)):
            logger.warning(caveat)
    for caveat in caveats_of_scores():
        logger.warning(caveat)
    if PLAN.few and PLAN.unclassified:
        logger.warning(f"{MARK}{PLAN.unclassified}")
    if stale := stale_statistics():
        logger.warning(stale)


onerror:
    logger.error(tell_failures(logger))
