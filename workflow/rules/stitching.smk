"""Stitching: overlapping frames become one panorama.

In:  lists of frames with nominal positions, or grids whose cells overlap.
Out: panoramas/{panorama}.ome.tif with its mask and record, as of any panorama; what was measured
     between frames in {panorama}.stitching.tsv, where they lie in {panorama}.frames.tsv; a figure.
Why: a site in an overlap must be there once, and be one piece; the residuals say whether it is.
"""


rule stitch_frames:
    """Register overlapping frames against each other and blend them into one panorama."""
    input:
        note=f"results/{PANORAMA_NOTE}",
    output:
        image="results/panoramas/{panorama}.ome.tif",
        valid="results/panoramas/{panorama}.valid.ome.tif",
        record="results/panoramas/{panorama}.json",
        pairs="results/panoramas/{panorama}.stitching.tsv",
        frames="results/panoramas/{panorama}.frames.tsv",
    log:
        "results/logs/stitch_frames/{panorama}.log",
    benchmark:
        "results/benchmarks/stitch_frames/{panorama}.tsv"
    wildcard_constraints:
        panorama=only(PLAN.stitched),
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("stitch_frames"),
    params:
        **source_places(),
        library=library("stitch_frames"),
    script:
        "../scripts/stitch_frames.py"


rule draw_stitching:
    """Draw the frames where they lie, the links between them, and how well the links agree."""
    input:
        record="results/panoramas/{panorama}.json",
        pairs="results/panoramas/{panorama}.stitching.tsv",
        frames="results/panoramas/{panorama}.frames.tsv",
    output:
        svg="results/figures/stitching_{panorama}.svg",
        png=report(
            "results/figures/stitching_{panorama}.png",
            caption="../report/stitching.rst",
            category="Panoramas",
            labels={"item": "Stitching of {panorama}"},
        ),
    log:
        "results/logs/draw_stitching/{panorama}.log",
    benchmark:
        "results/benchmarks/draw_stitching/{panorama}.tsv"
    wildcard_constraints:
        panorama=only(PLAN.stitched),
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_stitching"),
    params:
        library=library("draw_stitching"),
    script:
        "../scripts/draw_stitching.py"
