"""Space: where the sites of a panorama lie to each other, to the bands, and class by class.

In:  sites/{panorama}.parquet, the mask of valid pixels; the phase map and its bands where there are any.
Out: space/{panorama}.*, statistics/space_summary.tsv, space_curves.parquet and random_labelling.tsv;
     figures space_{panorama} and density_map_{panorama}.
Why: damage that clusters in bands is another material than the same damage spread evenly.
"""


rule measure_space:
    """Measure clustering, its range and direction, and which classes lie together, against random sites."""
    input:
        sites="results/sites/{panorama}.parquet",
        valid="results/panoramas/{panorama}.valid.ome.tif",
        shift="results/shift/{panorama}.json",
        phases="results/phases/{panorama}.ome.tif" if PLAN.hard_phase else [],
        shapes="results/phases/{panorama}.shapes.tsv" if PLAN.hard_phase else [],
    output:
        summary="results/space/{panorama}.summary.tsv",
        curves="results/space/{panorama}.curves.parquet",
        labelling="results/space/{panorama}.labelling.tsv",
        space_svg="results/figures/space_{panorama}.svg",
        space_png=report(
            "results/figures/space_{panorama}.png",
            caption="../report/space.rst",
            category="Space",
            labels={"item": "Where sites lie: {panorama}"},
        ),
        map_svg="results/figures/density_map_{panorama}.svg",
        map_png=report(
            "results/figures/density_map_{panorama}.png",
            caption="../report/density_map.rst",
            category="Space",
            labels={"item": "Density of damage: {panorama}"},
        ),
    log:
        "results/logs/measure_space/{panorama}.log",
    benchmark:
        "results/benchmarks/measure_space/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("measure_space"),
    params:
        hard_phase=PLAN.hard_phase,
        values=[
            PLAN.phase_value(PLAN.hard_phase),
            PLAN.phase_value(STUDY.segmentation.damage_phase),
        ],
        merge_distance=merge_distance(),
        withhold=STUDY.statistics.withhold,
        confidence=STUDY.statistics.confidence,
        seed=lambda wildcards: seed("space", wildcards.panorama),
        library=library("measure_space"),
    script:
        "../scripts/measure_space.py"


rule summarise_space:
    """Put what is known of where sites lie together for all panoramas."""
    input:
        summary=of_panoramas("results/space/{panorama}.summary.tsv"),
        curves=of_panoramas("results/space/{panorama}.curves.parquet"),
        labelling=of_panoramas("results/space/{panorama}.labelling.tsv"),
    output:
        summary=report(
            "results/statistics/space_summary.tsv",
            caption="../report/space_summary.rst",
            category="Space",
            labels={"item": "Clustering in numbers"},
        ),
        curves="results/statistics/space_curves.parquet",
        labelling=report(
            "results/statistics/random_labelling.tsv",
            caption="../report/random_labelling.rst",
            category="Space",
            labels={"item": "Which classes lie together"},
        ),
    log:
        "results/logs/summarise_space.log",
    benchmark:
        "results/benchmarks/summarise_space.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("summarise_space"),
    params:
        library=library("summarise_space"),
    script:
        "../scripts/summarise_space.py"
