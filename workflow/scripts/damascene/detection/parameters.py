"""The parameters that make dark pixels into sites, in pixels of one panorama."""

from dataclasses import dataclass

from damascene import InputError
from damascene.detection.darkness import DarkRule, RelativeThreshold

FILL_HOLES = ("before", "after", "never")
METRICS = ("euclidean", "manhattan", "chebyshev")
SITES = ("clusters", "blobs")
MERGES = ("corrected", "published", "none")


@dataclass(frozen=True, kw_only=True)
class DetectionParameters:
    """How dark pixels become sites.

    Parameters
    ----------
    dark : FixedThreshold, RelativeThreshold or MatchedThreshold
        Which pixels are dark.
    fill_holes : str
        "before": holes in the mask of dark pixels are filled, and what filled them is clustered
        with the rest; "after": those of each site are filled; "never".
    eps_px : float
        Largest distance between neighbours of DBSCAN, inclusive.
    min_samples : int
        Pixels within `eps_px`, the pixel itself counted, that make it a core pixel.
    metric : str
        Distance between neighbours: "euclidean", "manhattan" or "chebyshev".
    passes : int
        How often DBSCAN is run, each time on the pixels that the pass before kept.
    sites : str
        "clusters": a site is a cluster of DBSCAN; "blobs": an 8-connected group of the pixels
        that belong to any cluster.
    minimum_area_px : float
        A site has more pixels than this; 0 sets no limit.
    minimum_edge : float
        The pixels around a site are brighter than its dark ones by at least this proportion of the
        step from ferrite to martensite; 0 sets no limit, any other asks for a relative threshold.
    edge_distance_px : int
        How far from the dark pixels the pixels around are taken.
    merge : str
        What becomes of sites with centroids closer than `merge_distance_px`: "corrected" joins
        the smaller one of each pair to the larger, "published" drops what the public code drops,
        "none" keeps all apart.
    merge_distance_px : float
    drop_rim_fragments : bool
        A site whose centroid lies in the convex hull of a larger one is joined to it, and so is
        one beside it with a narrow gap.
    footprint_gap_px : float
        Widest such gap, see `footprint.footprint_owners`; 0: none.

    Raises
    ------
    InputError
        If a rule has no meaning on a grid of pixels.
    """

    dark: DarkRule
    fill_holes: str = "after"
    eps_px: float
    min_samples: int
    metric: str = "euclidean"
    passes: int = 1
    sites: str = "clusters"
    minimum_area_px: float = 0
    minimum_edge: float = 0
    edge_distance_px: int = 1
    merge: str = "corrected"
    merge_distance_px: float = 0
    drop_rim_fragments: bool = True
    footprint_gap_px: float = 0

    def __post_init__(self):  # noqa: D105
        for name, allowed in (
            ("fill_holes", FILL_HOLES),
            ("metric", METRICS),
            ("sites", SITES),
            ("merge", MERGES),
        ):
            value = getattr(self, name)
            if value not in allowed:
                raise InputError(
                    f"detection: {name} is {value!r}. Choose one of: {', '.join(allowed)}."
                )
        for name, least in (
            ("min_samples", 1),
            ("passes", 1),
            ("minimum_area_px", 0),
            ("minimum_edge", 0),
            ("edge_distance_px", 1),
            ("merge_distance_px", 0),
            ("footprint_gap_px", 0),
        ):
            value = getattr(self, name)
            if not value >= least:
                raise InputError(f"detection: {name} is {value}. Set it to {least} or more.")
        if self.minimum_edge > 0 and not isinstance(self.dark, RelativeThreshold):
            raise InputError(
                f"detection: minimum_edge is {self.minimum_edge:g}, but only a relative threshold "
                "knows the step from ferrite to martensite. Set threshold: rule to relative, or "
                "minimum_edge to 0."
            )
        # A length given in micrometres may miss a whole number of pixels by its last digit.
        object.__setattr__(self, "eps_px", round(self.eps_px, 6))
        if not self.eps_px > 0 or (self.eps_px < 1 and self.min_samples > 1):
            raise InputError(
                f"detection: the clustering distance eps is {self.eps_px:g} pixels, so that no "
                "pixel has a neighbour. Set it to the size of a pixel or more."
            )

    @property
    def around_px(self) -> int:
        """Distance at which the surroundings of dark pixels are measured, 0 if no rule needs it."""
        return self.edge_distance_px if self.minimum_edge > 0 else 0
