"""Viewer: a page on which one flies over the panoramas and looks at every site.

In:  panoramas with their records, sites with their pixels (or candidates, where nothing is classified),
     phase maps, answers of people, quality, shift, networks, what these look at (after `snakemake explanation`).
Out: viewer/index.html, which opens from disk, and what it loads: viewer/tiles/{panorama} (pictures at all
     levels), viewer/phases/{panorama} (phase maps), viewer/sites/{panorama}.js, .outlines.js
     and .attention.js.
Why: people trust what they can look at, and correct what they can see.

Not part of the default target: run `snakemake viewer`.
"""


rule viewer:
    """Make the page on which one looks at panoramas and sites."""
    input:
        viewer_files,
    localrule: True


rule tile_panorama:
    """Write the pictures of a panorama at all levels, many to a file."""
    input:
        image="results/panoramas/{panorama}.ome.tif",
        valid="results/panoramas/{panorama}.valid.ome.tif",
    output:
        tiles=directory("results/viewer/tiles/{panorama}"),
    log:
        "results/logs/tile_panorama/{panorama}.log",
    benchmark:
        "results/benchmarks/tile_panorama/{panorama}.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("tile_panorama"),
    params:
        library=library("tile_panorama"),
    script:
        "../../scripts/tile_panorama.py"


rule tile_phases:
    """Write the pictures of a phase map in the colours of its phases."""
    input:
        phases="results/phases/{panorama}.ome.tif",
    output:
        tiles=directory("results/viewer/phases/{panorama}"),
    log:
        "results/logs/tile_phases/{panorama}.log",
    benchmark:
        "results/benchmarks/tile_phases/{panorama}.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("tile_phases"),
    params:
        colours=list(phase_colours().values()),
        library=library("tile_phases"),
    script:
        "../../scripts/tile_phases.py"


rule show_sites:
    """Write the sites of a panorama, their pixels, and what people said of them, for the page."""
    input:
        sites=SEEN_SITES,
        runs="results/candidates/{panorama}.runs.parquet",
        phases=SEEN_PHASES,
        answers=lambda wildcards: answers_of(wildcards.panorama),
        attention=seen_attention(),
    output:
        sites="results/viewer/sites/{panorama}.js",
        attention="results/viewer/sites/{panorama}.attention.js",
        outlines="results/viewer/sites/{panorama}.outlines.js",
    log:
        "results/logs/show_sites/{panorama}.log",
    benchmark:
        "results/benchmarks/show_sites/{panorama}.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("show_sites"),
    params:
        classified=PLAN.classifies,
        library=library("show_sites"),
    script:
        "../../scripts/show_sites.py"


rule write_viewer:
    """Write the page, with a row for each panorama."""
    input:
        records=of_panoramas("results/panoramas/{panorama}.json"),
        sites=of_panoramas(SEEN_SITES),
        quality=of_panoramas("results/quality/{panorama}.json"),
        shifts=of_panoramas("results/shift/{panorama}.json") if PLAN.classifies else [],
        models=network_files(seen_networks().values()),
    output:
        page="results/viewer/index.html",
    log:
        "results/logs/write_viewer.log",
    benchmark:
        "results/benchmarks/write_viewer.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("write_viewer"),
    params:
        study=STUDY.study,
        version=VERSION,
        classified=PLAN.classifies,
        sheet=seen_in_sheet(),
        withhold=STUDY.statistics.withhold,
        networks=untracked(seen_networks()),
        networks_content=content(*PLAN.given_model_files),
        thresholds={stage: STUDY.stage(stage).threshold for stage in STAGES},
        phases=phase_colours(),
        hard_phase=PLAN.hard_phase,
        figures=seen_figures(),
        sources=content(*page_sources()),
        library=library("write_viewer"),
    script:
        "../../scripts/write_viewer.py"
