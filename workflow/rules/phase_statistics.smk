"""Phase statistics: what phase maps say in numbers, with intervals and with their doubts.

In:  phases/{panorama}.ome.tif, the pixels of candidates.
Out: statistics/phases.tsv, phase_convergence.tsv, phase_shapes.tsv and phase_damage.tsv; figures of
     fractions, of their convergence, and of islands, chords and bands.
Why: a fraction without the size of the map it holds for cannot be compared, nor put into a model.
"""


rule measure_phases:
    """Measure a phase map: fractions by blocks and windows, islands, chords, bands, and damage."""
    input:
        phases="results/phases/{panorama}.ome.tif",
        runs="results/candidates/{panorama}.runs.parquet",
    output:
        phases="results/phases/{panorama}.fractions.tsv",
        convergence="results/phases/{panorama}.convergence.tsv",
        shapes="results/phases/{panorama}.shapes.tsv",
        damage="results/phases/{panorama}.damage.tsv",
    log:
        "results/logs/measure_phases/{panorama}.log",
    benchmark:
        "results/benchmarks/measure_phases/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("measure_phases"),
    params:
        phases=PHASES,
        hard_phase=STUDY.segmentation.hard_phase,
        damage_phase=STUDY.segmentation.damage_phase,
        strain_percent=sheet_number("strain_percent"),
        minimum_area=STUDY.detection.minimum_area,
        confidence=STUDY.statistics.confidence,
        library=library("measure_phases"),
    script:
        "../scripts/measure_phases.py"


rule summarise_phases:
    """Put the phases of all panoramas together, and say what speaks against their maps."""
    input:
        phases=of_panoramas("results/phases/{panorama}.fractions.tsv"),
        convergence=of_panoramas("results/phases/{panorama}.convergence.tsv"),
        shapes=of_panoramas("results/phases/{panorama}.shapes.tsv"),
        damage=of_panoramas("results/phases/{panorama}.damage.tsv"),
        records=of_panoramas("results/phases/{panorama}.json"),
    output:
        phases=report(
            "results/statistics/phases.tsv",
            caption="../report/phase_fractions.rst",
            category="Phases",
            labels={"item": "Fractions of the phases"},
        ),
        convergence="results/statistics/phase_convergence.tsv",
        shapes=report(
            "results/statistics/phase_shapes.tsv",
            caption="../report/phase_shapes.rst",
            category="Phases",
            labels={"item": "Islands, chords and bands"},
        ),
        damage=report(
            "results/statistics/phase_damage.tsv",
            caption="../report/phase_damage.rst",
            category="Phases",
            labels={"item": "Damage of the map against candidates"},
        ),
        notes="results/statistics/phase_notes.txt",
    log:
        "results/logs/summarise_phases.log",
    benchmark:
        "results/benchmarks/summarise_phases.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("summarise_phases"),
    params:
        hard_phase=STUDY.segmentation.hard_phase,
        damage_phase=STUDY.segmentation.damage_phase,
        confidence=STUDY.statistics.confidence,
        library=library("summarise_phases"),
    script:
        "../scripts/summarise_phases.py"


rule draw_phase_statistics:
    """Draw the fractions of phases, their convergence with the size of a window, and shapes."""
    input:
        phases="results/statistics/phases.tsv",
        convergence="results/statistics/phase_convergence.tsv",
        shapes="results/statistics/phase_shapes.tsv",
    output:
        fractions_svg="results/figures/phases_against_strain.svg",
        fractions_png=report(
            "results/figures/phases_against_strain.png",
            caption="../report/phases_against_strain.rst",
            category="Phases",
            labels={"item": "Phases against strain"},
        ),
        convergence_svg="results/figures/phase_convergence.svg",
        convergence_png=report(
            "results/figures/phase_convergence.png",
            caption="../report/phase_convergence.rst",
            category="Phases",
            labels={"item": "Convergence of the fraction"},
        ),
        shapes_svg="results/figures/islands_and_bands.svg",
        shapes_png=report(
            "results/figures/islands_and_bands.png",
            caption="../report/islands_and_bands.rst",
            category="Phases",
            labels={"item": "Islands and bands"},
        ),
    log:
        "results/logs/draw_phase_statistics.log",
    benchmark:
        "results/benchmarks/draw_phase_statistics.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_phase_statistics"),
    params:
        colours={name: phase.colour for name, phase in STUDY.segmentation.phases.items()},
        phase=PLAN.phases.drawn,
        damage_phase=STUDY.segmentation.damage_phase,
        confidence=STUDY.statistics.confidence,
        library=library("draw_phase_statistics"),
    script:
        "../scripts/draw_phase_statistics.py"
