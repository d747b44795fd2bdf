"""Candidates: dark sites that may be damage.

In:  the working image of a panorama and its mask of valid pixels.
Out: candidates/{panorama}.parquet, one row a site; .runs.parquet, the pixels of each; and .json, what
     each step of the search left;
     candidates/{panorama}.descriptors.parquet, for networks that weigh descriptors;
     candidates/{panorama}.phases.parquet and .phase_areas.tsv, where there are phase maps.
Why: everything after this counts and classifies these rows; what is not found here is not counted.
"""


rule find_candidates:
    """Cluster dark pixels with DBSCAN, fill, drop the small, join the close, measure the sites."""
    input:
        **matched_reference_files(),
        image=WORKING_IMAGE,
        valid="results/panoramas/{panorama}.valid.ome.tif",
    output:
        candidates="results/candidates/{panorama}.parquet",
        runs="results/candidates/{panorama}.runs.parquet",
        counts="results/candidates/{panorama}.json",
    log:
        "results/logs/find_candidates/{panorama}.log",
    benchmark:
        "results/benchmarks/find_candidates/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("find_candidates"),
    params:
        detection=STUDY.detection.model_dump_json(),
        library=library("find_candidates"),
    script:
        "../scripts/find_candidates.py"


rule describe_candidates:
    """Measure what a metallographer reads off each candidate: shape, depth, rim, neighbours."""
    input:
        candidates="results/candidates/{panorama}.parquet",
        runs="results/candidates/{panorama}.runs.parquet",
        image=WORKING_IMAGE,
    output:
        descriptors="results/candidates/{panorama}.descriptors.parquet",
    log:
        "results/logs/describe_candidates/{panorama}.log",
    benchmark:
        "results/benchmarks/describe_candidates/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("describe_candidates"),
    params:
        strip=WHOLE,
        library=library("describe_candidates"),
    script:
        "../scripts/describe_candidates.py"


rule describe_phases:
    """Measure the phases round each candidate, and how much of the panorama is as near to them."""
    input:
        phases="results/phases/{panorama}.ome.tif",
        image=WORKING_IMAGE,
        candidates="results/candidates/{panorama}.parquet",
        runs="results/candidates/{panorama}.runs.parquet",
    output:
        descriptors="results/candidates/{panorama}.phases.parquet",
        areas="results/candidates/{panorama}.phase_areas.tsv",
    log:
        "results/logs/describe_phases/{panorama}.log",
    benchmark:
        "results/benchmarks/describe_phases/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("describe_phases"),
    params:
        hard=PLAN.phase_value(PLAN.hard_phase),
        damage=PLAN.phase_value(STUDY.segmentation.damage_phase),
        library=library("describe_phases"),
    script:
        "../scripts/describe_phases.py"
