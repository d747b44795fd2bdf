"""Denoising: panoramas with less noise, in which sites are sought.

In:  panoramas with their masks and the records of their noise; second scans for the method `paired`.
Out: models/denoise_{method}.{condition}.keras with its card and history, one for each noise condition, where
     networks learn from the study; denoised/{panorama}.ome.tif with a JSON record.
Why: noise hides sites and invents others; smoothing fills small voids. Which method loses least is told by
     `snakemake compare_denoising`.
"""


rule train_denoiser:
    """Train the network that denoises the panoramas of a noise condition, from all of them."""
    input:
        images=of_denoiser("results/panoramas/{panorama}.ome.tif"),
        valid=of_denoiser("results/panoramas/{panorama}.valid.ome.tif"),
        noises=of_denoiser("results/noise/{panorama}.json"),
        targets=of_denoiser("results/paired/{panorama}.ome.tif", method="paired"),
        targets_valid=of_denoiser("results/paired/{panorama}.valid.ome.tif", method="paired"),
        paired=of_denoiser("results/paired/{panorama}.json", method="paired"),
    output:
        model="results/models/denoise_{method}.{condition}.keras",
        card="results/models/denoise_{method}.{condition}.json",
        history="results/models/denoise_{method}.{condition}.history.tsv",
    log:
        "results/logs/train_denoiser/{method}.{condition}.log",
    benchmark:
        "results/benchmarks/train_denoiser/{method}.{condition}.tsv"
    wildcard_constraints:
        method="|".join(TRAINED_METHODS),
        condition=only(PLAN.denoising.conditions),
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("train_denoiser"),
        gpu=1,
    params:
        panoramas=untracked(
            lambda wildcards: PLAN.denoising.learned_from(wildcards.method, wildcards.condition)
        ),
        epochs=STUDY.denoise.epochs,
        seed=lambda wildcards: seed("denoising", wildcards.method, wildcards.condition),
        library=library("train_denoiser"),
    script:
        "../scripts/train_denoiser.py"


rule denoise_panorama:
    """Reduce noise with the filter of the study, on the noise level measured in the panorama."""
    input:
        image="results/panoramas/{panorama}.ome.tif",
        noise="results/noise/{panorama}.json",
    output:
        image="results/denoised/{panorama}.ome.tif",
        record="results/denoised/{panorama}.json",
    log:
        "results/logs/denoise_panorama/{panorama}.log",
    benchmark:
        "results/benchmarks/denoise_panorama/{panorama}.tsv"
    wildcard_constraints:
        panorama=only(PLAN.denoising.filtered),
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("denoise_panorama"),
    params:
        method=STUDY.denoise.method,
        strength=STUDY.denoise.strength,
        library=library("denoise_panorama"),
    script:
        "../scripts/denoise_panorama.py"


rule denoise_by_network:
    """Reduce noise with the network of the panorama's noise condition, or with the ready-made one."""
    input:
        image="results/panoramas/{panorama}.ome.tif",
        noise="results/noise/{panorama}.json",
        network=denoiser_files,
    output:
        image="results/denoised/{panorama}.ome.tif",
        record="results/denoised/{panorama}.json",
    log:
        "results/logs/denoise_by_network/{panorama}.log",
    benchmark:
        "results/benchmarks/denoise_by_network/{panorama}.tsv"
    wildcard_constraints:
        panorama=only(PLAN.denoising.learned),
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("denoise_by_network"),
        gpu=1,
    params:
        method=STUDY.denoise.method,
        strength=STUDY.denoise.strength,
        network=denoiser_path,
        network_content=content(*PLAN.denoising.given_files(STUDY.denoise.method)),
        library=library("denoise_by_network"),
    script:
        "../scripts/denoise_by_network.py"
