/* Marks of sites on the map: shape and colour say the class. One canvas holds all of them. */
"use strict";

damascene.marks = (function () {
  const SHAPES = {
    o: (c, r) => c.arc(0, 0, r * 0.9, 0, 2 * Math.PI),
    s: (c, r) => c.rect(-r * 0.8, -r * 0.8, r * 1.6, r * 1.6),
    D: (c, r) => polygon(c, [[0, -r], [r, 0], [0, r], [-r, 0]]),
    "^": (c, r) => polygon(c, [[0, -r], [r * 0.95, r * 0.75], [-r * 0.95, r * 0.75]]),
    v: (c, r) => polygon(c, [[0, r], [r * 0.95, -r * 0.75], [-r * 0.95, -r * 0.75]]),
    X: (c, r) => cross(c, r, Math.PI / 4),
    "+": (c, r) => cross(c, r, 0),
  };

  function polygon(context, points) {
    points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
  }

  function cross(context, r, turn) {
    const arm = 0.32 * r;
    const points = [
      [-arm, -r], [arm, -r], [arm, -arm], [r, -arm], [r, arm], [arm, arm],
      [arm, r], [-arm, r], [-arm, arm], [-r, arm], [-r, -arm], [-arm, -arm],
    ];
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    polygon(context, points.map(([x, y]) => [x * cos - y * sin, x * sin + y * cos]));
  }

  /** Return a canvas with the mark of a class, with a rim of white and of black: seen on any grey. */
  function glyph(site_class, radius, ratio) {
    const half = radius + 3;
    const made = document.createElement("canvas");
    made.width = made.height = Math.ceil(2 * half * ratio);
    const context = made.getContext("2d");
    context.scale(ratio, ratio);
    context.translate(half, half);
    context.lineJoin = "round";
    const draw = (width, colour) => {
      context.beginPath();
      (SHAPES[site_class.marker] || SHAPES.o)(context, radius);
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke();
    };
    draw(radius > 4 ? 4 : 2.6, "#000");
    draw(radius > 4 ? 2.4 : 1.4, "#fff");
    context.beginPath();
    (SHAPES[site_class.marker] || SHAPES.o)(context, radius);
    context.fillStyle = site_class.colour;
    context.fill();
    return made;
  }

  /** Return a small picture of the mark of a class, for lists. */
  function sample(name) {
    const site_class = ofClass(name);
    const made = glyph(site_class, 6, 2);
    made.className = "mark";
    made.setAttribute("aria-hidden", "true");
    return made;
  }

  function ofClass(name) {
    return (
      damascene.study.classes.find((each) => each.name === name) || {
        name: name,
        colour: "#8C8C8C",
        marker: "X",
      }
    );
  }

  /** Return the mark of a place without a candidate: that of the class in a broken ring. */
  function placeGlyph(name, ratio) {
    const inner = glyph(ofClass(name), 5, ratio);
    const half = PLACE_RADIUS + 3;
    const made = document.createElement("canvas");
    made.width = made.height = Math.ceil(2 * half * ratio);
    const context = made.getContext("2d");
    context.scale(ratio, ratio);
    context.translate(half, half);
    for (const [width, colour] of [[4.5, "#000"], [2.2, "#fff"]]) {
      for (let part = 0; part < 4; part++) {
        context.beginPath();
        context.arc(0, 0, PLACE_RADIUS, (part / 2 + 0.08) * Math.PI, (part / 2 + 0.42) * Math.PI);
        context.lineWidth = width;
        context.strokeStyle = colour;
        context.stroke();
      }
    }
    context.drawImage(inner, -8, -8, inner.width / ratio, inner.height / ratio);
    return made;
  }

  /** Return a small picture of the mark of a place without a candidate, for lists. */
  function placeSample(name) {
    const made = placeGlyph(name, 2);
    made.className = "mark";
    made.setAttribute("aria-hidden", "true");
    return made;
  }

  const glyphs = new Map();

  /** Return the mark of a class, made once. */
  function keptGlyph(name, radius, ratio) {
    const key = `${name} ${radius} ${ratio}`;
    if (!glyphs.has(key)) glyphs.set(key, glyph(ofClass(name), radius, ratio));
    return glyphs.get(key);
  }

  /** Return the pixels of small marks that are seen: [x, y, colour], from the mark's corner. */
  function dots(name, radius, ratio) {
    const key = `dots ${name} ${radius} ${ratio}`;
    if (glyphs.has(key)) return glyphs.get(key);
    const canvas = keptGlyph(name, radius, ratio);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Uint32Array(data.buffer);
    const found = [];
    colours.forEach((colour, i) => {
      if (data[4 * i + 3] < 128) return;
      data[4 * i + 3] = 255;
      found.push([i % canvas.width, Math.floor(i / canvas.width), colours[i]]);
    });
    glyphs.set(key, found);
    return found;
  }

  // Edge of the cells in which marks are sought, in pixels of the panorama.
  const CELL_PX = 512;
  const PLACE_RADIUS = 11;

  const Layer = L.Renderer.extend({
    options: { padding: 0.3, pane: "overlayPane" },

    initialize(options) {
      L.Renderer.prototype.initialize.call(this, options);
      this._shown = [];
      this._cells = new Map();
      this._places = [];
      this._chosen = null;
    },

    /** Show some of the sites, and of the places without a candidate. */
    show(sites, indices, places) {
      this._sites = sites;
      this._shown = indices;
      this._places = places.map((k) => sites.places[k]);
      this._placeNumbers = places;
      this._cells = new Map();
      const { x_px: x, y_px: y } = sites.columns;
      this._wide = 1 + Math.floor(Math.max(0, this.options.panorama.width_px) / CELL_PX);
      for (const i of indices) {
        const cell = Math.floor(y[i] / CELL_PX) * this._wide + Math.floor(x[i] / CELL_PX);
        const own = this._cells.get(cell);
        if (own) own.push(i);
        else this._cells.set(cell, [i]);
      }
      this._draw();
    },

    /** Frame the site of a number, the place { place: number }, or nothing for null. */
    choose(what) {
      this._chosen = what;
      this._draw();
    },

    _initContainer() {
      this._drawnZoom = null;
      this._container = damascene.el("canvas", { class: "marks" });
      this._context = this._container.getContext("2d");
    },

    _destroyContainer() {
      this._container.remove();
      delete this._container;
      delete this._context;
    },

    // The renderer speaks of layers, of which this one has none.
    _updatePaths() {},

    // Places within the layer mean others now.
    _reset() {
      this._drawnZoom = null;
      L.Renderer.prototype._reset.call(this);
    },

    _update() {
      const map = this._map;
      if (map._animatingZoom && this._bounds) return;
      const corner = map.containerPointToLayerPoint([0, 0]);
      const view = L.bounds(corner, corner.add(map.getSize()));
      // The canvas is larger than the view and moves with it.
      if (this._drawnZoom === map.getZoom() && this._bounds.contains(view)) return;
      this._drawnZoom = map.getZoom();
      L.Renderer.prototype._update.call(this);
      this._draw();
    },

    /** Return the places of sites whose marks may lie between two corners, in pixels. */
    _within(left, top, right, bottom) {
      const cells = [];
      const cell = (value) => Math.floor(value / CELL_PX);
      const first = Math.max(cell(left), 0);
      const last = Math.min(cell(right), this._wide - 1);
      const rows = [Math.max(cell(top), 0), cell(Math.min(bottom, this.options.panorama.height_px))];
      if ((last - first + 1) * (rows[1] - rows[0] + 1) > this._cells.size) {
        return [...this._cells.values()];
      }
      for (let r = rows[0]; r <= rows[1]; r++) {
        for (let c = first; c <= last; c++) {
          const own = this._cells.get(r * this._wide + c);
          if (own) cells.push(own);
        }
      }
      return cells;
    },

    _radius(count) {
      const zoom = this._map.getZoom();
      if (zoom >= -1) return 7;
      return count > 3000 ? 2.6 : count > 600 ? 4 : 5.5;
    },

    _draw() {
      if (!this._map || !this._bounds || !this._sites) return;
      const ratio = window.devicePixelRatio || 1;
      const size = this._bounds.getSize();
      const canvas = this._container;
      const [wide, high] = [Math.round(size.x * ratio), Math.round(size.y * ratio)];
      if (canvas.width !== wide || canvas.height !== high) {
        canvas.width = wide;
        canvas.height = high;
        canvas.style.width = size.x + "px";
        canvas.style.height = size.y + "px";
      }
      L.DomUtil.setPosition(canvas, this._bounds.min);
      const context = this._context;
      context.setTransform(1, 0, 0, 1, 0, 0);
      const scale = this._map.getZoomScale(this._map.getZoom(), 0);
      const origin = this._map.latLngToLayerPoint([0, 0]).subtract(this._bounds.min);
      const { x_px: x, y_px: y } = this._sites.columns;
      const margin = 10 / scale;
      const cells = this._within(
        -origin.x / scale - margin,
        -origin.y / scale - margin,
        (size.x - origin.x) / scale + margin,
        (size.y - origin.y) / scale + margin,
      );
      const radius = (this._drawnRadius = this._radius(cells.reduce((n, own) => n + own.length, 0)));
      const place = { origin, scale, ratio, radius, wide, high, x, y };
      if (radius < 4) this._drawDots(cells, place);
      else this._drawGlyphs(cells, place);
      this._drawPlaces(place);
      this._drawChosen(context, origin, scale, ratio);
    },

    _drawPlaces({ origin, scale, ratio }) {
      const half = PLACE_RADIUS + 3;
      for (const { x, y, name } of this._places) {
        const key = `place ${name} ${ratio}`;
        if (!glyphs.has(key)) glyphs.set(key, placeGlyph(name, ratio));
        const left = Math.round((origin.x + x * scale - half) * ratio);
        const top = Math.round((origin.y + y * scale - half) * ratio);
        this._context.drawImage(glyphs.get(key), left, top);
      }
    },

    /** Return the box of what is chosen in pixels: that of a site, or a point. */
    _chosenBox() {
      if (this._chosen.place !== undefined) {
        const { x, y } = this._sites.places[this._chosen.place];
        return [x, y, 0, 0];
      }
      const { left_px, top_px, width_px, height_px } = this._sites.columns;
      const i = this._chosen;
      // Corners of pixels lie half a pixel from their centres.
      return [left_px[i] - 0.5, top_px[i] - 0.5, width_px[i], height_px[i]];
    },

    _drawGlyphs(cells, { origin, scale, ratio, radius, wide, high, x, y }) {
      const context = this._context;
      context.clearRect(0, 0, wide, high);
      const pictures = this._sites.classes.map((name) => keptGlyph(name, radius, ratio));
      const half = radius + 3;
      const codes = this._sites.classCode;
      for (const own of cells) {
        for (const i of own) {
          const left = Math.round((origin.x + x[i] * scale - half) * ratio);
          const top = Math.round((origin.y + y[i] * scale - half) * ratio);
          if (left > -99 && top > -99 && left < wide && top < high) {
            context.drawImage(pictures[codes[i]], left, top);
          }
        }
      }
    },

    /** Draw many small marks: pixel by pixel is ten times as fast as picture by picture. */
    _drawDots(cells, { origin, scale, ratio, radius, wide, high, x, y }) {
      if (!this._image || this._image.width !== wide || this._image.height !== high) {
        this._image = this._context.createImageData(wide, high);
      }
      const pixels = new Uint32Array(this._image.data.buffer).fill(0);
      const marks = this._sites.classes.map((name) => dots(name, radius, ratio));
      const half = radius + 3;
      const codes = this._sites.classCode;
      for (const own of cells) {
        for (const i of own) {
          const left = Math.round((origin.x + x[i] * scale - half) * ratio);
          const top = Math.round((origin.y + y[i] * scale - half) * ratio);
          for (const [dx, dy, colour] of marks[codes[i]]) {
            const px = left + dx;
            const py = top + dy;
            if (px >= 0 && py >= 0 && px < wide && py < high) pixels[py * wide + px] = colour;
          }
        }
      }
      this._context.putImageData(this._image, 0, 0);
    },

    _drawChosen(context, origin, scale, ratio) {
      if (this._chosen === null) return;
      const [x, y, wide, high] = this._chosenBox();
      const corner = [x, y];
      const least = 26;
      const [w, h] = [wide * scale, high * scale];
      const left = origin.x + corner[0] * scale - Math.max(0, least - w) / 2 - 3;
      const top = origin.y + corner[1] * scale - Math.max(0, least - h) / 2 - 3;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      for (const [width, colour] of [[5, "#000"], [2.5, "#F0E442"]]) {
        context.lineWidth = width;
        context.strokeStyle = colour;
        context.strokeRect(left, top, Math.max(w, least) + 6, Math.max(h, least) + 6);
      }
    },

    /** Return the number of the site whose mark is under a point of the map, { place: number } for a
        place without a candidate, null where nothing is. */
    under(point) {
      if (!this._sites || !this._map) return null;
      const scale = this._map.getZoomScale(this._map.getZoom(), 0);
      const place = this._map.containerPointToLatLng(point);
      const reach = Math.max((this._drawnRadius || 5) + 3, 8) / scale;
      const { x_px: x, y_px: y, left_px, top_px, width_px, height_px } = this._sites.columns;
      const [px, py] = [place.lng, place.lat];
      let [best, nearest] = [null, Infinity];
      const span = Math.max(reach, 256);
      for (const own of this._within(px - span, py - span, px + span, py + span)) {
        for (const i of own) {
          const distance = Math.hypot(x[i] - px, y[i] - py);
          const inBox =
            px >= left_px[i] - 0.5 &&
            px <= left_px[i] + width_px[i] - 0.5 &&
            py >= top_px[i] - 0.5 &&
            py <= top_px[i] + height_px[i] - 0.5;
          if ((distance <= reach || inBox) && distance < nearest) [best, nearest] = [i, distance];
        }
      }
      this._places.forEach(({ x: px_x, y: px_y }, k) => {
        const distance = Math.hypot(px_x - px, px_y - py);
        if (distance > (PLACE_RADIUS + 2) / scale || distance >= nearest) return;
        [best, nearest] = [{ place: this._placeNumbers[k] }, distance];
      });
      return best;
    },
  });

  return { Layer, sample, placeSample, ofClass };
})();
