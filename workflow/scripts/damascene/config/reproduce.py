"""Where public data lie whose published numbers are reproduced."""

from pydantic import Field

from damascene.config.section import InputPath, Section
from damascene.config.workshop import PictureSet


class Reproduce(Section):
    """Data of `snakemake reproduce`."""

    folder: InputPath = Field(
        "public_data",
        description="Folder of public images and networks. What is missing there is fetched into "
        "it; without a network, put the files of https://doi.org/10.5281/zenodo.8065752 there by "
        "hand. Each file is known by its checksum.",
    )
    fetch: bool = Field(
        True,
        description="Fetch missing files, about 120 MB. With `false` nothing is asked of the "
        "network, and numbers without data are listed as not available.",
    )
    scores: list[PictureSet] = Field(
        [],
        description="Sets of small pictures on which three networks are trained, for the ledger: "
        "`digits` takes one minute on two cores, the others about twenty each. Their files are "
        "sought in folders of these names in `folder`.",
    )
