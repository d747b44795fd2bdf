"""Sizes: how large sites are, how their size changes with strain, and which way cracks point.

In:  sites/{panorama}.parquet, the records and the blocks of the panoramas.
Out: statistics/sizes.tsv, size_fits.tsv, size_trends.tsv, orientations.tsv and sizes_3d.tsv; figures.
Why: strain makes more voids, triaxiality larger ones; and a size below the detection limit was never seen.
"""


rule measure_sizes:
    """Fit sizes cut off at the detection limit, and measure their trends, directions and numbers in space."""
    input:
        sites=of_panoramas("results/sites/{panorama}.parquet"),
        records=of_panoramas("results/panoramas/{panorama}.json"),
        blocks=of_panoramas("results/quality/{panorama}.tsv"),
        shifts=of_panoramas("results/shift/{panorama}.json"),
        grey_scale=grey_scale(),
    output:
        sizes=report(
            "results/statistics/sizes.tsv",
            caption="../report/sizes.rst",
            category="Sizes",
            labels={"item": "Sizes"},
        ),
        fits=report(
            "results/statistics/size_fits.tsv",
            caption="../report/size_fits.rst",
            category="Sizes",
            labels={"item": "Fitted sizes and area fractions"},
        ),
        trends=report(
            "results/statistics/size_trends.tsv",
            caption="../report/size_trends.rst",
            category="Sizes",
            labels={"item": "Sizes against strain"},
        ),
        orientations=report(
            "results/statistics/orientations.tsv",
            caption="../report/orientations.rst",
            category="Sizes",
            labels={"item": "Directions of cracks"},
        ),
        in_space=report(
            "results/statistics/sizes_3d.tsv",
            caption="../report/sizes_3d.rst",
            category="Sizes",
            labels={"item": "Sizes in three dimensions"},
        ),
    log:
        "results/logs/measure_sizes.log",
    benchmark:
        "results/benchmarks/measure_sizes.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("measure_sizes"),
    params:
        # By name, not in the order of the panoramas, which itself follows the strain.
        sheet={
            name: {
                column: float(PLAN.sheet.loc[name, column])
                for column in ("strain_percent", "triaxiality")
            }
            for name in sorted(PLAN.panoramas)
        },
        minimum_area=STUDY.detection.minimum_area,
        withhold=STUDY.statistics.withhold,
        confidence=STUDY.statistics.confidence,
        library=library("measure_sizes"),
    script:
        "../scripts/measure_sizes.py"


rule draw_sizes:
    """Draw the distribution of areas with the detection limit, median sizes, and the rose of cracks."""
    input:
        sites=of_panoramas("results/sites/{panorama}.parquet"),
        records=of_panoramas("results/panoramas/{panorama}.json"),
        fits="results/statistics/size_fits.tsv",
        trends="results/statistics/size_trends.tsv",
        orientations="results/statistics/orientations.tsv",
        in_space="results/statistics/sizes_3d.tsv",
    output:
        svg="results/figures/size_distributions.svg",
        png=report(
            "results/figures/size_distributions.png",
            caption="../report/size_distributions.rst",
            category="Sizes",
            labels={"item": "Distribution of areas"},
        ),
        medians_svg="results/figures/median_sizes.svg",
        medians_png=report(
            "results/figures/median_sizes.png",
            caption="../report/median_sizes.rst",
            category="Sizes",
            labels={"item": "Median sizes"},
        ),
        rose_svg="results/figures/crack_directions.svg",
        rose_png=report(
            "results/figures/crack_directions.png",
            caption="../report/crack_directions.rst",
            category="Sizes",
            labels={"item": "Rose of cracks"},
        ),
        in_space_svg="results/figures/sizes_3d.svg",
        in_space_png=report(
            "results/figures/sizes_3d.png",
            caption="../report/sizes_3d_figure.rst",
            category="Sizes",
            labels={"item": "Sizes in three dimensions, drawn"},
        ),
    log:
        "results/logs/draw_sizes.log",
    benchmark:
        "results/benchmarks/draw_sizes.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_sizes"),
    params:
        minimum_area=STUDY.detection.minimum_area,
        confidence=STUDY.statistics.confidence,
        library=library("draw_sizes"),
    script:
        "../scripts/draw_sizes.py"
