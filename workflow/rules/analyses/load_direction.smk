"""Load direction: do networks trained on one direction of load serve another one?

In:  clips/damage.npy, labels/split.parquet, working images.
Out: load_direction/*.keras, evaluation/load_direction.tsv, figures/load_direction.svg and .png.
Why: cracks stand across the load. Networks from uniaxial tests meet cracks of all directions in
     biaxial ones; turning clips in training takes the preferred direction away, and its use with it.

Not part of the default target: run `snakemake load_direction`.
"""


rule load_direction:
    """Test networks trained on one direction of load on others."""
    input:
        "results/figures/load_direction.svg",
    localrule: True


rule train_for_load_direction:
    """Train the damage network with clips turned by at most some degrees; fold 0 is kept for the test."""
    input:
        clips=clips_of("damage"),
        features=[],
        descriptors=[],
        split="results/labels/split.parquet",
        records=of_panoramas("results/panoramas/{panorama}.json", PLAN.labelled),
        steel=of_panoramas("results/panoramas/{panorama}.ome.tif", PLAN.labelled),
    output:
        model="results/load_direction/{stage}.{turn}.keras",
        card="results/load_direction/{stage}.{turn}.json",
        history="results/load_direction/{stage}.{turn}.history.tsv",
    log:
        "results/logs/train_for_load_direction/{stage}.{turn}.log",
    benchmark:
        "results/benchmarks/train_for_load_direction/{stage}.{turn}.tsv"
    wildcard_constraints:
        turn=r"\d+",
    conda:
        "../../envs/damascene.yaml"
    threads: network_threads("damage")
    resources:
        **needs("train_for_load_direction"),
        gpu=1,
    params:
        test_fold=0,
        folds=STUDY.split.folds,
        # Descriptors know the direction of the load and cannot be turned with the clips.
        settings=lambda wildcards: network_settings(wildcards.stage, descriptors=False),
        training=lambda wildcards: training_settings(
            rotation_deg=float(wildcards.turn), pseudo_labels=0
        ),
        note=PLAN.training_note,
        windows=PLAN.windows,
        panoramas=untracked(PLAN.labelled),
        simulated=untracked([]),
        simulated_content="",
        weights_content=content(*initial_weights("damage")),
        # The same seed: only the turns differ.
        seed=seed("load_direction"),
        library=library("train_network"),
    script:
        "../../scripts/train_network.py"


rule compare_load_directions:
    """Turn the steel under held-out sites and classify them by networks trained with few and all turns."""
    input:
        models=expand("results/load_direction/damage.{turn}.keras", turn=TURNS_DEG),
        cards=expand("results/load_direction/damage.{turn}.json", turn=TURNS_DEG),
        split="results/labels/split.parquet",
        images=of_panoramas(WORKING_IMAGE, PLAN.labelled),
    output:
        table="results/evaluation/load_direction.tsv",
    log:
        "results/logs/compare_load_directions.log",
    benchmark:
        "results/benchmarks/compare_load_directions.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: network_threads("damage")
    resources:
        **needs("compare_load_directions"),
        gpu=1,
    params:
        panoramas=untracked(PLAN.labelled),
        turns=TURNS_DEG,
        angles_deg=[0, 15, 30, 45, 60, 75, 90],
        test_fold=0,
        confidence=STUDY.statistics.confidence,
        library=library("compare_load_directions"),
    script:
        "../../scripts/compare_load_directions.py"


rule draw_load_directions:
    """Draw the score against the direction of load for both trainings."""
    input:
        table="results/evaluation/load_direction.tsv",
    output:
        svg="results/figures/load_direction.svg",
        png=report(
            "results/figures/load_direction.png",
            caption="../../report/load_direction.rst",
            category="Classification",
            labels={"item": "Other directions of load"},
        ),
    log:
        "results/logs/draw_load_directions.log",
    benchmark:
        "results/benchmarks/draw_load_directions.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_load_directions"),
    params:
        library=library("draw_load_directions"),
    script:
        "../../scripts/draw_load_directions.py"
