import io
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_records import panorama_record
from matplotlib.collections import PathCollection
from matplotlib.container import ErrorbarContainer
from matplotlib.text import Text
from PIL import Image

from damascene.classes import DAMAGE, SITE_CLASSES, SITE_LABELS
from damascene.evaluation.truth import SCOPES
from damascene.figures import style
from damascene.figures.density import draw_class_shares, draw_density_against_strain
from damascene.figures.gallery import draw_gallery
from damascene.figures.overview import draw_overview
from damascene.figures.scores import draw_confusion, draw_detection_scores, draw_training
from damascene.figures.sizes import draw_size_distributions
from damascene.images.store import TiledImage, write_tiled
from damascene.statistics.density import density_table
from damascene.statistics.evolution import evolution_table

AREA_MM2 = 0.01
LONG = "specimen_A_of_the_second_campaign_step_{}_region_1"


def make_sites(counts, *, shape=(200, 300)):
    """Build sites from {panorama: {label: count}}; columns as far as figures use them."""
    rng = np.random.default_rng(7)
    rows = [
        (panorama, label, rng.uniform(0, shape[1]), rng.uniform(0, shape[0]), rng.lognormal())
        for panorama, labels in counts.items()
        for label, count in labels.items()
        for _ in range(count)
    ]
    table = pd.DataFrame(rows, columns=["panorama", "class", "x_px", "y_px", "area_um2"])
    return table.astype({"x_px": float, "y_px": float, "area_um2": float}).assign(
        touches_border=False, touches_mask=False, label="", site_id=np.arange(len(table))
    )


def make_density(counts, strains):
    records = [panorama_record(name, valid_area_mm2=AREA_MM2) for name in counts]
    return density_table(make_sites(counts), records, strains_percent=strains)


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def check_page(figure):
    """Check that all text is large enough in print and inside the figure."""
    figure.draw_without_rendering()
    page = figure.bbox
    # Ticks beyond the limits of an axis have a text, but it is not drawn.
    undrawn = [
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks() + axis.get_minor_ticks()
        for label in (tick.label1, tick.label2)
        if not _is_shown(tick, axis)
    ]
    for text in figure.findobj(Text):
        if not text.get_text() or not text.get_visible() or text in undrawn:
            continue
        assert text.get_fontsize() >= 7, text
        box = text.get_window_extent()
        if box.width == 0:
            continue
        # One pixel for the rounding of glyph outlines.
        assert box.x0 >= page.x0 - 1, text
        assert box.x1 <= page.x1 + 1, text
        assert box.y0 >= page.y0 - 1, text
        assert box.y1 <= page.y1 + 1, text
    width = figure.get_figwidth() * style.MM_PER_INCH
    assert style.COLUMN_WIDTH_MM - 0.1 <= width <= style.FULL_WIDTH_MM + 0.1


def _is_shown(tick, axis):
    low, high = sorted(axis.get_view_interval())
    return low <= tick.get_loc() <= high


THREE = {
    "start": {"martensite": 1, "inclusion": 9, "shadowing": 3},
    "middle": {"martensite": 30, "interface": 12, "inclusion": 8, "notch": 6},
    "end": {"martensite": 80, "interface": 20, "inclusion": 9, "not_classified": 2},
}
CASES = {
    "three": (THREE, [0.0, 6.0, 12.0]),
    "one": ({"only": {"notch": 3}}, [6.0]),
    "one without strain": ({"only": {"notch": 3}}, [math.nan]),
    "no sites": ({"start": {}, "end": {}}, [0.0, 6.0]),
    "not classified": ({"start": {"not_classified": 20}}, [0.0]),
    "ten": (
        {LONG.format(step): {"martensite": 10 * step, "shadowing": 3} for step in range(10)},
        [0, 0, 0.5, 2, 4, 4, 4, 8, 12, 20.0],
    ),
    "ten without strain": (
        {LONG.format(step): {"martensite": 10 * step, "shadowing": 3} for step in range(10)},
        [0, math.nan, *[4.0] * 8],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_tables_of_all_kinds_fit_on_the_page(case):
    counts, strains = CASES[case]
    density = make_density(counts, strains)
    check_page(draw_density_against_strain(density))
    check_page(draw_class_shares(density))
    check_page(draw_size_distributions(make_sites(counts), detection_limit_um2=0.01))


def test_classes_differ_in_colour_marker_and_hatch():
    labels = {*SITE_LABELS}
    assert set(style.LABEL_ORDER) == labels
    for look, named in (
        (style.COLOURS, labels | {DAMAGE}),
        (style.MARKERS, labels | {DAMAGE}),
        (style.HATCHES, labels),
    ):
        assert set(look) == named
        assert len(set(look.values())) == len(look)


@given(longest=st.floats(1e-6, 1e9))
@settings(max_examples=100, deadline=None)
def test_nice_length_is_round_and_the_largest(longest):
    length = style.nice_length(longest)
    # Rounding of decimal fractions in binary.
    assert longest / 2.5 * (1 - 1e-6) <= length <= longest * (1 + 1e-6)
    assert f"{length:.6e}"[0] in "125"
    assert set(f"{length:.6e}"[2:8]) == {"0"}


def test_length_text_chooses_the_unit():
    assert [style.length_text(length) for length in (0.2, 1, 50, 1000, 2000)] == [
        "200 nm",
        "1 µm",
        "50 µm",
        "1 mm",
        "2 mm",
    ]


@given(name=st.text(alphabet="ab_-1 ", min_size=1, max_size=60), width=st.integers(1, 30))
@settings(max_examples=100, deadline=None)
def test_wrapped_names_lose_nothing(name, width):
    lines = style.wrapped(name, width=width).split("\n")
    assert "".join(lines) == name
    assert max(map(len, lines)) <= width


def test_wrapped_names_break_behind_separators():
    assert style.wrapped("series_of_tiles", width=10) == "series_of_\ntiles"
    assert style.wrapped("short", width=10) == "short"


def error_bars(axes):
    return {
        bars.get_label(): bars for bars in axes.containers if isinstance(bars, ErrorbarContainer)
    }


def test_densities_and_intervals_are_those_of_the_table():
    density = make_density(THREE, [0.0, 6.0, 12.0])
    figure = draw_density_against_strain(density)
    drawn = error_bars(figure.axes[0]) | error_bars(figure.axes[1])
    assert set(drawn) == {style.shown(name) for name in SITE_LABELS} | {"damage (sum)"}
    rows = density[density["class"] == "martensite"]
    line, _, (bars,) = drawn["martensite"].lines
    np.testing.assert_allclose(line.get_ydata(), rows["density_per_mm2"])
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends[:, 0], rows["density_low_per_mm2"])
    np.testing.assert_allclose(ends[:, 1], rows["density_high_per_mm2"])
    # Points are moved by less than half the distance to the next strain.
    assert np.abs(line.get_xdata() - rows["strain_percent"]).max() < 3


def trends(density):
    evolution = evolution_table(density, confidence=0.95)
    figure = draw_density_against_strain(density, evolution)
    return figure, [one for axes in figure.axes for one in axes.lines if one.get_alpha() == 0.6]


def test_points_of_one_strain_are_apart_and_the_curve_is_the_regression():
    counts = {"a": {"notch": 10}, "b": {"notch": 20}, "c": {"notch": 50}}
    figure, curves = trends(make_density(counts, [2.0, 2.0, 8.0]))
    notch = error_bars(figure.axes[0])["notch"].lines[0]
    assert len(set(notch.get_xdata())) == 3
    # Of notches and of the sum; two strains alone are met by any curve.
    assert len(curves) == 2
    for curve in curves:
        assert curve.get_ydata()[[0, -1]] == pytest.approx([15 / AREA_MM2, 50 / AREA_MM2])


@pytest.mark.parametrize(
    ("first", "strains"), [(10, [6.0, 6.0]), (10, [math.nan, 4.0]), (2, [0.0, 6.0])]
)
def test_no_curve_without_two_known_strains_or_through_five_sites(first, strains):
    counts = {"a": {"notch": first}, "b": {"notch": first + 1}}
    assert trends(make_density(counts, strains))[1] == []


def test_intervals_are_those_of_blocks_where_there_are_some():
    density = make_density({"a": {"notch": 10}, "b": {"notch": 20}}, [0.0, 6.0])
    density["block_low_per_mm2"] = density["density_low_per_mm2"] / 2
    density["block_high_per_mm2"] = density["density_high_per_mm2"] * 2
    bars = error_bars(draw_density_against_strain(density).axes[0])["notch"].lines[2][0]
    low, high = np.array([segment[:, 1] for segment in bars.get_segments()]).T
    rows = density[density["class"] == "notch"]
    assert low == pytest.approx(rows["block_low_per_mm2"].to_numpy())
    assert high == pytest.approx(rows["block_high_per_mm2"].to_numpy())


def test_panoramas_without_strain_are_named():
    counts = {"a": {"notch": 10}, "b": {"notch": 20}}
    figure = draw_density_against_strain(make_density(counts, [math.nan, 4.0]))
    names = [tick.get_text() for tick in figure.axes[1].get_xticklabels()]
    assert names == ["a", "b (4 %)"]
    assert figure.axes[1].get_xlabel() == "Panorama"


def test_shares_of_many_panoramas_are_one_bar_a_strain():
    counts = {f"p{index}": {"notch": 2, "martensite": 1} for index in range(40)}
    density = make_density(counts, [0.0] * 20 + [6.0] * 20)
    withheld = (density["panorama"] == "p0") & (density["class"] != "all")
    density.loc[withheld, "count"] = None
    density.loc[withheld, "not_estimated"] = "the steel is foreign"
    figure = draw_class_shares(density)
    check_page(figure)
    assert {"n = 57", "n = 60", "38", "40"} <= set(texts(figure))
    assert figure.get_figheight() < 4
    of_classes = density["class"] != "all"
    density.loc[of_classes, "not_estimated"] = "the steel is foreign"
    assert "classes not estimated" in texts(draw_class_shares(density))


def test_shares_fill_the_bar_and_follow_the_counts():
    figure = draw_class_shares(make_density(THREE | {"empty": {}}, [0.0, 6.0, 12.0, 15.0]))
    bars = figure.axes[0].patches
    widths = np.array([bar.get_width() for bar in bars]).reshape(len(SITE_LABELS), 4)
    np.testing.assert_allclose(widths.sum(axis=0), [100, 100, 100, 0])
    assert widths[0, 1] == pytest.approx(100 * 30 / 56)
    assert {"n = 13", "n = 56", "n = 111", "n = 0", "no sites"} <= set(texts(figure))


def test_size_curves_are_the_empirical_distribution():
    sites = make_sites(THREE)
    figure = draw_size_distributions(sites, detection_limit_um2=0.02)
    by_label = {line.get_label(): line for line in figure.axes[0].lines}
    curve = by_label["martensite (n = 111)"]
    areas = np.sort(sites.loc[sites["class"] == "martensite", "area_um2"])
    np.testing.assert_array_equal(curve.get_xdata()[1:], areas)
    np.testing.assert_allclose(curve.get_ydata(), np.arange(112) / 111)
    assert not [name for name in by_label if "notch" in name and "n = 0" in name]
    # Beside each panel stands its legend.
    assert [line.get_label() for line in figure.axes[2].lines][:3] == [
        "start (n = 1)",
        "middle (n = 48)",
        "end (n = 100)",
    ]
    assert 0.02 in [line.get_xdata()[0] for line in figure.axes[0].lines]
    low, high = figure.axes[0].get_xlim()
    assert low < 0.02
    assert high > sites["area_um2"].max()


def test_sizes_without_sites_say_so():
    assert "no sites" in texts(draw_size_distributions(make_sites({})))


def confusion_of(counts, truth, predicted):
    pairs = pd.MultiIndex.from_product([truth, predicted], names=["true_class", "predicted_class"])
    table = pd.DataFrame({"count": np.ravel(counts)}, index=pairs).reset_index()
    occurs = table.groupby("true_class")["count"].transform("sum") > 0
    kind = np.where(occurs, np.where(table["count"] == 1, "sites", "groups"), "")
    return table.assign(low=0.05, high=0.996, interval=kind)


def test_confusion_shows_counts_and_row_percentages():
    confusion = confusion_of(
        [[3, 1, 0], [0, 0, 0]], ["notch", "interface"], ["notch", "interface", "not_classified"]
    )
    figure = draw_confusion(confusion, title="Held-out sites")
    cells = {
        text.get_position(): text.get_text() for text in figure.axes[0].texts if text.get_text()
    }
    assert cells == {
        (0, 0): "3\n75 %\n5–100",
        # Its interval takes sites as independent.
        (1, 0): "1\n25 %\n5–100*",
        (2, 0): "0\n0 %\n5–100",
        (0, 1): "0\n–",
        (1, 1): "0\n–",
        (2, 1): "0\n–",
    }
    rows = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert rows == ["notch\nn = 4", "interface\nn = 0"]
    check_page(figure)


def test_full_confusion_fits_on_the_page():
    confusion = confusion_of(np.full((5, 6), 12345), SITE_CLASSES, SITE_LABELS)
    check_page(draw_confusion(confusion, title="All"))


def make_history(validation_loss):
    loss = np.asarray(validation_loss, float)
    return pd.DataFrame(
        {
            "epoch": np.arange(1, len(loss) + 1),
            "loss": loss / 2,
            "accuracy": 1 - loss / 4,
            "validation_loss": loss,
            "validation_accuracy": 1 - loss / 3,
        }
    )


def test_training_marks_the_epoch_of_the_lowest_validation_loss():
    histories = {"inclusion network": make_history([0.9, 0.4, 0.6]), "damage": make_history([1.2])}
    figure = draw_training(histories)
    assert len(figure.axes) == 4
    for axes, best in zip(figure.axes, (2, 1, 2, 1), strict=True):
        marks = [line for line in axes.lines if line.get_label() == "lowest validation loss"]
        assert [line.get_xdata()[0] for line in marks] == [best]
    assert figure.axes[0].get_ylim()[1] > 0.9
    assert figure.axes[0].get_title("left") == "inclusion network\nbest epoch 2"
    check_page(figure)


def test_of_frozen_networks_the_strength_is_drawn():
    strengths = [1e-4, 1e-3, 1e-2]
    frozen = make_history([0.9, 0.4, 0.6]).assign(strength=strengths)
    figure = draw_training({"inclusion network": frozen, "damage": make_history([0.9, 0.4])})
    assert figure.axes[0].get_title("left") == "inclusion network\nbest strength 0.001"
    assert figure.axes[1].get_title("left") == "damage\nbest epoch 2"
    for axes in (figure.axes[0], figure.axes[2]):
        assert axes.get_xscale() == "log"
        lines = {line.get_label(): line.get_xdata() for line in axes.lines}
        assert list(lines["training"]) == list(lines["validation"]) == strengths
        assert lines["lowest validation loss"][0] == 1e-3
    assert figure.axes[2].get_xlabel().startswith("Strength")
    # Beside it the epochs of the other network.
    assert figure.axes[3].get_xscale() == "linear" and figure.axes[3].get_xlabel() == "Epoch"
    check_page(figure)


def make_scores(total):
    rows = [
        {"scope": scope, "score": score, "class": label, "matched": total, "total": total}
        for scope in SCOPES
        for score, labels in (("recall", SITE_CLASSES), ("precision", SITE_LABELS))
        for label in (*labels, "all")
    ]
    scores = pd.DataFrame(rows)
    value = 1.0 if total else math.nan
    return scores.assign(value=value, low=0.8 if total else 0.0, high=1.0)


def test_detection_scores_show_the_fractions():
    figure = draw_detection_scores(make_scores(12))
    assert texts(figure).count("12/12") == 2 * (6 + 7)
    for axes in figure.axes:
        low, high = axes.get_xlim()
        assert low <= 0.8
        assert high > 1
    # A recall has no class of sites that were not classified, and no line for it.
    recall, precision = (
        [tick.get_text() for tick in axes.get_yticklabels()] for axes in figure.axes
    )
    assert precision == [*recall, "not classified"] and all(recall)
    check_page(figure)


def test_detection_scores_of_nothing():
    figure = draw_detection_scores(make_scores(0))
    assert texts(figure).count("none") == 2 * (6 + 7)
    check_page(figure)


def test_gallery_shows_clips_captions_and_empty_rows():
    rng = np.random.default_rng(2)
    clips = {
        "notch": (rng.integers(0, 256, (3, 20, 20), dtype=np.uint8), ["p 0.91", "p 0.80", "p 0.7"]),
        "interface": (np.empty((0, 20, 20), np.uint8), []),
        "inclusion": (rng.integers(0, 256, (11, 20, 20), dtype=np.uint8), ["1.00"] * 11),
    }
    figure = draw_gallery(clips, window_um=4)
    shown = [image.get_array() for axes in figure.axes for image in axes.images]
    assert len(shown) == 3 + 8
    assert any(np.array_equal(image, clips["notch"][0][1]) for image in shown)
    assert all(image.get_clim() == (0, 255) for axes in figure.axes for image in axes.images)
    assert texts(figure).count("none") == 1
    assert {"p 0.91", "interface", "1 µm"} <= set(texts(figure))
    check_page(figure)


def test_gallery_without_any_clip():
    empty = np.empty((0, 20, 20), np.uint8)
    figure = draw_gallery({label: (empty, []) for label in SITE_LABELS}, window_um=4)
    assert texts(figure).count("none") == len(SITE_LABELS)
    check_page(figure)


def write_image(path, pixels, *, pixel_size_nm=40.0, pyramid=True):
    write_tiled(
        path,
        [pixels],
        shape=pixels.shape,
        pixel_size_nm=pixel_size_nm,
        name=path.name,
        pyramid=pyramid,
    )
    return TiledImage(path)


def make_pixels(shape):
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(200, 300), (900, 150), (300, 5000)])
def test_overview_marks_sites_where_they_are(tmp_path, shape):
    sites = make_sites({"p": {"martensite": 4, "notch": 2, "not_classified": 1}}, shape=shape)
    with write_image(tmp_path / "p.ome.tif", make_pixels(shape)) as image:
        figure = draw_overview(image, sites, title="p")
    axes = figure.axes[0]
    marks = [item for item in axes.collections if isinstance(item, PathCollection)]
    drawn = np.concatenate([mark.get_offsets() for mark in marks])
    # Every site has its light rim and its coloured line.
    expected = np.repeat(sites[["x_px", "y_px"]].to_numpy(), 2, axis=0)
    np.testing.assert_allclose(
        drawn[np.lexsort(drawn.T)], expected[np.lexsort(expected.T)], rtol=1e-12
    )
    assert axes.get_xlim() == (-0.5, shape[1] - 0.5)
    assert axes.get_ylim() == (shape[0] - 0.5, -0.5)
    assert {"martensite 4", "notch 2", "inclusion 0", "not classified 1"} <= set(texts(figure))
    check_page(figure)


@pytest.mark.parametrize("pixel_size_nm", [23.0, 57.5, 400.0])
def test_scale_bar_is_as_long_as_it_says(tmp_path, pixel_size_nm):
    pixels = make_pixels((200, 300))
    with write_image(tmp_path / "p.ome.tif", pixels, pixel_size_nm=pixel_size_nm) as image:
        figure = draw_overview(image, make_sites({}), title="p")
    figure.draw_without_rendering()
    axes = figure.axes[0]
    (bar,) = [line for line in axes.lines if line.get_color() == "white"]
    ends = axes.transData.inverted().transform(bar.get_transform().transform(bar.get_xydata()))
    (said,) = [text for text in texts(figure) if re.fullmatch(r"\d+ µm", text)]
    length_um = (ends[1, 0] - ends[0, 0]) * pixel_size_nm / 1000
    # The store keeps the resolution as a ratio of 32-bit integers.
    assert length_um == pytest.approx(float(said.split()[0]), rel=1e-4)


def test_overview_shows_what_is_not_valid(tmp_path):
    valid = np.full((2100, 3300), 255, np.uint8)
    valid[:700, :1100] = 0
    with (
        write_image(tmp_path / "p.ome.tif", make_pixels(valid.shape)) as image,
        write_image(tmp_path / "p.valid.ome.tif", valid, pyramid=False) as mask,
    ):
        figure = draw_overview(image, make_sites({}), title="p", valid=mask)
        whole = draw_overview(image, make_sites({}), title="p")
    base, cover = figure.axes[0].images
    # Half the size is enough for the page.
    assert base.get_array().shape == (1050, 1650)
    hidden = cover.get_array()[..., 3] == 1
    np.testing.assert_array_equal(hidden, valid[1::2, 1::2] == 0)
    assert "not valid" in texts(figure)
    assert "not valid" not in texts(whole)
    check_page(figure)


def test_overview_of_a_panorama_without_valid_area_or_contrast(tmp_path):
    flat = np.zeros((100, 100), np.uint8)
    with (
        write_image(tmp_path / "p.ome.tif", flat) as image,
        write_image(tmp_path / "p.valid.ome.tif", flat, pyramid=False) as mask,
    ):
        check_page(draw_overview(image, make_sites({}), title="p", valid=mask))


def test_many_marks_become_pixels_of_the_svg(tmp_path):
    sites = make_sites({"p": {"notch": 2500}})
    with write_image(tmp_path / "p.ome.tif", make_pixels((200, 300))) as image:
        figure = draw_overview(image, sites, title="p")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg")
    # The page, its axes and the legend remain; 2,500 sites would be as many elements.
    assert buffer.getvalue().count(b"<use") < 100


def test_files_are_the_same_every_time(tmp_path):
    for run in "ab":
        figure = draw_density_against_strain(make_density(THREE, [0.0, 6.0, 12.0]))
        style.save_figure(figure, tmp_path / f"{run}.svg", tmp_path / f"{run}.png")
    for suffix in ("svg", "png"):
        first = (tmp_path / f"a.{suffix}").read_bytes()
        assert first == (tmp_path / f"b.{suffix}").read_bytes()
    assert b"<dc:date>" not in (tmp_path / "a.svg").read_bytes()


@pytest.mark.parametrize(("width_mm", "width_px"), [(85, 1003), (175, 1600)])
def test_png_has_300_dpi_but_is_not_too_wide(tmp_path, width_mm, width_px):
    figure = style.new_figure(width_mm=width_mm, height_mm=40)
    style.save_figure(figure, tmp_path / "a.svg", tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert abs(image.width - width_px) <= 1
