"""Figures: what one would rather look at than read, each as SVG and PNG.

In:  tables of the earlier stages and the working images.
Out: figures/{name}.svg and .png; the PNG goes into the report.
Why: a wrong number is seen sooner in a picture than in a table.
"""


rule draw_overview:
    """Draw a panorama with every site marked in the colour of its class, and a scale bar."""
    input:
        image="results/panoramas/{panorama}.ome.tif",
        valid="results/panoramas/{panorama}.valid.ome.tif",
        sites="results/sites/{panorama}.parquet",
    output:
        svg="results/figures/overview_{panorama}.svg",
        png=report(
            "results/figures/overview_{panorama}.png",
            caption="../report/overview.rst",
            category="Panoramas",
            labels={"item": "Sites of {panorama}"},
        ),
    log:
        "results/logs/draw_overview/{panorama}.log",
    benchmark:
        "results/benchmarks/draw_overview/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        mem_mb=memory("draw_overview"),
        runtime=minutes("draw_overview"),
    params:
        strain_percent=lambda wildcards: float(SHEET.strain_percent[wildcards.panorama]),
        library=library_fingerprint("draw_overview"),
    script:
        "../scripts/draw_overview.py"


rule draw_densities:
    """Draw the density of each class against strain, and the share of each class in each panorama."""
    input:
        densities="results/statistics/densities.tsv",
    output:
        density_svg="results/figures/density_against_strain.svg",
        density_png=report(
            "results/figures/density_against_strain.png",
            caption="../report/density_against_strain.rst",
            category="Counts and sizes",
            labels={"item": "Density against strain"},
        ),
        shares_svg="results/figures/class_shares.svg",
        shares_png=report(
            "results/figures/class_shares.png",
            caption="../report/class_shares.rst",
            category="Counts and sizes",
            labels={"item": "Shares of the classes"},
        ),
    log:
        "results/logs/draw_densities.log",
    benchmark:
        "results/benchmarks/draw_densities.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        mem_mb=memory("draw_densities"),
        runtime=minutes("draw_densities"),
    params:
        confidence=STUDY.statistics.confidence,
        library=library_fingerprint("draw_densities"),
    script:
        "../scripts/draw_densities.py"


rule draw_sizes:
    """Draw the distribution of site areas by class, with the detection limit."""
    input:
        sites=of_all_panoramas("results/sites/{panorama}.parquet"),
        records=of_all_panoramas("results/panoramas/{panorama}.json"),
    output:
        svg="results/figures/size_distributions.svg",
        png=report(
            "results/figures/size_distributions.png",
            caption="../report/size_distributions.rst",
            category="Counts and sizes",
            labels={"item": "Distribution of areas"},
        ),
    log:
        "results/logs/draw_sizes.log",
    benchmark:
        "results/benchmarks/draw_sizes.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        mem_mb=memory("draw_sizes"),
        runtime=minutes("draw_sizes"),
    params:
        minimum_area=STUDY.detection.minimum_area,
        library=library_fingerprint("draw_sizes"),
    script:
        "../scripts/draw_sizes.py"


rule draw_gallery:
    """Draw clips of each class, as the damage network sees them, with their probability."""
    input:
        sites=of_all_panoramas("results/sites/{panorama}.parquet"),
        images=of_all_panoramas(WORKING_IMAGE),
    output:
        svg="results/figures/gallery.svg",
        png=report(
            "results/figures/gallery.png",
            caption="../report/gallery.rst",
            category="Classification",
            labels={"item": "Sites of each class"},
        ),
    log:
        "results/logs/draw_gallery.log",
    benchmark:
        "results/benchmarks/draw_gallery.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        mem_mb=memory("draw_gallery"),
        runtime=minutes("draw_gallery"),
    params:
        panoramas=PANORAMAS,
        window=STUDY.damage.window,
        per_class=8,
        seed=seed("gallery"),
        library=library_fingerprint("draw_gallery"),
    script:
        "../scripts/draw_gallery.py"


rule draw_training:
    """Draw loss and accuracy of both networks over the epochs, with the epoch that was kept."""
    input:
        inclusion="results/models/inclusion.history.tsv",
        damage="results/models/damage.history.tsv",
    output:
        svg="results/figures/training.svg",
        png=report(
            "results/figures/training.png",
            caption="../report/training.rst",
            category="Classification",
            labels={"item": "Training"},
        ),
    log:
        "results/logs/draw_training.log",
    benchmark:
        "results/benchmarks/draw_training.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        mem_mb=memory("draw_training"),
        runtime=minutes("draw_training"),
    params:
        library=library_fingerprint("draw_training"),
    script:
        "../scripts/draw_training.py"


rule draw_confusion_held_out:
    """Draw predicted against given classes of labelled sites that the networks never saw."""
    input:
        confusion="results/evaluation/confusion.tsv",
        scores="results/evaluation/scores.tsv",
    output:
        svg="results/figures/confusion_held_out.svg",
        png=report(
            "results/figures/confusion_held_out.png",
            caption="../report/confusion_held_out.rst",
            category="Classification",
            labels={"item": "Predicted and given classes"},
        ),
    log:
        "results/logs/draw_confusion_held_out.log",
    benchmark:
        "results/benchmarks/draw_confusion_held_out.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        mem_mb=memory("draw_confusion_held_out"),
        runtime=minutes("draw_confusion_held_out"),
    params:
        title="Labelled sites held out: all folds" if FOLDS else "Labelled sites: validation fold",
        held_out="in cross-validation" if FOLDS else "in the validation fold",
        folds=STUDY.split.folds,
        library=library_fingerprint("draw_confusion"),
    script:
        "../scripts/draw_confusion.py"


use rule draw_confusion_held_out as draw_confusion_truth with:
    input:
        confusion="results/evaluation/truth_confusion.tsv",
        scores="results/evaluation/truth_scores.tsv",
    output:
        svg="results/figures/confusion_truth.svg",
        png=report(
            "results/figures/confusion_truth.png",
            caption="../report/confusion_truth.rst",
            category="Test against the truth",
            labels={"item": "Predicted and true classes"},
        ),
    log:
        "results/logs/draw_confusion_truth.log",
    benchmark:
        "results/benchmarks/draw_confusion_truth.tsv"
    params:
        title="True sites outside the labelled area",
        library=library_fingerprint("draw_confusion"),


rule draw_doubt:
    """Draw how far the networks' probabilities can be trusted, and the sets of possible classes."""
    input:
        reliability="results/evaluation/reliability.tsv",
        calibration="results/evaluation/calibration.tsv",
        coverage="results/evaluation/label_sets.tsv",
    output:
        svg="results/figures/doubt.svg",
        png=report(
            "results/figures/doubt.png",
            caption="../report/doubt.rst",
            category="Classification",
            labels={"item": "Calibration and sets of classes"},
        ),
    log:
        "results/logs/draw_doubt.log",
    benchmark:
        "results/benchmarks/draw_doubt.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        mem_mb=memory("draw_doubt"),
        runtime=minutes("draw_doubt"),
    params:
        held_out="in cross-validation" if FOLDS else "in the validation fold",
        level=STUDY.statistics.coverage,
        library=library_fingerprint("draw_doubt"),
    script:
        "../scripts/draw_doubt.py"


rule draw_detection:
    """Draw how many true sites were found, by class, and how many found sites are true."""
    input:
        detection="results/evaluation/truth_detection.tsv",
    output:
        svg="results/figures/detection_truth.svg",
        png=report(
            "results/figures/detection_truth.png",
            caption="../report/detection_truth.rst",
            category="Test against the truth",
            labels={"item": "Detection"},
        ),
    log:
        "results/logs/draw_detection.log",
    benchmark:
        "results/benchmarks/draw_detection.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        mem_mb=memory("draw_detection"),
        runtime=minutes("draw_detection"),
    params:
        library=library_fingerprint("draw_detection"),
    script:
        "../scripts/draw_detection.py"
