"""Unit costs: what a job of a rule takes, and how that grows with panorama and candidates."""

import csv
from dataclasses import dataclass, fields
from pathlib import Path

#: The table that the repository ships, made by `benchmarks/fit_unit_costs.py`.
SHIPPED = Path(__file__).parents[4] / "resources/unit_costs.tsv"
#: Row of rules without one of their own: small tables and figures, made from labels.
SMALL = "small"
#: Rules that do what another rule does.
_ALIKE = {
    "train_fold": "train_network",
    "train_for_load_direction": "train_network",
    "train_segmentation_fold": "train_segmentation",
    "denoise_strip": "denoise_panorama",
    "denoise_strip_by_network": "denoise_by_network",
    # Compresses the panorama, as an import does.
    "join_denoised": "import_panorama",
    "find_dark_pixels": "find_candidates",
    "cluster_strips": "find_candidates",
    "describe_strip": "describe_candidates",
    "join_descriptors": "collect_labels",
    "classify_strip": "classify_sites",
    "join_sites": "collect_labels",
    "label_sites": "collect_labels",
    "export_tiles": "export_panorama",
}


@dataclass(frozen=True, kw_only=True)
class UnitCost:
    """Costs of a job: a fixed part, a part by megapixel, and a part by 1,000 sites.

    Attributes
    ----------
    rule : str
    variant : str
        Kind of network or method of denoising that the row holds for; empty for any.
    scope : str
        What megapixels and sites count: `panorama`, that of the job with its candidates; `study`,
        all of them; `labels`, the labelled sites; `epochs`, these times the passes over them;
        `patches`, those that a network for phase maps learns from; `denoiser`, the pixels that a
        denoising network learns from.
    gpu : int
        1 for rules that run networks. Their seconds were measured on a CPU all the same.
    cpu_seconds, cpu_seconds_per_mpx, cpu_seconds_per_1000 : float
        Time that a job keeps cores busy, from the start of its Python.
    cores : float
        Cores that it keeps busy at once, of two.
    mb, mb_per_mpx, mb_per_1000 : float
        Most memory at one time, in megabytes.
    stored_mb, stored_mb_per_mpx, stored_mb_per_1000 : float
        What it leaves on disk.
    largest_mpx, largest_sites : float
        Largest job that the costs were fitted to.
    jobs : int
        Number of jobs they were fitted to.
    """

    rule: str
    variant: str = ""
    scope: str = "panorama"
    gpu: int = 0
    cpu_seconds: float = 0.0
    cpu_seconds_per_mpx: float = 0.0
    cpu_seconds_per_1000: float = 0.0
    cores: float = 1.0
    mb: float = 0.0
    mb_per_mpx: float = 0.0
    mb_per_1000: float = 0.0
    stored_mb: float = 0.0
    stored_mb_per_mpx: float = 0.0
    stored_mb_per_1000: float = 0.0
    largest_mpx: float = 0.0
    largest_sites: float = 0.0
    jobs: int = 0


def read_unit_costs(path: Path = SHIPPED) -> dict[tuple[str, str], UnitCost]:
    """Read a table of unit costs.

    Returns
    -------
    dict of (str, str) to UnitCost
        By rule and variant.
    """
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    costs = [
        UnitCost(**{field.name: field.type(row[field.name]) for field in fields(UnitCost)})
        for row in rows
    ]
    return {(cost.rule, cost.variant): cost for cost in costs}


def cost_of(costs: dict[tuple[str, str], UnitCost], rule: str, *variants: str) -> UnitCost:
    """Return the costs of a rule in the first variant that has a row of its own, else in any.

    A rule without a row takes that of rules like it, or of small ones.
    """
    name = rule if any(known == rule for known, _ in costs) else _ALIKE.get(rule, rule)
    for key in (*((name, variant) for variant in variants), (name, "")):
        if key in costs:
            return costs[key]
    return costs[SMALL, ""]
