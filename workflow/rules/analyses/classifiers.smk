"""Classifiers: classical methods on the same labels and folds as the networks.

In:  labels/split.parquet, labels/descriptors.parquet, working images, predictions of the networks for
     held-out labels.
Out: classifiers/hog.npy, evaluation/classifiers.tsv, figures/classifiers.svg and .png.
Why: a network is worth its price only if it beats what a table of measured features gives.
"""


rule classifiers:
    """Compare the networks with classical classifiers on the same held-out labels."""
    input:
        "results/figures/classifiers.svg",
    localrule: True


rule measure_gradients:
    """Measure histograms of oriented gradients of every labelled site."""
    input:
        split="results/labels/split.parquet",
        images=of_panoramas(WORKING_IMAGE, PLAN.labelled),
    output:
        hog="results/classifiers/hog.npy",
    log:
        "results/logs/measure_gradients.log",
    benchmark:
        "results/benchmarks/measure_gradients.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("measure_gradients"),
    params:
        panoramas=untracked(PLAN.labelled),
        library=library("measure_gradients"),
    script:
        "../../scripts/measure_gradients.py"


rule compare_classifiers:
    """Train classical classifiers on the folds of the networks and score them side by side."""
    input:
        split="results/labels/split.parquet",
        descriptors="results/labels/descriptors.parquet",
        hog="results/classifiers/hog.npy",
        records=of_panoramas("results/panoramas/{panorama}.json", PLAN.labelled),
        networks="results/models/held_out.parquet",
        models=network_files(PLAN.held_out_networks.values()),
    output:
        table="results/evaluation/classifiers.tsv",
    log:
        "results/logs/compare_classifiers.log",
    benchmark:
        "results/benchmarks/compare_classifiers.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("compare_classifiers"),
    params:
        networks=untracked(PLAN.held_out_networks),
        networks_content=content(*PLAN.given_model_files),
        test_folds=list(PLAN.test_folds),
        folds=STUDY.split.folds,
        windows=PLAN.windows,
        confidence=STUDY.statistics.confidence,
        seed=seed("classifiers"),
        library=library("compare_classifiers"),
    script:
        "../../scripts/compare_classifiers.py"


rule draw_classifiers:
    """Draw the score of every classifier with its interval."""
    input:
        table="results/evaluation/classifiers.tsv",
    output:
        svg="results/figures/classifiers.svg",
        png=report(
            "results/figures/classifiers.png",
            caption="../../report/classifiers.rst",
            category="Classification",
            labels={"item": "Networks and classical classifiers"},
        ),
    log:
        "results/logs/draw_classifiers.log",
    benchmark:
        "results/benchmarks/draw_classifiers.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_classifiers"),
    params:
        library=library("draw_classifiers"),
    script:
        "../../scripts/draw_classifiers.py"
