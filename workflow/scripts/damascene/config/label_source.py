"""Files with labelled sites."""

from typing import Literal

from pydantic import Field

from damascene.config.section import Section


class LabelSource(Section):
    """A file with labelled sites."""

    path: str = Field(
        description="TSV file with one row per labelled site, relative to `data_folder`."
    )
    panorama: str | None = Field(
        None,
        description="Panorama that all rows belong to, for a file without a column `panorama`.",
    )
    columns: dict[Literal["panorama", "x_px", "y_px", "label", "annotator", "tile"], str] = Field(
        default_factory=dict,
        description="Names that the file uses for the columns, as in `{label: majority, tile: "
        "file}`. With `tile`, positions count from the corner of that tile of a grid. Rows with "
        "an empty label are left out and counted in the log.",
    )
    annotators: list[str] = Field(
        default_factory=list,
        description="Columns with the answers of single annotators, as in `[annotator_a, "
        "annotator_b]`, where the label is the answer of the majority. Cells contain a class, "
        "`unclear`, or nothing. The networks learn from the fraction of answers for each class, "
        "and `snakemake evaluation` draws how well people agree.",
    )
