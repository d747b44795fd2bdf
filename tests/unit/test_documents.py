"""The pages for people: links lead somewhere, every target is told of, and the words are plain."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    *(ROOT / name for name in ("config/README.md", "benchmarks/README.md", "results/README.md")),
]
SOURCES = sorted(
    path for ending in ("py", "smk") for path in ROOT.glob(f"workflow/*/**/*.{ending}")
)
CAPTIONS = sorted((ROOT / "workflow/report").glob("*.rst"))
#: Turns of phrase that a reader has to read twice, with what they stand for.
HARD_TO_READ = re.compile(
    r"\b(reckon\w*|learned to see|hangs? together|tells? apart|but for (?!no\b))\b"
)


def name_of(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files_of_the_project(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    for link in links:
        if not link.startswith("https://"):
            assert (page.parent / link).exists(), link


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200


def test_every_target_has_its_row():
    rows = (ROOT / "docs/targets.md").read_text()
    snakefile = (ROOT / "workflow/Snakefile").read_text()
    analyses = [path.read_text() for path in (ROOT / "workflow/rules").rglob("*.smk")]
    # A target is a rule that only collects: it has inputs and makes nothing.
    bodies = re.findall(r"^rule (\w+):\n((?:[ \n].*\n?)+)", "\n".join([snakefile, *analyses]), re.M)
    targets = {name for name, body in bodies if not re.search(r"^ +output:", body, re.M)}
    assert {"all", "sensitivity", "evaluation"} <= targets
    for target in targets - {"all"} | {"compare_denoising", "plan_resources"}:
        assert f"`{target}`" in rows, target


@pytest.mark.parametrize("page", [*PAGES, *CAPTIONS, *SOURCES], ids=name_of)
def test_words_are_plain(page):
    assert not HARD_TO_READ.findall(page.read_text())


def test_every_caption_says_something():
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").rglob("*.smk"))
    named = set(re.findall(r"report/(\w+\.rst)", rules))
    assert named == {path.name for path in CAPTIONS} - {"workflow.rst"}
    for path in CAPTIONS:
        assert len(path.read_text().split()) > 10, path.name


def test_the_files_that_changes_touch_exist():
    page = (ROOT / "docs/architecture.md").read_text()
    table = page.split("## Eleven changes")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 11
    library = ROOT / "workflow/scripts/damascene"
    for path in re.findall(r"`([\w./<>-]+[./][\w./<>-]*)`", "".join(rows)):
        if "<" in path:
            path = str(Path(path).parent)
        assert (library / path).exists() or (ROOT / path).exists(), path


def test_every_room_is_on_the_floor_plan():
    rooms = {path.parent.name for path in ROOT.glob("workflow/scripts/damascene/*/__init__.py")}
    for page in ("CONTRIBUTING.md", "docs/architecture.md"):
        named = set(re.findall(r"(?<=[`/])[a-z]+(?=[`/])", (ROOT / page).read_text()))
        assert not rooms - named, page
