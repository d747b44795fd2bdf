"""Labels as the review gallery writes them: one row an answer, in a text table of the user's.

The file is dropped into `config/labels/`. It is text that people may edit, so that it is read by
`labels.dropped` with messages of its own; this contract says what the gallery has to write.
"""

from damascene.classes import SITE_CLASSES
from damascene.contracts.candidates import POSITION
from damascene.contracts.columns import POSITIVE, contract, number, text, whole
from damascene.contracts.labels import KEPT, UNCLEAR

#: Why a site was shown: drawn at random; one of a cluster of look-alikes; annotators disagree; its
#: set of possible classes is large; far from what was learned from; of a rare class; by the person.
DRAWN_BY = ("random", "cluster", "disagreement", "set", "far", "balance", "picked")
#: The word in column `decides` of an answer that is to decide between others.
DECIDES = "yes"

IMAGE_MARK = text(
    "marks of the pixels round the site, by which another image under the same name is noticed; "
    "empty where the pixels tell nothing",
    required=False,
)

REVIEW_LABELS = contract(
    {
        "panorama": text("name in the sample sheet"),
        **POSITION,
        "label": text("class, or `unclear`", among=(*SITE_CLASSES, UNCLEAR)),
        "annotator": text("who answered; may be empty"),
        "time": KEPT["time"],
        "site_id": KEPT["given_site_id"],
        **{
            f"{edge}_px": whole(KEPT[f"{edge}_px"].description, missing=True)
            for edge in ("left", "top", "width", "height")
        },
        "model": KEPT["model"],
        "previous_label": KEPT["previous_label"],
        "drawn_by": text("why the site was shown; may be empty", among=("", *DRAWN_BY)),
        "decides": text(
            f"`{DECIDES}` in an answer that is to decide between others, else empty",
            among=("", DECIDES),
        ),
        "note": KEPT["note"],
        # By these an image that took the place of another is noticed.
        "image_width_px": number("columns of the panorama", POSITIVE, missing=True, required=False),
        "image_height_px": number("rows of the panorama", POSITIVE, missing=True, required=False),
        "pixel_size_nm": number(
            "edge of its pixels in nanometres", POSITIVE, missing=True, required=False
        ),
        "image": IMAGE_MARK,
    },
    description="one answer of one person in the review gallery",
)
