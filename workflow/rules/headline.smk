"""Headline: which numbers may be used, and why; the page of text with the numbers and their caveats.

In:  statistics/*.tsv; records of panoramas, quality, noise and phase maps; scores on held-out labels, where there are some.
Out: statistics/verdict.tsv and headline.txt.
Why: a number with three digits and an interval hides what the networks confuse and what the image lacks.
"""


rule write_headline:
    """Judge which numbers of the study may be used, and write them with all that speaks against them."""
    input:
        # Lists, as a study may lack a table.
        densities=["results/statistics/densities.tsv"],
        evolution=["results/statistics/evolution.tsv"],
        quality=of_panoramas("results/quality/{panorama}.json"),
        noise=of_panoramas("results/noise/{panorama}.json"),
        grey_scale=grey_scale(),
        labels=["results/labels/notes.txt"] if PLAN.labelled else [],
        label_counts=["results/labels/counts.txt"] if PLAN.labelled else [],
        phases=of_panoramas("results/phases/{panorama}.json", PLAN.phases.mapped),
        phase_notes=["results/statistics/phase_notes.txt"] if PLAN.phases.mapped else [],
        scores=["results/evaluation/scores.tsv"] if PLAN.has_labels else [],
        confusion=["results/evaluation/confusion.tsv"] if PLAN.has_labels else [],
        corrected=["results/statistics/corrected.tsv"],
        detection=["results/statistics/detection_recall.tsv"],
        labelled=["results/labels/labels.parquet"] if PLAN.labelled else [],
        shift=["results/statistics/domain_shift.tsv"],
    output:
        verdict=report(
            "results/statistics/verdict.tsv",
            caption="../report/verdict.rst",
            category="Counts and sizes",
            labels={"item": "Which numbers may be used"},
        ),
        headline="results/statistics/headline.txt",
    log:
        "results/logs/write_headline.log",
    benchmark:
        "results/benchmarks/write_headline.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("write_headline"),
    params:
        # Networks from elsewhere may come with a warning.
        models=untracked("" if PLAN.trains else PLAN.models),
        models_content=content(*PLAN.given_model_files),
        known={
            "noise_conditions": {
                name: PLAN.sheet.noise_condition[name] for name in sorted(PLAN.panoramas)
            },
            "doubts": PLAN.doubts_of_test,
            "untested": PLAN.untested,
        },
        library=library("write_headline"),
    script:
        "../scripts/write_headline.py"
