"""The order of the house: adapters are thin, and each works with one room of the library."""

import re
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"
ADAPTERS = sorted(SCRIPTS.glob("*.py"))
MOST_LINES = 40
#: What any adapter may use to read what is given, to write what was made, and to start its job.
FRAMEWORK = (
    *("classes", "config", "contracts", "files", "jobs", "units", "versions"),
    # To open an image, and the rows of it that belong to a job.
    *("images.store", "images.tiles"),
    # The processor that was granted to a job.
    "learning.device",
    # What was computed is drawn by the job that computed it.
    "figures",
)
#: Modules that serve all rooms, then the rooms in the order of the data. A room imports what stands
#: before it. `config` knows the networks by name; `study` checks what the user hands in against
#: what all stages need; `jobs` plans the whole study.
ORDER = (
    *("classes", "text_files", "units", "seeds", "files", "problems", "versions"),
    *("networks", "config", "contracts", "images", "simulation", "learning", "restoration"),
    *("segmentation", "clustering", "detection", "sensitivity", "quality", "clips"),
    *("descriptors", "exchange", "labels", "classification", "statistics", "shift", "correction"),
    *("space", "sizes", "evaluation", "review", "ledger", "study", "jobs", "figures", "viewer"),
    *("report", "provenance", "workshop"),
)
MOST_MODULE_LINES = 400


LIBRARY = SCRIPTS / "damascene"
MODULES = sorted(path for path in LIBRARY.rglob("*.py") if path.parent != LIBRARY)
SINGLE = sorted(LIBRARY.glob("[!_]*.py"))


def imported(text):
    """Return the rooms and single modules of the library that a source imports."""
    found = re.findall(r"^\s*(?:from|import) damascene\.(\w+)", text, flags=re.MULTILINE)
    for names in re.findall(
        r"^\s*from damascene import (\([^)]*\)|[^\n]*)", text, flags=re.MULTILINE
    ):
        found += re.findall(r"\w+", names)
    return set(found) - {"InputError"}


def room_of(path):
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


@pytest.mark.parametrize(
    "path", [*SINGLE, *MODULES], ids=lambda path: str(path.relative_to(LIBRARY))
)
def test_a_module_imports_no_later_room_and_has_at_most_400_lines(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_MODULE_LINES
    own = ORDER.index(room_of(path))
    later = {name for name in imported(text) if ORDER.index(name) > own}
    assert not later, f"{room_of(path)} comes before {later}"


def test_no_room_is_outside_the_order():
    assert {room_of(path) for path in [*SINGLE, *MODULES]} == set(ORDER)


def test_imports_of_every_form_are_seen():
    text = "from damascene import InputError, seeds\nimport damascene.units\n"
    text += "    from damascene.jobs.log import start_log\nfrom damascene import (\n    files,\n)\n"
    assert imported(text) == {"seeds", "units", "jobs", "files"}


def rooms(text):
    """Return the rooms of the library, apart from the framework, that a script imports from."""
    modules = re.findall(r"^from damascene\.([\w.]+) import", text, flags=re.MULTILINE)
    return {
        module.split(".")[0]
        for module in modules
        if not any(f"{module}.".startswith(f"{name}.") for name in FRAMEWORK)
    }


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)
def test_an_adapter_has_at_most_40_lines_and_imports_its_work_from_one_room(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_LINES
    assert len(rooms(text)) <= 1, rooms(text)


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)
def test_an_adapter_defines_nothing(path):
    """A function is work of the library, where tests reach it."""
    lines = path.read_text().splitlines()
    assert not [line for line in lines if line.startswith(("def ", "class ", "while "))]


def test_rooms_are_told_from_the_framework():
    text = "from damascene.images.store import a\nfrom damascene.images.stored import b\n"
    assert rooms(text) == {"images"}
    assert rooms("import numpy\nfrom damascene.jobs.log import start_log\n") == set()
