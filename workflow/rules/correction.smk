"""Correction: counts without the sites that the detector misses and the classes that networks confuse.

In:  candidates and sites with the working images; densities and quality; the answers of the networks to held-out labels, where
     there are some.
Out: recall/{panorama}.voids.parquet and .contrasts.parquet; statistics/detection_recall.tsv and corrected.tsv; their figure.
Why: a detector misses small and pale voids, and a network that takes a class for another counts both wrongly, the more so the
     more their shares differ from those among the labels.
"""


rule plant_voids:
    """Plant simulated voids of many sizes and contrasts into a panorama and search for them."""
    input:
        **matched_reference_files(),
        image=WORKING_IMAGE,
        valid="results/panoramas/{panorama}.valid.ome.tif",
        candidates="results/candidates/{panorama}.parquet",
        runs="results/candidates/{panorama}.runs.parquet",
    output:
        voids="results/recall/{panorama}.voids.parquet",
        contrasts="results/recall/{panorama}.contrasts.parquet",
    log:
        "results/logs/plant_voids/{panorama}.log",
    benchmark:
        "results/benchmarks/plant_voids/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("plant_voids"),
    params:
        detection=STUDY.detection.model_dump_json(),
        seed=lambda wildcards: seed("planted voids", wildcards.panorama),
        library=library("plant_voids"),
    script:
        "../scripts/plant_voids.py"


rule correct_counts:
    """Correct the counts by the recall of planted voids and by the answers to held-out labels."""
    input:
        densities="results/statistics/densities.tsv",
        sites=of_panoramas("results/sites/{panorama}.parquet"),
        records=of_panoramas("results/panoramas/{panorama}.json"),
        quality=of_panoramas("results/quality/{panorama}.tsv"),
        voids=of_panoramas("results/recall/{panorama}.voids.parquet"),
        contrasts=of_panoramas("results/recall/{panorama}.contrasts.parquet"),
        held_out="results/models/held_out.parquet" if PLAN.has_labels else [],
    output:
        corrected=report(
            "results/statistics/corrected.tsv",
            caption="../report/corrected.rst",
            category="Counts and sizes",
            labels={"item": "Raw and corrected counts"},
        ),
        recall=report(
            "results/statistics/detection_recall.tsv",
            caption="../report/detection_recall.rst",
            category="Counts and sizes",
            labels={"item": "Recall of the detector"},
        ),
    log:
        "results/logs/correct_counts.log",
    benchmark:
        "results/benchmarks/correct_counts.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("correct_counts"),
    params:
        # By name, not in the order of the panoramas, which itself follows the strain.
        conditions={name: PLAN.sheet.condition[name] for name in sorted(PLAN.panoramas)},
        minimum_area=STUDY.detection.minimum_area,
        confidence=STUDY.statistics.confidence,
        seed=seed("corrected counts"),
        library=library("correct_counts"),
    script:
        "../scripts/correct_counts.py"


rule draw_corrected_counts:
    """Draw raw and corrected densities of each class side by side, with their intervals."""
    input:
        corrected="results/statistics/corrected.tsv",
    output:
        svg="results/figures/corrected_counts.svg",
        png=report(
            "results/figures/corrected_counts.png",
            caption="../report/corrected_counts.rst",
            category="Counts and sizes",
            labels={"item": "Raw and corrected densities"},
        ),
    log:
        "results/logs/draw_corrected_counts.log",
    benchmark:
        "results/benchmarks/draw_corrected_counts.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_corrected_counts"),
    params:
        confidence=STUDY.statistics.confidence,
        library=library("draw_corrected_counts"),
    script:
        "../scripts/draw_corrected_counts.py"
