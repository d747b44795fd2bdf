"""Segmentation: how well phases are told on labelled areas that were not learned from.

In:  working images, masks of valid pixels, phase_labels of all panoramas that have them;
     models/folds/phases.{fold}.keras, where the study trains a network.
Out: segmentation/{method}.{fold}: pixels by true and assigned phase, costs, parts of the maps;
     evaluation/segmentation.tsv, segmentation_confusion.tsv, segmentation_costs.tsv;
     figures/segmentation and segmentation_maps as SVG and PNG.
Why: a network is worth its price only if it beats thresholds and a forest, on the same pixels.
"""


rule compare_segmentation:
    """Compare the networks for phase maps with classical methods on the same held-out labels."""
    input:
        "results/figures/segmentation.svg",
        "results/figures/segmentation_maps.svg",
        "results/evaluation/segmentation_costs.tsv",
    localrule: True


rule test_phase_network:
    """Compare what a network answers for a fold that it did not learn from with the labels there."""
    input:
        images=phase_labelled(WORKING_IMAGE),
        valid=phase_labelled("results/panoramas/{panorama}.valid.ome.tif"),
        labels=phase_labelled("results/phase_labels/{panorama}.ome.tif"),
        model=lambda wildcards: tested_phase_files(wildcards, trained=True),
    output:
        counts="results/segmentation/{method}.{fold}.parquet",
        costs="results/segmentation/{method}.{fold}.costs.tsv",
        examples="results/segmentation/{method}.{fold}.npz",
    log:
        "results/logs/test_phase_network/{method}.{fold}.log",
    benchmark:
        "results/benchmarks/test_phase_network/{method}.{fold}.tsv"
    wildcard_constraints:
        method=only(PLAN.phases.networks),
    conda:
        "../../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("test_phase_network"),
        gpu=1,
    params:
        model=untracked(
            lambda wildcards: PLAN.phases.tested_network(wildcards.method, wildcards.fold)
        ),
        model_content=lambda wildcards: content(*tested_phase_files(wildcards, trained=False)),
        panoramas=untracked(PLAN.phases.labelled),
        phases=PHASES,
        folds=STUDY.segmentation.folds,
        fold_seed=seed(FOLDS_PURPOSE),
        library=library("test_phase_network"),
    script:
        "../../scripts/test_phase_network.py"


rule test_phase_rival:
    """Let a classical method learn from all folds but one, and compare its answers with the labels there."""
    input:
        images=phase_labelled(WORKING_IMAGE),
        valid=phase_labelled("results/panoramas/{panorama}.valid.ome.tif"),
        labels=phase_labelled("results/phase_labels/{panorama}.ome.tif"),
    output:
        counts="results/segmentation/{method}.{fold}.parquet",
        costs="results/segmentation/{method}.{fold}.costs.tsv",
        examples="results/segmentation/{method}.{fold}.npz",
    log:
        "results/logs/test_phase_rival/{method}.{fold}.log",
    benchmark:
        "results/benchmarks/test_phase_rival/{method}.{fold}.tsv"
    wildcard_constraints:
        method=only(PLAN.phases.rivals),
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("test_phase_rival"),
    params:
        panoramas=untracked(PLAN.phases.labelled),
        phases=PHASES,
        folds=STUDY.segmentation.folds,
        fold_seed=seed(FOLDS_PURPOSE),
        seed=lambda wildcards: seed("phase rivals", wildcards.method, wildcards.fold),
        library=library("test_phase_rival"),
    script:
        "../../scripts/test_phase_rival.py"


rule score_segmentation:
    """Score all ways to a phase map by their held-out pixels."""
    input:
        counts=phase_tests("results/segmentation/{method}.{fold}.parquet"),
        costs=phase_tests("results/segmentation/{method}.{fold}.costs.tsv"),
    output:
        scores=report(
            "results/evaluation/segmentation.tsv",
            caption="../../report/segmentation_scores.rst",
            category="Phases",
            labels={"item": "Scores of phase maps"},
        ),
        confusion="results/evaluation/segmentation_confusion.tsv",
        costs="results/evaluation/segmentation_costs.tsv",
    log:
        "results/logs/score_segmentation.log",
    benchmark:
        "results/benchmarks/score_segmentation.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("score_segmentation"),
    params:
        phases=PHASES,
        confidence=STUDY.statistics.confidence,
        library=library("score_segmentation"),
    script:
        "../../scripts/score_segmentation.py"


rule draw_segmentation:
    """Draw the scores of all ways to a phase map, and what they make of the same places."""
    input:
        scores="results/evaluation/segmentation.tsv",
        costs="results/evaluation/segmentation_costs.tsv",
        examples=phase_tests("results/segmentation/{method}.{fold}.npz"),
    output:
        svg="results/figures/segmentation.svg",
        png=report(
            "results/figures/segmentation.png",
            caption="../../report/segmentation.rst",
            category="Phases",
            labels={"item": "Scores of phase maps"},
        ),
        maps_svg="results/figures/segmentation_maps.svg",
        maps_png=report(
            "results/figures/segmentation_maps.png",
            caption="../../report/segmentation_maps.rst",
            category="Phases",
            labels={"item": "Phase maps of held-out places"},
        ),
    log:
        "results/logs/draw_segmentation.log",
    benchmark:
        "results/benchmarks/draw_segmentation.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_segmentation"),
    params:
        colours={name: phase.colour for name, phase in STUDY.segmentation.phases.items()},
        library=library("draw_segmentation"),
    script:
        "../../scripts/draw_segmentation.py"
