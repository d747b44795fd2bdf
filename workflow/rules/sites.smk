"""Sites: candidates with a class.

In:  candidates/{panorama}.parquet and its descriptors, the working image, both networks.
Out: sites/{panorama}.parquet.
Why: this is the table that all statistics are drawn from, and that other tools may read.
"""


rule classify_sites:
    """Pass every candidate through both networks, in batches cut from the panorama as needed."""
    input:
        candidates="results/candidates/{panorama}.parquet",
        image=WORKING_IMAGE,
        doubt="results/evaluation/doubt.json" if LABELLED else [],
        descriptors=described("results/candidates/{panorama}.descriptors.npy"),
        inclusion_model=f"{MODELS}/inclusion.keras",
        inclusion_card=f"{MODELS}/inclusion.json",
        damage_model=f"{MODELS}/damage.keras",
        damage_card=f"{MODELS}/damage.json",
    output:
        sites="results/sites/{panorama}.parquet",
    log:
        "results/logs/classify_sites/{panorama}.log",
    benchmark:
        "results/benchmarks/classify_sites/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: network_threads("inclusion", "damage")
    resources:
        gpu=1,
        mem_mb=memory("classify_sites"),
        runtime=minutes("classify_sites"),
    params:
        share=WHOLE,
        batch_size=64,
        inclusion_threshold=STUDY.inclusion.threshold,
        damage_threshold=STUDY.damage.threshold,
        library=library_fingerprint("classify_sites"),
    script:
        "../scripts/classify_sites.py"
