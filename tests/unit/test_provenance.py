"""The crate keeps to its profiles, by their own validator and without a network."""

import base64
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import rocrate
import yaml
from rocrate_validator import models, services
from rocrate_validator.utils import http

from damascene.contracts.lineage import LINEAGE
from damascene.contracts.table import check_table
from damascene.provenance.build import pack, write_provenance
from damascene.provenance.crate import crate_metadata, deposit_of
from damascene.provenance.lineage import jobs_that_ran

SETTINGS = {"study": "a <b> study", "seed": 1, "statistics": {"confidence": 0.95}}
BIO = "https://bioschemas.org/"


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Return the products of a study of two rules, with what the engine remembers of them."""
    monkeypatch.chdir(tmp_path)
    files = {
        "results/sites/a.parquet": b"sites",
        "results/panoramas/a.ome.tif": b"image",
        "results/statistics/densities.tsv": b"panorama\tcount\na\t3\n",
        "config/panoramas.tsv": b"panorama\tpath\na\ta.tif\n",
        "data/labels.tsv": b"panorama\tx_px\ty_px\tlabel\n",
        "workflow/Snakefile": b"rule all:\n",
    }
    for path, content in files.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)
    remember("results/sites/a.parquet", "label_sites", ["results/panoramas/a.ome.tif"], 100)
    remember("results/panoramas/a.ome.tif", "import_panorama", [], 50)
    remember(
        "results/statistics/densities.tsv", "summarise_sites", ["results/sites/a.parquet"], 200
    )
    return [path for path in files if path.startswith("results/")]


def remember(product, rule, inputs, start):
    memory = Path(".snakemake/metadata")
    memory.mkdir(parents=True, exist_ok=True)
    record = {"rule": rule, "input": inputs, "starttime": start, "endtime": start + 1}
    (memory / base64.b64encode(product.encode()).decode()).write_text(json.dumps(record))


def deposit(products, **changes):
    options = {
        "settings": SETTINGS,
        "version": "0.1.0",
        "sheet": "config/panoramas.tsv",
        "labels": {"1_labels.tsv": "data/labels.tsv"},
        "networks": [],
        "workflow": Path("workflow"),
    }
    return deposit_of(products, **options | changes)


def issues(folder, monkeypatch):
    """Return what the validator finds, with the terms of RO-Crate 1.1 from the package rocrate."""
    terms = json.loads((Path(rocrate.__file__).parent / "data/ro-crate.jsonld").read_text())
    # The package has the terms of a later version, in which these have other addresses.
    terms["@context"] |= {
        name: f"{BIO}{name}" for name in ("ComputationalWorkflow", "FormalParameter")
    }
    for name in ("input", "output"):
        terms["@context"][name] = f"{BIO}ComputationalWorkflow#{name}"

    class Answer:
        status_code, ok, from_cache = 200, True, True
        headers = {"Content-Type": "application/ld+json"}  # noqa: RUF012
        text = json.dumps(terms)
        content = text.encode()

        def json(self):
            return terms

    def get(_, url, **__):
        assert url == "https://w3id.org/ro/crate/1.1/context", url
        return Answer()

    monkeypatch.setattr(http.HttpRequester, "get", get, raising=False)
    settings = services.ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier="workflow-run-crate-0.5",
        requirement_severity=models.Severity.REQUIRED,
        skip_availability_check=True,
        cache_path=folder.parent / "cache",
    )
    return [issue.message for issue in services.validate(settings).get_issues()]


@pytest.mark.parametrize("images", [False, True])
def test_the_archive_is_a_valid_workflow_run_crate(study, tmp_path, monkeypatch, images):
    said = pack(deposit(study), "study.zip", images=images)
    assert said.startswith("study.zip: 0.0 MB")
    folder = tmp_path / "crate"
    with zipfile.ZipFile("study.zip") as archive:
        archive.extractall(folder)
    assert issues(folder, monkeypatch) == []
    assert (folder / "results/panoramas/a.ome.tif").exists() == images
    assert (folder / "labels/1_labels.tsv").read_bytes() == Path("data/labels.tsv").read_bytes()
    assert yaml.safe_load((folder / "config/config.yaml").read_text()) == SETTINGS


def test_the_page_of_the_viewer_is_packed_with_images_and_leads_back_to_its_rule(study, tmp_path):
    tiles = "results/viewer/tiles/a"
    files = ["results/viewer/index.html", f"{tiles}/0/0_0.js", f"{tiles}/thumbnail.jpg"]
    for path in files:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(path.encode())
    # The engine knows the folder of tiles, not the files in it.
    remember(tiles, "tile_panorama", ["results/panoramas/a.ome.tif"], 300)
    seen = [*study, "results/viewer/index.html", tiles]
    pack(deposit(seen), "with.zip", images=True)
    pack(deposit(seen), "without.zip", images=False)
    with zipfile.ZipFile("with.zip") as archive:
        assert set(files) <= set(archive.namelist())
        assert archive.read(files[1]) == files[1].encode()
    with zipfile.ZipFile("without.zip") as archive:
        assert files[1] not in archive.namelist()
    write_provenance(deposit(seen), crate="crate.json", table="lineage.tsv")
    table = pd.read_csv("lineage.tsv", sep="\t", keep_default_na=False).set_index("product")
    for path in files[1:]:
        assert table.loc[path, "rule"] == "tile_panorama"
        assert table.loc[path, "made_from"] == "results/panoramas/a.ome.tif"
    graph = json.loads(Path("crate.json").read_text())["@graph"]
    (job,) = [each for each in graph if each.get("name", "").startswith("tile_panorama (")]
    assert len(job["result"]) == 2


def test_the_validator_finds_a_crate_without_its_run(study, tmp_path, monkeypatch):
    crate = crate_metadata(deposit(study))
    crate["@graph"] = [each for each in crate["@graph"] if each["@id"] != "#run"]
    folder = tmp_path / "broken"
    for each in ("workflow", "results", "config", "labels"):
        (folder / each).mkdir(parents=True)
    (folder / "ro-crate-metadata.json").write_text(json.dumps(crate))
    assert any("mainEntity as its instrument" in each for each in issues(folder, monkeypatch))


def test_every_table_leads_back_to_the_image(study):
    write_provenance(deposit(study), crate="crate.json", table="lineage.tsv")
    table = check_table(
        pd.read_csv("lineage.tsv", sep="\t", keep_default_na=False), LINEAGE, source=""
    )
    by_product = table.set_index("product")
    assert (
        by_product.loc["results/statistics/densities.tsv", "made_from"] == "results/sites/a.parquet"
    )
    assert by_product.loc["results/sites/a.parquet", "rule"] == "label_sites"
    graph = {each["@id"]: each for each in json.loads(Path("crate.json").read_text())["@graph"]}
    actions = [each for each in graph.values() if each["@type"] == "CreateAction"]
    (counted,) = [each for each in actions if "summarise_sites" in each["name"]]
    assert counted["object"] == {"@id": "results/sites/a.parquet"}
    # SHA-256 of the five letters.
    image = graph["#results/panoramas/a.ome.tif"]
    assert image["sha256"] == "6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d"
    assert graph["#value/statistics.confidence"]["value"] == "0.95"


def test_a_product_that_the_engine_does_not_remember_is_listed(study):
    (path,) = Path(".snakemake/metadata").glob(
        base64.b64encode(b"results/sites/a.parquet").decode()
    )
    path.write_text("{ no JSON")
    jobs = jobs_that_ran(Path(".snakemake/metadata"), study)
    assert [job.rule for job in jobs] == ["import_panorama", "summarise_sites"]
    table = deposit(study)
    assert {each.path for each in table.products} == set(study)
