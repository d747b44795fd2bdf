"""Truth: the sites of simulated panoramas against what the simulator put in.

In:  predictions/{panorama}.parquet and truth/{panorama}.parquet of simulated panoramas.
Out: evaluation/truth_*.tsv; figures/confusion_truth and detection_truth.
Why: only here is it known what was missed, what was invented, and what was given a wrong class.
"""


rule compare_with_truth:
    """Match the sites of simulated panoramas to the truth: what was missed, invented, or misnamed."""
    input:
        sites=of_panoramas("results/predictions/{panorama}.parquet", PLAN.simulated),
        truth=of_panoramas("results/truth/{panorama}.parquet", PLAN.simulated),
        # Nothing is scored where a network learned.
        labels="results/labels/labels.parquet",
    output:
        scores=report(
            "results/evaluation/truth_scores.tsv",
            caption="../report/truth_scores.rst",
            category="Test against the truth",
            labels={"item": "Scores outside the labelled area"},
        ),
        detection="results/evaluation/truth_detection.tsv",
        confusion="results/evaluation/truth_confusion.tsv",
        control=report(
            "results/evaluation/truth_control.tsv",
            caption="../report/truth_control.rst",
            category="Test against the truth",
            labels={"item": "Errors that change the number of inclusions"},
        ),
    log:
        "results/logs/compare_with_truth.log",
    benchmark:
        "results/benchmarks/compare_with_truth.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("compare_with_truth"),
    params:
        panoramas=untracked(PLAN.simulated),
        strains_percent=list(PLAN.sheet.strain_percent[list(PLAN.simulated)]),
        pixel_sizes_nm=untracked(list(PLAN.sheet.pixel_size_nm[list(PLAN.simulated)])),
        labelled_px=PLAN.labelled_px,
        windows=PLAN.windows,
        tolerance=TRUTH_TOLERANCE,
        minimum_area=STUDY.detection.minimum_area,
        confidence=STUDY.statistics.confidence,
        library=library("compare_with_truth"),
    script:
        "../scripts/compare_with_truth.py"


use rule draw_confusion_held_out as draw_confusion_truth with:
    input:
        confusion="results/evaluation/truth_confusion.tsv",
        scores="results/evaluation/truth_scores.tsv",
    output:
        svg="results/figures/confusion_truth.svg",
        png=report(
            "results/figures/confusion_truth.png",
            caption="../report/confusion_truth.rst",
            category="Test against the truth",
            labels={"item": "Predicted and true classes"},
        ),
    log:
        "results/logs/draw_confusion_truth.log",
    benchmark:
        "results/benchmarks/draw_confusion_truth.tsv"
    params:
        title="True sites outside the labelled area",
        library=library("draw_confusion"),


rule draw_detection:
    """Draw how many true sites were found, by class, and how many found sites are true."""
    input:
        detection="results/evaluation/truth_detection.tsv",
    output:
        svg="results/figures/detection_truth.svg",
        png=report(
            "results/figures/detection_truth.png",
            caption="../report/detection_truth.rst",
            category="Test against the truth",
            labels={"item": "Detection"},
        ),
    log:
        "results/logs/draw_detection.log",
    benchmark:
        "results/benchmarks/draw_detection.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_detection"),
    params:
        library=library("draw_detection"),
    script:
        "../scripts/draw_detection.py"
