"""Simulated panoramas: from the structure and its sites to the image, phase map and truth."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage
from skimage import measure

from damascene.classes import PHASE_VALUES
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import check_table, empty_table
from damascene.contracts.truth import TRUTH
from damascene.files import written_whole
from damascene.images.microscopes.common import Acquisition
from damascene.images.record import describe_panorama
from damascene.images.store import Window, write_tiled
from damascene.images.tiles import tile_windows
from damascene.simulation import acquisition
from damascene.simulation.drawing import draw_site
from damascene.simulation.fields import field_key, smooth_noise, white_noise
from damascene.simulation.microstructure import Microstructure, grow_microstructure
from damascene.simulation.sites import Site, expected_density, place_sites

#: A pixel of the noise-free, drift-free image darker than this belongs to a site.
DARK_GREY = 22.0
#: Nothing but sites is darker than this in the scene.
DARKEST_MATRIX_GREY = 38.0
DEFAULT_TILE_PX = 1024
_TEXTURE_HALO_PX = 8


@dataclass(frozen=True)
class Specimen:
    """A simulated surface, from which any window of a panorama can be drawn.

    Attributes
    ----------
    structure : Microstructure
    sites : list of Site
    shape : tuple of int
        Rows and columns of the panorama.
    pixel_size_nm : float
    seed : int
    places : _Places
        Windows that each site can change, in the order of `sites`; may reach outside the panorama.
    """

    structure: Microstructure
    sites: list[Site]
    shape: tuple[int, int]
    pixel_size_nm: float
    seed: int
    places: "_Places"


class _Places:
    """Windows, indexed so that those that overlap another are found quickly."""

    def __init__(self, windows):
        self.windows = windows
        self._bounds = np.array(
            [(w.top, w.left, w.bottom, w.right) for w in windows], np.int64
        ).reshape(-1, 4)

    def meeting(self, window):
        """Return the numbers of the windows that share pixels with this one, in order."""
        top, left, bottom, right = self._bounds.T
        return np.flatnonzero(
            (top < window.bottom)
            & (bottom > window.top)
            & (left < window.right)
            & (right > window.left)
        )


@dataclass(frozen=True)
class _Region:
    """The dark pixels of a site."""

    window: Window
    mask: np.ndarray


def make_specimen(
    *,
    shape: tuple[int, int],
    pixel_size_nm: float,
    strain_percent: float,
    seed: int,
    threads: int = 1,
) -> Specimen:
    """Decide the structure and the damage sites of a panorama."""
    shape_um = (shape[0] * pixel_size_nm / 1000, shape[1] * pixel_size_nm / 1000)
    structure = grow_microstructure(shape_um=shape_um, seed=seed, threads=threads)
    sites = place_sites(structure, shape_um=shape_um, strain_percent=strain_percent, seed=seed)
    sites.sort(key=lambda site: (site.y_um, site.x_um))
    places = _Places([_window_around(site, site.reach_um, pixel_size_nm / 1000) for site in sites])
    return Specimen(structure, sites, shape, pixel_size_nm, seed, places)


def draw_scene(specimen: Specimen, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Draw a window without drift and noise.

    Parameters
    ----------
    specimen : Specimen
    window : Window
        May reach a little outside the panorama.

    Returns
    -------
    scene : numpy.ndarray, float32, shape (rows, columns)
        Blurred grey values.
    martensite : numpy.ndarray of bool
        Where martensite is; cavities are not taken out.
    """
    halo = _TEXTURE_HALO_PX + acquisition.blur_halo_px(specimen.pixel_size_nm)
    outer = Window(
        top=window.top - halo,
        left=window.left - halo,
        bottom=window.bottom + halo,
        right=window.right + halo,
    )
    phase_um, drawings = _draw_structure(specimen, outer)
    scene = _paint_phases(specimen, phase_um, outer)
    for here, there, drawing in drawings:
        scene[here] += drawing.glow[there]
    np.clip(scene, DARKEST_MATRIX_GREY, 255, out=scene)
    for here, there, drawing in drawings:
        opacity = drawing.opacity[there]
        scene[here] = scene[here] * (1 - opacity) + drawing.grey[there] * opacity
    scene = acquisition.blurred(scene, pixel_size_nm=specimen.pixel_size_nm)
    cut = window.slices(origin=outer)
    return scene[cut], phase_um[cut] > 0


def _draw_structure(specimen, window):
    """Phases of a window with the martensite of its sites, and the drawings of these."""
    phase_um = specimen.structure.phase_um(*_positions(specimen, window))
    drawings = []
    for number in specimen.places.meeting(window):
        site, place = specimen.sites[number], specimen.places.windows[number]
        common = _common(place, window)
        y_um, x_um = _positions(specimen, place)
        undisturbed = specimen.structure.phase_um(y_um, x_um)
        drawing = draw_site(site, phase_um=undisturbed, y_um=y_um, x_um=x_um)
        here, there = common.slices(origin=window), common.slices(origin=place)
        np.maximum(phase_um[here], drawing.bridge_um[there], out=phase_um[here])
        drawings.append((here, there, drawing))
    return phase_um, drawings


def _positions(specimen, window):
    pixel_um = specimen.pixel_size_nm / 1000
    return (
        np.arange(window.top, window.bottom) * pixel_um,
        np.arange(window.left, window.right) * pixel_um,
    )


def _paint_phases(specimen, phase_um, window):
    """Grey values of ferrite and martensite."""
    pixel_um = specimen.pixel_size_nm / 1000
    rows, columns = np.arange(window.top, window.bottom), np.arange(window.left, window.right)
    y_um, x_um = _positions(specimen, window)
    seed = specimen.seed

    def noise(name, height_um, width_um):
        return smooth_noise(y_um, x_um, cell_um=(height_um, width_um), key=field_key(seed, name))

    pits = ndimage.gaussian_filter(
        white_noise(rows, columns, key=field_key(seed, "pits")), (1.0, 0.7), truncate=3.0
    )
    mottle = noise("mottle", 0.7, 0.7)
    patches = noise("patches", 3.0, 6.0)
    grain = specimen.structure.at("grain", y_um, x_um)
    ferrite = 64 * np.exp(0.12 * grain + 0.13 * mottle + 0.17 * patches + 0.38 * pits)
    boundary = specimen.structure.grain_boundary_um(y_um, x_um)
    ferrite += 45 * np.exp(-((boundary / 0.06) ** 2))
    # Carbides: small bright grains, in clusters.
    carbides = noise("carbides", 0.22, 0.22) - np.maximum(2.9 - 0.9 * np.maximum(patches, 0), 1.5)
    np.clip(1.6 * carbides, 0, 1, out=carbides)
    ferrite += carbides * (245 - ferrite)

    packet = specimen.structure.at("packet", y_um, x_um)
    laths = noise("laths", 0.22, 0.22)
    martensite = 158 + 14 * packet + 12 * laths + 12 * mottle + 6 * patches + 40 * pits
    # The step at the boundary lets more secondary electrons out, here more and there less.
    rim = np.exp(-(((phase_um - 0.07) / 0.075) ** 2))
    martensite += np.maximum(75 + 28 * patches + 20 * mottle, 5) * rim
    part = np.clip(phase_um / pixel_um + 0.5, 0, 1)
    return ferrite + part * (martensite - ferrite)


def _window_around(site, reach_um, pixel_um):
    reach = int(np.ceil(reach_um / pixel_um))
    row, column = round(site.y_um / pixel_um), round(site.x_um / pixel_um)
    return Window(
        top=row - reach, left=column - reach, bottom=row + reach + 1, right=column + reach + 1
    )


def _common(one, other):
    """Return the window that two windows which meet have in common."""
    return Window(
        top=max(one.top, other.top),
        left=max(one.left, other.left),
        bottom=min(one.bottom, other.bottom),
        right=min(one.right, other.right),
    )


def find_truth(specimen: Specimen, *, panorama: str) -> tuple[pd.DataFrame, list[_Region]]:
    """Measure every site where its noise-free, drift-free picture is darker than `DARK_GREY`.

    Returns
    -------
    truth : pandas.DataFrame
        `TRUTH`.
    regions : list
        Window and mask of the dark pixels, in the order of the rows.
    """
    pixel_um = specimen.pixel_size_nm / 1000
    whole = Window(top=0, left=0, bottom=specimen.shape[0], right=specimen.shape[1])
    rows, regions = [], []
    for site in specimen.sites:
        window = _common(_window_around(site, site.extent_um + 0.5, pixel_um), whole)
        scene, _ = draw_scene(specimen, window)
        mask = _own_part(scene < DARK_GREY, site, window, pixel_um)
        if not mask.any():
            continue
        inside_y, inside_x = np.nonzero(mask)
        contours = measure.find_contours(np.pad(mask, 1).astype(float), 0.5, fully_connected="high")
        outline = max(contours, key=len)[:-1] - 1
        rows.append(
            {
                "panorama": panorama,
                "truth_id": len(rows),
                "true_class": site.label,
                "x_px": window.left + inside_x.mean(),
                "y_px": window.top + inside_y.mean(),
                "area_px": len(inside_y),
                "area_um2": len(inside_y) * pixel_um**2,
                "outline_x_px": window.left + outline[:, 1],
                "outline_y_px": window.top + outline[:, 0],
            }
        )
        regions.append(_Region(window, mask))
    if not rows:
        return empty_table(TRUTH), []
    return check_table(pd.DataFrame(rows), TRUTH, source=f"truth of {panorama}"), regions


def _own_part(dark, site, window, pixel_um):
    """Return the largest dark part within the extent of a site, out of which neighbours stay.

    Splinters of a few pixels, broken off by the uneven light of a shadow or by the blur of a
    narrow place, are left out.
    """
    y = np.arange(window.top, window.bottom)[:, None] * pixel_um - site.y_um
    x = np.arange(window.left, window.right)[None, :] * pixel_um - site.x_um
    parts, _ = ndimage.label(dark & (np.hypot(y, x) < site.extent_um + 0.5), np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return (parts == sizes.argmax()) & (parts > 0)


def simulate_panorama(
    *,
    panorama: str,
    shape: tuple[int, int],
    pixel_size_nm: float,
    strain_percent: float,
    seed: int,
    dwell_time_ns: float,
    image_path: str | Path,
    phases_path: str | Path,
    threads: int = 1,
    tile_px: int = DEFAULT_TILE_PX,
) -> tuple[pd.DataFrame, PanoramaRecord]:
    """Simulate a panorama and write its image and phase map.

    Parameters
    ----------
    panorama : str
        Name of the panorama.
    shape : tuple of int
        Rows and columns.
    pixel_size_nm : float
    strain_percent : float
        Decides how many sites there are and how far cracks have opened.
    seed : int
        Seed of everything.
    dwell_time_ns : float
        Time of the beam on a pixel; decides the noise.
    image_path, phases_path : path
        Files to write: the grey image and the phases (`PHASE_VALUES`).
    threads : int, optional
    tile_px : int, optional
        Edge of the tiles worked on; neither it nor `threads` changes the result.

    Returns
    -------
    truth : pandas.DataFrame
        `TRUTH`.
    record : PanoramaRecord
    """
    specimen = make_specimen(
        shape=shape,
        pixel_size_nm=pixel_size_nm,
        strain_percent=strain_percent,
        seed=seed,
        threads=threads,
    )
    truth, regions = find_truth(specimen, panorama=panorama)
    cavities = [
        region
        for region, label in zip(regions, truth["true_class"], strict=True)
        if label != "shadowing"
    ]
    cavity_places = _Places([region.window for region in cavities])
    description = {"shape": shape, "pixel_size_nm": pixel_size_nm}
    # The phases come out with the image and wait on disk until the image is written, so that
    # memory does not grow with the panorama.
    with tempfile.TemporaryFile(dir=Path(phases_path).parent) as waiting:

        def images():
            with ThreadPoolExecutor(max_workers=threads) as pool:
                for windows in tile_windows(shape, tile_px=tile_px):
                    drawn = list(pool.map(draw, windows))
                    np.concatenate([phases for _, phases in drawn], axis=1).tofile(waiting)
                    yield np.concatenate([image for image, _ in drawn], axis=1)

        def phases():
            waiting.seek(0)
            for top in range(0, shape[0], tile_px):
                rows = min(tile_px, shape[0] - top)
                yield np.fromfile(waiting, np.uint8, rows * shape[1]).reshape(rows, shape[1])

        def draw(window):
            here = [cavities[number] for number in cavity_places.meeting(window)]
            return _draw_tile(specimen, here, window, dwell_time_ns=dwell_time_ns)

        with written_whole(image_path, phases_path) as (image_part, phases_part):
            write_tiled(image_part, images(), name=panorama, **description)
            write_tiled(
                phases_part, phases(), name=f"{panorama} phases", pyramid=False, **description
            )
    return truth, describe_panorama(
        panorama=panorama,
        shape=shape,
        pixel_size_nm=pixel_size_nm,
        pixel_size_source="sheet",
        fractions={"valid": 1.0, "no_image": 0.0, "blank": 0.0, "charging": 0.0},
        source="simulated",
        acquisition=Acquisition(dwell_time_ns=dwell_time_ns),
        valid_area_mm2=shape[0] * shape[1] * pixel_size_nm**2 * 1e-12,
        notes=[
            f"simulated steel, seed {seed}, {len(truth)} true sites",
            _expectation(strain_percent),
        ],
    )


def _expectation(strain_percent):
    densities = ", ".join(
        f"{label} {density:g}" for label, density in expected_density(strain_percent).items()
    )
    return f"sites per mm² to expect, counts being drawn at random: {densities}"


def _draw_tile(specimen, cavities, window, *, dwell_time_ns):
    """Draw the image and the phases of a window, the cavities being those that meet it."""
    scene, martensite = draw_scene(specimen, window)
    image = acquisition.record(
        scene,
        rows=np.arange(window.top, window.bottom),
        columns=np.arange(window.left, window.right),
        pixel_size_nm=specimen.pixel_size_nm,
        dwell_time_ns=dwell_time_ns,
        seed=specimen.seed,
    )
    values = PHASE_VALUES
    phases = np.where(martensite, values["martensite"], values["ferrite"]).astype(np.uint8)
    for region in cavities:
        common = _common(region.window, window)
        part = phases[common.slices(origin=window)]
        part[region.mask[common.slices(origin=region.window)]] = values["damage"]
    return image, phases
