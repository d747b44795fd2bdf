"""How viewer and review bear a study of a thousand panoramas.

Usage: python benchmarks/viewer_study.py --output FOLDER [--panoramas 1000] [--sites 5 20]

Makes tiny panoramas (128 x 128 px) with some sites each, and measures, each step in a process of
its own: how long the workflow plans the targets viewer and review (`snakemake -n`, nothing made
yet); how long the parts of the page take to build and how large they are; how long the order of
the review takes and how much memory; how long its clips take; and in Chromium how soon the list of
panoramas is there, and how long sorting it, searching in it, opening a map and opening the review
take. Times are those of this machine. Needs Chromium and the package playwright.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import sync_playwright
from viewer_scale import chromium, made_record, made_sites

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.classes import ANSWER_LETTERS, SITE_CLASSES
from damascene.contracts.labels import ANSWERS, CONTRADICTIONS
from damascene.contracts.table import empty_table
from damascene.images.store import write_all_valid, write_tiled
from damascene.review.clips import queue_for_page, review_sites, write_for_page
from damascene.review.order import order_sites
from damascene.review.pool import read_pool
from damascene.shift.space import fit_space
from damascene.viewer.page import write_page
from damascene.viewer.sites import outlines_script, sites_script
from damascene.viewer.study import study_facts
from damascene.viewer.tiles import write_image_tiles, write_overviews

ROOT = Path(__file__).parents[1]
EDGE_PX, PIXEL_NM = 128, 100.0
#: Length of the vectors in which the frozen layers of both networks see a site.
FEATURES = 3840
#: Length of the queue, as the workflow has it.
MOST = 2000
STEPS = ("plan", "make", "build", "order", "clips", "browse")


def main() -> None:
    """Run the steps one after the other, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--panoramas", type=int, default=1000)
    parser.add_argument("--sites", type=int, nargs=2, default=(5, 20), metavar=("LEAST", "MOST"))
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    study = Study(options.output, options.panoramas, *options.sites)
    if options.step:
        began = time.perf_counter()
        found = getattr(study, options.step)() or {}
        seconds = round(time.perf_counter() - began, 2)
        memory = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
        print(json.dumps({"seconds": seconds, "memory_mb": memory} | found))
        return
    found = {}
    for step in STEPS:
        command = [sys.executable, *sys.argv, "--step", step]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found[step] = json.loads(done.stdout.splitlines()[-1])
        print(step, found[step], flush=True)
    (options.output / "viewer_study.json").write_text(json.dumps(found, indent=2) + "\n")


class Study:
    """A study of many tiny panoramas, with the products that viewer and review need.

    Parameters
    ----------
    folder : pathlib.Path
    count : int
        Of panoramas.
    least, most : int
        Sites of a panorama.
    """

    def __init__(self, folder: Path, count: int, least: int, most: int) -> None:
        self.folder, self.page = folder, folder / "viewer" / "index.html"
        self.names = [f"panorama_{number:04d}" for number in range(count)]
        sites = np.random.default_rng(2).integers(least, most + 1, count)
        self.counts = dict(zip(self.names, sites.tolist(), strict=True))

    def path(self, end: str) -> list[Path]:
        """Return the path of a product of each panorama."""
        return [self.folder / f"{name}{end}" for name in self.names]

    def make(self) -> dict:
        """Write images, masks, sites and features."""
        self.folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(3)
        shape = (EDGE_PX, EDGE_PX)
        for number, (name, count) in enumerate(self.counts.items()):
            own = {"shape": shape, "pixel_size_nm": PIXEL_NM, "name": name}
            pixels = rng.integers(60, 200, shape, dtype=np.uint8)
            write_tiled(self.folder / f"{name}.ome.tif", [pixels], **own)
            write_all_valid(self.folder / f"{name}.valid.ome.tif", **own)
            sites, runs = made_sites(count, shape, name=name, seed=number)
            sites.to_parquet(self.folder / f"{name}.sites.parquet")
            runs.to_parquet(self.folder / f"{name}.runs.parquet")
            np.save(
                self.folder / f"{name}.features.npy",
                rng.normal(size=(min(count, 256), FEATURES)).astype(np.float16),
            )
        return {"sites": sum(self.counts.values())}

    def plan(self) -> dict:
        """Let the workflow plan viewer and review of as many images, none of which is imported."""
        study = self.folder / "study"
        (study / "config").mkdir(parents=True, exist_ok=True)
        (study / "images").mkdir(exist_ok=True)
        pixels = np.random.default_rng(4).integers(0, 255, (EDGE_PX, EDGE_PX), dtype=np.uint8)
        rows = ["panorama\tpath\tpixel_size_nm\tstrain_percent"]
        for name in self.names:
            own = {"shape": pixels.shape, "pixel_size_nm": PIXEL_NM, "name": name}
            write_tiled(study / f"images/{name}.tif", [pixels], pyramid=False, **own)
            rows.append(f"{name}\timages/{name}.tif\t{PIXEL_NM:g}\t0")
        (study / "config/panoramas.tsv").write_text("\n".join(rows) + "\n")
        (study / "config/config.yaml").write_text("study: many\nmodels: simulated\n")
        command = [
            *(sys.executable, "-m", "snakemake", "--cores", "2", "-n", "--quiet", "all"),
            *("--snakefile", str(ROOT / "workflow/Snakefile"), "--directory", str(study)),
        ]
        found = {}
        for targets in (["viewer"], ["review"], ["viewer", "review"]):
            began = time.perf_counter()
            subprocess.run([*command, *targets], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
            found[f"{'_'.join(targets)}_s"] = round(time.perf_counter() - began, 1)
        planned = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        return found | {"planning_mb": round(planned / 1e3)}

    def build(self) -> dict:
        """Write all parts of the page but the review."""
        began = time.perf_counter()
        for name in self.names:
            tiles, key = self.page.parent / "tiles" / name, f"tiles/{name}"
            tiles.mkdir(parents=True, exist_ok=True)
            image = self.folder / f"{name}.ome.tif"
            write_image_tiles(image, tiles, key=key)
            write_overviews(image, self.folder / f"{name}.valid.ome.tif", tiles, key=key)
        tiled = time.perf_counter()
        (self.page.parent / "sites").mkdir(exist_ok=True)
        tables = {}
        for name in self.names:
            sites = pd.read_parquet(self.folder / f"{name}.sites.parquet")
            runs = pd.read_parquet(self.folder / f"{name}.runs.parquet")
            key = f"sites/{name}.js"
            (self.page.parent / key).write_text(sites_script(key, sites), encoding="utf-8")
            key = f"sites/{name}.outlines.js"
            (self.page.parent / key).write_bytes(outlines_script(key, runs, sites))
            tables[name] = sites
        shown = time.perf_counter()
        facts = study_facts(
            study="many",
            version="benchmark",
            records=[made_record(name, (EDGE_PX, EDGE_PX), PIXEL_NM) for name in self.names],
            sites=tables,
            sheet={
                name: {"strain_percent": float(number % 20), "condition": f"batch {number % 7}"}
                | {"specimen": ""}
                for number, name in enumerate(self.names)
            },
        )
        self.page.write_text(write_page(facts), encoding="utf-8")
        ended = time.perf_counter()
        files = [path for path in self.page.parent.rglob("*") if path.is_file()]
        return {
            "tiles_s": round(tiled - began, 1),
            "sites_s": round(shown - tiled, 1),
            "page_s": round(ended - shown, 2),
            "page_kb": round(self.page.stat().st_size / 1e3),
            "files": len(files),
            "viewer_mb": round(sum(path.stat().st_size for path in files) / 1e6, 1),
        }

    def order(self) -> dict:
        """Put the sites of the study into the order of a review."""
        rng = np.random.default_rng(5)
        seen = rng.normal(size=(300, FEATURES)).astype(np.float16)
        began = time.perf_counter()
        space = fit_space(seen, np.arange(300) // 20)
        fitted = time.perf_counter()
        pool = read_pool(
            self.names,
            self.path(".sites.parquet"),
            self.path(".features.npy"),
            classified=True,
            answers=empty_table(ANSWERS),
            contradictions=empty_table(CONTRADICTIONS),
            space=space,
            most=MOST,
            seed=1,
        )
        read = time.perf_counter()
        order = order_sites(pool, most=MOST, labels=dict.fromkeys(SITE_CLASSES, 30))
        ended = time.perf_counter()
        order.to_parquet(self.folder / "order.parquet")
        return {
            "in_pool": len(pool),
            "in_queue": len(order),
            "space_s": round(fitted - began, 2),
            "pool_s": round(read - fitted, 2),
            "order_s": round(ended - read, 2),
        }

    def clips(self) -> dict:
        """Cut the clips of the queue, for the page."""
        table, clips = review_sites(
            pd.read_parquet(self.folder / "order.parquet"),
            panoramas=self.names,
            sites=self.path(".sites.parquet"),
            images=self.path(".ome.tif"),
            imported=self.path(".ome.tif"),
            masks=self.path(".valid.ome.tif"),
            classified=True,
        )
        queue = queue_for_page(table, clips, empty_table(ANSWERS), labels={}, model="0" * 12)
        folder = self.page.parent / "review"
        write_for_page(folder, queue, clips)
        size = sum(path.stat().st_size for path in folder.iterdir())
        return {"clips": len(clips), "review_mb": round(size / 1e6, 1)}

    def browse(self) -> dict:
        """Open the page in Chromium, and sort, search, and open a map and the review."""
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            opened = browser.new_page(viewport={"width": 1400, "height": 900})
            opened.goto(self.page.resolve().as_uri())
            opened.wait_for_selector("table.index tbody tr")
            found = {"list_s": round(opened.evaluate(_PAINTED) / 1000, 2)}
            opened.wait_for_timeout(1500)
            found["pictures_loaded"] = opened.evaluate(_LOADED)
            for name, action in _ACTIONS.items():
                found[name] = round(opened.evaluate(_TIMED, action), 1)
            address = f"#/map/{self.names[len(self.names) // 2]}"
            found["map_ms"] = round(opened.evaluate(_SHOWN, [address, ".frame[data-loaded]"]))
            found["review_ms"] = round(opened.evaluate(_SHOWN, ["#/review", "#annotator"]))
            opened.fill("#annotator", "jane")
            opened.keyboard.press("Enter")
            opened.wait_for_selector(".large img[src]")
            found["key_ms"] = round(
                np.median([opened.evaluate(_TIMED, _KEY.format(key)) for key in ANSWER_LETTERS]), 1
            )
            browser.close()
        return found


#: Returns when the list could be seen, in ms from the start of the page.
_PAINTED = "() => new Promise((done) => requestAnimationFrame(() => done(performance.now())))"
#: Returns how many pictures of the list have been read.
_LOADED = "[...document.images].filter((i) => i.complete && i.naturalWidth).length"
#: Returns how long an action takes until the page has its new layout, in ms.
_TIMED = """(action) => {
  const began = performance.now();
  new Function(action)();
  document.body.getBoundingClientRect();
  return performance.now() - began;
}"""
_SEARCH = (
    "const i = document.getElementById('search'); i.value = '{}';"
    " i.dispatchEvent(new Event('input'));"
)
_ACTIONS = {
    "sort_number_ms": "document.querySelector('th[data-column=candidates] button').click()",
    "sort_name_ms": "document.querySelector('th[data-column=panorama] button').click()",
    "search_few_ms": _SEARCH.format("_000"),
    "search_none_ms": _SEARCH.format("nothing"),
    "search_all_ms": _SEARCH.format(""),
}
_KEY = "dispatchEvent(new KeyboardEvent('keydown', {{ key: '{}' }}))"
#: Goes to a view, and returns after how many ms an element of it is there.
_SHOWN = """([address, selector]) => new Promise((done) => {
  const began = performance.now();
  location.hash = address;
  const look = () => document.querySelector(selector)
    ? done(performance.now() - began) : requestAnimationFrame(look);
  requestAnimationFrame(look);
})"""


if __name__ == "__main__":
    main()
