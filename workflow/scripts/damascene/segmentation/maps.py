"""Phase maps as files, from the probabilities of any method, and what speaks against them."""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from damascene.contracts.phase_record import PhaseCaveat, PhaseRecord
from damascene.files import written_whole
from damascene.images.store import TiledImage, Window, write_planes, write_tiled
from damascene.images.valid_area import VALID
from damascene.versions import NETWORK_PACKAGES, package_versions

# A phase with less of the area, or one that leaves the others less, is seldom meant.
_LEAST_FRACTION = 0.02
# Dual-phase steels have less martensite, and their negatives show more.
_MOST_MARTENSITE = 0.6
# Clean images of the steel a network knows give 0.95 and more.
_SURE = 0.85


def write_map(
    answers: Iterable[np.ndarray],
    valid: TiledImage,
    *,
    panorama: str,
    phases: Sequence[str],
    method: str,
    trained_on: str = "",
    learned_nm: tuple[float, float] | None = None,
    damage_phase: str = "",
    minor_phase: str = "",
    path: str | Path,
    probabilities_path: str | Path | None = None,
) -> PhaseRecord:
    """Write the phase map that follows from the probabilities of the phases.

    Parameters
    ----------
    answers : iterable of numpy.ndarray
        Strips over the full width from top to bottom: float32 (rows, width, phases), the
        probabilities of the phases; or uint8 (rows, width), the numbers of the phases from 1 by a
        method without probabilities.
    valid : TiledImage
        Mask of valid pixels; others become 0.
    panorama : str
    phases : sequence of str
        In the order of their numbers, from 1.
    method : str
    trained_on : str, optional
    learned_nm : (float, float), optional
        Finest and coarsest pixels of the images that were learned from, in nanometres.
    damage_phase : str, optional
        The phase that may well be rare.
    minor_phase : str, optional
        A phase that takes up the smaller part of the steel, where that is known.
    path : path of the phase map to write
    probabilities_path : path, optional
        Where the probabilities are written, 0 to 255, as one plane a phase.

    Returns
    -------
    PhaseRecord
    """
    counts = np.zeros(len(phases), np.int64)
    sums = np.zeros(len(phases))
    sure = True

    def numbers(planes):
        nonlocal sure
        top = 0
        for answer in answers:
            inside = _valid_rows(valid, top, len(answer))
            top += len(answer)
            if answer.ndim == 2:
                sure, chosen = False, answer
            else:
                chosen = (answer.argmax(axis=-1) + 1).astype(np.uint8)
                highest = answer.max(axis=-1)
            chosen = np.where(inside, chosen, np.uint8(0))
            counts[:] += np.bincount(chosen.ravel(), minlength=len(phases) + 1)[1:]
            if answer.ndim == 3:
                weights = highest.ravel().astype(np.float64)
                sums[:] += np.bincount(chosen.ravel(), weights, len(phases) + 1)[1:]
                for number, plane in enumerate(planes):
                    scaled = np.rint(255 * answer[..., number]) * inside
                    plane.write(scaled.astype(np.uint8))
            yield chosen

    description = {"shape": valid.shape, "pixel_size_nm": valid.pixel_size_nm}
    targets = [path] if probabilities_path is None else [path, probabilities_path]
    with written_whole(*targets) as parts, contextlib.ExitStack() as stack:
        folder = Path(path).parent
        planes = [
            stack.enter_context(tempfile.TemporaryFile(dir=folder))
            for _ in (phases if probabilities_path is not None else ())
        ]
        write_tiled(
            parts[0], numbers(planes), name=f"{panorama} phases", labels=True, **description
        )
        if planes:
            write_planes(
                parts[1], planes, names=phases, name=f"{panorama} probabilities", **description
            )
    fractions = counts / max(counts.sum(), 1)
    confidence = float(sums.sum() / counts.sum()) if sure and counts.any() else None
    return PhaseRecord(
        panorama=panorama,
        method=method,
        trained_on=trained_on,
        phases={name: number for number, name in enumerate(phases, 1)},
        pixels=dict(zip(phases, counts.tolist(), strict=True)),
        fractions=dict(zip(phases, fractions.round(6).tolist(), strict=True)),
        confidence=None if confidence is None else round(confidence, 4),
        confidence_by_phase={
            name: round(float(total / count), 4) if count and sure else None
            for name, total, count in zip(phases, sums, counts, strict=True)
        },
        caveats=tuple(
            map_caveats(
                dict(zip(phases, fractions.tolist(), strict=True)),
                confidence=confidence,
                pixel_size_nm=valid.pixel_size_nm,
                learned_nm=learned_nm,
                damage_phase=damage_phase,
                minor_phase=minor_phase,
            )
        ),
        versions=package_versions(*NETWORK_PACKAGES),
    )


def _valid_rows(valid, top, rows):
    window = Window(top=top, left=0, bottom=top + rows, right=valid.shape[1])
    return valid.read(window) == VALID


def map_caveats(
    fractions: dict[str, float],
    *,
    confidence: float | None,
    pixel_size_nm: float,
    learned_nm: tuple[float, float] | None,
    damage_phase: str,
    minor_phase: str = "",
) -> Iterator[PhaseCaveat]:
    """Yield what speaks against a phase map.

    Parameters
    ----------
    fractions : dict of str to float
        Of the valid area, by phase.
    confidence : float or None
        Mean probability of the phases that were chosen.
    pixel_size_nm : float
    learned_nm : (float, float) or None
        Finest and coarsest pixels that were learned from.
    damage_phase : str
        The phase that may well be rare.
    minor_phase : str, optional
        A phase that takes up the smaller part of the steel, where that is known.
    """
    if learned_nm is not None and not learned_nm[0] <= pixel_size_nm <= learned_nm[1]:
        yield PhaseCaveat(
            kind="foreign_pixel_size",
            text=f"its phase map is by a network that learned from pixels of {learned_nm[0]:g} to "
            f"{learned_nm[1]:g} nm, and it has {pixel_size_nm:.4g} nm. Look at the map, and train "
            "on label images of such panoramas (segmentation: method: train)",
        )
    steel = {name: part for name, part in fractions.items() if name != damage_phase}
    total = sum(steel.values())
    rare = [name for name, part in steel.items() if part < _LEAST_FRACTION * total]
    if total and rare:
        shown = ", ".join(f"{100 * steel[name] / total:.2g} % {name}" for name in rare)
        yield PhaseCaveat(
            kind="one_phase",
            text=f"its phase map has {shown}. A negative, another etching or another steel looks "
            "so to a method that does not know it: look at the map before its numbers are used",
        )
    if total and steel.get(minor_phase, 0) > _MOST_MARTENSITE * total:
        yield PhaseCaveat(
            kind="much_of_minor_phase",
            text=f"its phase map has {100 * steel[minor_phase] / total:.0f} % {minor_phase}, more "
            "than dual-phase steel has. A negative looks so, for which the sample sheet has the "
            "column 'invert', and so does another etching: look at the map before its numbers are "
            "used",
        )
    if confidence is not None and confidence < _SURE:
        yield PhaseCaveat(
            kind="unsure",
            text="the phases in its map have a mean probability of only "
            f"{100 * confidence:.0f} %. Look at the map, and train on label images of such "
            "panoramas (segmentation: method: train), or reduce noise (key denoise)",
        )
