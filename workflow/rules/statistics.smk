"""Statistics: counts, densities and sizes with their intervals, and the test against the truth.

In:  sites/{panorama}.parquet, the records of the panoramas, the truth of simulated ones.
Out: statistics/*.tsv, evaluation/truth_*.tsv.
Why: a count without an area and an interval cannot be compared with anybody else's.
"""


rule summarise_sites:
    """Count sites by class and panorama, per valid area, with exact Poisson intervals; sum up sizes."""
    input:
        sites=of_all_panoramas("results/sites/{panorama}.parquet"),
        records=of_all_panoramas("results/panoramas/{panorama}.json"),
        # Networks from elsewhere may come with a warning.
        cards=[f"{MODELS}/{stage}.json" for stage in STAGES if MODELS != "results/models"],
    output:
        densities=report(
            "results/statistics/densities.tsv",
            caption="../report/densities.rst",
            category="Counts and sizes",
            labels={"item": "Counts and densities"},
        ),
        sizes=report(
            "results/statistics/sizes.tsv",
            caption="../report/sizes.rst",
            category="Counts and sizes",
            labels={"item": "Sizes"},
        ),
        headline="results/statistics/headline.txt",
    log:
        "results/logs/summarise_sites.log",
    benchmark:
        "results/benchmarks/summarise_sites.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        mem_mb=memory("summarise_sites"),
        runtime=minutes("summarise_sites"),
    params:
        strains=[float(value) for value in SHEET.strain_percent],
        confidence=STUDY.statistics.confidence,
        library=library_fingerprint("summarise_sites"),
    script:
        "../scripts/summarise_sites.py"


rule compare_with_truth:
    """Match the sites of simulated panoramas to the truth: what was missed, invented, or misnamed."""
    input:
        sites=of_all_panoramas("results/sites/{panorama}.parquet", SIMULATED_PANORAMAS),
        truth=of_all_panoramas("results/truth/{panorama}.parquet", SIMULATED_PANORAMAS),
    output:
        scores=report(
            "results/evaluation/truth_scores.tsv",
            caption="../report/truth_scores.rst",
            category="Test against the truth",
            labels={"item": "Scores outside the labelled area"},
        ),
        detection="results/evaluation/truth_detection.tsv",
        confusion="results/evaluation/truth_confusion.tsv",
    log:
        "results/logs/compare_with_truth.log",
    benchmark:
        "results/benchmarks/compare_with_truth.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        mem_mb=memory("compare_with_truth"),
        runtime=minutes("compare_with_truth"),
    params:
        panoramas=SIMULATED_PANORAMAS,
        # Beyond this column no window shares a pixel with that of a labelled site.
        labelled_until_px=labelled_until_px(),
        tolerance_px=tolerance_px(),
        minimum_area_px=minimum_area_px(),
        confidence=STUDY.statistics.confidence,
        seed=seed("truth"),
        library=library_fingerprint("compare_with_truth"),
    script:
        "../scripts/compare_with_truth.py"
