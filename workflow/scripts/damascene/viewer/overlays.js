/* Layers that are computed in the page: which area is valid, and how many sites there are per mm². */
"use strict";

damascene.overlays = (function () {
  /** A canvas that lies over a rectangle of the map. */
  const Canvas = L.ImageOverlay.extend({
    initialize(canvas, bounds, options) {
      L.ImageOverlay.prototype.initialize.call(this, "", bounds, options);
      this._made = canvas;
    },
    _initImage() {
      this._image = this._made;
      this._image.classList.add("leaflet-image-layer", "overlay");
      if (this._zoomAnimated) this._image.classList.add("leaflet-zoom-animated");
    },
  });

  /** Return a promise of the valid part of each block of a panorama: { step, wide, high, parts }. */
  async function validParts(one) {
    const path = `tiles/${one.panorama}/valid.js`;
    const { step } = await damascene.tiles.pack(path);
    const picture = await damascene.tiles.picture(await damascene.tiles.entry(path, 0));
    const canvas = damascene.el("canvas", { width: picture.width, height: picture.height });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, 0);
    const pixels = context.getImageData(0, 0, picture.width, picture.height).data;
    const parts = Float32Array.from({ length: pixels.length / 4 }, (_, i) => pixels[4 * i] / 255);
    return { step, wide: picture.width, high: picture.height, parts };
  }

  function bounds(one, right, bottom) {
    // Corners of the first and the last pixel.
    return [
      [-0.5, -0.5],
      [bottom - 0.5, right - 0.5],
    ];
  }

  /** Return a layer in which what is not valid is covered. */
  function invalid(one, valid) {
    const canvas = damascene.el("canvas", { width: valid.wide, height: valid.high });
    const context = canvas.getContext("2d");
    const image = context.createImageData(valid.wide, valid.high);
    valid.parts.forEach((part, i) => image.data.set([204, 0, 119, 160 * (1 - part)], 4 * i));
    context.putImageData(image, 0, 0);
    const extent = bounds(one, valid.wide * valid.step, valid.high * valid.step);
    return new Canvas(canvas, extent, { pane: "tilePane", zIndex: 30 });
  }

  // From few to many: dark to bright with any colour vision (the scale "viridis").
  const RAMP = [
    [68, 1, 84],
    [59, 82, 139],
    [33, 145, 140],
    [94, 201, 98],
    [253, 231, 37],
  ];

  function ramp(part) {
    const place = Math.min(Math.max(part, 0), 1) * (RAMP.length - 1);
    const below = Math.min(Math.floor(place), RAMP.length - 2);
    return RAMP[below].map((c, k) => Math.round(c + (RAMP[below + 1][k] - c) * (place - below)));
  }

  /** Return the edge of blocks in um so that up to eight of the shown sites lie in each. */
  function blockEdge(one, count) {
    const area = one.valid_area_mm2 * 1e6;
    const wanted = Math.sqrt((8 * area) / Math.max(count, 1));
    const nice = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
    const most = (Math.max(one.width_px, one.height_px) * one.pixel_size_nm) / 1000;
    return nice.findLast((um) => um <= Math.min(wanted, most / 4)) || nice[0];
  }

  /** Return sites per mm² of valid area, in blocks of an edge in um. */
  function densities(one, valid, sites, indices, edge_um) {
    const edge = (edge_um * 1000) / one.pixel_size_nm;
    const wide = Math.ceil(one.width_px / edge);
    const high = Math.ceil(one.height_px / edge);
    const counts = new Float64Array(wide * high);
    for (const i of indices) {
      const column = Math.min(Math.floor((sites.columns.x_px[i] + 0.5) / edge), wide - 1);
      const row = Math.min(Math.floor((sites.columns.y_px[i] + 0.5) / edge), high - 1);
      counts[row * wide + column]++;
    }
    // Each small block of the valid area belongs to the block in which its centre lies.
    const areas = new Float64Array(wide * high);
    const pixel_mm2 = (one.pixel_size_nm * 1e-6) ** 2;
    for (let r = 0; r < valid.high; r++) {
      const rows = Math.min(valid.step, one.height_px - r * valid.step);
      const row = Math.min(Math.floor((r * valid.step + rows / 2) / edge), high - 1);
      for (let c = 0; c < valid.wide; c++) {
        const columns = Math.min(valid.step, one.width_px - c * valid.step);
        const column = Math.min(Math.floor((c * valid.step + columns / 2) / edge), wide - 1);
        areas[row * wide + column] += valid.parts[r * valid.wide + c] * rows * columns * pixel_mm2;
      }
    }
    // A block that is hardly valid says nothing.
    const least = 0.25 * (edge_um * 1e-3) ** 2;
    const values = counts.map((n, i) => (areas[i] >= least ? n / areas[i] : NaN));
    const highest = Math.max(...values.filter((v) => !Number.isNaN(v)), 0);
    return { edge_um, edge, wide, high, values, highest };
  }

  /** Return a layer of densities; highest has the brightest colour. */
  function density(one, found, highest) {
    // Blocks at the border are cut off where the panorama ends.
    const fine = Math.min(Math.max(Math.floor(2048 / Math.max(found.wide, found.high)), 1), 64);
    const canvas = damascene.el("canvas", { width: fine * found.wide, height: fine * found.high });
    const context = canvas.getContext("2d");
    context.scale(
      (canvas.width * found.edge) / one.width_px,
      (canvas.height * found.edge) / one.height_px,
    );
    found.values.forEach((value, i) => {
      if (Number.isNaN(value)) return;
      context.fillStyle = `rgba(${ramp(value / (highest || 1)).join(",")},0.6)`;
      context.fillRect(i % found.wide, Math.floor(i / found.wide), 1, 1);
    });
    const extent = bounds(one, one.width_px, one.height_px);
    return new Canvas(canvas, extent, { pane: "tilePane", zIndex: 40 });
  }

  return { validParts, invalid, blockEdge, densities, density, ramp };
})();
