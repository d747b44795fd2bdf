"""Strips: the work on a huge panorama, shared among several jobs. Included where `strips` is above 1.

In:  what the rules of the same products take.
Out: the products of denoise_panorama, find_candidates, describe_candidates and classify_sites, byte for
     byte; strips/* in between, deleted when they are no longer needed.
Why: a panorama of many gigapixels, or without a GPU, keeps one job busy for hours.
"""


ruleorder: join_denoised > denoise_panorama
ruleorder: join_denoised > denoise_by_network
ruleorder: cluster_strips > find_candidates
ruleorder: join_descriptors > describe_candidates
ruleorder: join_sites > classify_sites


rule denoise_strip:
    """Reduce noise in a strip of the panorama, with the noise of the whole."""
    input:
        image="results/panoramas/{panorama}.ome.tif",
        noise="results/noise/{panorama}.json",
    output:
        rows=temp("results/strips/{panorama}.{strip}.denoised.ome.tif"),
    log:
        "results/logs/denoise_strip/{panorama}.{strip}.log",
    benchmark:
        "results/benchmarks/denoise_strip/{panorama}.{strip}.tsv"
    wildcard_constraints:
        panorama=only(PLAN.denoising.filtered),
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("denoise_strip"),
    params:
        strip=which_strip,
        method=STUDY.denoise.method,
        strength=STUDY.denoise.strength,
        library=library("denoise_strip"),
    script:
        "../scripts/denoise_strip.py"


rule denoise_strip_by_network:
    """Reduce noise in a strip of the panorama with a network, as in the whole of it."""
    input:
        image="results/panoramas/{panorama}.ome.tif",
        noise="results/noise/{panorama}.json",
        network=denoiser_files,
    output:
        rows=temp("results/strips/{panorama}.{strip}.denoised.ome.tif"),
    log:
        "results/logs/denoise_strip_by_network/{panorama}.{strip}.log",
    benchmark:
        "results/benchmarks/denoise_strip_by_network/{panorama}.{strip}.tsv"
    wildcard_constraints:
        panorama=only(PLAN.denoising.learned),
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("denoise_strip_by_network"),
        gpu=1,
    params:
        strip=which_strip,
        method=STUDY.denoise.method,
        strength=STUDY.denoise.strength,
        network=denoiser_path,
        network_content=content(*PLAN.denoising.given_files(STUDY.denoise.method)),
        library=library("denoise_strip_by_network"),
    script:
        "../scripts/denoise_strip_by_network.py"


rule join_denoised:
    """Put the denoised strips together."""
    input:
        network=denoiser_files,
        image="results/panoramas/{panorama}.ome.tif",
        noise="results/noise/{panorama}.json",
        rows=of_all_strips("results/strips/{{panorama}}.{strip}.denoised.ome.tif"),
    output:
        image="results/denoised/{panorama}.ome.tif",
        record="results/denoised/{panorama}.json",
    log:
        "results/logs/join_denoised/{panorama}.log",
    benchmark:
        "results/benchmarks/join_denoised/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("join_denoised"),
    params:
        method=STUDY.denoise.method,
        strength=STUDY.denoise.strength,
        card=denoiser_card,
        card_content=content(*PLAN.denoising.given_files(STUDY.denoise.method)),
        library=library("join_denoised"),
    script:
        "../scripts/join_denoised.py"


rule find_dark_pixels:
    """Read a strip of the panorama and keep its dark pixels."""
    input:
        **matched_reference_files(),
        image=WORKING_IMAGE,
        valid="results/panoramas/{panorama}.valid.ome.tif",
    output:
        dark=temp("results/strips/{panorama}.{strip}.dark.parquet"),
    log:
        "results/logs/find_dark_pixels/{panorama}.{strip}.log",
    benchmark:
        "results/benchmarks/find_dark_pixels/{panorama}.{strip}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("find_dark_pixels"),
    params:
        strip=which_strip,
        detection=STUDY.detection.model_dump_json(),
        library=library("find_dark_pixels"),
    script:
        "../scripts/find_dark_pixels.py"


rule cluster_strips:
    """Cluster the dark pixels of all strips as find_candidates does: no site ends at a strip."""
    input:
        dark=of_all_strips("results/strips/{{panorama}}.{strip}.dark.parquet"),
        image=WORKING_IMAGE,
        valid="results/panoramas/{panorama}.valid.ome.tif",
    output:
        candidates="results/candidates/{panorama}.parquet",
        runs="results/candidates/{panorama}.runs.parquet",
        counts="results/candidates/{panorama}.json",
    log:
        "results/logs/cluster_strips/{panorama}.log",
    benchmark:
        "results/benchmarks/cluster_strips/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("cluster_strips"),
    params:
        detection=STUDY.detection.model_dump_json(),
        library=library("cluster_strips"),
    script:
        "../scripts/cluster_strips.py"


use rule describe_candidates as describe_strip with:
    output:
        descriptors=temp("results/strips/{panorama}.{strip}.descriptors.parquet"),
    log:
        "results/logs/describe_strip/{panorama}.{strip}.log",
    benchmark:
        "results/benchmarks/describe_strip/{panorama}.{strip}.tsv"
    resources:
        **needs("describe_strip"),
    params:
        strip=which_strip,
        library=library("describe_candidates"),


rule join_descriptors:
    """Put the descriptors of all candidates together."""
    input:
        parts=of_all_strips("results/strips/{{panorama}}.{strip}.descriptors.parquet"),
    output:
        descriptors="results/candidates/{panorama}.descriptors.parquet",
    log:
        "results/logs/join_descriptors/{panorama}.log",
    benchmark:
        "results/benchmarks/join_descriptors/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("join_descriptors"),
    params:
        library=library("join_descriptors"),
    script:
        "../scripts/join_descriptors.py"


use rule classify_sites as classify_strip with:
    output:
        sites=temp("results/strips/{panorama}.{strip}.sites.parquet"),
        features=temp("results/strips/{panorama}.{strip}.features.npy"),
    log:
        "results/logs/classify_strip/{panorama}.{strip}.log",
    benchmark:
        "results/benchmarks/classify_strip/{panorama}.{strip}.tsv"
    resources:
        **needs("classify_strip"),
        gpu=1,
    params:
        strip=which_strip,
        models=untracked(PLAN.models),
        models_content=content(*PLAN.given_model_files),
        inclusion_threshold=STUDY.inclusion.threshold,
        damage_threshold=STUDY.damage.threshold,
        library=library("classify_sites"),


rule join_sites:
    """Put the classified sites of all strips into one table."""
    input:
        parts=of_all_strips("results/strips/{{panorama}}.{strip}.sites.parquet"),
        features=of_all_strips("results/strips/{{panorama}}.{strip}.features.npy"),
    output:
        sites="results/predictions/{panorama}.parquet",
        features="results/predictions/{panorama}.features.npy",
    log:
        "results/logs/join_sites/{panorama}.log",
    benchmark:
        "results/benchmarks/join_sites/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("join_sites"),
    params:
        library=library("join_sites"),
    script:
        "../scripts/join_sites.py"
