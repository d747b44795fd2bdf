"""explanation/attention_{stage}.npz: what in the windows of sites speaks for their class."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from damascene import InputError
from damascene.files import written_whole

#: Edge of the maps of a site, in cells.
CELLS = 24


@dataclass(frozen=True, kw_only=True, eq=False)
class Attention:
    """The maps of all labelled sites that a network has seen (Grad-CAM).

    Attributes
    ----------
    stage : str
        Of the network.
    window_um, window_px : float
        Edge of the window round a site: in micrometres, or in pixels; the other is NaN.
    centre : float
        Edge of the second scale as a fraction of it; 1 with one scale.
    panorama, site_id, x_px, y_px : numpy.ndarray, shape (n,)
        The sites, and the pixels at the centres of their windows.
    named, probability : numpy.ndarray, shape (n,)
        Class that the network gives, and its probability.
    heat : numpy.ndarray, uint8, shape (n, scales, CELLS, CELLS)
        Support for this class; 255 where it is largest. All 0 where nothing supports it.
    """

    stage: str
    window_um: float
    window_px: float
    centre: float
    panorama: np.ndarray
    site_id: np.ndarray
    x_px: np.ndarray
    y_px: np.ndarray
    named: np.ndarray
    probability: np.ndarray
    heat: np.ndarray

    def write(self, path: str | Path) -> None:
        """Write it as `.npz`."""
        arrays = {each.name: np.asarray(getattr(self, each.name)) for each in fields(self)}
        with written_whole(path) as (part,), part.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def read(cls, path: str | Path) -> "Attention":
        """Read what `write` wrote.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        try:
            with np.load(path) as stored:
                arrays = {each.name: stored[each.name] for each in fields(cls)}
        # A damaged archive raises what its reader finds first.
        except Exception as error:
            raise InputError(
                f"{path} cannot be read as what networks look at: {error}. Delete it and run "
                "`snakemake explanation` again."
            ) from error
        scalars = {"window_um": float, "window_px": float, "centre": float, "stage": str}
        return cls(**arrays | {name: kind(arrays[name]) for name, kind in scalars.items()})

    def of_panorama(self, name: str) -> "Attention":
        """Return that of the candidates of a panorama; places without a candidate are left out."""
        rows = np.flatnonzero((self.panorama == name) & (self.site_id >= 0))
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        return Attention(
            **{
                key: value[rows] if isinstance(value, np.ndarray) else value
                for key, value in told.items()
            }
        )
