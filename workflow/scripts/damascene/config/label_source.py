"""Files with labelled sites."""

from collections.abc import Mapping
from typing import Annotated, Literal

import pydantic
from pydantic import AfterValidator, Field

from damascene.classes import SITE_CLASSES, UNCLEAR
from damascene.config.clip_names import name_pattern
from damascene.config.section import Section
from damascene.text_files import plain_name

#: As `read_rows` gives the names of columns.
ColumnName = Annotated[str, AfterValidator(plain_name)]
#: Formats with a row for each site and a column for each thing said of it.
TABLES = ("tsv", "csv")
#: Instead of a class: labels that are no answers.
LEFT_OUT = "left_out"
#: What a name of another person or tool can mean.
_Meaning = Literal[(*SITE_CLASSES, UNCLEAR, LEFT_OUT)]
# Keys that say how a table is read.
_OF_TABLES = ("columns", "annotators")
_OF_CSV = ("delimiter", "decimal")
_OF_VOC = ("difficult",)
_OF_CLIPS = ("pattern",)


class LabelSource(Section):
    """A file with labelled sites, as the configuration lists it."""

    path: str = Field(
        description="File with labelled sites, or a folder of such files, relative to "
        "`data_folder`. A table has one row per labelled site, or per answer of a person. Of two "
        "answers of one person on one site the later counts: files in the order given here, rows "
        "from top to bottom."
    )
    format: Literal["tsv", "csv", "voc", "coco", "clips", "qupath", "label_studio"] = Field(
        "tsv",
        description="`tsv` and `csv` are tables. Files of other tools, or folders of them, are "
        "described in `docs/exchange.md`: `voc` (XML of labelImg), `coco` (instances), `clips` "
        "(images in a folder for each class), `qupath` (GeoJSON), `label_studio` (JSON).",
    )
    panorama: str | None = Field(
        None,
        description="Panorama that all rows belong to, for a file without a column `panorama`, or "
        "that does not name its images.",
    )
    classes: dict[str, _Meaning] = Field(
        default_factory=dict,
        description="Names that the file uses for the classes, as in `{Crack: martensite, Dirt: "
        "left_out}`. Labels that are `left_out` are no answers.",
    )
    annotator: ColumnName | None = Field(
        None,
        description="Who labelled, for a file that does not say so.",
    )
    columns: dict[
        Literal["panorama", "x_px", "y_px", "label", "annotator", "tile", "time"], ColumnName
    ] = Field(
        default_factory=dict,
        description="Names that the file uses for the columns, as in `{label: majority, tile: "
        "file}`. With `tile`, positions count from the corner of that tile of a grid. With "
        "`time`, answers count in the order of that column instead of that of the rows. Rows with "
        "an empty label are left out and counted in the log.",
    )
    annotators: list[ColumnName] = Field(
        default_factory=list,
        description="Columns with the answers of single annotators, as in `[annotator_a, "
        "annotator_b]`. Cells contain a class, `unclear`, or nothing. The label is the answer of "
        "the majority; where there is none, that of a column `label`, if the file has one. The "
        "same as a row per answer with a column `annotator`. The networks learn from the "
        "fraction of answers for each class, and `snakemake evaluation` draws how well people "
        "agree.",
    )

    first_pixel: Literal[0, 0.5, 1] = Field(
        0,
        description="Position that a table gives to the centre of the upper left pixel: 0; 0.5 "
        "where it counts from the corner of that pixel (QuPath, ImageJ); 1 where it counts from 1 "
        "(MATLAB).",
    )
    delimiter: Literal[",", ";", "\t", "|"] = Field(
        ",", description="What separates the cells of a `csv` file."
    )
    decimal: Literal[".", ","] = Field(
        ".", description="What stands before the decimals of positions in a `csv` file."
    )
    difficult: Literal["keep", "unclear", "left_out"] = Field(
        "keep",
        description="What a `voc` object that is marked as difficult is: its class, an answer "
        "`unclear`, or no answer.",
    )

    pattern: str | None = Field(
        None,
        description="Names of `clips` without ending, as in `{tile}_{x}_{y}`: `{x}` and `{y}` are "
        "the centre, or `{left}` and `{top}` the first column and row; `{panorama}` or `{tile}` "
        "name the image; `{any}` is anything.",
    )

    @pydantic.model_validator(mode="after")
    def _keys_belong_to_the_format(self) -> "LabelSource":
        idle = {
            **dict.fromkeys(_OF_TABLES, self.format not in TABLES),
            **dict.fromkeys(_OF_CSV, self.format != "csv"),
            **dict.fromkeys(_OF_VOC, self.format != "voc"),
            **dict.fromkeys(_OF_CLIPS, self.format != "clips"),
            "first_pixel": self.format not in (*TABLES, "clips"),
        }
        usual = type(self).model_fields
        for key, is_idle in idle.items():
            if is_idle and getattr(self, key) != usual[key].get_default(call_default_factory=True):
                raise ValueError(
                    f"'{key}' has no effect beside 'format: {self.format}'. Remove it."
                )
        if self.format == "clips":
            if self.pattern is None:
                raise ValueError(
                    "clips need a 'pattern' of their names that says where each was cut, as in "
                    "'{tile}_{x}_{y}'. They are not looked for by their pixels"
                )
            name_pattern(self.pattern)
        if self.delimiter == self.decimal and self.format == "csv":
            raise ValueError(
                "delimiter and decimal are both a comma, so that no number can be told from two. "
                "Save the file with semicolons, and write delimiter: ';'."
            )
        return self

    @pydantic.model_validator(mode="after")
    def _each_answer_has_one_annotator(self) -> "LabelSource":
        if self.annotators and "annotator" in self.columns:
            raise ValueError(
                "annotators and columns.annotator exclude each other: a file has a column for each "
                "annotator, or a row for each answer with the name of the annotator. Remove one."
            )
        if self.annotator is not None and (self.annotators or "annotator" in self.columns):
            raise ValueError(
                f"'annotator: {self.annotator}' has no effect beside columns that name annotators. "
                "Remove one."
            )
        repeated = {name for name in self.annotators if self.annotators.count(name) > 1}
        if repeated:
            raise ValueError(f"annotators: {', '.join(sorted(repeated))} is named twice.")
        return self

    @pydantic.model_validator(mode="after")
    def _panorama_is_named_once(self) -> "LabelSource":
        if self.panorama is not None and "panorama" in self.columns:
            raise ValueError(
                f"'columns: panorama: {self.columns['panorama']}' has no effect beside 'panorama: "
                f"{self.panorama}', which holds for all rows. Remove one of the two."
            )
        return self

    @pydantic.model_validator(mode="after")
    def _each_column_has_one_meaning(self) -> "LabelSource":
        uses = {
            key: self.columns.get(key, key)
            for key in (*self.columns, "x_px", "y_px", *(() if self.panorama else ("panorama",)))
        }
        if not self.annotators or "label" in self.columns:
            uses["label"] = self.columns.get("label", "label")
        meanings = {}
        for key, column in [*uses.items(), *(("annotators", name) for name in self.annotators)]:
            before = meanings.setdefault(column, key)
            # An annotator's column may give the label, too.
            if before != key and {before, key} != {"label", "annotators"}:
                raise ValueError(
                    f"'{column}' cannot be the column for {before} and for {key}. Give each one a "
                    "column of its own"
                )
        return self


class DroppedLabels(LabelSource):
    """A file with labelled sites that lies in the folder of labels and is listed nowhere.

    The names of its columns say what they hold. What cannot be placed in a panorama of the sample
    sheet is told and left aside; it does not stop a run.
    """

    dropped: Literal["yes"] = "yes"


def label_source(path: str, settings: Mapping) -> LabelSource:
    """Return the source of a file by its settings, as `model_dump` gives them without the path."""
    return (DroppedLabels if settings.get("dropped") else LabelSource)(path=path, **settings)
