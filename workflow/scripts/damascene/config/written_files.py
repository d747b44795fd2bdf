"""Files of the repository that are written from the models of the configuration."""

import json
from pathlib import Path

import yaml

from damascene.config.detection import Detection
from damascene.config.label_source import LabelSource
from damascene.config.networks import Network
from damascene.config.preset_table import preset_table
from damascene.config.section import Section
from damascene.config.study import Study
from damascene.config.training import Training

#: Keys that a preset governs, section by section.
GOVERNED = {
    "detection": tuple(Detection.model_fields),
    "inclusion": ("window", "threshold"),
    "damage": ("window", "threshold"),
}
_OF_NETWORK = tuple(key for key in Network.model_fields if key not in ("window", "threshold"))
#: Keys that a training preset governs.
GOVERNED_BY_TRAINING = {
    "inclusion": _OF_NETWORK,
    "damage": _OF_NETWORK,
    "training": tuple(Training.model_fields),
    "split": ("folds",),
}

TABLE_START = "<!-- keys: written by `make sync` -->\n"
TABLE_END = "<!-- end of keys -->"
PRESETS_START = "<!-- presets: written by `make sync` -->\n"
PRESETS_END = "<!-- end of presets -->"

_DEPART = "Set by the preset; remove the '#' to change it."
_PRESET_HEAD = """\
# Preset of this project: robust to the brightness of a panorama, lengths in micrometres where they
# mean something on the specimen. Written from the models in damascene/config by `make sync`.
# The networks and their training have presets of their own, in the folder `training`.
"""
_TRAINING_PRESET_HEAD = """\
# Training preset of this project: for a few hundred labels, and for one steel at a time. Written
# from the models in damascene/config by `make sync`.
"""


def described(model: type[Section]):
    """Yield key, description (own or of a base class), and default or section."""
    for key, field in model.model_fields.items():
        description = field.description
        for base in model.__mro__:
            if description is None and key in getattr(base, "model_fields", {}):
                description = base.model_fields[key].description
        default = field.get_default(call_default_factory=True)
        yield key, description, default


def default_yaml() -> str:
    """Return the default configuration as YAML with every key commented.

    Keys that a preset governs are commented out: a value given here overrides every preset.
    """
    lines = [
        "# The default study: simulated steel, runs anywhere. Every key with its default and what",
        "# changing it does. Written from the models in damascene/config by `make sync`.",
    ]
    for key, description, default in described(Study):
        lines.append("")
        governed = (*GOVERNED.get(key, ()), *GOVERNED_BY_TRAINING.get(key, ()))
        if not isinstance(default, Section):
            lines += _comment(description, "")
            lines.append(_yaml_line(key, default, ""))
        elif set(governed) == set(type(default).model_fields):
            lines += _comment(_DEPART, "")
            lines += [f"#{line}" for line in _yaml_section(key, default, indent="")]
        else:
            lines += _yaml_section(key, default, indent="", governed=governed)
    return "\n".join(lines) + "\n"


def _yaml_section(key, section, *, indent, governed=()):
    lines = [*_comment(type(section).__doc__, indent), f"{indent}{key}:"]
    for name, description, default in described(type(section)):
        if isinstance(default, Section):
            lines += _yaml_section(name, default, indent=indent + "  ")
        elif name in governed:
            lines += _comment(f"{description} {_DEPART}", indent + "  ")
            lines.append(_yaml_line(f"#{name}", default, indent + "  "))
        else:
            lines += _comment(description, indent + "  ")
            lines.append(_yaml_line(name, default, indent + "  "))
    return lines


def _comment(text, indent):
    words, lines, line = text.split(), [], f"{indent}#"
    for word in words:
        if len(line) + 1 + len(word) > 99:
            lines.append(line)
            line = f"{indent}#"
        line += f" {word}"
    return [*lines, line]


def _yaml_line(key, value, indent):
    return f"{indent}{key}: {_in_one_line(value, allow_unicode=True, width=1000)}"


def _in_one_line(value, **options):
    """Return a value as YAML; sections by name, as the phases, keep their order."""
    if isinstance(value, dict):
        value = {
            name: each.model_dump() if isinstance(each, Section) else each
            for name, each in value.items()
        }
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, **options).splitlines()[
        0
    ]


def default_preset() -> str:
    """Return the preset `default` as YAML: the defaults of the keys that presets govern."""
    return _PRESET_HEAD + _defaults_of(GOVERNED)


def default_training_preset() -> str:
    """Return the training preset `default` as YAML."""
    return _TRAINING_PRESET_HEAD + _defaults_of(GOVERNED_BY_TRAINING)


def _defaults_of(governed):
    study = Study().model_dump()
    values = {
        section: {key: study[section][key] for key in keys} for section, keys in governed.items()
    }
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def markdown_table() -> str:
    """Return the table of all keys for the usage document."""
    lines = ["| key | default | what it decides |", "|---|---|---|"]

    def add(model, prefix):
        for key, description, default in described(model):
            if isinstance(default, Section):
                add(type(default), f"{prefix}{key}.")
            else:
                shown = _in_one_line(default, width=1000)
                lines.append(f"| `{prefix}{key}` | `{shown}` | {description} |")

    add(Study, "")
    for key, field in LabelSource.model_fields.items():
        lines.append(f"| `labels[].{key}` | | {field.description} |")
    return "\n".join(lines) + "\n"


def with_tables(document: str) -> str:
    """Return the usage document with fresh tables of presets and keys between their marks."""
    for start, table, end in (
        (PRESETS_START, preset_table(), PRESETS_END),
        (TABLE_START, markdown_table(), TABLE_END),
    ):
        head, rest = document.split(start)
        _, tail = rest.split(end)
        document = f"{head}{start}{table}{end}{tail}"
    return document


def schema_text() -> str:
    """Return the JSON Schema as it is kept in the repository."""
    return json.dumps(Study.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the default configuration and preset, the schema and the table of keys."""
    root = Path(__file__).parents[4]
    (root / "config/config.yaml").write_text(default_yaml())
    (root / "config/presets/default.yaml").write_text(default_preset())
    (root / "config/presets/training/default.yaml").write_text(default_training_preset())
    (root / "workflow/schemas/config.schema.json").write_text(schema_text())
    usage = root / "config/README.md"
    usage.write_text(with_tables(usage.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
