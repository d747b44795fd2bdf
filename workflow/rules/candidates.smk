"""Candidates: dark sites that may be damage.

In:  the working image of a panorama and its mask of valid pixels.
Out: candidates/{panorama}.parquet, one row a site, and .json, what each step of the search left;
     candidates/{panorama}.descriptors.npy, for networks that weigh descriptors.
Why: everything after this counts and classifies these rows; what is not found here is not counted.
"""


rule find_candidates:
    """Cluster dark pixels with DBSCAN, fill, drop the small, merge the close, measure the rest."""
    input:
        **matched_reference_files(),
        image=WORKING_IMAGE,
        valid="results/panoramas/{panorama}.valid.ome.tif",
    output:
        candidates="results/candidates/{panorama}.parquet",
        counts="results/candidates/{panorama}.json",
    log:
        "results/logs/find_candidates/{panorama}.log",
    benchmark:
        "results/benchmarks/find_candidates/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        mem_mb=memory("find_candidates"),
        runtime=minutes("find_candidates"),
    params:
        detection=STUDY.detection.model_dump_json(),
        library=library_fingerprint("find_candidates"),
    script:
        "../scripts/find_candidates.py"


rule compare_denoising:
    """Find the sites of simulated panoramas after each denoiser and count what is lost or invented.

    Not part of the default target: run `snakemake compare_denoising` before changing `denoise`.
    """
    input:
        **matched_reference_files(),
        images=of_all_panoramas("results/panoramas/{panorama}.ome.tif", SIMULATED_PANORAMAS),
        valid=of_all_panoramas("results/panoramas/{panorama}.valid.ome.tif", SIMULATED_PANORAMAS),
        truth=of_all_panoramas("results/truth/{panorama}.parquet", SIMULATED_PANORAMAS),
    output:
        table="results/evaluation/denoising.tsv",
    log:
        "results/logs/compare_denoising.log",
    benchmark:
        "results/benchmarks/compare_denoising.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        mem_mb=memory("compare_denoising"),
        runtime=minutes("compare_denoising"),
    params:
        panoramas=SIMULATED_PANORAMAS,
        strength=STUDY.denoise.strength,
        tolerance_px=tolerance_px(),
        detection=STUDY.detection.model_dump_json(),
        library=library_fingerprint("compare_denoising"),
    script:
        "../scripts/compare_denoising.py"


rule describe_candidates:
    """Measure what a metallographer reads off each candidate: shape, depth, rim, neighbours."""
    input:
        candidates="results/candidates/{panorama}.parquet",
        image=WORKING_IMAGE,
    output:
        descriptors="results/candidates/{panorama}.descriptors.npy",
    log:
        "results/logs/describe_candidates/{panorama}.log",
    benchmark:
        "results/benchmarks/describe_candidates/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 4
    resources:
        mem_mb=memory("describe_candidates"),
        runtime=minutes("describe_candidates"),
    params:
        share=WHOLE,
        library=library_fingerprint("describe_candidates"),
    script:
        "../scripts/describe_candidates.py"
