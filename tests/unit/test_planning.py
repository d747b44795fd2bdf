"""What a study needs before it runs: sizes, limits, jobs, and what runs say of them."""

import math

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from made_records import panorama_record
from PIL import Image

from damascene import InputError
from damascene.classes import SITE_CLASSES
from damascene.config.study import load_study
from damascene.jobs.benchmarks import Measured, benchmarks_digest, read_benchmarks
from damascene.jobs.preview import (
    advice_yaml,
    cost_table,
    preview_text,
    resource_advice,
    study_sizes,
)
from damascene.jobs.resources import (
    ENGINE_MB,
    LEAST_MINUTES,
    MEMORY_MARGIN,
    TIME_MARGIN,
    Size,
    cpu_seconds,
    megabytes,
    memory_limit_mb,
    seconds,
    time_limit_minutes,
)
from damascene.jobs.sizes import (
    MOST_PER_MEGAPIXEL,
    expected_labels,
    job_cost,
    job_size,
    panorama_size,
    strip_size,
)
from damascene.jobs.unit_costs import UnitCost, cost_of, read_unit_costs
from damascene.study.check import check_study
from damascene.study.dropped import with_dropped_labels
from damascene.study.jobs import default_jobs, viewer_jobs
from damascene.study.models import with_models
from damascene.study.plan import mentioned_in_labels, plan_study
from damascene.study.sheet import read_sheet

COSTS = read_unit_costs()
SCOPES = ("panorama", "study", "labels", "epochs", "patches", "denoiser")
LABELS = [{"path": "labels.tsv"}]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sheet_of(folder, *rows):
    lines = ["panorama\tpath\tpixel_size_nm\tstrain_percent\toverlap_percent", *rows]
    (folder / "panoramas.tsv").write_text("\n".join(lines) + "\n")
    return read_sheet(folder / "panoramas.tsv").set_index("panorama", drop=False)


def simulated(folder, number):
    return sheet_of(folder, *(f"p{n}\tsimulated\t40\t{n}\t" for n in range(number)))


def with_candidates(folder, name, number):
    (folder / "results/candidates").mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame({"x_px": np.zeros(number)})
    table.to_parquet(folder / f"results/candidates/{name}.parquet")


# -- limits


@given(st.floats(0, 1e5), st.integers(1, 3))
def test_a_job_may_take_half_as_much_memory_again_beside_the_engine(needed, attempt):
    limit = memory_limit_mb(needed, attempt=attempt)
    assert limit >= attempt * (MEMORY_MARGIN * needed + ENGINE_MB)
    assert limit < attempt * (MEMORY_MARGIN * needed + ENGINE_MB + 250) + 1
    assert limit == attempt * memory_limit_mb(needed)
    assert isinstance(limit, int)


@given(st.floats(0, 1e6), st.integers(1, 3))
def test_a_job_may_take_four_times_as_long_and_ten_minutes_at_least(needed, attempt):
    limit = time_limit_minutes(needed, attempt=attempt)
    assert limit >= attempt * max(TIME_MARGIN * needed / 60, LEAST_MINUTES)
    assert limit < attempt * (max(TIME_MARGIN * needed / 60, LEAST_MINUTES) + 5.001)
    assert isinstance(limit, int)


def test_margins_are_those_that_the_documentation_states():
    assert (MEMORY_MARGIN, TIME_MARGIN, LEAST_MINUTES, ENGINE_MB) == (1.5, 4, 10, 300)
    assert (memory_limit_mb(1000), memory_limit_mb(1000, attempt=2)) == (2000, 4000)
    assert (time_limit_minutes(30), time_limit_minutes(600, attempt=2)) == (10, 80)


def test_costs_grow_with_megapixels_and_sites():
    cost = UnitCost(
        rule="any",
        cpu_seconds=3,
        cpu_seconds_per_mpx=0.5,
        cpu_seconds_per_1000=20,
        cores=2,
        mb=200,
        mb_per_1000=10,
    )
    size = Size(megapixels=100, sites=2000)
    assert (cpu_seconds(cost, size), megabytes(cost, size)) == (93, 220)
    assert seconds(cost, size) == 46.5


# -- the shipped table


def test_no_shipped_cost_is_negative_or_missing():
    for cost in COSTS.values():
        numbers = [value for value in vars(cost).values() if isinstance(value, float | int)]
        assert all(math.isfinite(value) and value >= 0 for value in numbers), cost
        assert cost.mb > 0 and cost.scope in SCOPES, cost
        assert seconds(cost, Size(megapixels=25, sites=250)) > 0, cost


@pytest.mark.parametrize(
    "rule", ["find_candidates", "describe_candidates", "measure_quality", "draw_overview"]
)
def test_memory_grows_far_less_than_the_panorama(rule):
    cost = cost_of(COSTS, rule)
    # Forty times the pixels; dark ones are kept, so that the search takes somewhat more.
    assert megabytes(cost, Size(megapixels=1000)) < 6 * megabytes(cost, Size(megapixels=25))


def test_a_gigapixel_fits_a_usual_node_and_a_usual_queue():
    size = Size(megapixels=1000, sites=1000 * MOST_PER_MEGAPIXEL)
    for (rule, variant), cost in COSTS.items():
        if cost.scope == "panorama" and rule != "sweep_detection":
            assert memory_limit_mb(megabytes(cost, size)) <= 16000, rule
            slow = rule == "denoise_panorama" or variant == "large"
            assert time_limit_minutes(seconds(cost, size)) <= (48 * 60 if slow else 12 * 60), rule


def test_the_kind_of_network_decides_what_a_rule_costs():
    study = load_study({"inclusion": {"network": "compact"}, "damage": {"network": "vgg16"}})
    assert job_cost(COSTS, "train_network", study=study, stage="inclusion").variant == "small"
    assert job_cost(COSTS, "train_fold", study=study, stage="damage").variant == "large"
    # A rule that runs both is as heavy as the heavier one.
    assert job_cost(COSTS, "classify_sites", study=study).variant == "large"


def test_the_way_to_a_phase_map_decides_what_it_costs():
    ways = ({}, {"network": "unet_lite0", "method": "train"}, {"method": "random_forest"})
    plain, *others = (
        job_cost(COSTS, "segment_panorama", study=load_study({"segmentation": way})) for way in ways
    )
    assert [plain.variant, *(cost.variant for cost in others)] == [
        "",
        "unet_lite0",
        "random_forest",
    ]
    size = Size(megapixels=400)
    assert min(seconds(cost, size) for cost in others) > 2 * seconds(plain, size)


def test_a_rule_without_costs_takes_those_of_small_rules():
    assert cost_of(COSTS, "draw_confusion_truth") == COSTS["small", ""]
    assert cost_of(COSTS, "train_fold", "frozen") == COSTS["train_network", "frozen"]


# -- sizes


def test_pixels_of_a_simulated_panorama_come_from_the_configuration(folder):
    study = load_study({"simulation": {"width_px": 2000, "height_px": 1000}})
    size = panorama_size("p0", study=study, sheet=simulated(folder, 1))
    assert size == Size(megapixels=2, sites=2 * MOST_PER_MEGAPIXEL)


def test_pixels_of_an_image_come_from_its_header_and_then_from_its_record(folder):
    Image.fromarray(np.zeros((300, 500), np.uint8)).save(folder / "image.png")
    sheet = sheet_of(folder, "p\timage.png\t40\t0\t")
    study = load_study({"labels": LABELS})
    assert panorama_size("p", study=study, sheet=sheet).megapixels == pytest.approx(0.15)
    (folder / "results/panoramas").mkdir(parents=True)
    panorama_record(shape=(280, 500)).write(folder / "results/panoramas/p.json")
    assert panorama_size("p", study=study, sheet=sheet).megapixels == pytest.approx(0.14)


def test_pixels_of_a_grid_are_those_of_its_cells_missing_ones_included(folder):
    for name in ("a", "b"):
        Image.fromarray(np.zeros((100, 200), np.uint8)).save(folder / f"{name}.png")
    (folder / "grid.tsv").write_text("file\tcolumn\trow\na.png\t0\t0\nb.png\t2\t1\n")
    (folder / "frames.tsv").write_text("file\tx_px\ty_px\na.png\t0\t0\nb.png\t150\t0\n")
    sheet = sheet_of(folder, "grid\tgrid.tsv\t40\t0\t", "frames\tframes.tsv\t40\t0\t")
    study = load_study({"labels": LABELS})
    assert panorama_size("grid", study=study, sheet=sheet).megapixels == pytest.approx(0.12)
    assert panorama_size("frames", study=study, sheet=sheet).megapixels == pytest.approx(0.04)


def test_lengths_that_cannot_be_meant_are_refused_before_any_work(folder):
    Image.fromarray(np.zeros((300, 500), np.uint8)).save(folder / "image.png")
    sheet = sheet_of(folder, "p\timage.png\t40\t0\t")
    for detection, key in (
        ({"minimum_area": "1e9 px2"}, "detection.minimum_area"),
        ({"minimum_area": "130 um2"}, "detection.minimum_area"),
        ({"threshold": {"block": "9000 um"}}, "detection.threshold.block"),
    ):
        given = {"labels": LABELS, "detection": {"eps": "2 px"}}
        study = load_study(given | {"detection": detection})
        with pytest.raises(InputError, match=f"{key}: .* of panorama 'p'"):
            check_study(study, sheet)
        with pytest.raises(InputError) as error:
            check_study(load_study(given), sheet)
        assert key not in str(error.value)


def labels_at(folder, places):
    """Write labels of panorama `a`: class, column and row of each."""
    rows = [f"a\t{x}\t{y}\t{name}" for name, x, y in places]
    (folder / "labels.tsv").write_text("\n".join(["panorama\tx_px\ty_px\tlabel", *rows]) + "\n")


def test_panoramas_are_labelled_if_a_file_names_the_class_of_a_site(folder):
    labels_at(folder, [("notch", 1, 1), ("", 2, 2)])
    with (folder / "labels.tsv").open("a") as file:
        file.write("b\t1\t1\t\n")
    sheet = sheet_of(folder, "a\timage.png\t40\t0\t", "b\timage.png\t40\t0\t")
    assert mentioned_in_labels(load_study({"labels": LABELS}), sheet) == {"a"}


#: Three labels of each class in three places: enough.
ENOUGH = [
    (name, 100 + 220 * column, 100 + 400 * row)
    for column, name in enumerate(SITE_CLASSES)
    for row in range(3)
]
DIVIDED = {
    "panoramas": "panoramas.tsv",
    "split": {"folds": 3, "block": "16 um"},
}


def of_one_image(folder, places, *, dropped=False, **settings):
    """Check and plan a study of one image with some labels; return what is said, and the plan."""
    Image.fromarray(np.random.default_rng(0).integers(60, 140, (1000, 1200), np.uint8)).save(
        "a.png"
    )
    sheet = sheet_of(folder, "a\ta.png\t40\t\t")
    labels_at(folder, places)
    study = load_study(DIVIDED | ({} if dropped else {"labels": LABELS}) | settings)
    if dropped:
        (folder / "config/labels").mkdir(parents=True)
        (folder / "labels.tsv").rename(folder / "config/labels/labels_ada.tsv")
        study = with_dropped_labels(study)
    return check_study(with_models(study), sheet), plan_study(with_models(study), sheet)


@pytest.mark.parametrize("dropped", [True, False])
def test_too_few_labels_are_kept_and_shown_and_train_nothing(folder, dropped):
    said, plan = of_one_image(folder, ENOUGH[:7], dropped=dropped)
    counts = "3 inclusion, 3 notch, 1 shadowing, 0 interface, 0 martensite"
    told = f"Labelled sites: {counts}; needed are 3 of each class, in 3 places."
    assert told in said[-1] and "'models: simulated'" in said[-1] and said[-1] == plan.unclassified
    assert "1 shadowing in 1 place, 0 interface in 0 places" in said[-1]
    assert not (plan.classifies or plan.has_labels or plan.shows_label_effect)
    jobs = default_jobs(plan)
    assert "collect_labels" in jobs and "results/labels/labels.parquet" in plan.products
    assert not {"split_labels", "train_network", "classify_sites", "write_headline"} & set(jobs)
    # A job finds the same without a look at the labels, and more of them suffice.
    assert plan_study(plan.study, plan.sheet.reset_index(drop=True)).few == plan.few
    labels_at(folder, ENOUGH)
    study = plan.study.model_copy(update={"labels": load_study({"labels": LABELS}).labels})
    check_study(study, plan.sheet)
    plan = plan_study(study, plan.sheet.reset_index(drop=True))
    assert plan.classifies and plan.has_labels and not plan.unclassified and plan.few is None
    assert {"split_labels", "train_network", "write_headline"} <= set(default_jobs(plan))


def test_labels_in_too_few_places_are_too_few(folder):
    said, plan = of_one_image(folder, [each for each in ENOUGH if each[2] < 800])
    assert not plan.classifies and "2 inclusion in 2 places" in said[-1]
    close = [(name, 60 + 12 * number, 60) for number, (name, *_) in enumerate(ENOUGH)]
    said, plan = of_one_image(folder, close)
    assert "The labelled sites lie in 1 place, which cannot be divided into 3 folds" in said[-1]
    assert "3 inclusion, 3 notch" in said[-1] and not plan.classifies
    # Each class in three places, but so near that windows of what is left to learn from are seen.
    near = [(name, x, 300 + (y - 100) // 4) for name, x, y in ENOUGH]
    said, plan = of_one_image(folder, near, split={"folds": 3, "block": "5 um"})
    assert "share pixels" in said[-1] and not plan.classifies


def test_too_few_labels_beside_given_networks_correct_and_test_nothing(folder):
    said, plan = of_one_image(folder, ENOUGH[:7], models="simulated")
    assert "they name their sites and nothing else" in said[-1] and plan.classifies
    assert not plan.has_labels and "0 martensite; needed are 3" in plan.untested
    jobs = default_jobs(plan)
    assert {"collect_labels", "label_sites"} <= set(jobs) and "predict_held_out" not in jobs
    # Labels enough in number, but in one place, test nothing either.
    close = [(name, 60 + 12 * number, 60) for number, (name, *_) in enumerate(ENOUGH)]
    said, plan = of_one_image(folder, close, models="simulated")
    assert "in 1 place" in said[-1] and plan.classifies and not plan.has_labels
    _, plan = of_one_image(folder, ENOUGH, models="simulated")
    assert plan.has_labels and "predict_held_out" in default_jobs(plan)


def test_an_overlap_beside_positions_is_refused_in_the_sheet(folder):
    (folder / "frames.tsv").write_text("file\tx_px\ty_px\na.png\t0\t0\nb.png\t150\t0\n")
    sheet = sheet_of(folder, "frames\tframes.tsv\t40\t0\t20")
    with pytest.raises(InputError, match=r"row 2, column 'overlap_percent': .*frames\.tsv says"):
        check_study(load_study({"labels": LABELS, "panoramas": "panoramas.tsv"}), sheet)


def test_candidates_are_counted_once_they_are_there(folder):
    study, sheet = load_study({}), simulated(folder, 2)
    with_candidates(folder, "p1", 77)
    assert panorama_size("p1", study=study, sheet=sheet).sites == 77
    assert panorama_size("p0", study=study, sheet=sheet).sites > 77
    # A file that is just being written does not stop the planning.
    (folder / "results/candidates/p0.parquet").write_bytes(b"PAR1")
    assert panorama_size("p0", study=study, sheet=sheet).sites > 77


def test_sums_over_a_study_open_few_files(folder, monkeypatch):
    study, sheet = load_study({}), simulated(folder, 1000)
    asked = []

    def noted(name):
        asked.append(name)
        return 100

    monkeypatch.setattr("damascene.jobs.sizes.candidates_found", noted)
    size = job_size(cost_of(COSTS, "summarise_sites"), study=study, sheet=sheet)
    assert size.sites == pytest.approx(100 * 1000)
    assert size.megapixels == pytest.approx(1000 * 6144 * 4096 / 1e6)
    assert len(asked) == 25 and {"p0", "p999"} <= set(asked)


def test_jobs_on_strips_share_a_panorama_and_those_that_join_do_not():
    whole, study = Size(megapixels=1000, sites=10000), load_study({"strips": 16})
    for rule in ("denoise_strip", "find_dark_pixels", "describe_strip", "classify_strip"):
        assert strip_size(whole, rule, study=study) == Size(megapixels=62.5, sites=625)
    for rule in ("join_denoised", "cluster_strips", "join_sites", "measure_quality"):
        assert strip_size(whole, rule, study=study) == whole


def test_strips_make_jobs_and_not_work(folder):
    sheet, tables = simulated(folder, 2), {}
    for strips in (1, 4):
        study = load_study({"strips": strips})
        plan = plan_study(study, sheet)
        table = cost_table(COSTS, [], plan=plan, sizes=study_sizes(plan))
        tables[strips] = table.set_index("rule")
    alone, shared = tables[1].loc["classify_sites"], tables[4].loc["classify_strip"]
    assert (alone.jobs, shared.jobs) == (2, 8)
    assert shared.longest_job_minutes < alone.longest_job_minutes
    # Each job starts networks of its own.
    assert alone.core_hours < shared.core_hours < 4 * alone.core_hours


def test_stages_that_see_the_same_share_clips_and_one_look(folder):
    sheet = simulated(folder, 2)
    asked = {
        "{}": (["inclusion"], ["inclusion"]),
        "damage: {window: 3 um}": (["inclusion", "damage"], ["inclusion", "damage"]),
        "damage: {network: compact}": (["inclusion", "damage"], ["inclusion"]),
        "training: {pseudo_labels: 1}": (["inclusion"], []),
    }
    for text, (cut, looked) in asked.items():
        study = load_study({"panoramas": "panoramas.tsv"} | yaml.safe_load(text))
        jobs = default_jobs(plan_study(study, sheet))
        stages = {
            rule: [job["stage"] for job in jobs.get(rule, [])]
            for rule in ("cut_clips", "look_at_labels")
        }
        assert stages == {"cut_clips": cut, "look_at_labels": looked}


def test_a_study_of_phases_alone_classifies_no_site(folder):
    Image.fromarray(np.random.default_rng(0).integers(60, 140, (400, 500), np.uint8)).save("a.png")
    labels = np.random.default_rng(1).integers(1, 4, (400, 500), np.uint8)
    Image.fromarray(labels).save("labels.png")
    sheet = sheet_of(folder, "a\ta.png\t40\t\t").assign(phase_labels="labels.png")
    study = load_study({"panoramas": "panoramas.tsv", "segmentation": {"method": "multi_otsu"}})
    assert "phases are mapped, and no site is classified" in " ".join(check_study(study, sheet))
    assert "run the targets review and viewer" in " ".join(check_study(study, sheet))
    plan = plan_study(study, sheet)
    assert not plan.classifies
    assert not [path for path in plan.products if "sites" in path or "densit" in path]
    jobs = default_jobs(plan)
    assert {"import_panorama", "draw_quality"} <= set(jobs)
    assert not {"train_network", "classify_sites", "summarise_sites", "draw_overview"} & set(jobs)


def test_a_study_without_labels_is_told_how_to_begin(folder):
    Image.fromarray(np.random.default_rng(0).integers(60, 140, (400, 500), np.uint8)).save("a.png")
    sheet = sheet_of(folder, "a\ta.png\t40\t\t")
    for method, done in (("none", "candidates are found, and"), ("simulated", "phases are mapped")):
        study = load_study({"panoramas": "panoramas.tsv", "segmentation": {"method": method}})
        said = " ".join(check_study(study, sheet))
        assert done in said and "To label your first sites" in said


def test_labels_are_rows_of_files_and_what_is_drawn(folder):
    (folder / "labels.tsv").write_text("x_px\ty_px\tlabel\n1\t2\tnotch\n3\t4\tnotch\n\n")
    sheet = simulated(folder, 3)
    drawn = load_study({"simulation": {"labels_per_class": 10}})
    assert expected_labels(drawn, sheet) == 3 * 5 * 10
    few = {"labels_per_class": 100, "width_px": 1000, "height_px": 1000, "labelled_fraction": 0.5}
    given_too = load_study({"labels": LABELS, "simulation": few})
    assert expected_labels(given_too, sheet) == 2 + 3 * 5


def test_gradient_training_grows_with_the_epochs(folder):
    sheet = simulated(folder, 1)
    sizes = [
        job_size(
            job_cost(COSTS, "train_network", study=study, stage="damage"), study=study, sheet=sheet
        ).sites
        for epochs in (10, 20)
        for study in [
            load_study({"damage": {"network": "compact"}, "training": {"epochs": epochs}})
        ]
    ]
    assert sizes[1] == 2 * sizes[0] > 0


# -- benchmarks


def write_benchmark(folder, name, *, s=10.0, mb=500.0, load=100.0):
    path = folder / f"results/benchmarks/{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\tmax_rss\tmean_load\n{s}\t{mb}\t{load}\n")


def test_benchmarks_are_read_with_what_the_job_left(folder):
    write_benchmark(folder, "find_candidates/p0", load=150)
    write_benchmark(folder, "train_fold/damage.1")
    write_benchmark(folder, "summarise_sites", mb="NA", load="NA")
    (folder / "results/benchmarks/split_labels.tsv").write_text("s\tmax_rss\n")
    with_candidates(folder, "p0", 10)
    stored = (folder / "results/candidates/p0.parquet").stat().st_size / 1e6
    assert read_benchmarks() == [
        Measured(rule="find_candidates", job="p0", seconds=10, cores=1.5, mb=500, stored_mb=stored),
        Measured(rule="summarise_sites", job="", seconds=10, cores=None, mb=None, stored_mb=None),
        Measured(rule="train_fold", job="damage.1", seconds=10, cores=1, mb=500, stored_mb=None),
    ]
    assert [job.stage for job in read_benchmarks()] == [None, None, "damage"]


def test_the_digest_knows_new_benchmarks_but_not_that_of_the_planning(folder):
    empty = benchmarks_digest()
    write_benchmark(folder, "plan_resources")
    assert benchmarks_digest() == empty
    write_benchmark(folder, "find_candidates/p0")
    assert benchmarks_digest() != empty


# -- preview and advice


def preview_of(study, sheet):
    plan = plan_study(study, sheet)
    known = {"plan": plan, "sizes": study_sizes(plan)}
    measured = read_benchmarks()
    return (
        cost_table(COSTS, measured, **known).set_index("rule"),
        resource_advice(COSTS, measured, **known),
        known["sizes"],
    )


def test_a_preview_works_before_anything_has_run(folder):
    study, sheet = load_study({}), simulated(folder, 1000)
    table, advice, sizes = preview_of(study, sheet)
    assert table.jobs.sum() == sum(
        len(jobs) for jobs in default_jobs(plan_study(study, sheet)).values()
    )
    assert (table.basis == "shipped unit costs").all() and advice.empty
    assert yaml.safe_load(advice_yaml(advice)) == {"set-resources": {}}
    cost, one = job_cost(COSTS, "find_candidates", study=study), sizes["p0"]
    expected = 1000 * cpu_seconds(cost, one) / 3600
    assert table.core_hours["find_candidates"] == pytest.approx(expected)
    assert table.gpu_hours["find_candidates"] == 0 < table.gpu_hours["classify_sites"]
    plan = plan_study(study, sheet)
    viewer = cost_table(COSTS, [], plan=plan, sizes=sizes, jobs=viewer_jobs(plan))
    assert set(viewer.rule) == {"tile_panorama", "tile_phases", "show_sites", "write_viewer"}
    options = {"name": "mine", "sizes": sizes, "advice": advice, "viewer": viewer}
    text = preview_text(table.reset_index(), **options)
    stored = viewer.storage_gb.sum()
    # Pictures of a panorama take about a seventh of its own bytes.
    assert 0.1 < stored / table.storage_gb["simulate_panorama"] < 0.3
    assert f"{stored:,.2f} GB more" in text
    assert "1,000" in text and f"{table.jobs.sum():,}" in text and len(text.splitlines()) < 40


def test_enough_jobs_of_this_study_replace_the_shipped_costs(folder):
    study, sheet = load_study({}), simulated(folder, 10)
    shipped, _, sizes = preview_of(study, sheet)
    cost = job_cost(COSTS, "find_candidates", study=study)
    for number in range(2):
        write_benchmark(folder, f"find_candidates/p{number}", s=5 * seconds(cost, sizes["p0"]))
    few, _, _ = preview_of(study, sheet)
    assert few.core_hours.equals(shipped.core_hours)
    write_benchmark(folder, "find_candidates/p2", s=5 * seconds(cost, sizes["p0"]), load=100)
    enough, _, _ = preview_of(study, sheet)
    assert enough.basis["find_candidates"] == "measured here: 3 jobs"
    expected = 10 * 5 * seconds(cost, sizes["p0"]) / 3600
    assert enough.core_hours["find_candidates"] == pytest.approx(expected)


def test_panoramas_are_expected_to_have_the_density_of_those_that_were_searched(folder):
    study, sheet = load_study({}), simulated(folder, 4)
    with_candidates(folder, "p0", 1000)
    sizes = study_sizes(plan_study(study, sheet))
    assert sizes["p0"].sites == 1000 and sizes["p3"].sites == pytest.approx(1000)


def test_advice_is_given_where_the_default_is_off_and_only_there(folder):
    study, sheet = load_study({}), simulated(folder, 4)
    sizes = study_sizes(plan_study(study, sheet))
    cost = job_cost(COSTS, "find_candidates", study=study)
    said = megabytes(cost, sizes["p0"])
    for number in range(3):
        usual = {"s": seconds(cost, sizes["p0"]), "mb": said}
        write_benchmark(folder, f"find_candidates/p{number}", **usual)
        quality = job_cost(COSTS, "measure_quality", study=study)
        heavy = {
            "s": seconds(quality, sizes["p0"]),
            "mb": 4 * megabytes(quality, sizes["p0"]),
        }
        write_benchmark(folder, f"measure_quality/p{number}", **heavy)
    _, advice, _ = preview_of(study, sheet)
    assert [(row.rule, row.resource) for row in advice.itertuples()] == [
        ("measure_quality", "mem_mb")
    ]
    advised = memory_limit_mb(4 * megabytes(quality, sizes["p0"]))
    assert advice.advised[0] == advised and advice.jobs[0] == 3
    block = yaml.safe_load(advice_yaml(advice))
    assert block == {"set-resources": {"measure_quality": {"mem_mb": f"{advised} * attempt"}}}


@pytest.mark.parametrize(
    ("method", "hard_phase"),
    [("simulated", "martensite"), ("simulated", ""), ("none", "martensite")],
)
def test_sites_are_described_by_phases_where_there_are_maps_and_a_hard_phase(
    folder, method, hard_phase
):
    study = load_study({"segmentation": {"method": method, "hard_phase": hard_phase}})
    plan = plan_study(study, simulated(folder, 2))
    jobs = default_jobs(plan)
    counted = method != "none" and hard_phase != ""
    assert [name for name in jobs if name in ("describe_phases", "count_by_phase")] == [
        name for name in ("describe_phases", "count_by_phase") if counted
    ]
    assert ("results/statistics/density_by_phase.tsv" in plan.products) == counted
    assert ("results/figures/phase_surroundings.svg" in plan.products) == counted


def test_phases_have_the_values_of_their_order(folder):
    phases = {
        "pearlite": {"label": 9, "colour": "#000000"},
        "cementite": {"label": 4, "colour": "#ffffff"},
    }
    settings = {"phases": phases, "hard_phase": "cementite", "damage_phase": "", "method": "train"}
    plan = plan_study(load_study({"segmentation": settings}), simulated(folder, 1))
    assert plan.phase_value(plan.hard_phase) == 2
    assert plan.phase_value("") is None
