"""Classifiers: classical methods on the same labels and folds as the networks.

In:  labels/split.parquet, labels/descriptors.npy, working images, predictions of the networks for
     held-out labels.
Out: classifiers/hog.npy, evaluation/classifiers.tsv, figures/classifiers.svg and .png.
Why: a network is worth its price only if it beats what a table of measured features gives.
"""


rule measure_gradients:
    """Measure histograms of oriented gradients of every labelled site."""
    input:
        split="results/labels/split.parquet",
        images=of_all_panoramas(WORKING_IMAGE),
    output:
        hog="results/classifiers/hog.npy",
    log:
        "results/logs/measure_gradients.log",
    benchmark:
        "results/benchmarks/measure_gradients.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        mem_mb=memory("measure_gradients"),
        runtime=minutes("measure_gradients"),
    params:
        panoramas=PANORAMAS,
        library=library_fingerprint("measure_gradients"),
    script:
        "../scripts/measure_gradients.py"


rule compare_classifiers:
    """Train classical classifiers on the folds of the networks and score them side by side."""
    input:
        split="results/labels/split.parquet",
        descriptors="results/labels/descriptors.npy",
        hog="results/classifiers/hog.npy",
        records=of_all_panoramas("results/panoramas/{panorama}.json"),
        networks="results/evaluation/predictions.parquet",
        cards=[path.replace(".keras", ".json") for path in HELD_OUT_NETWORKS.values()],
    output:
        table="results/evaluation/classifiers.tsv",
    log:
        "results/logs/compare_classifiers.log",
    benchmark:
        "results/benchmarks/compare_classifiers.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        mem_mb=memory("compare_classifiers"),
        runtime=minutes("compare_classifiers"),
    params:
        test_folds=list(FOLDS) or [0],
        folds=STUDY.split.folds,
        windows=WINDOWS,
        confidence=STUDY.statistics.confidence,
        seed=seed("classifiers"),
        library=library_fingerprint("compare_classifiers"),
    script:
        "../scripts/compare_classifiers.py"


rule draw_classifiers:
    """Draw the score of every classifier with its interval.

    Not part of the default target: run `snakemake classifiers`.
    """
    input:
        table="results/evaluation/classifiers.tsv",
    output:
        svg="results/figures/classifiers.svg",
        png=report(
            "results/figures/classifiers.png",
            caption="../report/classifiers.rst",
            category="Classification",
            labels={"item": "Networks and classical classifiers"},
        ),
    log:
        "results/logs/draw_classifiers.log",
    benchmark:
        "results/benchmarks/draw_classifiers.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        mem_mb=memory("draw_classifiers"),
        runtime=minutes("draw_classifiers"),
    params:
        library=library_fingerprint("draw_classifiers"),
    script:
        "../scripts/draw_classifiers.py"
