"""Quality: whether a panorama is fit to be counted, and where it is not.

In:  a panorama and its mask of valid pixels, the image in which sites were sought, candidates.
Out: quality/{panorama}.tsv, one row a block, and .json; the quality page as SVG and PNG.
Why: a blurred, dark or noisy place finds other sites than the rest; one look shows it.
"""


rule measure_quality:
    """Measure brightness, noise, sharpness, threshold and candidates in blocks of 20 µm."""
    input:
        **matched_reference_files(),
        image="results/panoramas/{panorama}.ome.tif",
        valid="results/panoramas/{panorama}.valid.ome.tif",
        working=WORKING_IMAGE,
        candidates="results/candidates/{panorama}.parquet",
        counts="results/candidates/{panorama}.json",
        noise="results/noise/{panorama}.json",
        network=denoiser_files,
    output:
        blocks="results/quality/{panorama}.tsv",
        summary="results/quality/{panorama}.json",
    log:
        "results/logs/measure_quality/{panorama}.log",
    benchmark:
        "results/benchmarks/measure_quality/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("measure_quality"),
    params:
        detection=STUDY.detection.model_dump_json(),
        denoise=STUDY.denoise.model_dump_json(),
        card=denoiser_card,
        card_content=content(*PLAN.denoising.given_files(STUDY.denoise.method)),
        library=library("measure_quality"),
    script:
        "../scripts/measure_quality.py"


rule draw_quality:
    """Draw the valid area, the grey histogram and maps of the quality of a panorama."""
    input:
        image="results/panoramas/{panorama}.ome.tif",
        valid="results/panoramas/{panorama}.valid.ome.tif",
        blocks="results/quality/{panorama}.tsv",
        summary="results/quality/{panorama}.json",
        noise="results/noise/{panorama}.json",
    output:
        svg="results/figures/quality_{panorama}.svg",
        png=report(
            "results/figures/quality_{panorama}.png",
            caption="../report/quality.rst",
            category="Quality",
            labels={"item": "Quality of {panorama}"},
        ),
    log:
        "results/logs/draw_quality/{panorama}.log",
    benchmark:
        "results/benchmarks/draw_quality/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_quality"),
    params:
        library=library("draw_quality"),
    script:
        "../scripts/draw_quality.py"
