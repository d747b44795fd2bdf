"""What each set of labels gave, kept beside later ones, and what the newest labels changed."""

from typing import ClassVar

from pydantic import Field

from damascene.classes import SITE_LABELS
from damascene.contracts.columns import contract, number, text, whole
from damascene.contracts.record import Part, Record


class LabelledPanorama(Part):
    """What must be the same in a panorama for two sets of labels to be compared."""

    pixel_size_nm: float = Field(description="Edge of a pixel in nanometres.")
    valid_area_mm2: float = Field(description="Valid area in square millimetres.")
    content: str = Field(description="SHA-256 of its files; empty for a simulated one.")


class LabelStateRecord(Record):
    """label_history/{labels}.json: what a set of labels was, and under which settings."""

    kind: ClassVar[str] = "a state of the labels"
    remedy: ClassVar[str] = "Delete the file; later labels are then compared with another state."

    written: str = Field(description="When, ISO 8601 in UTC.")
    labels: dict[str, int] = Field(description="Labelled sites by class.")
    people: int = Field(description="Annotators; the truth of a simulation is one.")
    confidence: float = Field(description="Confidence level of all intervals.")
    settings: dict[str, str] = Field(
        description="Every key of the configuration but the labels, with its value as JSON."
    )
    library: str = Field(description="Version of the workflow.")
    panoramas: dict[str, LabelledPanorama] = Field(description="All panoramas of the study.")


BLOCK_COUNTS = contract(
    {
        "panorama": text("name in the sample sheet"),
        "row": whole("row of the block, from 0 at the top"),
        "column": whole("column of the block, from 0 at the left"),
        "class": text("class that counts, by label or by network", among=SITE_LABELS),
        "count": whole("sites of this class in the block"),
    },
    description="the sites of one class in one of 8 x 8 blocks of a panorama, where there are any",
    key=["panorama", "row", "column", "class"],
)

#: How the interval of a difference was made.
PAIRED, APART = "paired", "apart"

LABEL_EFFECT = contract(
    {
        "quantity": text(
            "`labels`, `score`, `density` or `corrected density`",
            among=("labels", "score", "density", "corrected density"),
        ),
        "panorama": text("name in the sample sheet; empty for labels and scores"),
        "class": text("class, `damage` or `all`"),
        "score": text("as in `evaluation/scores.tsv`; empty where it is none"),
        "before": number(
            "value with the labels before; missing without such, or where it was not estimated",
            missing=True,
        ),
        "before_low": number("lower bound of its interval", missing=True),
        "before_high": number("upper bound of its interval", missing=True),
        "after": number("value with the labels of this run", missing=True),
        "after_low": number("lower bound of its interval", missing=True),
        "after_high": number("upper bound of its interval", missing=True),
        "difference": number(
            "change by the new labels. Of scores, on the sites alone that were held out both "
            "times, with the labels of this run as truth: it is not `after` less `before`",
            missing=True,
        ),
        "difference_low": number("lower bound of its interval", missing=True),
        "difference_high": number("upper bound of its interval", missing=True),
        "interval": text(
            f"how the interval of the difference was made: `{PAIRED}`, from groups of sites or "
            f"blocks that both have; `{APART}`, from both intervals as if they had nothing in "
            "common, which is too wide; empty where there is none",
            among=("", PAIRED, APART),
        ),
        "sites": whole("sites that the difference of a score rests on", missing=True),
        "note": text("why there is no difference or no interval; else empty"),
    },
    description="one number before and after the newest labels",
    key=["quantity", "panorama", "class", "score"],
)
