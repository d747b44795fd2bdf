"""The tables of phase maps, what is said beside them, and their figures."""

import numpy as np
import pandas as pd
import pytest

from damascene.clustering.runs import runs_of
from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.phase_convergence import PHASE_CONVERGENCE
from damascene.contracts.phase_damage import PHASE_DAMAGE
from damascene.contracts.phase_record import PhaseCaveat, PhaseRecord
from damascene.contracts.phase_shapes import PHASE_SHAPES
from damascene.contracts.phases import PHASES
from damascene.contracts.table import check_table, empty_table, read_tsvs, write_tsv
from damascene.figures.phase_statistics import (
    draw_islands_and_bands,
    draw_phase_convergence,
    draw_phases_against_strain,
)
from damascene.figures.style import save_figure
from damascene.images.store import TiledImage, write_tiled
from damascene.statistics.phases.measure import measure_phases
from damascene.statistics.phases.summary import phase_notes, with_study

NAMES = ("ferrite", "martensite", "damage")
COLOURS = {"ferrite": "#56B4E9", "martensite": "#E69F00", "damage": "#000000"}
ROLES = {"hard_phase": "martensite", "damage_phase": "damage"}
CONTRACTS = {
    "phases": PHASES,
    "convergence": PHASE_CONVERGENCE,
    "shapes": PHASE_SHAPES,
    "damage": PHASE_DAMAGE,
}


def steel(shape=(900, 1200), *, spacing_px=150, width_px=60):
    """Return stripes of martensite along x with three square cavities, and the runs of sites."""
    values = np.ones(shape, np.uint8)
    values[np.arange(shape[0]) % spacing_px < width_px] = 2
    for top, left in ((100, 100), (400, 500), (700, 1000)):
        values[top : top + 20, left : left + 20] = 3
    # The first cavity was found with its rim, the second not, and a shadow is no cavity.
    site = np.zeros(shape, np.int64)
    site[98:122, 98:122] = 1
    site[700:710, 1000:1020] = 2
    site[300:310, 300:310] = 3
    return values, runs_table(site)


def runs_table(site):
    parts = []
    for number in np.unique(site[site > 0]):
        runs = runs_of(*np.nonzero(site == number))
        parts.append(
            pd.DataFrame(
                {"site_id": number, "y_px": runs.row, "left_px": runs.first, "right_px": runs.last}
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else empty_table(CANDIDATE_RUNS)


def measured(path, values, runs, **changes):
    options = {
        "panorama": "a",
        "strain_percent": 6.0,
        "phases": NAMES,
        "hard_phase": "martensite",
        "damage_phase": "damage",
        "minimum_area": "0.1 um2",
        "confidence": 0.95,
    }
    write_tiled(path, [values], shape=values.shape, pixel_size_nm=100, name="map", pyramid=False)
    with TiledImage(path) as image:
        tables = measure_phases(image, runs, **(options | changes))
    return {
        name: check_table(getattr(tables, name), contract, source=name)
        for name, contract in CONTRACTS.items()
    }


def test_tables_of_a_map(tmp_path):
    values, runs = steel()
    tables = measured(tmp_path / "map.ome.tif", values, runs)
    phases = tables["phases"].set_index("phase")
    assert list(phases.index) == list(NAMES)
    metal = (values < 3).sum()
    assert phases.loc["martensite", "fraction"] == pytest.approx((values == 2).sum() / metal)
    assert phases.loc["damage", "fraction"] == pytest.approx(1200 / values.size)
    assert phases.loc["damage", "area_um2"] == pytest.approx(12)
    shapes = tables["shapes"].set_index("phase")
    assert shapes.loc["martensite", "bands"] == "bands"
    assert shapes.loc["martensite", "band_spacing_um"] == pytest.approx(15, rel=0.07)
    assert shapes.loc["martensite", "band_angle_deg"] == pytest.approx(0, abs=1)
    assert (shapes.loc[["ferrite", "damage"], "bands"] == "").all()
    assert shapes["islands"].to_dict() == {"ferrite": 6, "martensite": 6, "damage": 3}
    assert shapes.loc["damage", "diameter_median_um"] == pytest.approx(2 * np.sqrt(4 / np.pi))


def test_damage_of_the_map_against_candidates(tmp_path):
    values, runs = steel()
    row = measured(tmp_path / "map.ome.tif", values, runs)["damage"].iloc[0]
    assert row["map_area_um2"] == pytest.approx(12)
    assert row["candidates_area_um2"] == pytest.approx(5.76 + 2 + 1)
    assert row["common_area_um2"] == pytest.approx(4 + 2)
    assert row["area_precision"] == pytest.approx(6 / 12)
    assert row["area_recall"] == pytest.approx(6 / 8.76)
    assert (row["map_sites"], row["map_sites_no_candidate"]) == (3, 1)
    assert row["map_area_no_candidate_um2"] == pytest.approx(4)
    assert (row["candidates"], row["candidates_not_in_map"]) == (3, 1)
    assert row["candidates_area_not_in_map_um2"] == pytest.approx(1)


def test_small_damage_counts_as_area_and_not_as_a_site(tmp_path):
    values, runs = steel()
    values[5:8, 5:8] = 3
    row = measured(tmp_path / "map.ome.tif", values, runs)["damage"].iloc[0]
    assert row["map_area_um2"] == pytest.approx(12.09)
    assert row["map_sites"] == 3


def test_a_steel_without_hard_phase_and_damage(tmp_path):
    values, _ = steel()
    tables = measured(
        tmp_path / "map.ome.tif",
        values,
        empty_table(CANDIDATE_RUNS),
        phases=("matrix", "spheroidite", "network"),
        hard_phase="",
        damage_phase="",
    )
    assert tables["damage"].empty
    assert (tables["shapes"]["bands"] == "").all()
    assert tables["phases"]["fraction"].sum() == pytest.approx(1)
    together = check_table(
        with_study(tables["phases"], damage_phase="", confidence=0.95), PHASES, source="study"
    )
    notes = phase_notes(together, tables["shapes"], [], damage_phase="", hard_phase="")
    assert "No phase is named as the hard one" in notes
    assert "No phase is named as damage" in notes
    colours = dict(zip(("matrix", "spheroidite", "network"), COLOURS.values(), strict=True))
    for figure in (
        draw_phases_against_strain(together, colours=colours, damage_phase=""),
        draw_phase_convergence(tables["convergence"], together, phase="matrix"),
        draw_islands_and_bands(tables["shapes"], phase="matrix", colours=colours, damage_phase=""),
    ):
        save_figure(figure, tmp_path / "a.svg", tmp_path / "a.png")


def test_a_panorama_without_candidates_has_no_recall(tmp_path):
    values, _ = steel()
    row = measured(tmp_path / "map.ome.tif", values, empty_table(CANDIDATE_RUNS))["damage"].iloc[0]
    assert row["candidates"] == 0
    assert np.isnan(row["area_recall"])
    assert row["area_precision"] == 0
    assert row["map_sites_no_candidate"] == 3


def test_a_map_without_anything_is_told(tmp_path):
    tables = measured(
        tmp_path / "map.ome.tif", np.zeros((400, 400), np.uint8), empty_table(CANDIDATE_RUNS)
    )
    together = with_study(tables["phases"], damage_phase="damage", confidence=0.95)
    check_table(together, PHASES, source="study")
    notes = phase_notes(
        together, tables["shapes"], [], damage_phase="damage", hard_phase="martensite"
    )
    assert "! Phase map of a: nothing is mapped." in notes
    assert notes.startswith("Phase maps: nothing is mapped, in 1 panorama.")
    assert "Bands of martensite were not measured: 1 panorama too small" in notes
    draw_phases_against_strain(together, colours=COLOURS, damage_phase="damage")
    draw_phase_convergence(tables["convergence"], together, phase="martensite")
    draw_islands_and_bands(
        tables["shapes"], phase="martensite", colours=COLOURS, damage_phase="damage"
    )


def test_a_fraction_that_is_not_known_well_is_told(tmp_path):
    values, runs = steel()
    tables = measured(tmp_path / "map.ome.tif", values, runs)
    together = with_study(tables["phases"], damage_phase="damage", confidence=0.95)
    notes = phase_notes(
        together, tables["shapes"], [], damage_phase="damage", hard_phase="martensite"
    )
    assert "Bands of martensite in 1 of 1 panorama, median spacing 15" in notes
    doubts = [line for line in notes.splitlines() if line.startswith("! ")]
    assert len(doubts) == 1
    assert "martensite 40" in doubts[0]


@pytest.mark.parametrize(("across", "told"), [(4.9, True), (5.0, False)])
def test_a_spacing_that_rests_on_few_bands_is_told(tmp_path, across, told):
    values, runs = steel()
    tables = measured(tmp_path / "map.ome.tif", values, runs)
    together = with_study(tables["phases"], damage_phase="damage", confidence=0.95)
    shapes = tables["shapes"].assign(bands_across=across)
    notes = phase_notes(together, shapes, [], damage_phase="damage", hard_phase="martensite")
    assert ("In 1 panorama fewer than 5 lie side by side" in notes) == told


def record(panorama, *caveats):
    return PhaseRecord(
        panorama=panorama,
        method="simulated",
        trained_on="",
        phases={},
        pixels={},
        fractions={},
        confidence=0.7,
        confidence_by_phase={},
        caveats=[PhaseCaveat(kind=kind, text=text) for kind, text in caveats],
        versions={},
    )


def test_what_speaks_against_maps_is_told_beside_their_fractions(tmp_path):
    values, runs = steel()
    tables = measured(tmp_path / "map.ome.tif", values, runs)
    together = with_study(tables["phases"], damage_phase="damage", confidence=0.95)
    records = [record(name, ("unsure", f"{name} is unsure")) for name in "pqrst"]
    records += [record("u"), record("v", ("one_phase", "all is ferrite"))]
    lines = phase_notes(together, tables["shapes"], records, **ROLES).splitlines()
    about_maps = [line for line in lines if "probabilities" in line or "all is ferrite" in line]
    assert len(about_maps) == 2
    assert about_maps[0].startswith("! 5 panoramas (p, q, r, ...): ")
    assert about_maps[1] == "! v: all is ferrite."


def test_more_than_three_panoramas_share_a_line(tmp_path):
    values, runs = steel()
    tables = [measured(tmp_path / "map.ome.tif", values, runs, panorama=name) for name in "abcde"]
    together = with_study(
        pd.concat([each["phases"] for each in tables]), damage_phase="damage", confidence=0.95
    )
    notes = phase_notes(
        together,
        pd.concat([each["shapes"] for each in tables]),
        [],
        damage_phase="damage",
        hard_phase="martensite",
    )
    assert notes.count("\n! ") == 1
    assert "c (martensite" in notes
    assert "d (martensite" not in notes
    assert "and 2 more" in notes


def test_tables_of_panoramas_are_put_together(tmp_path):
    values, runs = steel((400, 500))
    paths = []
    for name, roles in (("a", {}), ("b", {"damage_phase": ""})):
        tables = measured(tmp_path / "map.ome.tif", values, runs, panorama=name, **roles)
        paths.append(tmp_path / f"{name}.tsv")
        write_tsv(tables["damage"], paths[-1], PHASE_DAMAGE)
    assert read_tsvs(paths, PHASE_DAMAGE)["panorama"].tolist() == ["a"]
    assert read_tsvs(paths[1:], PHASE_DAMAGE).empty


def test_fractions_stand_side_by_side_where_a_strain_is_unknown(tmp_path):
    values, runs = steel((400, 500))
    tables = [
        measured(tmp_path / "map.ome.tif", values, runs, panorama=name, strain_percent=strain)[
            "phases"
        ]
        for name, strain in (("a", np.nan), ("b", 3.0))
    ]
    together = with_study(pd.concat(tables), damage_phase="damage", confidence=0.95)
    figure = draw_phases_against_strain(together, colours=COLOURS, damage_phase="damage")
    upper, lower = figure.axes
    assert [text.get_text() for text in lower.get_xticklabels()] == ["a", "b"]
    assert "without interval" not in upper.get_legend_handles_labels()[1]
    unsure = together.assign(low=np.nan, high=np.nan)
    upper, _ = draw_phases_against_strain(unsure, colours=COLOURS, damage_phase="damage").axes
    assert "without interval" in upper.get_legend_handles_labels()[1]
    by_strain = together.assign(strain_percent=together["strain_percent"].fillna(0))
    _, lower = draw_phases_against_strain(by_strain, colours=COLOURS, damage_phase="damage").axes
    assert lower.get_xlabel() == "Strain (%)"
