"""Effect of labels: what the newest labels changed in scores and densities.

In:  labels, held-out answers, corrected counts and sites of this run; the states of earlier labels.
Out: label_history/{checksum of the label files}.json and .parquet; statistics/label_effect.tsv and .txt; its figure.
Why: who labels for an hour wants to see what it was good for, and a change by labels must be told from one by settings.
"""


rule keep_label_state:
    """Keep what the labels of this run gave, beside the states of other labels."""
    input:
        labels="results/labels/labels.parquet",
        held_out="results/models/held_out.parquet",
        corrected="results/statistics/corrected.tsv",
        sites=of_panoramas("results/sites/{panorama}.parquet"),
        records=of_panoramas("results/panoramas/{panorama}.json"),
    output:
        # Other labels have another name, and leave this state where it is.
        record=f"results/label_history/{LABELS}.json",
        held_out=f"results/label_history/{LABELS}.held_out.parquet",
        corrected=f"results/label_history/{LABELS}.corrected.parquet",
        blocks=f"results/label_history/{LABELS}.blocks.parquet",
    log:
        "results/logs/keep_label_state.log",
    benchmark:
        "results/benchmarks/keep_label_state.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("keep_label_state"),
    params:
        # Settings that change a number make the inputs anew.
        configuration=untracked(STUDY.model_dump(exclude={"labels"})),
        version=untracked(lambda _: VERSION),
        confidence=STUDY.statistics.confidence,
        library=library("keep_label_state"),
    script:
        "../scripts/keep_label_state.py"


rule measure_label_effect:
    """Hold scores and densities of the newest labels against those of the labels before."""
    input:
        record=f"results/label_history/{LABELS}.json",
        held_out=f"results/label_history/{LABELS}.held_out.parquet",
        corrected=f"results/label_history/{LABELS}.corrected.parquet",
        blocks=f"results/label_history/{LABELS}.blocks.parquet",
    output:
        table=report(
            "results/statistics/label_effect.tsv",
            caption="../report/label_effect_table.rst",
            category="Classification",
            labels={"item": "What the newest labels changed, in numbers"},
        ),
        notes="results/statistics/label_effect.txt",
    log:
        "results/logs/measure_label_effect.log",
    benchmark:
        "results/benchmarks/measure_label_effect.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("measure_label_effect"),
    params:
        library=library("measure_label_effect"),
    script:
        "../scripts/measure_label_effect.py"


rule draw_label_effect:
    """Draw labels, scores and densities before and after the newest labels."""
    input:
        table="results/statistics/label_effect.tsv",
        notes="results/statistics/label_effect.txt",
    output:
        svg="results/figures/label_effect.svg",
        png=report(
            "results/figures/label_effect.png",
            caption="../report/label_effect.rst",
            category="Classification",
            labels={"item": "What the newest labels changed"},
        ),
    log:
        "results/logs/draw_label_effect.log",
    benchmark:
        "results/benchmarks/draw_label_effect.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_label_effect"),
    params:
        confidence=STUDY.statistics.confidence,
        library=library("draw_label_effect"),
    script:
        "../scripts/draw_label_effect.py"


rule label_effect:
    """What the newest labels changed in scores and densities."""
    input:
        "results/figures/label_effect.svg",
        "results/statistics/label_effect.tsv",
    localrule: True
