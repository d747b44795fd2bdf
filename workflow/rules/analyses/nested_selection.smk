"""Nested selection: scores with settings that were chosen without the labels that test them.

In:  labels/split.parquet, labels/descriptors.parquet, working images, models/held_out.parquet.
Out: evaluation/nested_choices.tsv, nested_predictions.parquet, nested_scores.tsv; figures/nested_selection.
Why: settings that were tried on the labels fit these labels a little too well. The nested score is the one to quote.

Not part of the default target: run `snakemake nested_selection`.
"""


rule nested_selection:
    """Score networks whose settings were chosen anew for each fold, without its labels."""
    input:
        "results/figures/nested_selection.svg",
    localrule: True


rule select_nested:
    """Choose the settings of both stages without each fold in turn, and classify the sites of the fold."""
    input:
        split="results/labels/split.parquet",
        descriptors="results/labels/descriptors.parquet",
        records=of_panoramas("results/panoramas/{panorama}.json", PLAN.labelled),
        images=of_panoramas(WORKING_IMAGE, PLAN.labelled),
        masks=of_panoramas("results/panoramas/{panorama}.valid.ome.tif", PLAN.labelled),
    output:
        choices="results/evaluation/nested_choices.tsv",
        predictions="results/evaluation/nested_predictions.parquet",
    log:
        "results/logs/select_nested.log",
    benchmark:
        "results/benchmarks/select_nested.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("select_nested"),
        gpu=1,
    params:
        panoramas=untracked(PLAN.labelled),
        settings=lambda wildcards: {stage: network_settings(stage) for stage in STAGES},
        training=training_settings(),
        folds=STUDY.split.folds,
        simulated=untracked(str(SIMULATED_SITES)),
        simulated_content=content(SIMULATED_SITES),
        seed=seed("nested_selection"),
        library=library("select_nested"),
    script:
        "../../scripts/select_nested.py"


rule score_nested:
    """Score the answers under the settings of the study and under those chosen without each fold."""
    input:
        study=all_held_out,
        nested="results/evaluation/nested_predictions.parquet",
        choices="results/evaluation/nested_choices.tsv",
    output:
        scores="results/evaluation/nested_scores.tsv",
        svg="results/figures/nested_selection.svg",
        png=report(
            "results/figures/nested_selection.png",
            caption="../../report/nested_selection.rst",
            category="Classification",
            labels={"item": "Settings chosen without the test labels"},
        ),
    log:
        "results/logs/score_nested.log",
    benchmark:
        "results/benchmarks/score_nested.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("score_nested"),
    params:
        confidence=STUDY.statistics.confidence,
        library=library("score_nested"),
    script:
        "../../scripts/score_nested.py"
