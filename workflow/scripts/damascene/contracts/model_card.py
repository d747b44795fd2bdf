"""models/{stage}.json: the card of a trained network, without which it cannot be used."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from damascene import InputError
from damascene.contracts.record import Part, Record


class PublicSource(Part):
    """Where the weights of a converted network come from."""

    file: str = Field(description="Name of the converted file.")
    sha256: str = Field(description="SHA-256 checksum of the converted file.")
    origin: str = Field(description="Its digital object identifier, if it is a public file.")


class TrainingSite(Part):
    """A site that a network was trained on, so that no later study takes it for a test."""

    panorama: str = Field(description="Its panorama, as it was called then.")
    x_px: float = Field(description="Column of the centre of its window.")
    y_px: float = Field(description="Row of the centre of its window.")
    window_px: int = Field(description="Edge of the widest window that was learned from.")
    fingerprint: str = Field(
        description="By which the window is found in other images, see `clips.fingerprints`."
    )


class ModelCard(Record):
    """What a network takes and answers, and how it was trained.

    Facts of the training are None where a network was trained elsewhere.
    """

    kind: ClassVar[str] = "the card of a network"
    remedy: ClassVar[str] = (
        "Train the networks again with this version, or restore the card that was written with "
        "the network."
    )

    network: str = Field(description="Name of the architecture.")
    classes: tuple[str, ...] = Field(description="Classes in the order of the outputs.")
    input_px: int = Field(description="Edge of a clip in pixels.")
    scales: int = Field(description="Channels: the window, and its centre if there are two.")
    window: str = Field(description="Edge of the window around a site, with its unit.")
    centre: float | None = Field(
        description="Edge of the second channel as a fraction of the window; None with one."
    )
    descriptors: bool = Field(description="Whether the network takes descriptors of the site.")
    tree_share: float | None = Field(
        None,
        description="Weight of trees on these descriptors in the answer, the rest is that of the "
        "network; None without trees, and in cards of earlier versions, which do not say it.",
    )
    grey_scaling: str = Field(description="How grey values become inputs.")
    average_flips: bool = Field(
        description="Whether the answer is the mean over the clip and its mirror images."
    )
    parameters: int = Field(description="Weights, trained and frozen.")
    pixel_size_nm: tuple[float, float] = Field(
        description="Finest and coarsest pixels of the training panoramas, in nanometres."
    )
    note: str = Field("", description="What a reader of the results must know; often empty.")
    source: PublicSource | None = Field(None, description="Of a network that was converted.")
    epochs_run: int | None = Field(None, description="Epochs of the training with validation.")
    best_epoch: int | None = Field(None, description="Epoch whose weights were kept, from 1.")
    validation_loss: float | None = Field(None, description="Loss at the best epoch.")
    validation_accuracy: float | None = Field(
        None, description="Fraction of right answers at the best epoch."
    )
    class_counts: dict[str, dict[str, int]] | None = Field(
        None,
        description="Sites of each class that was learned, by their role (train, validation): "
        "those of the stage, or all classes of sites.",
    )
    pseudo_labels: dict[str, int] | None = Field(
        None, description="Sites without a label that took part in training, by class."
    )
    training: dict[str, str | bool | int | float | None] | None = Field(
        None, description="Settings of the training, as in the configuration."
    )
    training_s: float | None = Field(None, description="Duration of the training in seconds.")
    sites_per_s: float | None = Field(None, description="Sites answered in a second.")
    seed: int | None = Field(None, description="Seed of the weights and of the batches.")
    data_sha256: str | None = Field(
        None, description="SHA-256 checksum of clips, targets and roles."
    )
    device: str | None = Field(None, description="CPU or GPU.")
    training_sites: tuple[TrainingSite, ...] | None = Field(
        None, description="Sites of training and validation; None where nobody listed them."
    )
    unlisted_sites: str = Field(
        "", description="Why it was trained on other sites, too; empty where it was not."
    )


def known_training_sites(path: str | Path) -> tuple[tuple[TrainingSite, ...], str]:
    """Return the sites that a network was trained on, as far as the card beside its file says.

    Returns
    -------
    sites : tuple of TrainingSite
    why : str
        Why there may be more; empty where there are not.
    """
    try:
        card = ModelCard.read(Path(path).with_suffix(".json"))
    except InputError:
        return (), "it has no card that could be read"
    if card.training_sites is None:
        return (), "its card does not list the sites that it was trained on"
    return card.training_sites, card.unlisted_sites
