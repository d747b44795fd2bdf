"""What the report shows, in its order: sections with their figures and tables.

Another product is another entry here. Its caption is `workflow/report/<caption>.rst`, the same file
that Snakemake's own report uses; the columns of a table are told by its contract.
"""

from collections.abc import Iterable

from damascene.report.kinds import Drawn, Section, Shown
from damascene.report.label_sections import EVALUATION, LABELS
from damascene.report.tables import with_one_interval

SECTIONS = (
    Section(
        key="panoramas",
        title="Panoramas",
        items=(
            Drawn(name="overview_{panorama}", title="Sites of {panorama}", caption="overview"),
            Drawn(
                name="stitching_{panorama}", title="Stitching of {panorama}", caption="stitching"
            ),
        ),
    ),
    Section(
        key="classes",
        title="Classes",
        items=(
            Drawn(
                name="density_against_strain",
                title="Density against strain",
                caption="density_against_strain",
            ),
            Shown(
                path="statistics/densities.tsv",
                title="Counts and densities",
                caption="densities",
                columns=(
                    *("panorama", "strain_percent", "class", "not_estimated", "count", "labelled"),
                    *("count_cut_off", "density_per_mm2", "density_low_per_mm2"),
                    *("density_high_per_mm2", "poisson_interval_per_mm2", "blocks", "dispersion"),
                    *("share", "area_fraction"),
                ),
                prepare=with_one_interval,
            ),
            Drawn(name="corrected_counts", title="Raw and corrected", caption="corrected_counts"),
            Shown(
                path="statistics/corrected.tsv",
                title="Corrected counts",
                caption="corrected",
                columns=(
                    *("panorama", "class", "count", "density_per_mm2", "low_per_mm2"),
                    *("high_per_mm2", "corrected_count", "corrected_density_per_mm2"),
                    *("corrected_low_per_mm2", "corrected_high_per_mm2", "method", "recall"),
                    *("recall_low", "recall_high", "note", "not_estimated"),
                ),
            ),
            Shown(
                path="statistics/detection_recall.tsv",
                title="Recall of the detector",
                caption="detection_recall",
            ),
            Drawn(name="class_shares", title="Shares of the classes", caption="class_shares"),
            Shown(
                path="statistics/evolution.tsv",
                title="Change with strain, and the control",
                caption="evolution",
            ),
            Shown(
                path="statistics/dispersion.tsv",
                title="Scatter of the counts within panoramas",
                caption="dispersion",
            ),
            Shown(
                path="statistics/conditions.tsv",
                title="Densities of the conditions",
                caption="conditions",
            ),
            Shown(
                path="statistics/rate_ratios.tsv",
                title="Rate ratios between conditions",
                caption="rate_ratios",
            ),
            Drawn(name="gallery", title="Sites of each class", caption="gallery"),
        ),
    ),
    Section(
        key="space",
        title="Space",
        items=(
            Drawn(name="space_{panorama}", title="Where sites lie: {panorama}", caption="space"),
            Drawn(
                name="density_map_{panorama}",
                title="Density of damage: {panorama}",
                caption="density_map",
            ),
            Shown(
                path="statistics/space_summary.tsv",
                title="Clustering in numbers",
                caption="space_summary",
                columns=(
                    *("panorama", "class", "statistic", "null", "not_estimated", "value", "low"),
                    *("high", "at_um", "null_low", "null_high", "p_adjusted", "sites"),
                ),
            ),
            Shown(
                path="statistics/random_labelling.tsv",
                title="Which classes lie together",
                caption="random_labelling",
                columns=(
                    *("panorama", "class", "other_class", "not_estimated", "near_um", "pairs"),
                    *("expected", "ratio", "null_low", "null_high", "p_adjusted"),
                ),
            ),
            Drawn(
                name="phase_surroundings",
                title="Sites and the hard phase",
                caption="phase_surroundings",
            ),
            Shown(
                path="statistics/density_by_phase.tsv",
                title="Densities near the hard phase",
                caption="density_by_phase",
            ),
        ),
    ),
    Section(
        key="sizes",
        title="Sizes",
        items=(
            Drawn(
                name="size_distributions",
                title="Distribution of areas",
                caption="size_distributions",
            ),
            Drawn(name="median_sizes", title="Median sizes", caption="median_sizes"),
            Shown(
                path="statistics/size_fits.tsv",
                title="Fitted sizes and area fractions",
                caption="size_fits",
                columns=(
                    *("panorama", "class", "not_estimated", "fitted", "seen_median_diameter_um"),
                    *("median_diameter_um", "median_diameter_low_um", "median_diameter_high_um"),
                    *("deviation", "hidden_fraction", "fit_p_value", "area_fraction"),
                    *("area_fraction_low", "area_fraction_high"),
                ),
            ),
            Shown(
                path="statistics/size_trends.tsv",
                title="Sizes against strain",
                caption="size_trends",
            ),
            Drawn(name="crack_directions", title="Rose of cracks", caption="crack_directions"),
            Shown(
                path="statistics/orientations.tsv",
                title="Directions of cracks",
                caption="orientations",
            ),
            Drawn(name="sizes_3d", title="Sizes in three dimensions", caption="sizes_3d_figure"),
            Shown(
                path="statistics/sizes_3d.tsv",
                title="Sizes in three dimensions, in numbers",
                caption="sizes_3d",
            ),
            Shown(path="statistics/sizes.tsv", title="Sizes", caption="sizes"),
        ),
    ),
    Section(
        key="phases",
        title="Phases",
        items=(
            Drawn(name="phases_{panorama}", title="Phases of {panorama}", caption="phases"),
            Drawn(
                name="phases_against_strain",
                title="Phases against strain",
                caption="phases_against_strain",
            ),
            Shown(
                path="statistics/phases.tsv",
                title="Fractions of the phases",
                caption="phase_fractions",
            ),
            Drawn(
                name="phase_convergence",
                title="Convergence of the fraction",
                caption="phase_convergence",
            ),
            Drawn(name="islands_and_bands", title="Islands and bands", caption="islands_and_bands"),
            Shown(
                path="statistics/phase_shapes.tsv",
                title="Islands, chords and bands",
                caption="phase_shapes",
            ),
            Shown(
                path="statistics/phase_damage.tsv",
                title="Damage of the map against candidates",
                caption="phase_damage",
            ),
        ),
    ),
    Section(
        key="quality",
        title="Quality of the images",
        items=(
            Drawn(
                name="domain_shift",
                title="Panoramas beside the training set",
                caption="domain_shift",
            ),
            Shown(
                path="statistics/domain_shift.tsv",
                title="Panoramas beside the training set, in numbers",
                caption="domain_shift_table",
            ),
            Drawn(name="quality_{panorama}", title="Quality of {panorama}", caption="quality"),
            Drawn(
                name="denoising",
                title="Denoisers",
                caption="denoising",
                analysis="compare_denoising",
            ),
            Drawn(
                name="sensitivity",
                title="Sensitivity to the parameters of detection",
                caption="sensitivity",
                analysis="sensitivity",
            ),
        ),
    ),
    LABELS,
    EVALUATION,
    Section(
        key="ledger",
        title="Published numbers",
        items=(
            Drawn(
                name="ledger",
                title="Published numbers that are reproduced",
                caption="ledger",
                analysis="reproduce",
            ),
            Shown(
                path="ledger/ledger.tsv",
                title="Published numbers, one by one",
                caption="ledger_table",
                columns=(
                    *("publication", "quantity", "value", "tolerance", "measured", "unit"),
                    *("result", "reason"),
                ),
                analysis="reproduce",
            ),
            Drawn(
                name="versions",
                title="Published parameter sets",
                caption="versions",
                analysis="reproduce",
            ),
            Shown(
                path="ledger/versions.tsv",
                title="Published parameter sets, in numbers",
                caption="versions",
                analysis="reproduce",
            ),
        ),
    ),
)
#: Products beside figures and tables that the report reads, below results/.
_READ = (
    *("statistics/headline.txt", "statistics/methods.rst", "statistics/phase_notes.txt"),
    *("evaluation/model_card.rst", "labels/labels.parquet", "labels/split.parquet"),
    "labels/counts.txt",
    *("panoramas/{panorama}.json", "quality/{panorama}.json", "sites/{panorama}.parquet"),
    *("models/inclusion.json", "models/damage.json", "phases/{panorama}.json"),
)


def items() -> Iterable[Shown | Drawn]:
    """Yield the figures and tables of all sections."""
    for section in SECTIONS:
        yield from section.items


def is_read(pattern: str) -> bool:
    """Tell whether the report reads a product, by the pattern of its path below results/.

    All tables that people read belong to the data beside the report.
    """
    folder = pattern.split("/", 1)[0]
    if pattern.endswith(".tsv"):
        return folder not in ("benchmarks", "logs", "models", "planning")
    drawn = [each for each in items() if isinstance(each, Drawn)]
    return pattern in {*_READ, *(each.path for each in drawn), *(each.notes for each in drawn)}


def analyses() -> dict[str, list[str]]:
    """Return the products that analyses on demand make, below results/, by target."""
    found = {}
    for each in items():
        if each.analysis:
            found.setdefault(each.analysis, []).append(each.path)
    return found
