"""Review: which sites people should label next, and a label sheet for those who do it on paper.

In:  predictions/{panorama}.parquet and .features.npy, models/condition.npz, the answers so far; of a study without
     labels the candidates and what a frozen network sees of some of them; the working images.
Out: review/order.tsv, the queue; review/reasons.parquet, what speaks for each site; viewer/review/, its clips; review/sheet.html and .tsv, to print and to fill in;
     evaluation/reviewed_shares.tsv, shares of classes from the labels that were drawn at random.
Why: labels are scarce. An answer is worth most where annotators disagree, where the networks cannot tell, or where
     the steel is new to them; and some sites are drawn at random, so that what is counted from them is honest.

Not part of the default target: run `snakemake review`.
"""

# A study without labels has no classes yet: its candidates are what can be labelled first.
REVIEWED = "predictions" if PLAN.classifies else "candidates"


rule review:
    """Choose the sites that should be labelled next, and cut their clips."""
    input:
        "results/viewer/review",
        "results/evaluation/reviewed_shares.tsv" if PLAN.has_labels else [],
    localrule: True


rule look_at_candidates:
    """See some candidates with the frozen stand-in network, where the study has no networks yet."""
    input:
        candidates="results/candidates/{panorama}.parquet",
        image=WORKING_IMAGE,
        valid="results/panoramas/{panorama}.valid.ome.tif",
    output:
        features="results/review/{panorama}.features.npy",
    log:
        "results/logs/look_at_candidates/{panorama}.log",
    benchmark:
        "results/benchmarks/look_at_candidates/{panorama}.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: network_threads("damage")
    resources:
        **needs("look_at_candidates"),
        gpu=1,
    params:
        window=STUDY.damage.window,
        library=library("look_at_candidates"),
    script:
        "../../scripts/look_at_candidates.py"


rule order_review:
    """Put sites into the order in which people should label them; one of four is drawn at random."""
    input:
        sites=of_panoramas(f"results/{REVIEWED}/{{panorama}}.parquet"),
        features=of_panoramas(
            f"results/{'predictions' if PLAN.classifies else 'review'}/{{panorama}}.features.npy"
        ),
        condition=PLAN.shift.made_files if PLAN.classifies else [],
        answers="results/labels/answers.parquet" if PLAN.labelled else [],
        labels="results/labels/labels.parquet" if PLAN.labelled else [],
        contradictions="results/labels/contradictions.tsv" if PLAN.labelled else [],
    output:
        order="results/review/order.tsv",
        reasons="results/review/reasons.parquet",
    log:
        "results/logs/order_review.log",
    benchmark:
        "results/benchmarks/order_review.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("order_review"),
    params:
        panoramas=untracked(PLAN.panoramas),
        classified=PLAN.classifies,
        condition=untracked(PLAN.shift.condition if PLAN.classifies else ""),
        condition_content=content(*(PLAN.shift.given_files if PLAN.classifies else [])),
        # Hours of work; who gets so far runs again with the labels.
        most=2000,
        seed=seed("review"),
        library=library("order_review"),
    script:
        "../../scripts/order_review.py"


rule pack_review:
    """Cut the clips of the queue, for the page on which they are labelled and for a label sheet."""
    input:
        order="results/review/reasons.parquet",
        sites=of_panoramas(f"results/{REVIEWED}/{{panorama}}.parquet"),
        images=of_panoramas(WORKING_IMAGE),
        # By their pixels labels know again what they were given to.
        imported=of_panoramas("results/panoramas/{panorama}.ome.tif"),
        masks=of_panoramas("results/panoramas/{panorama}.valid.ome.tif"),
        answers="results/labels/answers.parquet" if PLAN.labelled else [],
        labels="results/labels/labels.parquet" if PLAN.labelled else [],
        models=(
            network_files([f"results/models/{stage}.keras" for stage in STAGES])
            if PLAN.classifies
            else []
        ),
    output:
        gallery=directory("results/viewer/review"),
        sheet="results/review/sheet.tsv",
        print="results/review/sheet.html",
    log:
        "results/logs/pack_review.log",
    benchmark:
        "results/benchmarks/pack_review.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("pack_review"),
    params:
        study=STUDY.study,
        panoramas=untracked(PLAN.panoramas),
        classified=PLAN.classifies,
        models=untracked(PLAN.models),
        models_content=content(*(PLAN.given_model_files if PLAN.classifies else [])),
        sources=content(str(SHEET_TEMPLATE)),
        library=library("pack_review"),
    script:
        "../../scripts/pack_review.py"


rule estimate_shares:
    """Estimate shares of classes from the labels that were drawn at random, and from all."""
    input:
        sites=of_panoramas("results/predictions/{panorama}.parquet"),
        answers="results/labels/answers.parquet",
        labels="results/labels/labels.parquet",
    output:
        shares="results/evaluation/reviewed_shares.tsv",
    log:
        "results/logs/estimate_shares.log",
    benchmark:
        "results/benchmarks/estimate_shares.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("estimate_shares"),
    params:
        confidence=STUDY.statistics.confidence,
        seed=seed("review"),
        library=library("estimate_shares"),
    script:
        "../../scripts/estimate_shares.py"
