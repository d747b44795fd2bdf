"""candidates/{panorama}.runs.parquet: which pixels each candidate has."""

from damascene.contracts.columns import contract, whole

CANDIDATE_RUNS = contract(
    {
        "site_id": whole("number of the site within its panorama"),
        "y_px": whole("row"),
        "left_px": whole("first column of the run"),
        "right_px": whole("last column of the run"),
    },
    description="one horizontal run of pixels of a candidate; all of them are the pixels that its "
    "area counts, its filled holes among them",
    key=["site_id", "y_px", "left_px"],
)
