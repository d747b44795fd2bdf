"""A file that the user handed in and that a product was made from."""

from pydantic import Field

from damascene.contracts.record import Part


class SourceFile(Part):
    """The file as it was when it was read."""

    file: str = Field(
        description="Name of the image, grid file or list; of a tile or frame as it is listed."
    )
    size_bytes: int = Field(description="Size in bytes.")
    modified_ns: int = Field(
        description="Time of the last change, nanoseconds since 1970 (UTC); copies may keep it."
    )
    changed_ns: int = Field(
        description="Time since which the file is this one at this place, which no copy keeps."
    )
    sha256: str = Field(description="SHA-256 checksum of the content, hexadecimal.")
