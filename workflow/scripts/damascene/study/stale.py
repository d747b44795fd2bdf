"""Products of which a run would not notice that they are out of date."""

from pathlib import Path

#: Products that statistics and figures are made from.
_EARLIER = ("panoramas/*.json", "candidates/*.parquet", "models/*.json", "sites/*.parquet")


def lost_memory(
    results: Path = Path("results"), *, engine: Path = Path(".snakemake/metadata")
) -> str:
    """Say whether the workflow engine has no memory of the products that are there.

    Without the hidden folder `.snakemake` it cannot tell that a setting or the code has changed.

    Returns
    -------
    str
        A sentence for the terminal, empty if there are no products or a memory of some.
    """
    if not any(results.glob("sites/*.parquet")) or (engine.is_dir() and any(engine.iterdir())):
        return ""
    return (
        "There are products, but .snakemake, which remembers how they were made, is missing: "
        "changed settings go unnoticed. Copy the hidden folder, too, or make everything again "
        "(--forceall)."
    )


def stale_statistics(results: Path = Path("results")) -> str:
    """Say whether statistics and figures are older than what they are made from.

    A target that needs only candidates, such as `sensitivity`, makes these again and leaves all
    that follows as it was. A report would then show old numbers beside new ones.

    Returns
    -------
    str
        A sentence for the terminal, empty if the statistics are the newest or not there.
    """
    statistics = results / "statistics/densities.tsv"
    if not statistics.exists():
        return ""
    made = statistics.stat().st_mtime
    newer = [
        path
        for name in _EARLIER
        for path in results.glob(name)
        # Tables beside the candidates, such as of their phases, may be made later.
        if path.name.count(".") == 1 and path.stat().st_mtime > made
    ]
    if not newer:
        return ""
    return (
        f"{statistics} and the figures are older than {newer[0]}: they show the state before. "
        "Run the default target before you use them or make a report."
    )
