"""Labels that suffice by number, and no longer once they have met the candidates."""

import os

import pandas as pd
import pytest
from test_planning import DIVIDED, ENOUGH, LABELS, folder, labels_at, of_one_image

from damascene import InputError
from damascene.config.study import load_study
from damascene.contracts.labels import CONTRADICTIONS, ORPHANS, UNDECIDED
from damascene.contracts.table import empty_table
from damascene.labels.divide import Extent
from damascene.labels.divide_tied import NOTE, divide_tied_labels
from damascene.study.check import check_study
from damascene.study.few_tied_labels import tied_labels_key
from damascene.study.models import with_models
from damascene.study.plan import plan_study

__all__ = ["folder"]
OTHER_IMAGE = "another image: not the pixels that were round it when it was labelled"


def sites(places):
    """Return labelled sites as `collect_labels` gives them, as far as a division needs them."""
    table = pd.DataFrame(places, columns=["label", "x_px", "y_px"])
    table[["x_px", "y_px"]] = table[["x_px", "y_px"]].astype(float)
    return table.assign(
        panorama="a",
        site_id=range(len(table)),
        annotator="ada",
        answers=table["label"],
        clip_x_px=table["x_px"],
        clip_y_px=table["y_px"],
    )


def divided(places, *, key, orphans=0, undecided=0, test_folds=(0,)):
    off = pd.DataFrame({"reason": [OTHER_IMAGE] * orphans, "learned_from": False})
    told = pd.DataFrame({"decided": [UNDECIDED] * undecided})
    return divide_tied_labels(
        sites(places),
        [Extent("a", 1200, 1000, 40.0)],
        orphans=off if orphans else empty_table(ORPHANS),
        contradictions=told if undecided else empty_table(CONTRADICTIONS),
        key=key,
        group_by="block",
        block="16 um",
        folds=3,
        test_folds=test_folds,
        windows=["5 um"],
        seed=1,
    )


def planned_again(plan, **settings):
    """Check and plan a study once more, with an image that nobody wrote meanwhile."""
    study = with_models(load_study(DIVIDED | {"labels": LABELS} | settings))
    said = check_study(study, plan.sheet)
    return said, plan_study(study, plan.sheet.reset_index(drop=True))


def test_a_study_fails_once_and_then_goes_on_without_networks(folder):
    said, plan = of_one_image(folder, ENOUGH)
    assert plan.classifies
    with pytest.raises(InputError) as error:
        divided(ENOUGH[:7], key=tied_labels_key(plan), orphans=8, undecided=2)
    for words in (
        "once candidates were found: 3 inclusion, 3 notch, 1 shadowing, 0 interface",
        "8 answers of people without a site: another image (8); see labels/orphans.tsv",
        "2 sites without a label, as people contradict each other; see labels/contradictions.tsv",
        "Run again: the study then goes on without training networks",
    ):
        assert words in str(error.value)
    said, plan = planned_again(plan)
    assert not (plan.classifies or plan.has_labels) and said[-1] == plan.unclassified
    assert "0 martensite; needed are 3" in said[-1] and "8 answers of people" in said[-1]
    # Titles do not decide which labels find a candidate; the detection does.
    assert not planned_again(plan, study="another title")[1].classifies
    assert planned_again(plan, detection={"minimum_area": "0.5 um2"})[1].classifies
    assert not planned_again(plan)[1].classifies


@pytest.mark.parametrize("change", ["labels", "image", "success"])
def test_it_is_asked_anew_when_labels_or_images_change(folder, change):
    _, plan = of_one_image(folder, ENOUGH)
    with pytest.raises(InputError):
        divided(ENOUGH[:7], key=tied_labels_key(plan))

    assert not planned_again(plan)[1].classifies
    if change == "labels":
        labels_at(folder, [*ENOUGH, ("notch", 700, 700)])
    elif change == "image":
        os.utime("a.png", (1, 1))
    else:
        split = divided(ENOUGH, key=tied_labels_key(plan))
        assert len(split) == len(ENOUGH) and not (folder / "results" / NOTE).exists()
    assert planned_again(plan)[1].classifies


def test_networks_from_elsewhere_are_left_untested(folder):
    _, plan = of_one_image(folder, ENOUGH, models="simulated")
    with pytest.raises(InputError, match="goes on without testing networks"):
        divided(ENOUGH[:7], key=tied_labels_key(plan), test_folds=None)
    said, plan = planned_again(plan, models="simulated")
    assert "they name their sites and nothing else" in said[-1]
    assert plan.classifies and not plan.has_labels


def test_simulated_panoramas_need_their_labels(folder):
    with pytest.raises(InputError, match="once candidates were found") as error:
        divided(ENOUGH[:7], key="")
    assert "Run again" not in str(error.value) and not (folder / "results" / NOTE).exists()
