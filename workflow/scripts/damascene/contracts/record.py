"""What all records have in common: strict fields, and how they are read and written."""

import json
from pathlib import Path
from typing import ClassVar, Self

import pydantic

from damascene import InputError
from damascene.files import write_json


class Part(pydantic.BaseModel):
    """Part of a record; it takes no field that it does not know, and does not change."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Record(Part):
    """What a rule says of its product in a JSON file, for later rules and for people."""

    #: What a file of this kind is, for messages.
    kind: ClassVar[str] = "a record"
    #: What a user does about a file that cannot be used.
    remedy: ClassVar[str] = "Delete the file and run again, which makes it again."

    versions: dict[str, str] = pydantic.Field(
        description="Version of each numerical package that had a part in the product."
    )

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a record.

        Raises
        ------
        InputError
            If the file is missing, is not JSON, or a field is missing, unknown or wrong. The
            message names the file and the field, and says what to do.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"{path} cannot be read as {cls.kind}: {error}. {cls.remedy}"
            ) from error
        try:
            return cls.model_validate(content)
        except pydantic.ValidationError as error:
            raise InputError(f"{path}{_faults(error)}. {cls.remedy}") from error

    def write(self, path: str | Path) -> None:
        """Write the record whole, indented for people to read."""
        content = self.model_dump()
        # Last, as it is what a reader seeks least.
        write_json(path, content | {"versions": content.pop("versions")})


def _faults(error):
    """Say which fields are missing or wrong; a file of another version often lacks several."""
    words = {"missing": "does not say", "extra_forbidden": "holds the unknown"}
    fields = {kind: [] for kind in words}
    for fault in error.errors():
        field = ".".join(map(str, fault["loc"]))
        if fault["type"] not in words:
            return f", field {field}: {fault['msg']}, found {fault['input']!r}"
        fields[fault["type"]].append(field)
    said = [f"{words[kind]} {', '.join(names)}" for kind, names in fields.items() if names]
    return f" {' and '.join(said)}: it was written by another version"
