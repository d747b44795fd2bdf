/* One panorama as a map: picture, marks, layers, scale bar, coordinates, and the view as a picture. */
"use strict";

damascene.PanoramaMap = class {
  /**
   * root: an empty element; one: the row of the panorama; on: { choose(map, what), moved(map) },
   * called when a mark is clicked and when the view has changed. What is the number of a site, or
   * { place: number } for a place without a candidate.
   */
  constructor(root, one, on) {
    const { el } = damascene;
    this.one = one;
    this.on = on;
    this.root = root;
    this.filter = damascene.sites.noFilter();
    this.shown = [];
    this.shownPlaces = [];
    this.layers = {};
    this.sites = null;
    const frame = el("div", { class: "frame" });
    this.bar = el("div", { class: "scale-bar" }, el("span"));
    this.place = el("output", { class: "place" });
    root.append(frame, el("div", { class: "below" }, this.bar, this.place));
    this.frame = frame;
    this.map = L.map(frame, {
      crs: L.extend({}, L.CRS.Simple, {
        // Latitude is y and longitude x in pixels, 0 at the centre of the first one.
        transformation: new L.Transformation(1, 0.5, 1, 0.5),
      }),
      attributionControl: false,
      zoomControl: false,
      // Its keys would be lost to those of the page; see `keys` of the view.
      keyboard: false,
      zoomSnap: 0.25,
      zoomDelta: 1,
      wheelPxPerZoomLevel: 90,
      maxZoom: 5,
      minZoom: -12,
      zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      fadeAnimation: false,
      inertia: true,
    });
    L.control.zoom({ position: "topleft" }).addTo(this.map);
    const { width_px, height_px } = one;
    this.extent = L.latLngBounds([-0.5, -0.5], [height_px - 0.5, width_px - 0.5]);
    this.map.fitBounds(this.extent, { animate: false });
    const fitted = this.map.getZoom();
    this.map.setMinZoom(Math.min(Math.floor(fitted) - 1, 0));
    this.map.setMaxBounds(this.extent.pad(1));
    this.image = this.tiled(`tiles/${one.panorama}`, 0, { fill: "#000", zIndex: 10 });
    this.image.addTo(this.map);
    this.image.on("tileerror", (event) => this.fail(event.error));
    this.image.once("load", () => frame.setAttribute("data-loaded", ""));
    this.marks = new damascene.marks.Layer({ panorama: one });
    this.marks.addTo(this.map);
    this.map.on("move zoomend resize", () => this.moved());
    this.map.on("mousemove", (event) => this.tell(event.latlng));
    this.map.on("mouseout", () => this.tell(this.map.getCenter()));
    this.map.on("click", (event) => this.clicked(event));
    // The frame grows and shrinks with what stands beside it.
    this.resizes = new ResizeObserver(() => this.map.invalidateSize({ animate: false }));
    this.resizes.observe(frame);
    this.moved();
    this.ready = damascene.sites
      .load(one.panorama)
      .then((sites) => {
        this.sites = sites;
        this.apply(this.filter);
      })
      .catch((error) => this.fail(error));
  }

  tiled(folder, first, options) {
    return new damascene.tiles.Layer({
      panorama: this.one,
      folder: folder,
      bounds: this.extent,
      minNativeZoom: 1 - damascene.tiles.levelCount(this.one),
      maxNativeZoom: -first,
      maxZoom: 5,
      minZoom: -12,
      noWrap: true,
      className: "tiles",
      ...options,
    });
  }

  /** Say what is missing, once. */
  fail(error) {
    if (this.failed) return;
    this.failed = true;
    this.root.prepend(damascene.el("p", { class: "alert" }, error.message));
  }

  apply(filter) {
    this.filter = filter;
    if (!this.sites) return;
    this.shown = damascene.sites.filtered(this.sites, filter);
    this.shownPlaces = damascene.sites.filteredPlaces(this.sites, filter);
    this.marks.show(this.sites, this.shown, this.shownPlaces);
  }

  choose(what) {
    this.chosen = what;
    this.marks.choose(what);
  }

  clicked(event) {
    const what = this.marks.under(event.containerPoint);
    if (what !== null) this.on.choose(this, what);
  }

  /** Show or hide "image", "marks", "phases", "valid" or "density". Returns a promise. */
  async setLayer(name, shown) {
    if (name === "image") return this.image.setOpacity(shown ? 1 : 0);
    if (name === "marks") {
      if (shown) this.marks.addTo(this.map);
      else this.marks.remove();
      return;
    }
    if (this.layers[name]) this.layers[name].remove();
    delete this.layers[name];
    if (!shown) return;
    try {
      const layer = await this.made(name);
      // Two clicks may have asked for it meanwhile.
      if (this.layers[name]) this.layers[name].remove();
      this.layers[name] = layer;
      layer.addTo(this.map);
    } catch (error) {
      this.fail(error);
    }
  }

  async made(name) {
    const { overlays } = damascene;
    if (name === "phases") {
      const levels = damascene.tiles.levelCount(this.one);
      const first = Math.min(1, levels - 1);
      return this.tiled(`phases/${this.one.panorama}`, first, { opacity: 0.5, zIndex: 20 });
    }
    this.valid = this.valid || (await overlays.validParts(this.one));
    if (name === "valid") return overlays.invalid(this.one, this.valid);
    return overlays.density(this.one, this.found, this.highest);
  }

  /** Count the shown sites in blocks of an edge; returns a promise of the highest density. */
  async countBlocks(edge_um) {
    this.valid = this.valid || (await damascene.overlays.validParts(this.one));
    const { one, valid, sites, shown } = this;
    this.found = damascene.overlays.densities(one, valid, sites, shown, edge_um);
    return this.found.highest;
  }

  um(px) {
    return (px * this.one.pixel_size_nm) / 1000;
  }

  /** The centre in um, and how many pixels of the screen a um has: equal in linked views. */
  view() {
    const centre = this.map.getCenter();
    const zoom = this.map.getZoom();
    return {
      x_um: this.um(centre.lng),
      y_um: this.um(centre.lat),
      scale: (2 ** zoom * 1000) / this.one.pixel_size_nm,
    };
  }

  setView({ x_um, y_um, scale }) {
    const px = 1000 / this.one.pixel_size_nm;
    const wanted = Math.log2(scale / px);
    const current = this.map.getZoom();
    // What differs by rounding alone would load all tiles anew.
    const zoom = Math.abs(wanted - current) < 1e-6 ? current : wanted;
    this.map.setView([y_um * px, x_um * px], zoom, { animate: false });
  }

  moved() {
    this.frame.classList.toggle("pixels", this.map.getZoom() >= 1);
    this.tell(this.map.getCenter());
    this.drawBar();
    this.on.moved(this);
  }

  tell(place) {
    const [x, y] = [place.lng, place.lat];
    const digits = this.map.getZoom() > 0 ? 2 : 1;
    this.place.textContent =
      `x ${this.um(x).toFixed(digits)} µm, y ${this.um(y).toFixed(digits)} µm` +
      ` (${Math.round(x)}, ${Math.round(y)} px)`;
  }

  /** Return the length of the scale bar in um, and in pixels of the screen. */
  barLength() {
    const { scale } = this.view();
    const longest = Math.min(160, this.frame.clientWidth / 3) / scale;
    const decade = 10 ** Math.floor(Math.log10(longest));
    const um = decade * [5, 2, 1].find((step) => step * decade <= longest * (1 + 1e-9));
    return { um: um, px: um * scale };
  }

  barText(um) {
    if (um >= 1000) return `${+(um / 1000).toPrecision(3)} mm`;
    return um >= 1 ? `${+um.toPrecision(3)} µm` : `${+(um * 1000).toPrecision(3)} nm`;
  }

  drawBar() {
    const { um, px } = this.barLength();
    this.bar.style.width = `${px}px`;
    this.bar.firstChild.textContent = this.barText(um);
  }

  /** Show a site, or a place without a candidate, in the middle, at full size or more. */
  goTo(what) {
    const { x_px, y_px } = this.sites.columns;
    const place = this.sites.places[what.place];
    const at = place ? [place.y, place.x] : [y_px[what], x_px[what]];
    this.map.setView(at, Math.max(this.map.getZoom(), 0), { animate: false });
  }

  fit() {
    this.map.fitBounds(this.extent, { animate: false });
  }

  /** Return the places of the shown sites that lie in the view. */
  inView() {
    const { x_px: x, y_px: y } = this.sites.columns;
    const seen = this.map.getBounds();
    return this.shown.filter((i) => seen.contains([y[i], x[i]]));
  }

  /** Return a canvas with what the map shows, its scale bar and its name. */
  picture() {
    const ratio = window.devicePixelRatio || 1;
    const outer = this.frame.getBoundingClientRect();
    const foot = 30;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(outer.width * ratio);
    canvas.height = Math.round((outer.height + foot) * ratio);
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.save();
    context.beginPath();
    context.rect(0, 0, outer.width, outer.height);
    context.clip();
    context.fillStyle = getComputedStyle(this.frame).backgroundColor;
    context.fillRect(0, 0, outer.width, outer.height);
    // Canvases in the order in which they lie on each other.
    const layered = [...this.frame.querySelectorAll("canvas")].map((each, i) => {
      const pane = each.closest(".leaflet-layer");
      const order = each.classList.contains("marks") ? 1e6 : Number((pane || each).style.zIndex);
      return [order, i, each, pane];
    });
    layered.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    context.imageSmoothingEnabled = !this.frame.classList.contains("pixels");
    for (const [, , each, pane] of layered) {
      const place = each.getBoundingClientRect();
      context.globalAlpha = Number(getComputedStyle(pane || each).opacity);
      context.drawImage(
        each,
        place.left - outer.left,
        place.top - outer.top,
        place.width,
        place.height,
      );
    }
    context.restore();
    const { um, px } = this.barLength();
    context.fillStyle = "#000";
    context.fillRect(8, outer.height + 20, px, 4);
    context.font = "13px 'Liberation Sans', Arial, sans-serif";
    context.fillText(this.barText(um), 8, outer.height + 15);
    context.textAlign = "right";
    context.fillText(this.one.panorama, outer.width - 8, outer.height + 19);
    return canvas;
  }

  remove() {
    this.resizes.disconnect();
    this.map.remove();
  }
};
