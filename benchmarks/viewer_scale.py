"""How long the viewer of a gigapixel takes to build, how large it is, and how smoothly one flies.

Usage: python benchmarks/viewer_scale.py --output FOLDER [--megapixels 1000] [--sites 50000]
       python benchmarks/viewer_scale.py --output FOLDER --panorama IMAGE --valid MASK

Without an image, a block of simulated steel of 25 megapixels is laid out in rows and columns, every
other one mirrored, until the panorama is as large as asked: its pictures compress as those of
simulated steel do. Sites lie at random. Times are those of this machine; the browser draws without
a graphics card. Needs Chromium and the package playwright.
"""

import argparse
import json
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.classes import SITE_CLASSES
from damascene.contracts.panorama_record import AcquisitionRecord, PanoramaRecord, ValidArea
from damascene.images.store import TiledImage, Window, write_all_valid, write_tiled
from damascene.simulation import simulate_panorama
from damascene.viewer.page import write_page
from damascene.viewer.sites import outlines_script, sites_script
from damascene.viewer.study import study_facts
from damascene.viewer.tiles import (
    whole_folder,
    write_image_tiles,
    write_overviews,
    write_phase_tiles,
)

PIXEL_SIZE_NM = 40.0
BLOCK = (4096, 6144)
NAME = "gigapixel"
PHASE_COLOURS = {1: "#56B4E9", 2: "#E69F00", 3: "#000000"}
# A frame after which one sees that the picture stood still.
_SLOW_MS = 1000 / 30


def main() -> None:
    """Build, measure, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--megapixels", type=int, default=1000)
    parser.add_argument("--sites", type=int, default=50_000)
    parser.add_argument("--panorama", type=Path, help="an OME-TIFF of the workflow to take instead")
    parser.add_argument("--valid", type=Path, help="its mask")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    image, valid, phases = options.panorama, options.valid, None
    if image is None:
        image, valid, phases = made_panorama(options.output, options.megapixels, options.threads)
    found = build(options, image, valid, phases)
    found |= fly(options.output / "viewer/index.html")
    (options.output / "viewer_scale.json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


def made_panorama(folder: Path, megapixels: int, threads: int) -> tuple[Path, Path, Path]:
    """Lay a block of simulated steel out; return image, mask and phase map."""
    paths = [folder / f"{NAME}_{megapixels}{end}" for end in (".ome.tif", ".valid.ome.tif")]
    paths.append(folder / f"{NAME}_{megapixels}.phases.ome.tif")
    if all(path.exists() for path in paths):
        return tuple(paths)
    block, block_phases = folder / "block.ome.tif", folder / "block.phases.ome.tif"
    simulate_panorama(
        panorama="block",
        shape=BLOCK,
        pixel_size_nm=PIXEL_SIZE_NM,
        strain_percent=12,
        seed=20190514,
        dwell_time_ns=3000,
        image_path=block,
        phases_path=block_phases,
        threads=threads,
    )
    side = (megapixels * 1e6) ** 0.5
    across, down = round(side / BLOCK[1]), -(-round(side) // BLOCK[0])
    shape = (down * BLOCK[0], across * BLOCK[1])
    options = {"shape": shape, "pixel_size_nm": PIXEL_SIZE_NM, "name": NAME, "threads": threads}
    write_tiled(paths[0], repeated(block, across, down), **options)
    write_tiled(paths[2], repeated(block_phases, across, down), labels=True, **options)
    write_all_valid(paths[1], shape=shape, pixel_size_nm=PIXEL_SIZE_NM, name=NAME)
    return tuple(paths)


def repeated(path: Path, across: int, down: int) -> Iterator[np.ndarray]:
    """Yield strips of blocks beside and below each other, every other one mirrored."""
    with TiledImage(path) as image:
        block = image.read(Window(top=0, left=0, bottom=BLOCK[0], right=BLOCK[1]))
    for row in range(down):
        turned = block[::-1] if row % 2 else block
        for top in range(0, BLOCK[0], 512):
            strip = turned[top : top + 512]
            yield np.hstack([strip[:, ::-1] if i % 2 else strip for i in range(across)])


def build(options, image: Path, valid: Path, phases: Path | None) -> dict:
    """Write the viewer; return times and sizes."""
    page = options.output / "viewer/index.html"
    shutil.rmtree(page.parent, ignore_errors=True)
    with TiledImage(image) as opened:
        shape = opened.shape
    began = time.perf_counter()
    key = f"tiles/{NAME}"
    (page.parent / "tiles").mkdir(parents=True)
    with whole_folder(page.parent / key) as folder:
        write_image_tiles(image, folder, key=key, threads=options.threads)
        write_overviews(image, valid, folder, key=key)
    tiled, tiles_memory = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if phases:
        key = f"phases/{NAME}"
        (page.parent / "phases").mkdir()
        with whole_folder(page.parent / key) as folder:
            write_phase_tiles(
                phases, folder, key=key, colours=PHASE_COLOURS, threads=options.threads
            )
    mapped = time.perf_counter()
    sites, runs = made_sites(options.sites, shape)
    made = time.perf_counter()
    (page.parent / "sites").mkdir()
    key = f"sites/{NAME}.js"
    (page.parent / key).write_text(sites_script(key, sites), encoding="utf-8")
    key = f"sites/{NAME}.outlines.js"
    (page.parent / key).write_bytes(outlines_script(key, runs, sites))
    page.write_text(write_page(facts(shape, sites, bool(phases))), encoding="utf-8")
    ended = time.perf_counter()
    size = image.stat().st_size
    files = [path for path in page.parent.rglob("*") if path.is_file()]
    parts = {
        part: sum(path.stat().st_size for path in files if path.is_relative_to(page.parent / part))
        for part in ("tiles", "phases", "sites")
    }
    return {
        "megapixels": round(shape[0] * shape[1] / 1e6, 1),
        "sites": len(sites),
        "panorama_mb": round(size / 1e6, 1),
        "build_s": round(ended - began - (made - mapped), 1),
        "tiles_s": round(tiled - began, 1),
        "phases_s": round(mapped - tiled, 1),
        "sites_s": round(ended - made, 1),
        "tiles_memory_mb": round(tiles_memory / 1e3),
        "largest_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
        "files": len(files),
        "viewer_mb": round(sum(path.stat().st_size for path in files) / 1e6, 1),
        "viewer_percent": round(100 * sum(path.stat().st_size for path in files) / size, 2),
        **{f"{part}_percent": round(100 * each / size, 2) for part, each in parts.items()},
    }


def made_sites(
    count: int, shape: tuple[int, int], *, name: str = NAME, seed: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return sites of all classes at random places, and their pixels: squares of 20 px."""
    rng = np.random.default_rng(seed)
    left, top = (rng.integers(0, edge - 20, count) for edge in shape[::-1])
    p = rng.dirichlet(np.full(len(SITE_CLASSES), 0.3), count)
    named = np.array(SITE_CLASSES, object)[p.argmax(axis=1)]
    sites = pd.DataFrame(
        {
            "panorama": name,
            "site_id": np.arange(count),
            "x_px": left + rng.uniform(8, 12, count),
            "y_px": top + rng.uniform(8, 12, count),
            "fragments": 1,
            "area_px": 400,
            "area_um2": rng.lognormal(-0.5, 0.8, count),
            "equivalent_diameter_um": rng.lognormal(-0.3, 0.4, count),
            "aspect_ratio": rng.uniform(1, 4, count),
            "orientation_deg": rng.uniform(-90, 90, count),
            "convexity": rng.uniform(0.6, 1, count),
            "left_px": left,
            "top_px": top,
            "width_px": 20,
            "height_px": 20,
            "mean_grey": rng.uniform(0, 30, count),
            "minimum_grey": 0.0,
            "touches_border": False,
            "touches_mask": False,
            **{f"p_{each}": p[:, i] for i, each in enumerate(SITE_CLASSES)},
            "predicted_class": named,
            "confidence": p.max(axis=1),
            "prediction_set": named,
            "label": "",
            "class": named,
        }
    )
    runs = pd.DataFrame(
        {
            "site_id": np.repeat(np.arange(count), 20),
            "y_px": (top[:, None] + np.arange(20)).ravel(),
            "left_px": np.repeat(left, 20),
            "right_px": np.repeat(left + 19, 20),
        }
    )
    return sites, runs


def facts(shape: tuple[int, int], sites: pd.DataFrame, phases: bool) -> dict:
    """Return what the page knows of a study of one panorama."""
    sheet = {NAME: {"strain_percent": 12.0, "condition": "", "specimen": ""}}
    colours = {"ferrite": "#56B4E9", "martensite": "#E69F00", "damage": "#000000"}
    return study_facts(
        study="scale",
        version="benchmark",
        records=[made_record(NAME, shape, PIXEL_SIZE_NM)],
        sites={NAME: sites},
        sheet=sheet,
        phases=colours if phases else None,
    )


def made_record(name: str, shape: tuple[int, int], pixel_size_nm: float) -> PanoramaRecord:
    """Return the record of a panorama of which all is valid."""
    return PanoramaRecord(
        panorama=name,
        width_px=shape[1],
        height_px=shape[0],
        pixel_size_nm=pixel_size_nm,
        pixel_size_source="sheet",
        acquisition=AcquisitionRecord(),
        valid_area_mm2=shape[0] * shape[1] * pixel_size_nm**2 * 1e-12,
        valid_fraction=1.0,
        valid_area=ValidArea(valid=1, no_image=0, blank=0, charging=0),
        source="simulated",
        sources=(),
        stitching=None,
        grey_scale=None,
        notes=(),
        versions={},
    )


def chromium() -> str:
    """Return the program of Chromium that is installed."""
    return next(filter(None, map(shutil.which, ("chromium", "google-chrome"))))


#: Notes when the first picture and the sites are there, from the start of the page.
WATCH = """
window.firsts = {};
new MutationObserver(() => {
  if (document.querySelector(".frame[data-loaded]")) firsts.picture ??= performance.now();
  if (document.querySelector(".filters .left")?.textContent) firsts.sites ??= performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true });
"""

#: Moves the map in each frame of so many seconds, and returns how long each frame took, in ms.
FRAMES = """
([seconds, move]) => new Promise((resolve) => {
  const { map } = damascene.views.map.maps()[0];
  const moves = {
    pan: (i) => map.panBy([14, 9], { animate: false }),
    drag: (i) => map.panBy([i % 240 < 120 ? 40 : -40, 0], { animate: false }),
    zoom: (i) => i % 30 || map.setZoom(-(Math.floor(i / 30) % 5), { animate: true }),
  };
  const times = [];
  let last = performance.now();
  const began = last;
  let i = 0;
  const frame = (now) => {
    times.push(now - last);
    last = now;
    moves[move](i++);
    if (now - began < 1000 * seconds) requestAnimationFrame(frame);
    else resolve(times.slice(1));
  };
  requestAnimationFrame(frame);
})
"""


def fly(page: Path) -> dict:
    """Open the page in Chromium; return times, frames and memory."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--enable-precise-memory-info"]
        )
        opened = browser.new_page(viewport={"width": 1400, "height": 900})
        opened.add_init_script(WATCH)
        opened.goto(page.resolve().as_uri() + f"#/map/{NAME}")
        while len(firsts := opened.evaluate("firsts")) < 2:
            opened.wait_for_timeout(50)
        found = {
            "first_picture_s": round(firsts["picture"] / 1000, 2),
            "sites_shown_s": round(firsts["sites"] / 1000, 2),
        }
        views = {
            "whole_pan": ("pan", -5),
            "quarter_pan": ("pan", -2),
            "full_pan": ("pan", 0),
            "full_fast": ("drag", 0),
            "zoom": ("zoom", 0),
        }
        for name, (move, zoom) in views.items():
            opened.evaluate(
                "(z) => damascene.views.map.maps()[0].map.setView([15000, 15000], z)", zoom
            )
            opened.wait_for_timeout(1500)
            times = np.array(opened.evaluate(FRAMES, [6, move]))
            found[f"{name}_frames_per_s"] = round(1000 / times.mean(), 1)
            found[f"{name}_slowest_percent_ms"] = round(float(np.percentile(times, 99)), 1)
            found[f"{name}_slow_frames_percent"] = round(100 * (times > _SLOW_MS).mean(), 1)
        found["drag_frames_per_s"] = dragged(opened)
        found["heap_mb"] = round(opened.evaluate("performance.memory.usedJSHeapSize") / 1e6, 1)
        opened.evaluate("damascene.views.map.maps()[0].fit()")
        took = opened.evaluate(
            "(() => { const t = performance.now(); const m = damascene.views.map.maps()[0];"
            " m.apply({...m.filter, least_probability: 0.5}); return performance.now() - t; })()"
        )
        found["filter_ms"] = round(took, 1)
        browser.close()
    return found


def dragged(opened) -> float:
    """Drag the whole panorama with the mouse; return frames a second."""
    opened.evaluate("damascene.views.map.maps()[0].fit()")
    opened.wait_for_timeout(1000)
    opened.evaluate(
        "() => { window.frames_seen = []; const f = (now) => { frames_seen.push(now);"
        " requestAnimationFrame(f); }; requestAnimationFrame(f); }"
    )
    opened.mouse.move(800, 400)
    opened.mouse.down()
    began = opened.evaluate("performance.now()")
    for i in range(150):
        opened.mouse.move(800 + 3 * (i % 100), 400 + 2 * (i % 60))
    ended = opened.evaluate("performance.now()")
    opened.mouse.up()
    seen = opened.evaluate("frames_seen")
    return round(1000 * sum(began < now < ended for now in seen) / (ended - began), 1)


if __name__ == "__main__":
    main()
