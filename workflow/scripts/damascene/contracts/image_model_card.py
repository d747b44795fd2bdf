"""The card of a network that answers with images, without which it cannot be used."""

from typing import ClassVar, Literal

from pydantic import Field

from damascene.contracts.record import Part, Record


class LearnedNoise(Part):
    """The noise that a network learned from, as far as it is known."""

    description: str = Field(description="In words, for readers.")
    sigma_grey_levels: tuple[float, float] | None = Field(
        None, description="Least and largest standard deviation in grey levels."
    )


class ImageModelCard(Record):
    """What an image network takes and answers, and how it was trained."""

    kind: ClassVar[str] = "the card of an image network"
    remedy: ClassVar[str] = (
        "Train the network again with this version, or restore the card that was written with it."
    )

    task: Literal["denoiser", "segmentation"] = Field(description="What it answers.")
    method: str = Field(description="How it was trained, in the words of the configuration.")
    network: str = Field(description="Name of the architecture.")
    network_options: dict[str, str | bool | int | float | tuple[int, ...] | None] = Field(
        description="Options of the architecture."
    )
    phases: tuple[str, ...] = Field(
        (), description="Phases in the order of the answers; none of a denoiser."
    )
    pixel_size_nm: tuple[float, float] = Field(
        description="Finest and coarsest pixels that it learned from, in nanometres."
    )
    noise: LearnedNoise | None = Field(None, description="Noise that it learned from.")
    halo_px: int = Field(description="Pixels read around a block of a panorama.")
    overlap_px: int = Field(description="How far answers of blocks are mixed; often 0.")
    parameters: int = Field(description="Weights, trained and frozen.")
    panoramas: tuple[str, ...] = Field(description="Panoramas that it learned from.")
    data_sha256: str = Field(description="SHA-256 checksum of images and targets.")
    settings: dict[str, str | bool | int | float | tuple[int, ...] | None] = Field(
        description="Settings of the training, as in the configuration."
    )
    seed: int = Field(description="Seed of the weights and of the batches.")
    epochs_run: int = Field(description="Epochs of the training with validation.")
    best_epoch: int = Field(description="Epoch whose weights were kept, from 1.")
    temperature: float = Field(
        1.0, description="Divides the logarithms of the probabilities, to calibrate them."
    )
    scores: dict[str, float] = Field(description="Scores of the validation part by name.")
    training_s: float = Field(description="Duration of the training in seconds.")
    device: str = Field(description="CPU or GPU.")
    note: str = Field("", description="What a reader of the results must know; often empty.")
