"""Whether statistics are older than what they are made from."""

import os

from damascene.study.stale import lost_memory, stale_statistics

NAMES = ("panoramas/a.json", "candidates/a.parquet", "sites/a.parquet", "statistics/densities.tsv")


def results_of(folder):
    for age, name in enumerate(reversed(NAMES)):
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text("")
        os.utime(path, (1e9 - age, 1e9 - age))
    return folder


def test_a_finished_study_and_one_that_never_ran_have_nothing_stale(tmp_path):
    assert stale_statistics(tmp_path) == ""
    results = results_of(tmp_path)
    assert stale_statistics(results) == ""
    # What stands round the candidates does not enter the counts.
    (results / "candidates/a.phases.parquet").write_text("")
    assert stale_statistics(results) == ""


def test_candidates_that_were_found_again_are_told(tmp_path):
    results = results_of(tmp_path)
    os.utime(results / "candidates/a.parquet", (1e9 + 5, 1e9 + 5))
    said = stale_statistics(results)
    assert "older than" in said and "candidates/a.parquet" in said


def test_a_missing_memory_of_the_engine_is_told_where_there_are_products(tmp_path):
    engine = tmp_path / "engine"
    assert lost_memory(tmp_path / "results", engine=engine) == ""
    results = results_of(tmp_path / "results")
    assert "go unnoticed" in lost_memory(results, engine=engine)
    engine.mkdir()
    (engine / "one").write_text("")
    assert lost_memory(results, engine=engine) == ""
