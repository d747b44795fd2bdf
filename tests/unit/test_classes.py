"""The one table of classes, and what follows from it."""

import subprocess
import sys
from pathlib import Path

from damascene import classes
from damascene.classes import CLASSES

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"


def test_the_order_of_the_outputs_is_that_of_the_stored_networks():
    # Another order would give every network in resources/models other classes.
    assert classes.STAGE_CLASSES == {
        "inclusion": ("inclusion", "rest"),
        "damage": ("notch", "shadowing", "interface", "martensite"),
    }
    for stage in classes.STAGES:
        outputs = sorted(each.output for each in CLASSES if each.stage == stage)
        assert outputs == list(range(len(outputs)))
    assert classes.SITE_LABELS == (
        "inclusion",
        "notch",
        "shadowing",
        "interface",
        "martensite",
        "not_classified",
    )
    assert classes.DAMAGE_MECHANISMS == ("martensite", "interface", "notch")


def test_no_two_classes_share_a_name_or_a_look():
    for fact in ("name", "colour", "marker", "hatch"):
        values = [getattr(each, fact) for each in CLASSES]
        assert len(set(values)) == len(values), fact
    letters = [each.letter for each in CLASSES if each.name in classes.SITE_CLASSES]
    assert len(set(letters)) == len(classes.SITE_CLASSES) and all(map(str.isalpha, letters))
    assert not set(classes.OLDER_NAMES) & {*classes.SITE_LABELS, classes.DAMAGE, classes.ALL}
    assert classes.OLDER_NAMES["boundary"] == "shadowing"


def test_the_table_is_light_to_import():
    program = "import sys; import damascene.classes; print('numpy' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["False"]
