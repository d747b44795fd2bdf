"""Denoising: which sites each denoiser loses or invents, and what it does to the image.

In:  panoramas of which is known what is there: simulated ones, those with a second scan of clearly less noise,
     or clean ones to which noise is added.
Out: evaluation/denoising/{panorama}.sites.parquet and .images.tsv; evaluation/denoising.tsv, one row a method,
     range of sizes and panorama, the first rows for all of them; denoising.txt, which method they recommend;
     figures/denoising.
Why: what decides between denoisers is not how an image looks but which sites are found in it.

Not part of the default target: run `snakemake compare_denoising` before changing `denoise`.
"""


rule compare_denoising:
    """Compare denoisers by the sites that they keep, lose and invent."""
    input:
        "results/evaluation/denoising.tsv",
        "results/evaluation/denoising.txt",
        "results/figures/denoising.svg",
    localrule: True


rule apply_denoisers:
    """Find the sites of a panorama after each denoiser, and say which were lost or invented."""
    input:
        **matched_reference_files(),
        image="results/panoramas/{panorama}.ome.tif",
        valid="results/panoramas/{panorama}.valid.ome.tif",
        truth=lambda wildcards: truth_of(wildcards.panorama),
        paired=lambda wildcards: clean_pair_of(wildcards.panorama),
        networks=compared_networks,
    output:
        sites="results/evaluation/denoising/{panorama}.sites.parquet",
        images="results/evaluation/denoising/{panorama}.images.tsv",
    log:
        "results/logs/apply_denoisers/{panorama}.log",
    benchmark:
        "results/benchmarks/apply_denoisers/{panorama}.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("apply_denoisers"),
        gpu=1,
    params:
        methods=compared_methods,
        method_names=[PLAN.comparison.methods, STUDY.denoise.strength],
        networks_content=content(*PLAN.comparison.given_networks),
        comparison=STUDY.compare_denoising.model_dump_json(),
        detection=STUDY.detection.model_dump_json(),
        tolerance=TRUTH_TOLERANCE,
        simulation=[STUDY.simulation.height_px, STUDY.simulation.width_px],
        pixel_size_nm=sheet_number("pixel_size_nm"),
        strain_percent=sheet_number("strain_percent"),
        seed=lambda wildcards: seed("simulation", wildcards.panorama),
        noise_seed=lambda wildcards: seed("added noise", wildcards.panorama),
        models=untracked(PLAN.comparison.models),
        models_content=content(*PLAN.comparison.model_files),
        thresholds=[STUDY.inclusion.threshold, STUDY.damage.threshold],
        library=library("apply_denoisers"),
    script:
        "../../scripts/apply_denoisers.py"


rule score_denoisers:
    """Score the denoisers over all panoramas, and say which one the scores recommend."""
    input:
        sites=comparable_panoramas("results/evaluation/denoising/{panorama}.sites.parquet"),
        images=comparable_panoramas("results/evaluation/denoising/{panorama}.images.tsv"),
    output:
        table=report(
            "results/evaluation/denoising.tsv",
            caption="../../report/denoising_table.rst",
            category="Sensitivity",
            labels={"item": "Sites after each denoiser"},
        ),
        recommendation="results/evaluation/denoising.txt",
    log:
        "results/logs/score_denoisers.log",
    benchmark:
        "results/benchmarks/score_denoisers.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("score_denoisers"),
    params:
        confidence=STUDY.statistics.confidence,
        library=library("score_denoisers"),
    script:
        "../../scripts/score_denoisers.py"


rule draw_denoising:
    """Draw recall against precision of each denoiser, and the sites it invents away from damage."""
    input:
        table="results/evaluation/denoising.tsv",
    output:
        svg="results/figures/denoising.svg",
        png=report(
            "results/figures/denoising.png",
            caption="../../report/denoising.rst",
            category="Sensitivity",
            labels={"item": "Denoisers"},
        ),
    log:
        "results/logs/draw_denoising.log",
    benchmark:
        "results/benchmarks/draw_denoising.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_denoising"),
    params:
        library=library("draw_denoising"),
    script:
        "../../scripts/draw_denoising.py"
