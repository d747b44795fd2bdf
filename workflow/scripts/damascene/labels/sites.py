"""Labels in the table of sites: what a person says comes before what a network says."""

import pandas as pd

from damascene.contracts.sites import SITES
from damascene.contracts.table import check_table

_KEY = ["panorama", "site_id"]


def label_sites(predictions: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Add `label` and `class` to the sites of a panorama.

    Parameters
    ----------
    predictions : pandas.DataFrame
        `PREDICTIONS`.
    labels : pandas.DataFrame
        `LABELLED_SITES` of any panoramas. Those on no candidate are no sites and have no part here.

    Returns
    -------
    pandas.DataFrame
        `SITES`, in the order of the predictions.
    """
    given = labels.set_index(_KEY)["label"]
    label = given.reindex(pd.MultiIndex.from_frame(predictions[_KEY])).fillna("").to_numpy()
    sites = predictions.assign(label=label)
    sites["class"] = sites["predicted_class"].where(sites["label"] == "", sites["label"])
    return check_table(sites, SITES, source="labelled sites")
