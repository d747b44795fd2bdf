"""Files with labelled sites."""

from collections.abc import Mapping
from typing import Annotated, Literal

import pydantic
from pydantic import AfterValidator, Field

from damascene.config.section import Section
from damascene.text_files import plain_name

#: As `read_rows` gives the names of columns.
ColumnName = Annotated[str, AfterValidator(plain_name)]


class LabelSource(Section):
    """A file with labelled sites, as the configuration lists it."""

    path: str = Field(
        description="TSV file with one row per labelled site, or per answer of a person, relative "
        "to `data_folder`. Of two answers of one person on one site the later counts: files in the "
        "order given here, rows from top to bottom."
    )
    panorama: str | None = Field(
        None,
        description="Panorama that all rows belong to, for a file without a column `panorama`.",
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

    @pydantic.model_validator(mode="after")
    def _each_answer_has_one_annotator(self) -> "LabelSource":
        if self.annotators and "annotator" in self.columns:
            raise ValueError(
                "annotators and columns.annotator exclude each other: a file has a column for each "
                "annotator, or a row for each answer with the name of the annotator. Remove one."
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
