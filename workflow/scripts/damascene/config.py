"""Every key of the configuration, in one place.

The models below are the single source of truth: `config/config.yaml`, the JSON Schema for editors
and the table in `config/README.md` are written from them (`python -m damascene.config`).
"""

import difflib
import hashlib
import json
import re
from pathlib import Path
from typing import Annotated, Literal

import pydantic
import yaml
from pydantic import AfterValidator, Field

from damascene import InputError

NETWORK_NAMES = ("compact", "inception_v3", "eeracn")
# Cell of the sample sheet for a panorama that the simulator makes.
SIMULATED = "simulated"

_QUANTITY = re.compile(r"\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*(px2|um2|µm2|px|nm|um|µm)\s*")


def _split_quantity(text, units, example):
    match = _QUANTITY.fullmatch(text)
    if not match or match[2].replace("µ", "u") not in units:
        raise ValueError(
            f"give a number and one of the units {', '.join(units)}, as in '{example}'"
        )
    return float(match[1]), match[2].replace("µ", "u")


def _checked_length(text: str) -> str:
    _split_quantity(text, ("px", "nm", "um"), "0.4 um")
    return text


def _checked_physical_length(text: str) -> str:
    _split_quantity(text, ("nm", "um"), "4 um")
    return text


def _checked_area(text: str) -> str:
    _split_quantity(text, ("px2", "um2"), "0.03 um2")
    return text


Length = Annotated[str, AfterValidator(_checked_length)]
PhysicalLength = Annotated[str, AfterValidator(_checked_physical_length)]
Area = Annotated[str, AfterValidator(_checked_area)]


def length_px(text: str, *, pixel_size_nm: float) -> float:
    """Return a length such as `0.4 um`, `40 nm` or `10 px` in pixels."""
    value, unit = _split_quantity(text, ("px", "nm", "um"), "0.4 um")
    return {"px": value, "nm": value / pixel_size_nm, "um": value * 1000 / pixel_size_nm}[unit]


def length_um(text: str) -> float:
    """Return a length such as `4 um` or `40 nm` in micrometres."""
    value, unit = _split_quantity(text, ("nm", "um"), "4 um")
    return value if unit == "um" else value / 1000


def area_px(text: str, *, pixel_size_nm: float) -> float:
    """Return an area such as `0.03 um2` or `20 px2` in pixels."""
    value, unit = _split_quantity(text, ("px2", "um2"), "0.03 um2")
    return value if unit == "px2" else value * 1e6 / pixel_size_nm**2


class _Section(pydantic.BaseModel):
    # A misspelt key that is silently ignored gives numbers with other settings than meant.
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class LabelSource(_Section):
    """A file with labelled sites."""

    path: str = Field(
        description="TSV file with one row a labelled site, relative to `data_folder`."
    )
    panorama: str | None = Field(
        None,
        description="Panorama that all rows belong to, for a file without a column `panorama`.",
    )
    columns: dict[Literal["panorama", "x_px", "y_px", "label", "annotator", "tile"], str] = Field(
        default_factory=dict,
        description="Names that the file uses for our columns, as in `{label: majority, tile: "
        "file}`. "
        "With `tile`, positions count from the corner of that tile of a grid. Rows with an empty "
        "label are left out and counted in the log.",
    )


class Simulation(_Section):
    """Simulated panoramas: rows of the sample sheet whose path is `simulated`."""

    width_px: int = Field(
        6144,
        ge=512,
        description="Columns of each simulated panorama. Halve it for a quick try; time and the "
        "number of sites grow with the area.",
    )
    height_px: int = Field(4096, ge=512, description="Rows of each simulated panorama.")
    dwell_time_ns: float = Field(
        3000,
        gt=0,
        description="Time the beam spends on a pixel. Lower it to see what fast scanning does: the "
        "noise rises, and at 500 ns and below it becomes Gamma-like.",
    )
    labelled_fraction: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Left part of each simulated panorama in which sites are labelled. The rest is "
        "kept for the test against the truth.",
    )
    labels_per_class: int = Field(
        50,
        ge=1,
        description="Labels given at most to a class in one panorama. Raise it to see what more "
        "labelling work would bring.",
    )


class Denoise(_Section):
    """Noise reduction before sites are looked for."""

    method: Literal[
        "none", "gaussian", "median", "non_local_means", "total_variation", "wavelet"
    ] = Field(
        "none",
        description="How noise is reduced. Smoothing closes small voids, noise invents them: "
        "decide "
        "by the table that `snakemake compare_denoising` writes.",
    )
    strength: float = Field(
        1.0,
        gt=0,
        description="Factor on the smoothing that follows from the measured noise. Above 1 more "
        "noise goes and more small voids with it.",
    )


class Threshold(_Section):
    """Which pixels are dark."""

    rule: Literal["relative", "fixed"] = Field(
        "relative",
        description="`relative` follows the local brightness, so that a dark tile does not invent "
        "sites; `fixed` is the published way, one grey value for everything.",
    )
    fraction: float = Field(
        0.3,
        gt=0,
        lt=1,
        description="For `relative`: a pixel is dark below this fraction of the local grey of "
        "ferrite (the lower quartile of a block). Lower it if ferrite is taken for damage, raise "
        "it if shallow voids are missed.",
    )
    block: Length = Field(
        "20 um",
        description="For `relative`: edge of the blocks whose lower quartile is the local grey of "
        "ferrite. Keep it several grains wide and smaller than the brightness drift.",
    )
    grey: int = Field(
        20,
        ge=0,
        le=255,
        description="For `fixed`: grey value from 0 to 255 below which a pixel is dark.",
    )
    inclusive: bool = Field(
        False, description="For `fixed`: count pixels of exactly this grey value as dark, too."
    )


class Detection(_Section):
    """From dark pixels to candidates."""

    threshold: Threshold = Field(default_factory=Threshold)
    eps: Length = Field(
        "1 px",
        description="DBSCAN: dark pixels within this distance are neighbours, at least 1 px. "
        "Larger values join fragments of one void, and voids that are close.",
    )
    min_samples: int = Field(
        4,
        ge=1,
        description="DBSCAN: neighbours (itself included) that make a pixel the core of a cluster. "
        "Higher values break thin cracks into pieces, lower ones let noise through.",
    )
    minimum_area: Area = Field(
        "20 px2",
        description="Clusters must be larger than this. It is the detection limit: state it with "
        "every number you publish.",
    )
    merge_distance: Length = Field(
        "0.8 um",
        description="Of two clusters whose centroids are closer than this only the larger is kept. "
        "Raise it if one cavity is counted twice.",
    )


class Network(_Section):
    """One of the two networks."""

    network: Literal[NETWORK_NAMES] = Field(
        "compact",
        description="`compact` trains in about a minute on two cores; `inception_v3` and "
        "`eeracn` are the "
        "published networks and want a GPU.",
    )
    window: PhysicalLength = Field(
        description="Edge of the window round a site that the network sees, resampled to its "
        "input size."
    )
    threshold: float = Field(
        ge=0,
        lt=1,
        description="Probability that must be exceeded; otherwise a site goes on (inclusion) or "
        "stays "
        "`not_classified` (damage).",
    )
    epochs: int = Field(
        ge=1,
        description="Passes over the labels at most; training stops early when it no longer gains.",
    )
    batch_size: int = Field(
        ge=1, description="Clips a step. Lower it if the GPU's memory is short."
    )
    learning_rate: float = Field(gt=0, description="Step size of the optimiser at the start.")
    patience: int = Field(
        ge=1, description="Epochs without a better validation loss after which training stops."
    )


class InclusionNetwork(Network):
    """Stage 1: inclusion, or the rest."""

    window: PhysicalLength = "6 um"
    threshold: float = Field(0.5, ge=0, lt=1)
    epochs: int = Field(40, ge=1)
    batch_size: int = Field(16, ge=1)
    learning_rate: float = Field(2e-3, gt=0)
    patience: int = Field(12, ge=1)


class DamageNetwork(Network):
    """Stage 2: notch, shadowing, interface, martensite."""

    window: PhysicalLength = "5 um"
    threshold: float = Field(0.4, ge=0, lt=1)
    epochs: int = Field(40, ge=1)
    batch_size: int = Field(16, ge=1)
    learning_rate: float = Field(2e-3, gt=0)
    patience: int = Field(12, ge=1)


class Split(_Section):
    """Which labels train, and which test."""

    group_by: Literal["block", "panorama"] = Field(
        "block",
        description="Labels of one group never fall on both sides. `panorama` is the stricter "
        "test and "
        "needs as many labelled panoramas as folds.",
    )
    block: Length = Field(
        "40 um",
        description="Edge of the spatial blocks for `block`. Keep it wider than the larger "
        "window. For a "
        "grid of tiles, the edge of a tile groups by tile.",
    )
    folds: int = Field(
        5,
        ge=2,
        description="Parts the groups are dealt into. One part validates, the rest trains.",
    )
    cross_validate: bool = Field(
        False,
        description="Also train once a fold and predict every label by networks that never saw "
        "it. Costs "
        "as many trainings as folds and is what a paper should quote.",
    )

    @pydantic.model_validator(mode="after")
    def _folds_for_three_roles(self):
        if self.cross_validate and self.folds < 3:
            raise ValueError(
                "cross_validate needs at least 3 folds: one to test, one to validate, the rest to "
                "train"
            )
        return self


class Statistics(_Section):
    """Intervals."""

    confidence: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence level of all intervals in tables and figures."
    )


class Study(_Section):
    """A study: one configuration and one sample sheet."""

    study: str = Field(
        "simulated_tensile_series",
        min_length=1,
        description="Name of the study, shown in the report.",
    )
    seed: int = Field(
        20190514,
        ge=0,
        description="Every random choice derives from it. Another seed shows how much a result "
        "depends on chance.",
    )
    data_folder: str = Field(
        ".",
        description="Folder that relative paths in the sample sheet and of label files start from.",
    )
    panoramas: str = Field("config/panoramas.tsv", description="Sample sheet, one row a panorama.")
    labels: list[LabelSource] = Field(
        default_factory=list,
        description="Files with labelled sites, for panoramas that are not simulated.",
    )
    simulation: Simulation = Field(default_factory=Simulation)
    denoise: Denoise = Field(default_factory=Denoise)
    detection: Detection = Field(default_factory=Detection)
    inclusion: InclusionNetwork = Field(default_factory=InclusionNetwork)
    damage: DamageNetwork = Field(default_factory=DamageNetwork)
    split: Split = Field(default_factory=Split)
    statistics: Statistics = Field(default_factory=Statistics)

    def stage(self, name: str) -> Network:
        """Return the settings of the `inclusion` or the `damage` network."""
        return {"inclusion": self.inclusion, "damage": self.damage}[name]


def load_study(config: dict, *, source: str = "config") -> Study:
    """Check a configuration.

    Parameters
    ----------
    config : dict
        As read from YAML.
    source : str, optional
        Name of the file, for messages.

    Raises
    ------
    InputError
        With one line for every key that is unknown, missing or out of range.
    """
    try:
        return Study.model_validate(config)
    except pydantic.ValidationError as error:
        lines = [_explain(problem) for problem in error.errors()]
        raise InputError(f"{source} cannot be used:\n" + "\n".join(lines)) from error


def _explain(problem):
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = _known_keys(problem["loc"][:-1])
        near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else f"Known keys here: {', '.join(known)}."
        return f"  {place}: unknown key. {hint}"
    message = problem["msg"].removeprefix("Value error, ")
    return f"  {place}: {message} (found: {problem['input']!r})."


def _known_keys(location):
    model = Study
    for part in location:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        model = LabelSource if annotation == list[LabelSource] else annotation
    return list(model.model_fields)


def derive_seed(seed: int, *purpose: str) -> int:
    """Return a seed for one purpose, the same on every machine and in every order of jobs."""
    digest = hashlib.sha256("/".join([str(seed), *purpose]).encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _described(model):
    """Yield key, description (own or of a base class), and default or section."""
    for key, field in model.model_fields.items():
        description = field.description
        for base in model.__mro__:
            if description is None and key in getattr(base, "model_fields", {}):
                description = base.model_fields[key].description
        default = field.get_default(call_default_factory=True)
        yield key, description, default


def default_yaml() -> str:
    """Return the default configuration as YAML with every key commented."""
    lines = [
        "# The default study: simulated steel, runs anywhere. Every key with its default and what",
        "# changing it does. Written from the models in damascene/config.py by `make sync`.",
    ]
    for key, description, default in _described(Study):
        lines.append("")
        if isinstance(default, _Section):
            lines += _yaml_section(key, default, indent="")
        else:
            lines += _comment(description, "")
            lines.append(_yaml_line(key, default, ""))
    return "\n".join(lines) + "\n"


def _yaml_section(key, section, *, indent):
    lines = [*_comment(type(section).__doc__, indent), f"{indent}{key}:"]
    for name, description, default in _described(type(section)):
        if isinstance(default, _Section):
            lines += _yaml_section(name, default, indent=indent + "  ")
        else:
            lines += _comment(description, indent + "  ")
            lines.append(_yaml_line(name, default, indent + "  "))
    return lines


def _comment(text, indent):
    words, lines, line = text.split(), [], f"{indent}#"
    for word in words:
        if len(line) + 1 + len(word) > 100:
            lines.append(line)
            line = f"{indent}#"
        line += f" {word}"
    return [*lines, line]


def _yaml_line(key, value, indent):
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True)
    return f"{indent}{key}: {text.splitlines()[0]}"


def markdown_table() -> str:
    """Return the table of all keys for the usage document."""
    lines = ["| key | default | what it decides |", "|---|---|---|"]

    def add(model, prefix):
        for key, description, default in _described(model):
            if isinstance(default, _Section):
                add(type(default), f"{prefix}{key}.")
            else:
                shown = yaml.safe_dump(default, default_flow_style=True).splitlines()[0]
                lines.append(f"| `{prefix}{key}` | `{shown}` | {description} |")

    add(Study, "")
    for key, field in LabelSource.model_fields.items():
        lines.append(f"| `labels[].{key}` | | {field.description} |")
    return "\n".join(lines) + "\n"


TABLE_START = "<!-- keys: written by `make sync` -->\n"
TABLE_END = "<!-- end of keys -->"


def with_table(document: str) -> str:
    """Return the usage document with a fresh table of keys between its two marks."""
    head, rest = document.split(TABLE_START)
    _, tail = rest.split(TABLE_END)
    return f"{head}{TABLE_START}{markdown_table()}{TABLE_END}{tail}"


def schema_text() -> str:
    """Return the JSON Schema as it is kept in the repository."""
    return json.dumps(Study.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the default configuration, the schema and the table of keys into the repository."""
    root = Path(__file__).parents[3]
    (root / "config/config.yaml").write_text(default_yaml())
    (root / "workflow/schemas/config.schema.json").write_text(schema_text())
    usage = root / "config/README.md"
    usage.write_text(with_table(usage.read_text()))


if __name__ == "__main__":
    main()
