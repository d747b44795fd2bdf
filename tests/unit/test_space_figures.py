"""Figures of space and sizes: legible at the width of a column, and never a number that is none."""

import numpy as np
import pandas as pd
import pytest
from test_figures import check_page, texts
from test_sizes import made_sites, measured
from test_space import HOLED, points_in, site_table

from damascene.figures import style
from damascene.figures.crack_directions import draw_crack_directions
from damascene.figures.gallery import draw_gallery
from damascene.figures.sizes import draw_median_sizes, draw_size_distributions, draw_sizes_3d
from damascene.figures.space import draw_density_map, draw_space
from damascene.space.measure import measure_space


@pytest.fixture(scope="module", params=["many", "few", "none", "no phases"])
def space(request):
    count = {"many": 120, "few": 5, "none": 0, "no phases": 60}[request.param]
    points = points_in(HOLED, max(count, 1), hard_core_um=0.9)[:count]
    fraction = None if request.param == "no phases" else np.full(HOLED.valid.shape, 0.3)
    patch = pytest.MonkeyPatch()
    patch.setattr("damascene.space.measure.SIMULATIONS", 19)
    found = measure_space(
        site_table(points, np.resize(["notch", "inclusion", "martensite"], count)),
        HOLED,
        pixel_um=0.5,
        hard_core_um=0.8,
        seed=1,
        fraction=fraction,
    )
    patch.undo()
    return found, count


def test_figures_of_space_fit_in_a_column_and_say_what_is_missing(space):
    found, count = space
    figure = draw_space(found.curves, found.summary, found.labelling, title="a")
    check_page(figure)
    assert figure.get_figwidth() * style.MM_PER_INCH == pytest.approx(85)
    said = " ".join(texts(figure)).replace("\n", "")
    assert ("fewer than 20 sites" in said) == (count < 20)
    curve = figure.axes[0].lines
    assert bool(curve) == (count >= 20)
    if curve:
        # No curve starts below the distance that two sites can have.
        assert curve[0].get_xdata()[0] > found.summary["from_um"].max()
    page = draw_density_map(found.map, found.damage_um, title="a")
    check_page(page)
    assert any("per mm²" in text for text in texts(page)) == (found.map is not None)


def test_size_figures_fit_in_a_column_and_start_at_the_limit():
    names = ["a", "b", "c"]
    sites = pd.concat(
        [made_sites(name, 90, median_px=120 * 1.5**at, seed=at) for at, name in enumerate(names)]
    )
    found = measured(sites, names)
    limit_um2 = 20 * 0.04**2
    figures = [
        draw_size_distributions(sites, fits=found.fits, detection_limit_um2=limit_um2),
        draw_median_sizes(found.fits, found.trends),
        draw_crack_directions(sites, found.orientations),
        draw_sizes_3d(found.in_space),
    ]
    for figure in figures:
        check_page(figure)
        assert figure.get_figwidth() * style.MM_PER_INCH == pytest.approx(85)
    for axes in (figures[0].axes[0], figures[0].axes[2]):
        assert min(line.get_xdata()[0] for line in axes.lines) >= limit_um2 * (1 - 1e-9)
    rose = texts(figures[2])
    assert rose.count("too few") == 4 and "martensite (n = " in " ".join(rose)


def test_a_panorama_of_five_sites_gets_no_point_and_no_line():
    sites = pd.concat([made_sites("a", 5), made_sites("b", 5, seed=1)])
    found = measured(sites, ["a", "b"])
    figure = draw_median_sizes(found.fits, found.trends)
    check_page(figure)
    assert not figure.axes[0].lines and "no class with six sites" in " ".join(texts(figure))
    for figure in (draw_sizes_3d(found.in_space), draw_crack_directions(sites, found.orientations)):
        check_page(figure)
    assert "not estimated" in " ".join(texts(draw_sizes_3d(found.in_space)))


def test_the_gallery_says_which_panorama_a_number_means():
    clips = {"notch": (np.zeros((2, 8, 8), np.uint8), ["1/17: 0.93", "3/5: label"])}
    figure = draw_gallery(clips, window_um=5, panoramas=["first", "second", "third"])
    check_page(figure)
    assert "Panoramas: 1 first, 3 third" in texts(figure)
    alone = draw_gallery(clips, window_um=5, panoramas=["first"])
    assert not any(text.startswith("Panoramas") for text in texts(alone))
