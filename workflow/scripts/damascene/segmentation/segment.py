"""The phase map of a panorama by a trained network."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from damascene import InputError
from damascene.config.segmentation import CLASSICAL
from damascene.config.simulation import SIMULATED
from damascene.contracts.classical_phases import ClassicalPhases
from damascene.contracts.image_model_card import ImageModelCard
from damascene.contracts.phase_record import PhaseRecord
from damascene.images.store import TiledImage, Window
from damascene.learning.image_answers import answer_blocks
from damascene.learning.patches import centred_grey
from damascene.networks.image_networks import margins_of
from damascene.networks.weights import read_network
from damascene.segmentation.classical import classical_answers
from damascene.segmentation.maps import write_map


def segment_panorama(
    image: TiledImage,
    valid: TiledImage,
    *,
    panorama: str,
    model_path: str | Path,
    phases: tuple[str, ...],
    method: str,
    damage_phase: str = "",
    path: str | Path,
    probabilities_path: str | Path | None = None,
    threads: int = 1,
) -> PhaseRecord:
    """Write the phase map of a panorama: at each valid pixel its most probable phase.

    Parameters
    ----------
    image, valid : TiledImage
        The panorama and its valid pixels.
    panorama : str
    model_path : path
        A network that answers with a probability for each phase of the card beside it; or the
        record of a classical method, with the pixels of a forest beside it.
    phases : tuple of str
        The phases of that card in the order of their numbers in the map, from 1.
    method : str
        As in the configuration, for the record.
    damage_phase : str, optional
        The phase that is cavities.
    path : path of the phase map to write
    probabilities_path : path, optional
        Where the probabilities are written.
    threads : int, optional

    Returns
    -------
    PhaseRecord
    """
    card_path, network_path = (Path(model_path).with_suffix(end) for end in (".json", ".keras"))
    if method in CLASSICAL:
        card = ClassicalPhases.read(card_path)
        trained_on = card.trained_on
        pixels_path = card_path.with_suffix(".npz")
        answers = classical_answers(image, valid, card, pixels_path=pixels_path, threads=threads)
    else:
        card = ImageModelCard.read(card_path)
        trained_on = card.note
        answers = network_answers(
            image,
            model_path=network_path,
            phases=phases,
            wanted=lambda block: not valid.holds_only(block, 0),
            threads=threads,
        )
    return write_map(
        answers,
        valid,
        panorama=panorama,
        phases=phases,
        method=method,
        trained_on=trained_on,
        learned_nm=card.pixel_size_nm,
        damage_phase=damage_phase,
        # The network that is shipped is for dual-phase steel alone.
        minor_phase="martensite" if method == SIMULATED else "",
        path=path,
        probabilities_path=probabilities_path,
    )


def network_answers(
    image: TiledImage,
    *,
    model_path: str | Path,
    phases: Sequence[str],
    wanted: Callable[[Window], bool],
    threads: int = 1,
) -> Iterator[np.ndarray]:
    """Yield the probabilities of the phases, in the order given, as strips of full width.

    Parameters
    ----------
    image, model_path, phases, threads
        See `segment_panorama`.
    wanted : callable
        See `image_answers.answer_blocks`.

    Yields
    ------
    numpy.ndarray, float32, shape (rows, width, phases)

    Raises
    ------
    InputError
        If the network or its card is missing or damaged, or lacks a phase.
    """
    card = ImageModelCard.read(Path(model_path).with_suffix(".json"))
    try:
        model = read_network(model_path)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{model_path} cannot be read as a network for phase maps: {error}. {card.remedy}"
        ) from error
    lacking = [name for name in phases if name not in card.phases]
    if lacking:
        raise InputError(
            f"The network {model_path} knows {', '.join(card.phases) or 'no phase'} and not "
            f"{', '.join(lacking)}. {card.remedy}"
        )
    margins = margins_of(card.network, model)
    order = [card.phases.index(name) for name in phases]
    for answer in answer_blocks(
        model,
        image,
        prepare=centred_grey,
        halo_px=margins.halo_px,
        overlap_px=margins.overlap_px,
        wanted=wanted,
        threads=threads,
    ):
        yield answer[..., order]
