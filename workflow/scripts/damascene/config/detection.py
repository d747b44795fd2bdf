"""From dark pixels to candidates."""

from typing import Literal

import pydantic
from pydantic import Field

from damascene.config.section import Area, Edge, Length, Section
from damascene.units import split_quantity


class Threshold(Section):
    """Which pixels are dark."""

    rule: Literal["relative", "fixed", "matched"] = Field(
        "relative",
        description="`relative` follows the local brightness and contrast, so that it means the "
        "same on every tile; `fixed` is one grey value for everything; `matched` is one grey value "
        "after the grey histogram of each panorama was matched to that of a reference.",
    )
    depth: float = Field(
        0.46,
        gt=0,
        lt=1,
        description="For `relative`: a pixel is dark if it lies below the local grey of ferrite "
        "by more than this fraction of the step from ferrite to martensite, whatever the "
        "brightness and the contrast. Raise it if ferrite is taken for damage, lower it if "
        "shallow voids are missed.",
    )
    block: Edge = Field(
        "20 um",
        description="For `relative`: edge of the blocks in which the grey levels of ferrite and "
        "martensite are measured. Keep it several grains wide and smaller than the brightness "
        "drift.",
    )
    grey: float = Field(
        20,
        ge=0,
        le=255,
        description="For `fixed` and `matched`: grey value from 0 to 255 below which a pixel is "
        "dark. A higher value also finds shallow voids, and dark ferrite with them.",
    )
    inclusive: bool = Field(
        False,
        description="For `fixed` and `matched`: also count pixels of exactly this grey value as "
        "dark.",
    )
    reference: str = Field(
        "",
        description="For `matched`: the panorama of the sheet to whose grey histogram the others "
        "are matched; empty: the one of least strain, the first by name. Another reference shifts "
        "the counts of all panoramas.",
    )

    @pydantic.model_validator(mode="after")
    def _no_contradiction(self):
        if self.rule != "relative" and self.grey == 0 and not self.inclusive:
            raise ValueError("no pixel is below grey 0. Raise 'grey' or set 'inclusive: true'")
        if self.reference and self.rule != "matched":
            raise ValueError(
                f"'reference: {self.reference}' only serves 'rule: matched', but the rule is "
                f"'{self.rule}'. Set 'rule: matched' or remove 'reference'"
            )
        return self


class Detection(Section):
    """From dark pixels to candidates."""

    threshold: Threshold = Field(default_factory=Threshold)
    fill_holes: Literal["before", "after", "never"] = Field(
        "after",
        description="`after` fills the holes of each cluster, so that a particle left in an "
        "inclusion counts as part of it; `before` fills them in the mask of dark pixels, and "
        "DBSCAN works on the filled mask; `never` makes sites with holes smaller.",
    )
    eps: Length = Field(
        "1 px",
        description="DBSCAN: dark pixels within this distance are neighbours, at least 1 px. "
        "Larger values join fragments of one void, and voids that are close.",
    )
    min_samples: int = Field(
        4,
        ge=1,
        description="DBSCAN: neighbours (itself included) that make a pixel the core of a "
        "cluster. Higher values break thin cracks into pieces, lower ones admit noise.",
    )
    metric: Literal["euclidean", "manhattan", "chebyshev"] = Field(
        "euclidean",
        description="DBSCAN: how distances are measured. `chebyshev` makes the neighbourhood a "
        "square, so that pixels touching at a corner are neighbours at 1 px; `manhattan` a "
        "diamond.",
    )
    passes: int = Field(
        1,
        ge=1,
        description="How often DBSCAN is run, each time on the pixels that the previous run "
        "kept. Published code runs it twice; with the same eps and min_samples this costs time "
        "and changes nothing, because all neighbours of a core pixel are kept.",
    )
    sites: Literal["clusters", "blobs"] = Field(
        "clusters",
        description="`clusters`: a site is a cluster of DBSCAN. `blobs`: clusters that touch, "
        "even at a corner, are one site, and a cluster of pixels that do not touch is split.",
    )
    minimum_area: Area = Field(
        "20 px2",
        description="Sites must be larger than this; 0 px2 sets no limit. It is the detection "
        "limit: state it with every number you publish.",
    )
    minimum_edge: float = Field(
        0,
        ge=0,
        allow_inf_nan=False,
        description="Sites must have a steep edge: at a distance of 0.2 um, their surroundings "
        "must be brighter than their dark pixels by this fraction of the step from ferrite to "
        "martensite (`relative` thresholds only; 0 sets no limit). Cavities have such an edge, "
        "dark ferrite and shadows do not. Raise it, for example to 0.25, to remove soft dark "
        "patches before classification. It also removes shadowing: keep it at 0 where that is to "
        "be counted as a class.",
    )
    merge: Literal["corrected", "published", "none"] = Field(
        "corrected",
        description="Sites that are close are one site: with `corrected` the larger one takes the "
        "pixels of the smaller, so that its size is that of both; `none` keeps them apart. "
        "`published` repeats the index error of the public code, which drops isolated "
        "sites and fails on long lists: for comparisons with numbers made by that code.",
    )
    merge_distance: Length = Field(
        "0.8 um",
        description="Sites are close if their centroids are closer than this. Raise it if one "
        "cavity is counted twice.",
    )
    drop_rim_fragments: bool = Field(
        True,
        description="Pieces of a larger site are not counted by themselves, their pixels are part "
        "of it: sites whose centroid lies in its convex hull, as the rims of inclusions break into "
        "such fragments, and sites beside it across a gap of at most a quarter of its diameter and "
        "0.6 um, as remnants of a broken particle divide its cavity. Set it to false to repeat "
        "published counts.",
    )

    @pydantic.model_validator(mode="after")
    def _no_contradiction(self):
        distance, _ = split_quantity(self.merge_distance, ("px", "nm", "um"), "0.8 um")
        if self.merge != "none" and distance == 0:
            raise ValueError(
                f"'merge: {self.merge}' with 'merge_distance: {self.merge_distance}' merges "
                "nothing. Give a distance or set 'merge: none'"
            )
        if self.minimum_edge > 0 and self.threshold.rule != "relative":
            raise ValueError(
                f"'minimum_edge: {self.minimum_edge:g}' needs the step from ferrite to martensite, "
                f"which 'threshold: rule: {self.threshold.rule}' does not know. Set the rule to "
                "relative or minimum_edge to 0"
            )
        eps, unit = split_quantity(self.eps, ("px", "nm", "um"), "1 px")
        if eps == 0 or (unit == "px" and eps < 1 < self.min_samples):
            raise ValueError(f"with 'eps: {self.eps}' no pixel has a neighbour. Give 1 px or more")
        return self
