"""Habits of the rules that the linter does not ask for."""

import re
from pathlib import Path

import pytest

from damascene.jobs import fingerprint
from damascene.jobs.unit_costs import cost_of, read_unit_costs

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "workflow/rules"
SOURCES = {
    str(path.relative_to(FOLDER)): path.read_text() for path in sorted(FOLDER.rglob("*.smk"))
}
RULES = {
    name: body
    for source in SOURCES.values()
    for name, body in re.findall(r"^rule (\w+):\n((?:[ \n].*\n?)+)", source, flags=re.MULTILINE)
    # Without a script it only asks for the products of others.
    if "script:" in body
}
DERIVED = re.findall(r"^use rule \w+ as (\w+)", "".join(SOURCES.values()), flags=re.MULTILINE)


def test_the_rules_were_found():
    assert len(RULES) > 15 and {"find_candidates", "train_network"} <= RULES.keys()
    assert set(DERIVED) == {
        "train_fold",
        "train_segmentation_fold",
        "draw_confusion_truth",
        "describe_strip",
        "classify_strip",
    }


@pytest.mark.parametrize("name", RULES)
def test_every_rule_states_what_it_does_and_what_it_needs(name):
    body = RULES[name]
    assert body.lstrip().startswith('"""')
    for directive in ("output", "log", "benchmark", "params", "threads", "resources", "conda"):
        assert f"\n    {directive}:" in body, directive
    assert f'**needs("{name}"' in body
    script = re.search(r'"(?:\.\./)+scripts/(\w+)\.py"', body)[1]
    assert (ROOT / f"workflow/scripts/{script}.py").is_file()
    assert f'library=library("{script}")' in body


def test_the_rule_of_notebooks_states_as_much():
    source = SOURCES["analyses/workshop.smk"]
    body = re.search(r"^rule run_workshop_page:\n((?:[ \n].*\n?)+)", source, flags=re.MULTILINE)[1]
    for directive in ("output", "log", "benchmark", "params", "threads", "resources", "conda"):
        assert f"\n    {directive}:" in body, directive
    assert '**needs("run_workshop_page")' in body and "library=workshop_library" in body
    assert "\n    notebook:" in body


@pytest.mark.parametrize("name", RULES)
def test_networks_run_on_a_gpu_and_nothing_else_does(name):
    script = re.search(r'"(?:\.\./)+scripts/(\w+)\.py"', RULES[name])[1]
    adapter = (ROOT / f"workflow/scripts/{script}.py").read_text()
    assert ("gpu=1" in RULES[name]) == ("choose_device(" in adapter)


@pytest.mark.parametrize("name", RULES)
def test_tensorflow_is_imported_by_rules_that_run_networks_alone(name):
    """It takes seconds, which a job that draws a figure need not wait."""
    script = re.search(r'"(?:\.\./)+scripts/(\w+)\.py"', RULES[name])[1]
    adapter = (ROOT / f"workflow/scripts/{script}.py").read_text()
    imports = [
        module
        for module in fingerprint.reached_modules(adapter)
        if re.search(
            r"^(import|from) (keras|tensorflow)", fingerprint.module_path(module).read_text(), re.M
        )
    ]
    assert bool(imports) == ("choose_device(" in adapter), imports


def test_every_rule_has_unit_costs_and_those_of_networks_are_tagged():
    costs = read_unit_costs()
    for name in [*RULES, *DERIVED]:
        cost = cost_of(costs, name, "frozen", "gaussian", "simulated")
        if name in RULES:
            assert bool(cost.gpu) == ("gpu=1" in RULES[name]), name
    # Figures are small; what makes a table of sites is not.
    for name in ("label_sites", "join_sites", "collect_labels"):
        assert cost_of(costs, name).scope == "study", name


#: Helpers, which hold no rules.
HELPERS = {
    *("shown.smk", "seen.smk", "taught.smk"),
    *("refusal.smk", "common.smk", "library.smk", "messages.smk"),
}


@pytest.mark.parametrize("name", sorted(SOURCES.keys() - HELPERS))
def test_every_rule_file_opens_with_what_goes_in_and_what_comes_out(name):
    head = SOURCES[name].split('"""')[1]
    assert all(word in head for word in ("In:", "Out:", "Why:"))


def test_the_library_never_imports_snakemake():
    for path in (ROOT / "workflow/scripts/damascene").rglob("*.py"):
        assert not re.search(r"^\s*(import|from) snakemake", path.read_text(), re.MULTILINE), path
