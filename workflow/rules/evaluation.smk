"""Evaluation: scores of the networks on labels they never saw. Nothing later waits for it.

In:  models/held_out.parquet, labels/answers.parquet, labels/split.parquet; for the model card the sites, too.
Out: evaluation/scores.tsv, confusion.tsv, agreement.tsv, class_agreement.tsv, reliability.tsv, calibration_errors.tsv, prediction_sets.tsv,
     model_card.rst and scope.tsv; figures/confusion_held_out and calibration.
Why: counts are worth what the networks are, and a probability only what it holds on unseen labels.
"""


rule score_networks:
    """Score the classes that networks gave to labels they never saw."""
    input:
        predictions="results/models/held_out.parquet",
    output:
        scores=report(
            "results/evaluation/scores.tsv",
            caption="../report/scores.rst",
            category="Classification",
            labels={"item": "Scores of the classes"},
        ),
        confusion="results/evaluation/confusion.tsv",
    log:
        "results/logs/score_networks.log",
    benchmark:
        "results/benchmarks/score_networks.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("score_networks"),
    params:
        confidence=STUDY.statistics.confidence,
        tested=untracked(PLAN.tested),
        library=library("score_networks"),
    script:
        "../scripts/score_networks.py"


rule measure_calibration:
    """Hold the networks' probabilities and sets of classes against labels they never saw."""
    input:
        predictions="results/models/held_out.parquet",
        calibration="results/models/calibration.json",
    output:
        reliability="results/evaluation/reliability.tsv",
        errors="results/evaluation/calibration_errors.tsv",
        coverage=report(
            "results/evaluation/prediction_sets.tsv",
            caption="../report/prediction_sets.rst",
            category="Classification",
            labels={"item": "Prediction sets"},
        ),
    log:
        "results/logs/measure_calibration.log",
    benchmark:
        "results/benchmarks/measure_calibration.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("measure_calibration"),
    params:
        confidence=STUDY.statistics.confidence,
        # Numbers follow from this word; another one would change them.
        seed=seed("doubt"),
        library=library("measure_calibration"),
    script:
        "../scripts/measure_calibration.py"


rule measure_agreement:
    """Score the annotators against each other, and the networks in the place of each."""
    input:
        answers="results/labels/answers.parquet",
        predictions="results/models/held_out.parquet",
        records=of_panoramas("results/panoramas/{panorama}.json", PLAN.labelled),
    output:
        agreement="results/evaluation/agreement.tsv",
        classes="results/evaluation/class_agreement.tsv",
    log:
        "results/logs/measure_agreement.log",
    benchmark:
        "results/benchmarks/measure_agreement.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("measure_agreement"),
    params:
        confidence=STUDY.statistics.confidence,
        group_by=STUDY.split.group_by,
        block=STUDY.split.block,
        library=library("measure_agreement"),
    script:
        "../scripts/measure_agreement.py"


rule write_model_card:
    """Write one page on the networks: their scores, confusions and rivals, and for whom these hold."""
    input:
        split="results/labels/split.parquet",
        predictions="results/models/held_out.parquet",
        scores="results/evaluation/scores.tsv",
        confusion="results/evaluation/confusion.tsv",
        agreement="results/evaluation/agreement.tsv",
        sites=of_panoramas("results/sites/{panorama}.parquet"),
        records=of_panoramas("results/panoramas/{panorama}.json"),
        networks=network_files([f"results/models/{stage}.keras" for stage in STAGES]),
    output:
        card="results/evaluation/model_card.rst",
        scope=report(
            "results/evaluation/scope.tsv",
            caption="../report/model_card.rst",
            category="Classification",
            labels={"item": "Model card: scores, and for whom they hold"},
        ),
    log:
        "results/logs/write_model_card.log",
    benchmark:
        "results/benchmarks/write_model_card.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("write_model_card"),
    params:
        models=untracked(PLAN.models),
        models_content=content(*PLAN.given_model_files),
        page={
            "confidence": STUDY.statistics.confidence,
            "group_by": STUDY.split.group_by,
            "block": STUDY.split.block,
            "tested": PLAN.tested,
            "doubts": PLAN.doubts_of_test,
            "trained_here": PLAN.trains,
            "refits_last_layers": REFITS_LAST_LAYERS,
        },
        library=library("write_model_card"),
    script:
        "../scripts/write_model_card.py"


rule draw_confusion_held_out:
    """Draw predicted against given classes of labelled sites that the networks never saw."""
    input:
        confusion="results/evaluation/confusion.tsv",
        scores="results/evaluation/scores.tsv",
    output:
        svg="results/figures/confusion_held_out.svg",
        png=report(
            "results/figures/confusion_held_out.png",
            caption="../report/confusion_held_out.rst",
            category="Classification",
            labels={"item": "Predicted and given classes"},
        ),
    log:
        "results/logs/draw_confusion_held_out.log",
    benchmark:
        "results/benchmarks/draw_confusion_held_out.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_confusion_held_out"),
    params:
        title=f"Labelled sites: {PLAN.tested}".replace(", by", ",\nby"),
        tested=PLAN.tested,
        doubts=PLAN.doubts_of_test,
        library=library("draw_confusion"),
    script:
        "../scripts/draw_confusion.py"


rule draw_calibration:
    """Draw how far the networks' probabilities can be trusted, and the sets of possible classes."""
    input:
        reliability="results/evaluation/reliability.tsv",
        errors="results/evaluation/calibration_errors.tsv",
        coverage="results/evaluation/prediction_sets.tsv",
    output:
        svg="results/figures/calibration.svg",
        png=report(
            "results/figures/calibration.png",
            caption="../report/calibration.rst",
            category="Classification",
            labels={"item": "Calibration and prediction sets"},
        ),
    log:
        "results/logs/draw_calibration.log",
    benchmark:
        "results/benchmarks/draw_calibration.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_calibration"),
    params:
        tested=PLAN.tested,
        doubts=PLAN.doubts_of_test,
        coverage=STUDY.statistics.coverage,
        library=library("draw_calibration"),
    script:
        "../scripts/draw_calibration.py"
