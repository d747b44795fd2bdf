"""Copy the networks of studies/simulated_model and the descriptors of its sites to the resources.

Run by `make shipped-models`.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from damascene import tables
from damascene.classification.descriptors import DESCRIPTORS

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "studies/simulated_model/results"
SHIPPED = ROOT / "resources/models"


def main() -> None:
    """Copy models and cards, and write the table of sites."""
    SHIPPED.mkdir(parents=True, exist_ok=True)
    scores = pd.read_csv(RESULTS / "evaluation/scores.tsv", sep="\t")
    overall = scores[scores["class"] == "all"].set_index("score")
    for stage in tables.STAGE_CLASSES:
        shutil.copy(RESULTS / f"models/{stage}.keras", SHIPPED)
        card = json.loads((RESULTS / f"models/{stage}.json").read_text())
        # Of networks that never saw the sites they were asked about.
        card["scores_on_simulated_steel"] = {
            name: [round(overall.loc[name, one], 3) for one in ("value", "low", "high")]
            for name in ("macro_f1", "kappa")
        }
        (SHIPPED / f"{stage}.json").write_text(json.dumps(card, indent=2) + "\n")
    split = tables.read(RESULTS / "labels/split.parquet", tables.SPLIT)
    described = np.load(RESULTS / "labels/descriptors.npy")
    # Half precision is far finer than what one site tells from another.
    table = pd.DataFrame(described.astype(np.float16).astype(np.float32), columns=DESCRIPTORS)
    table.insert(0, "label", split["label"].to_numpy())
    table.to_parquet(SHIPPED / "simulated_sites.parquet", index=False, compression="zstd")
    print("\n".join(f"{path.name}: {path.stat().st_size}" for path in SHIPPED.iterdir()))


if __name__ == "__main__":
    main()
