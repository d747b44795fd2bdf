"""Simulated voids in the study's own panoramas, and which of them the detector finds.

One void at a time is drawn into a small window of the working image, at a place where all pixels
are valid and no candidate is near, with the blur and the noise of the image. The window is searched
with the settings of the study and with the threshold that the panorama has there, so that nothing
but the void is new. Windows are read one after the other: memory does not grow with the panorama.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import ndimage
from scipy.spatial import KDTree

from damascene.clustering.pixels import Pixels
from damascene.config.detection import Detection
from damascene.contracts.planted_voids import PLANTED_VOIDS, SITE_CONTRASTS
from damascene.contracts.table import check_table, empty_table
from damascene.correction.image_edges import edge_blur_px, void_noise
from damascene.detection.candidates import choose_sites
from damascene.detection.clusters import clusters_of_strips
from damascene.detection.darkness import (
    DarkLimit,
    dark_limit,
    dark_pixels_of,
    grey_at,
    reference_histogram,
)
from damascene.detection.joining import join_clusters
from damascene.detection.parameters import DetectionParameters
from damascene.detection.phase_greys import PhaseGreys, phase_greys
from damascene.detection.settings import parameters_of
from damascene.images.store import TiledImage, Window
from damascene.images.valid_area import VALID
from damascene.simulation.drawing import draw_site
from damascene.simulation.sites import Site

#: Voids that are planted in a panorama.
VOIDS = 300
#: Shapes of voids, and their width over their length.
SHAPES = {
    "martensite": (0.15, 0.4),
    "interface": (0.25, 0.6),
    "notch": (0.5, 0.95),
    "inclusion": (0.5, 1.0),
    "shadowing": (0.5, 0.9),
}
#: Areas of planted voids over the least area of a site.
AREAS = (0.5, 40.0)
#: Depths of planted voids over that of the threshold, at least; the deepest are black.
LEAST_DEPTH = 0.8
#: Least area of planted voids, where sites of any size are counted.
LEAST_AREA_PX = 8.0
# Places that are tried for each void.
_TRIES = 30
# Free of candidates round a void, and seen of its surroundings.
_CLEAR_UM, _SEEN_UM = 1.0, 1.6
# How far the centre of a found site may lie from the void.
_NEAR_UM = 0.4
_BLOCK_UM = 20.0
_SMOOTH_UM = 0.08
# Step from ferrite to martensite for which the simulator's bright rims are made.
_SIMULATED_STEP = 100.0


@dataclass(frozen=True, kw_only=True)
class _Search:
    """What is known of a panorama before voids are planted in it."""

    image: TiledImage
    valid: TiledImage
    parameters: DetectionParameters
    limit: DarkLimit
    levels: PhaseGreys
    blur_px: float
    noise_at: object
    boxes: np.ndarray

    @property
    def pixel_um(self):
        return self.image.pixel_size_nm / 1000

    def level(self, name, row, column):
        """Return `ferrite` or `step` at a place."""
        place = np.array([row]), np.array([column])
        return float(grey_at(getattr(self.levels, name), *place, block_px=self.levels.block_px)[0])


def plant_voids(
    image: TiledImage,
    valid: TiledImage,
    candidates: pd.DataFrame,
    runs: pd.DataFrame,
    *,
    panorama: str,
    settings: Detection,
    reference_paths: tuple[str, str] | None = None,
    seed: int,
    voids: int = VOIDS,
    threads: int = 1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Plant voids of many sizes and contrasts and say which the search finds.

    Parameters
    ----------
    image, valid : TiledImage
        The working image and its mask.
    candidates, runs : pandas.DataFrame
        `CANDIDATES` and `CANDIDATE_RUNS` of the panorama.
    panorama : str
    settings : Detection
    reference_paths : (image, mask), optional
        Of the panorama whose histogram matched thresholds take, see
        `detection.darkness.reference_histogram`.
    seed : int
    voids : int, optional
        How many are planted; fewer where the panorama has no room.
    threads : int, optional
        For the grey levels of the panorama; no effect on the result.

    Returns
    -------
    planted : pandas.DataFrame
        `PLANTED_VOIDS`, from top to bottom.
    contrasts : pandas.DataFrame
        `SITE_CONTRASTS`: that of the darkest pixel of each candidate, measured in the same way.
    """
    reference = reference_histogram(reference_paths, threads=threads)
    search = _look_at(image, valid, candidates, runs, settings, reference, threads)
    least_px = max(search.parameters.minimum_area_px, LEAST_AREA_PX)
    areas = least_px * search.pixel_um**2 * np.array(AREAS)
    random = np.random.default_rng(seed)
    # From top to bottom, so that stored tiles are decoded once.
    tops = np.sort(random.random(voids))
    rows = []
    for top in tops:
        own = np.random.default_rng(random.integers(2**63))
        planted = _plant_one(search, top, areas_um2=areas, random=own)
        if planted is not None:
            rows.append({"panorama": panorama, "void": len(rows), **planted})
    planted = pd.DataFrame(rows) if rows else empty_table(PLANTED_VOIDS)
    return (
        check_table(planted, PLANTED_VOIDS, source=f"planted voids of {panorama}"),
        _contrasts(candidates, search.levels),
    )


def _contrasts(candidates, levels):
    rows, columns = (
        candidates[name].to_numpy(float).round().astype(np.int64) for name in ("y_px", "x_px")
    )
    ferrite, step = (
        grey_at(getattr(levels, name), rows, columns, block_px=levels.block_px)
        for name in ("ferrite", "step")
    )
    contrast = (ferrite - candidates["minimum_grey"].to_numpy(float)) / np.maximum(step, 1e-6)
    table = candidates[["panorama", "site_id"]].assign(contrast=contrast)
    return check_table(table, SITE_CONTRASTS, source="contrasts of candidates")


def _look_at(image, valid, candidates, runs, settings, reference, threads):
    parameters = parameters_of(settings, pixel_size_nm=image.pixel_size_nm, reference=reference)
    limit = dark_limit(image, valid, dark=parameters.dark, threads=threads)
    levels = limit.levels
    if levels is None:
        block_px = max(round(_BLOCK_UM * 1000 / image.pixel_size_nm), 1)
        levels = phase_greys(image, valid, block_px=block_px, threads=threads)
    boxes = candidates[["left_px", "top_px", "width_px", "height_px"]].to_numpy(float, copy=True)
    boxes[:, 2:] += boxes[:, :2] - 1
    return _Search(
        image=image,
        valid=valid,
        parameters=parameters,
        limit=limit,
        levels=levels,
        blur_px=edge_blur_px(image, candidates, runs),
        noise_at=void_noise(image, valid),
        boxes=boxes,
    )


def _plant_one(search, top, *, areas_um2, random):
    """Plant one void near a height of the panorama; None where there is no room."""
    height, width = search.image.shape
    shape = random.choice(list(SHAPES))
    area = float(np.exp(random.uniform(*np.log(areas_um2))))
    # Dark ones are more often asked for.
    depth = random.random() ** 0.6
    for attempt in range(_TRIES):
        site = _site(shape, area, random)
        margin = int(np.ceil((site.extent_um + _SEEN_UM) / search.pixel_um))
        # Further away with every try, so that the order from top to bottom nearly stays.
        shifted = np.clip(top + random.normal(0, 0.02) * (attempt > 0) * (1 + attempt / 5), 0, 1)
        row = round(margin + shifted * (height - 1 - 2 * margin))
        column = round(margin + random.random() * (width - 1 - 2 * margin))
        window = Window(
            top=row - margin,
            left=column - margin,
            bottom=row + margin + 1,
            right=column + margin + 1,
        )
        if not _has_room(search, window, row, column, reach_um=site.extent_um + _CLEAR_UM):
            continue
        seen = search.image.read(window)
        drawn = _draw(search, site, seen, row, column, depth=depth, random=random)
        if drawn is not None:
            planted, void, described = drawn
            found = _found(search, planted, void, window, row, column)
            place = {"x_px": column, "y_px": row}
            return {"shape": shape, **place, **described, **found}
    return None


def _site(shape, area_um2, random):
    """Return a site of about this area at the origin; its angle is chosen by its place."""
    width = random.uniform(*SHAPES[shape])
    filled = 4.0 if shape == "martensite" else np.pi
    size = np.sqrt(area_um2 / (filled * width))
    return Site(
        label=shape,
        y_um=0.0,
        x_um=0.0,
        size_um=float(size),
        width_um=float(size * width),
        angle=float(random.uniform(-np.pi / 2, np.pi / 2)),
        seed=int(random.integers(2**32)),
    )


def _has_room(search, window, row, column, *, reach_um):
    height, width = search.image.shape
    if window.top < 0 or window.left < 0 or window.bottom > height or window.right > width:
        return False
    reach = reach_um / search.pixel_um
    left, top, right, bottom = search.boxes.T
    near = (left < column + reach) & (right > column - reach)
    if (near & (top < row + reach) & (bottom > row - reach)).any():
        return False
    return search.valid.holds_only(window, VALID) or (search.valid.read(window) == VALID).all()


def _draw(search, site, seen, row, column, *, depth, random):
    """Return window with void, mask of the void, and what it is; None where nothing is to be seen.

    The structure round the place is taken from the greys: what is brighter than half the step
    between the phases is martensite.
    """
    pixel_um = search.pixel_um
    ferrite, step = (search.level(name, row, column) for name in ("ferrite", "step"))
    limit = float(search.limit.at(np.array([row]), np.array([column]))[0])
    if step <= 0 or limit <= 0:
        return None
    base = ndimage.gaussian_filter(seen.astype(np.float32), _SMOOTH_UM / pixel_um)
    middle = seen.shape[0] // 2
    phase_um = np.zeros(seen.shape, np.float32)
    if site.label == "interface":
        site, phase_um = _along_boundary(site, base > ferrite + step / 2, pixel_um=pixel_um)
    offsets = (np.arange(seen.shape[0]) - middle) * pixel_um
    drawing = draw_site(site, phase_um=phase_um, y_um=offsets, x_um=offsets)
    opacity = ndimage.gaussian_filter(drawing.opacity, search.blur_px)
    threshold_depth = max(ferrite - limit, 1.0)
    shallowest = max(ferrite - LEAST_DEPTH * threshold_depth, 0)
    grey = shallowest * (1 - depth)
    glow = drawing.glow * min(step / _SIMULATED_STEP, 2.0)
    lit = np.clip(seen + glow, 0, 255)
    clean = np.clip(base + glow, 0, 255)
    darkening = opacity * (clean - grey)
    void = (darkening > darkening.max() / 2) & (opacity > 0.05)
    if darkening.max() < 1 or not void.any():
        return None
    noise = random.standard_normal(seen.shape) * search.noise_at(grey)
    # The noise of what the void hides goes with it.
    planted = lit * (1 - opacity) + grey * opacity + noise * np.sqrt(1 - (1 - opacity) ** 2)
    described = {
        "area_um2": float(void.sum() * pixel_um**2),
        "dark_area_um2": float(((clean - darkening < limit) & void).sum() * pixel_um**2),
        "contrast": float((ferrite - (clean - darkening)[void].min()) / step),
    }
    return np.clip(np.rint(planted), 0, 255).astype(np.uint8), void, described


def _along_boundary(site, is_bright, *, pixel_um):
    """Turn a gap along the nearest phase boundary, from which it opens; shift that to the place."""
    inside = ndimage.distance_transform_edt(is_bright) - ndimage.distance_transform_edt(~is_bright)
    middle = len(inside) // 2
    part = slice(middle - 8, middle + 9)
    down, right = np.gradient(ndimage.gaussian_filter(inside[part, part], 2))
    angle = np.arctan2(down[8, 8], right[8, 8]) + np.pi / 2
    phase_um = ((inside - inside[middle, middle]) * pixel_um).astype(np.float32)
    return replace(site, angle=float(angle)), phase_um


def _found(search, planted, void, window, row, column):
    """Search a window and return the site that lies in place of the void."""
    dark = dark_pixels_of(
        planted, search.valid, window, search.limit, around_px=search.parameters.around_px
    )
    pixels = Pixels.of(dark)
    pixels = Pixels(
        **pixels.arrays()
        | {"rows": pixels.rows - window.top, "columns": pixels.columns - window.left}
    )
    shape = window.shape
    clusters = clusters_of_strips(
        iter([(pixels, shape[0])]), shape=shape, parameters=search.parameters
    )
    owner, _ = choose_sites(clusters, parameters=search.parameters)
    nothing = {"found": False, "found_area_um2": np.nan, "found_contrast": np.nan}
    sites = {} if owner is None else join_clusters(clusters, owner).measures
    if not sites or not len(sites["area_px"]):
        return nothing
    centres = np.column_stack([sites["y_px"], sites["x_px"]])
    distance, _ = KDTree(np.argwhere(void)).query(centres)
    inside = distance * search.pixel_um <= _NEAR_UM
    if not inside.any():
        return nothing
    site = np.flatnonzero(inside)[sites["area_px"][inside].argmax()]
    ferrite, step = (search.level(name, row, column) for name in ("ferrite", "step"))
    return {
        "found": True,
        "found_area_um2": float(sites["area_px"][site] * search.pixel_um**2),
        "found_contrast": float((ferrite - sites["minimum_grey"][site]) / step),
    }
