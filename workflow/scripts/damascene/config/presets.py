"""Published parameter sets, kept in `config/presets`."""

from pathlib import Path

import yaml

# Names of the files in `config/presets`; the first one holds the defaults of the models below.
PRESETS = ("default", "reclik2017", "kusche2019", "medghalchi2020", "kerzel2024")
# Names of the files in `config/presets/training`, in the same way.
TRAINING_PRESETS = ("default", "kusche2018", "medghalchi2019")
PRESET_FOLDER = Path(__file__).parents[4] / "config/presets"


def read_preset(name: str) -> dict:
    """Return the values of one of the `PRESETS`, in the nesting of the configuration."""
    return yaml.safe_load((PRESET_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def read_training_preset(name: str) -> dict:
    """Return the values of one of the `TRAINING_PRESETS`, in the same nesting."""
    return yaml.safe_load((PRESET_FOLDER / f"training/{name}.yaml").read_text(encoding="utf-8"))
