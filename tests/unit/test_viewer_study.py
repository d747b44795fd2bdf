"""What the index of the viewer says of panoramas."""

import pandas as pd

from damascene.classes import CLASSES
from damascene.viewer.study import CANDIDATE, class_counts, class_marks


def test_sites_are_counted_by_class_and_candidates_as_such():
    sites = pd.DataFrame({"site_id": [0, 1, 2], "class": ["notch", "notch", "inclusion"]})
    counts = class_counts(sites)
    assert counts["notch"] == 2 and counts["inclusion"] == 1 and sum(counts.values()) == 3
    assert set(counts) == {each.name for each in CLASSES}
    assert class_counts(sites[["site_id"]]) == {CANDIDATE: 3}
    assert class_counts(sites.iloc[:0])["notch"] == 0


def test_classes_differ_by_colour_and_by_mark():
    marks = class_marks()
    for key in ("name", "colour", "marker"):
        assert len({each[key] for each in marks}) == len(CLASSES) + 1
