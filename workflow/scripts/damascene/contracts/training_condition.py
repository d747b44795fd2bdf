"""models/condition.json: what the images and sites were like that networks learned from."""

from typing import ClassVar

from pydantic import Field

from damascene.contracts.record import Part, Record


class TrainingRange(Part):
    """One measure over the windows of the training panoramas."""

    low: float = Field(description="Smallest value, without the lowest hundredth of the windows.")
    typical: float = Field(description="Median.")
    high: float = Field(description="Largest value, without the highest hundredth.")
    windows: int = Field(description="Windows or panoramas it was measured in.")


class TrainingCondition(Record):
    """What networks learned from, so that another panorama can be held against it.

    The places of the training sites in the embedding lie beside it, in `condition.npz`.
    """

    kind: ClassVar[str] = "the training condition of networks"
    remedy: ClassVar[str] = (
        "Copy condition.json and condition.npz from the folder of the networks again, or delete "
        "both: then domain shift is not tested, and the results say so."
    )

    panoramas: tuple[str, ...] = Field(description="Panoramas that the training sites lie in.")
    sites: int = Field(description="Training sites.")
    groups: int = Field(description="Groups of them, such as tiles, that are left out in turn.")
    embedding: str = Field(description="The network whose frozen layers look at the sites.")
    window: str = Field(description="Edge of the window round a site that they see.")
    measures: dict[str, TrainingRange] = Field(
        description="Range of each measure of the image, see `shift.measures`."
    )
    versions: dict[str, str] = Field(
        description="Version of each numerical package that had a part in the product."
    )
