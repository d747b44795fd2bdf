"""What is known of the sites among which those for a review are chosen."""

import numpy as np
import pandas as pd
import pytest

from damascene.classes import SITE_CLASSES
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.labels import ANSWERS, CONTRADICTIONS
from damascene.contracts.sites import PREDICTIONS
from damascene.contracts.table import empty_table
from damascene.review import pool as module
from damascene.review.order import order_sites
from damascene.review.pool import read_pool
from damascene.shift.space import fit_space

NOBODY = {"answers": empty_table(ANSWERS), "contradictions": empty_table(CONTRADICTIONS)}
SITE = {
    **{"x_px": 5.0, "y_px": 5.0, "fragments": 1, "area_px": 30, "area_um2": 0.1},
    **{"equivalent_diameter_um": 0.3, "aspect_ratio": 1.0, "orientation_deg": 0.0},
    **{"convexity": 1.0, "left_px": 1, "top_px": 1, "width_px": 8, "height_px": 8},
    **{"mean_grey": 30.0, "minimum_grey": 5.0, "touches_border": False, "touches_mask": False},
}
PREDICTED = {
    **{"p_inclusion": 0.2, "p_notch": 0.5, "p_shadowing": 0.0, "p_interface": 0.25},
    **{"p_martensite": 0.25, "predicted_class": "notch", "confidence": 0.5},
    "prediction_set": "",
}


@pytest.fixture
def study(tmp_path):
    """Return a function that writes panoramas of so many sites, and the paths that it wrote."""

    def write(*counts, contract=CANDIDATES, **columns):
        sites, features = [], []
        names = [f"p{number}" for number in range(len(counts))]
        for name, count in zip(names, counts, strict=True):
            row = SITE | (PREDICTED if contract is PREDICTIONS else {}) | columns
            table = pd.DataFrame(row, index=range(count))
            table = table.assign(panorama=name, site_id=np.arange(count))
            sites.append(tmp_path / f"{name}.parquet")
            table[list(contract.columns)].to_parquet(sites[-1])
            features.append(tmp_path / f"{name}.npy")
            seen = np.random.default_rng(count).normal(size=(min(count, 256), 12))
            np.save(features[-1], seen.astype(np.float16))
        return names, sites, features

    return write


def answers(*rows):
    """Return answers from panorama, site, annotator, answer and whether it counts."""
    return pd.DataFrame(rows, columns=["panorama", "site_id", "annotator", "answer", "counts"])


def contradictions(*rows):
    """Return contradictions from site, answers and how they were decided."""
    return pd.DataFrame(rows, columns=["site_id", "answers", "decided"]).assign(panorama="p0")


def test_candidates_are_grouped_and_every_panorama_takes_part(study):
    names, sites, features = study(300, 40, 0)
    options = {"classified": False, "space": None, "most": 100, "seed": 1, **NOBODY}
    table = read_pool(names, sites, features, **options)
    assert table["panorama"].value_counts().to_dict() == {"p0": 300, "p1": 40}
    # No more than were looked at.
    assert (table["cluster"] >= 0).groupby(table["panorama"]).sum().to_dict() == {
        "p0": 256,
        "p1": 40,
    }
    assert table["cluster_distance"].notna().equals(table["cluster"] >= 0)
    order = order_sites(table, most=100, labels={})
    assert len(order) == 100 and set(order["drawn_by"]) == {"random", "cluster"}
    pd.testing.assert_frame_equal(
        order, order_sites(read_pool(names, sites, features, **options), most=100, labels={})
    )


def test_a_study_without_candidates_asks_nothing(study):
    names, sites, features = study(0)
    for contract in (CANDIDATES, PREDICTIONS):
        names, sites, features = study(0, 0, contract=contract)
        table = read_pool(
            names,
            sites,
            features,
            classified=contract is PREDICTIONS,
            space=None,
            most=100,
            seed=1,
            **NOBODY,
        )
        assert order_sites(table, most=100, labels={}).empty


def test_predictions_give_probabilities_of_classes_and_distances(study):
    names, sites, features = study(300, contract=PREDICTIONS)
    space = fit_space(np.random.default_rng(0).normal(size=(200, 12)), np.arange(200) // 10)
    table = read_pool(
        names, sites, features, classified=True, space=space, most=100, seed=1, **NOBODY
    )
    chances = table[[f"p_{name}" for name in SITE_CLASSES]]
    assert np.allclose(chances.sum(axis=1), 1)
    assert np.allclose(chances[["p_inclusion", "p_notch"]], [0.2, 0.4])
    assert table["distance"].notna().sum() == 256
    own = space.distances(np.load(features[0])) / np.quantile(space.within, 0.95)
    assert np.allclose(table["distance"].dropna(), own)


def test_what_people_said_is_known(study):
    names, sites, features = study(60)
    said = answers(
        ("p0", 1, "ann", "notch", True),
        ("p0", 2, "ann", "unclear", True),
        # Ann changed her mind: no contradiction.
        ("p0", 3, "ann", "notch", False),
        ("p0", 3, "ann", "inclusion", True),
        ("p0", 4, "ann", "notch", True),
        ("p0", 4, "bob", "inclusion", True),
        ("p0", 5, "ann", "notch", True),
        ("p0", 5, "bob", "inclusion", True),
        ("p0", 5, "eve", "notch", True),
        ("p0", 6, "ann", "notch", True),
        ("p0", 6, "bob", "inclusion", True),
        ("p0", -1, "ann", "notch", True),
    )
    told = contradictions(
        (4, "notch|inclusion", "undecided"),
        (5, "notch|inclusion|unclear|notch", "majority"),
        # A person decided, or all agreed: nothing is open.
        (6, "notch|inclusion", "adjudicated"),
        (1, "notch|inclusion", "agreed"),
        (-1, "notch|inclusion", "undecided"),
    )
    options = {"classified": False, "space": None, "most": 100, "seed": 1}
    options |= {"answers": said, "contradictions": told}
    table = read_pool(names, sites, features, **options).set_index("site_id")
    assert set(table.index[table["labelled"]]) == {1, 2, 3, 4, 5, 6}
    assert table["contradiction"][lambda each: each != ""].to_dict() == dict.fromkeys(
        (4, 5), "inclusion|notch"
    )
    assert table.index[table["undecided"]].tolist() == [4]
    order = order_sites(table.reset_index(), most=100, labels={})
    assert order[order["drawn_by"] == "disagreement"]["site_id"].tolist() == [4, 5]
    assert not {1, 2, 3, 6} & set(order["site_id"])


def test_of_very_many_sites_those_of_the_lowest_chances_stay(study, monkeypatch):
    names, sites, features = study(2000, 1000)
    options = {"classified": False, "space": None, "most": 400, "seed": 5, **NOBODY}
    whole = order_sites(read_pool(names, sites, features, **options), most=400, labels={})
    monkeypatch.setattr(module, "MOST_IN_POOL", 500)
    table = read_pool(names, sites, features, **options)
    assert len(table) < 1100
    some = order_sites(table, most=400, labels={})
    random = [each[each["drawn_by"] == "random"]["site_id"].tolist() for each in (whole, some)]
    assert random[0] == random[1]
