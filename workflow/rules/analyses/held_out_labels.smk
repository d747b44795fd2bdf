"""Evaluation: a closer look at labels that no network was trained on.

In:  models/held_out.parquet, labels/split.parquet, labels/descriptors.parquet, clips/*.npy, evaluation/agreement.tsv,
     working images.
Out: evaluation/curve_areas.tsv, learning_curve.tsv, class_learning.tsv, labels_to_add.tsv and .txt, worst_mistakes.tsv;
     figures.
Why: a single score hides which class is confused, how well people agree, what more labels would
     bring, and which labels should be looked at once more.

Not part of the default target: run `snakemake evaluation`.
"""


rule evaluation:
    """Look closer at the labels that no network was trained on."""
    input:
        expand(
            "results/figures/{name}.svg",
            name=["curves", "annotators", "learning_curve", "mistakes"]
            + (["class_learning"] if REFITS_LAST_LAYERS else []),
        ),
    localrule: True


rule draw_curves:
    """Draw ROC and precision against recall of every class."""
    input:
        predictions="results/models/held_out.parquet",
    output:
        areas="results/evaluation/curve_areas.tsv",
        svg="results/figures/curves.svg",
        png=report(
            "results/figures/curves.png",
            caption="../../report/curves.rst",
            category="Classification",
            labels={"item": "ROC and precision against recall"},
        ),
    log:
        "results/logs/draw_curves.log",
    benchmark:
        "results/benchmarks/draw_curves.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_curves"),
    params:
        confidence=STUDY.statistics.confidence,
        library=library("draw_curves"),
    script:
        "../../scripts/draw_curves.py"


rule measure_learning_curve:
    """Score classifiers on descriptors that learn from a part of the labelled places."""
    input:
        split="results/labels/split.parquet",
        descriptors="results/labels/descriptors.parquet",
        records=of_panoramas("results/panoramas/{panorama}.json", PLAN.labelled),
    output:
        table="results/evaluation/learning_curve.tsv",
    log:
        "results/logs/measure_learning_curve.log",
    benchmark:
        "results/benchmarks/measure_learning_curve.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("measure_learning_curve"),
    params:
        folds=STUDY.split.folds,
        repeats=5,
        seed=seed("learning_curve"),
        library=library("measure_learning_curve"),
    script:
        "../../scripts/measure_learning_curve.py"


rule draw_learning_curve:
    """Draw scores against the number of labels, with the agreement of people as the ceiling."""
    input:
        table="results/evaluation/learning_curve.tsv",
        scores="results/evaluation/scores.tsv",
        agreement="results/evaluation/agreement.tsv",
    output:
        svg="results/figures/learning_curve.svg",
        png=report(
            "results/figures/learning_curve.png",
            caption="../../report/learning_curve.rst",
            category="Classification",
            labels={"item": "Scores against labels"},
        ),
    log:
        "results/logs/draw_learning_curve.log",
    benchmark:
        "results/benchmarks/draw_learning_curve.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_learning_curve"),
    params:
        library=library("draw_learning_curve"),
    script:
        "../../scripts/draw_learning_curve.py"


rule draw_mistakes:
    """Draw and list the labelled sites that the networks are most sure to see otherwise."""
    input:
        predictions="results/models/held_out.parquet",
        images=of_panoramas(WORKING_IMAGE, PLAN.labelled),
    output:
        table="results/evaluation/worst_mistakes.tsv",
        svg="results/figures/mistakes.svg",
        png=report(
            "results/figures/mistakes.png",
            caption="../../report/mistakes.rst",
            category="Classification",
            labels={"item": "Worst mistakes"},
        ),
    log:
        "results/logs/draw_mistakes.log",
    benchmark:
        "results/benchmarks/draw_mistakes.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_mistakes"),
    params:
        panoramas=untracked(PLAN.labelled),
        window=STUDY.damage.window,
        most=18,
        size_px=96,
        library=library("draw_mistakes"),
    script:
        "../../scripts/draw_mistakes.py"


rule draw_annotators:
    """Draw each annotator against what the others agree on, with the networks on the same sites."""
    input:
        agreement="results/evaluation/agreement.tsv",
    output:
        svg="results/figures/annotators.svg",
        png=report(
            "results/figures/annotators.png",
            caption="../../report/annotators.rst",
            category="Classification",
            labels={"item": "Annotators beside the networks"},
        ),
    log:
        "results/logs/draw_annotators.log",
    benchmark:
        "results/benchmarks/draw_annotators.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_annotators"),
    params:
        library=library("draw_annotators"),
    script:
        "../../scripts/draw_annotators.py"


rule measure_class_learning:
    """Fit last layers to a part of the labels of one class, and say what more of them would bring."""
    input:
        split="results/labels/split.parquet",
        inclusion=f"results/clips/{CLIPS['inclusion']}.features.npy",
        damage=f"results/clips/{CLIPS['damage']}.features.npy",
        records=of_panoramas("results/panoramas/{panorama}.json", PLAN.labelled),
    output:
        curves="results/evaluation/class_learning.tsv",
        gains="results/evaluation/labels_to_add.tsv",
        text="results/evaluation/labels_to_add.txt",
        svg="results/figures/class_learning.svg",
        png=report(
            "results/figures/class_learning.png",
            caption="../../report/class_learning.rst",
            category="Classification",
            labels={"item": "Labels of which class would help"},
        ),
    log:
        "results/logs/measure_class_learning.log",
    benchmark:
        "results/benchmarks/measure_class_learning.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("measure_class_learning"),
        gpu=1,
    params:
        settings=lambda wildcards: {
            stage: network_settings(stage, threshold=STUDY.stage(stage).threshold)
            for stage in STAGES
        },
        training=training_settings(),
        draws={
            "folds": STUDY.split.folds,
            "windows": PLAN.windows,
            "repeats": 4,
            "seed": seed("class_learning"),
            "confidence": STUDY.statistics.confidence,
        },
        library=library("measure_class_learning"),
    script:
        "../../scripts/measure_class_learning.py"
