"""Viewer: a page on which one flies over the panoramas and looks at every site.

In:  panoramas with their records, sites (or candidates, where nothing is classified), quality, shift.
Out: viewer/index.html, which opens from disk, and the data beside it.
Why: people trust what they can look at, and correct what they can see.

Not part of the default target: run `snakemake viewer`.
"""


rule viewer:
    """Make the page on which one looks at panoramas and sites."""
    input:
        "results/viewer/index.html",
    localrule: True


rule write_viewer:
    """Write the page, with a row for each panorama."""
    input:
        records=of_panoramas("results/panoramas/{panorama}.json"),
        sites=of_panoramas(SEEN_SITES),
        quality=of_panoramas("results/quality/{panorama}.json"),
        shifts=of_panoramas("results/shift/{panorama}.json") if PLAN.classifies else [],
    output:
        page="results/viewer/index.html",
    log:
        "results/logs/write_viewer.log",
    benchmark:
        "results/benchmarks/write_viewer.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("write_viewer"),
    params:
        study=STUDY.study,
        version=VERSION,
        classified=PLAN.classifies,
        sheet=seen_in_sheet(),
        withhold=STUDY.statistics.withhold,
        sources=content(*page_sources()),
        library=library("write_viewer"),
    script:
        "../../scripts/write_viewer.py"
