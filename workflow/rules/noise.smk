"""Noise: what kind of noise a panorama has, before anything is done about it.

In:  a panorama as it was recorded, and its mask of valid pixels.
Out: noise/{panorama}.json: strength, correlation with neighbours, offsets of rows, distribution.
Why: it sets the strength of denoising, and decides which denoisers may be believed.
"""


rule measure_noise:
    """Measure the noise of a panorama in flat areas of windows that are spread over it."""
    input:
        image="results/panoramas/{panorama}.ome.tif",
        valid="results/panoramas/{panorama}.valid.ome.tif",
    output:
        record="results/noise/{panorama}.json",
    log:
        "results/logs/measure_noise/{panorama}.log",
    benchmark:
        "results/benchmarks/measure_noise/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("measure_noise"),
    params:
        library=library("measure_noise"),
    script:
        "../scripts/measure_noise.py"
