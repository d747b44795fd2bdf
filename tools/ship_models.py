"""Copy the networks of studies/simulated_model and the descriptors of its sites to the resources.

Run by `make shipped-models`.
"""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.classes import STAGE_CLASSES
from damascene.contracts.descriptors import DESCRIPTOR_NAMES
from damascene.contracts.keyed import read_descriptors
from damascene.contracts.labels import SPLIT
from damascene.contracts.table import read_table

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "studies/simulated_model/results"
SHIPPED = ROOT / "resources/models"


def main() -> None:
    """Copy models and cards, and write the table of sites."""
    SHIPPED.mkdir(parents=True, exist_ok=True)
    for stage in STAGE_CLASSES:
        shutil.copy(RESULTS / f"models/{stage}.keras", SHIPPED)
        shutil.copy(RESULTS / f"models/{stage}.json", SHIPPED)
    # What they learned from, so that any panorama can be held against it.
    for suffix in ("json", "npz"):
        shutil.copy(RESULTS / f"models/condition.{suffix}", SHIPPED)
    split = read_table(RESULTS / "labels/split.parquet", SPLIT)
    described = read_descriptors(RESULTS / "labels/descriptors.parquet", split)
    # Half precision is far finer than what one site tells from another.
    table = pd.DataFrame(described.astype(np.float16).astype(np.float32), columns=DESCRIPTOR_NAMES)
    table.insert(0, "label", split["label"].to_numpy())
    table.to_parquet(SHIPPED / "simulated_sites.parquet", index=False, compression="zstd")
    print("\n".join(f"{path.name}: {path.stat().st_size}" for path in SHIPPED.iterdir()))


if __name__ == "__main__":
    main()
