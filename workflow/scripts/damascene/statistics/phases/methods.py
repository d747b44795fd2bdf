"""How phases were mapped and measured, in words for a paper."""

from pathlib import Path

from damascene.config.segmentation import Segmentation
from damascene.contracts.image_model_card import ImageModelCard

_NETWORKS = {
    "unet": "a U-Net (Ronneberger et al., 2015, doi 10.1007/978-3-319-24574-4_28)",
    "unet_lite0": "a U-Net on an EfficientNet-Lite0 encoder that knows the images of ImageNet",
}
_FRACTIONS = (
    "Fractions are areas over areas, that of damage of the mapped area and those of other phases "
    "of the area without damage. Their intervals come from leaving out one block at a time (Efron "
    "and Stein, 1981, doi 10.1214/aos/1176345462), with blocks twice as long, along each axis, as "
    "the structure is correlated. Their convergence is the standard deviation between windows "
    "that lie side by side (Medghalchi et al., 2024, arXiv 2401.01147). Islands are connected "
    "regions of eight neighbours, from an equivalent diameter of 0.25 µm or 12 pixels on; mean "
    "chords follow from the borders between phases (Underwood, 1970)."
)
_BANDS = (
    "Bands of {name} were sought in local fractions: their direction is the mean of the doubled "
    "directions of the structure tensor (Rezakhaniha et al., 2012, doi "
    "10.1007/s10237-011-0325-z), their spacing and width were counted on lines across them as in "
    "ASTM E1268 (doi 10.1520/E1268-19)."
)


def phases_in_words(settings: str, model_path: str | Path) -> str:
    """Return a paragraph in reStructuredText; empty where no phases were mapped.

    Parameters
    ----------
    settings : str
        Of `Segmentation`, as JSON.
    model_path : path
        The network that mapped phases, if one did; its card lies beside it.

    Raises
    ------
    InputError
        If the card cannot be read.
    """
    segmentation = Segmentation.model_validate_json(settings)
    if segmentation.method == "none":
        return ""
    by_network = segmentation.method in ("simulated", "train")
    card = ImageModelCard.read(Path(model_path).with_suffix(".json")) if by_network else None
    return phase_methods(segmentation, card)


def phase_methods(segmentation: Segmentation, card: ImageModelCard | None) -> str:
    """Return a paragraph in reStructuredText.

    Parameters
    ----------
    segmentation : Segmentation
        With a method other than `none`.
    card : ImageModelCard or None
        Of the network that mapped the phases, where one did.
    """
    names = list(segmentation.phases)
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    said = [
        f"**How phases were mapped.** Each valid pixel has one of the phases {listed}, by "
        f"{_mapper(segmentation, card)}.",
        _FRACTIONS,
    ]
    if segmentation.hard_phase:
        said.append(_BANDS.format(name=segmentation.hard_phase))
    return " ".join(said)


def _mapper(segmentation, card):
    if segmentation.method == "multi_otsu":
        return "the grey values that Otsu's criterion for several classes divides"
    if segmentation.method == "random_forest":
        return (
            "a random forest on filters of several scales, grown on the label images of the study"
        )
    network = _NETWORKS.get(card.network, card.network)
    return f"{network} with {card.parameters:,} weights, {_lessons(card)}"


def _lessons(card):
    finest, coarsest = (f"{size:g}" for size in card.pixel_size_nm)
    pixels = finest if finest == coarsest else f"{finest} to {coarsest}"
    count = len(card.panoramas)
    number = f"{count} panoramas with " if count > 1 else "1 panorama with " if count else ""
    said = f"trained on {number}pixels of {pixels} nm"
    if card.noise is not None:
        said += f" ({card.noise.description.rstrip('.')})"
    return ". ".join(
        [said, *([card.note[0].upper() + card.note[1:].rstrip(".")] if card.note else [])]
    )
