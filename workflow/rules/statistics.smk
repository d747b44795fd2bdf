"""Statistics: counts and densities with their intervals, and their figures.

In:  sites/{panorama}.parquet, the records of the panoramas; candidates/{panorama}.phases.parquet and
     .phase_areas.tsv where there are phase maps.
Out: statistics/*.tsv and methods.rst; figures of densities, shares and phases.
Why: a count without an area and an interval cannot be compared with anybody else's.
"""


rule summarise_sites:
    """Count sites by class and panorama, per valid area, with intervals that know of bands."""
    input:
        sites=of_panoramas("results/sites/{panorama}.parquet"),
        records=of_panoramas("results/panoramas/{panorama}.json"),
        blocks=of_panoramas("results/quality/{panorama}.tsv"),
        # Classes are not counted where a panorama is foreign to the networks.
        shifts=of_panoramas("results/shift/{panorama}.json"),
        # Nothing is counted before the panoramas agree on one grey scale.
        grey_scale=grey_scale(),
    output:
        densities=report(
            "results/statistics/densities.tsv",
            caption="../report/densities.rst",
            category="Counts and sizes",
            labels={"item": "Counts and densities"},
        ),
        dispersion=report(
            "results/statistics/dispersion.tsv",
            caption="../report/dispersion.rst",
            category="Counts and sizes",
            labels={"item": "Scatter from block to block"},
        ),
        evolution=report(
            "results/statistics/evolution.tsv",
            caption="../report/evolution.rst",
            category="Counts and sizes",
            labels={"item": "Change with strain, and the control"},
        ),
        conditions=report(
            "results/statistics/conditions.tsv",
            caption="../report/conditions.rst",
            category="Counts and sizes",
            labels={"item": "Densities by condition"},
        ),
        rate_ratios=report(
            "results/statistics/rate_ratios.tsv",
            caption="../report/rate_ratios.rst",
            category="Counts and sizes",
            labels={"item": "Conditions compared"},
        ),
    log:
        "results/logs/summarise_sites.log",
    benchmark:
        "results/benchmarks/summarise_sites.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("summarise_sites"),
    params:
        # By name, not in the order of the panoramas, which itself follows the strain.
        strains_percent={
            name: float(PLAN.sheet.strain_percent[name]) for name in sorted(PLAN.panoramas)
        },
        conditions={name: PLAN.sheet.condition[name] for name in sorted(PLAN.panoramas)},
        confidence=STUDY.statistics.confidence,
        withhold=STUDY.statistics.withhold,
        library=library("summarise_sites"),
    script:
        "../scripts/summarise_sites.py"


rule write_methods:
    """Say in words for a paper how sites were found and classified, by the networks that ran."""
    input:
        densities="results/statistics/densities.tsv",
        corrected="results/statistics/corrected.tsv",
        records=of_panoramas("results/panoramas/{panorama}.json"),
        networks=network_files([f"results/models/{stage}.keras" for stage in STAGES]),
        phase_network=PLAN.phases.trained_files,
    output:
        methods="results/statistics/methods.rst",
    log:
        "results/logs/write_methods.log",
    benchmark:
        "results/benchmarks/write_methods.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("write_methods"),
    params:
        preset=STUDY.preset,
        denoise=STUDY.denoise.model_dump_json(),
        detection=STUDY.detection.model_dump_json(),
        thresholds={stage: STUDY.stage(stage).threshold for stage in STAGES},
        models=untracked(PLAN.models),
        models_content=content(*PLAN.given_model_files, *PLAN.phases.given_files),
        segmentation=STUDY.segmentation.model_dump_json(),
        phase_model=untracked(PLAN.phases.model),
        tested=PLAN.has_labels,
        seed=STUDY.seed,
        library=library("write_methods"),
    script:
        "../scripts/write_methods.py"


rule draw_densities:
    """Draw the density of each class against strain, and the share of each class in each panorama."""
    input:
        densities="results/statistics/densities.tsv",
        evolution="results/statistics/evolution.tsv",
    output:
        density_svg="results/figures/density_against_strain.svg",
        density_png=report(
            "results/figures/density_against_strain.png",
            caption="../report/density_against_strain.rst",
            category="Counts and sizes",
            labels={"item": "Density against strain"},
        ),
        shares_svg="results/figures/class_shares.svg",
        shares_png=report(
            "results/figures/class_shares.png",
            caption="../report/class_shares.rst",
            category="Counts and sizes",
            labels={"item": "Shares of the classes"},
        ),
    log:
        "results/logs/draw_densities.log",
    benchmark:
        "results/benchmarks/draw_densities.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_densities"),
    params:
        confidence=STUDY.statistics.confidence,
        library=library("draw_densities"),
    script:
        "../scripts/draw_densities.py"


rule count_by_phase:
    """Count sites by their distance from the hard phase and by its local fraction, per such area."""
    input:
        sites=of_panoramas("results/sites/{panorama}.parquet"),
        phases=of_panoramas("results/candidates/{panorama}.phases.parquet"),
        areas=of_panoramas("results/candidates/{panorama}.phase_areas.tsv"),
    output:
        density=report(
            "results/statistics/density_by_phase.tsv",
            caption="../report/density_by_phase.rst",
            category="Counts and sizes",
            labels={"item": "Densities near the hard phase"},
        ),
        profiles="results/statistics/phase_profiles.tsv",
    log:
        "results/logs/count_by_phase.log",
    benchmark:
        "results/benchmarks/count_by_phase.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("count_by_phase"),
    params:
        confidence=STUDY.statistics.confidence,
        hard_phase=PLAN.hard_phase,
        library=library("count_by_phase"),
    script:
        "../scripts/count_by_phase.py"


rule draw_phase_surroundings:
    """Draw the hard phase round the sites of each class, and where sites are dense."""
    input:
        density="results/statistics/density_by_phase.tsv",
        profiles="results/statistics/phase_profiles.tsv",
    output:
        svg="results/figures/phase_surroundings.svg",
        png=report(
            "results/figures/phase_surroundings.png",
            caption="../report/phase_surroundings.rst",
            category="Counts and sizes",
            labels={"item": "Sites and the hard phase"},
        ),
    log:
        "results/logs/draw_phase_surroundings.log",
    benchmark:
        "results/benchmarks/draw_phase_surroundings.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_phase_surroundings"),
    params:
        hard_phase=PLAN.hard_phase,
        confidence=STUDY.statistics.confidence,
        library=library("draw_phase_surroundings"),
    script:
        "../scripts/draw_phase_surroundings.py"
