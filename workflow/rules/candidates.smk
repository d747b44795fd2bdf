"""Candidates: dark sites that may be damage.

In:  the working image of a panorama and its mask of valid pixels.
Out: candidates/{panorama}.parquet, one row a site; .runs.parquet, the pixels of each; and .json, what
     each step of the search left;
     candidates/{panorama}.descriptors.parquet, for networks that weigh descriptors.
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
    threads: 4
    resources:
        **needs("describe_candidates"),
    params:
        strip=WHOLE,
        library=library("describe_candidates"),
    script:
        "../scripts/describe_candidates.py"
