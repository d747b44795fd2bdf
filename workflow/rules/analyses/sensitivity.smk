"""Sensitivity: how many candidates there would be with other rules of detection.

In:  the working image of a panorama and its mask of valid pixels.
Out: sensitivity/{panorama}.tsv, one row a combination of rules; figures/sensitivity.svg and .png.
Why: published rules give counts that differ by a factor of three; a study says how its own depend on them.
"""


rule sensitivity:
    """Show how the number of candidates depends on the detection parameters."""
    input:
        "results/figures/sensitivity.svg",
    localrule: True


rule sweep_detection:
    """Count the candidates for a grid of rules around those of the study, and for published rules."""
    input:
        **reference_files(),
        image=WORKING_IMAGE,
        valid="results/panoramas/{panorama}.valid.ome.tif",
        record="results/panoramas/{panorama}.json",
        # Some of the published rules have fixed thresholds.
        grey_scale=ancient(grey_scale()),
    output:
        counts="results/sensitivity/{panorama}.tsv",
    log:
        "results/logs/sweep_detection/{panorama}.log",
    benchmark:
        "results/benchmarks/sweep_detection/{panorama}.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("sweep_detection"),
    params:
        detection=STUDY.detection.model_dump_json(),
        grid=STUDY.sensitivity.model_dump_json(),
        presets=other_presets(),
        library=library("sweep_detection"),
    script:
        "../../scripts/sweep_detection.py"


rule draw_sensitivity:
    """Draw how the number of candidates moves with each rule, with the published settings marked."""
    input:
        of_panoramas("results/sensitivity/{panorama}.tsv"),
    output:
        svg="results/figures/sensitivity.svg",
        png=report(
            "results/figures/sensitivity.png",
            caption="../../report/sensitivity.rst",
            category="Sensitivity",
            labels={"item": "Candidates and the rules of detection"},
        ),
    log:
        "results/logs/draw_sensitivity.log",
    benchmark:
        "results/benchmarks/draw_sensitivity.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_sensitivity"),
    params:
        library=library("draw_sensitivity"),
    script:
        "../../scripts/draw_sensitivity.py"
