/* Tiles: pictures that lie in packs, as a layer of the map and as crops round a site. */
"use strict";

damascene.tiles = (function () {
  const EDGE = 512;
  const PER_PACK = 8;
  // A pack of full size takes about two megabytes.
  const KEPT_PACKS = 24;
  const packs = new Map();

  /** Return a promise of a pack, of which the latest are kept. */
  function pack(path) {
    let found = packs.get(path);
    if (found) {
      packs.delete(path);
    } else {
      found = damascene.data.load(path, { charset: "windows-1252", keep: false });
      // What failed may be there when it is asked for again.
      found.catch(() => packs.delete(path));
    }
    packs.set(path, found);
    if (packs.size > KEPT_PACKS) packs.delete(packs.keys().next().value);
    return found;
  }

  /** Return a promise of entry number i of a pack as bytes, null where it is empty. */
  async function entry(path, i) {
    const { at, text } = await pack(path);
    return at[i + 1] > at[i] ? damascene.data.bytes(text, at[i], at[i + 1]) : null;
  }

  function picture(bytes) {
    // Bytes from memory do not taint a canvas, so that a view can be saved as a picture.
    return bytes && createImageBitmap(new Blob([bytes]));
  }

  /**
   * Return a promise of the picture of a tile, null where there is none.
   *
   * folder: of the panorama, such as "tiles/strain_06"; level: 0 for full size; columns: tiles
   * beside each other at this level.
   */
  async function tile(folder, level, row, column, columns) {
    const packRow = Math.floor(row / PER_PACK);
    const packColumn = Math.floor(column / PER_PACK);
    const wide = Math.min(PER_PACK, columns - packColumn * PER_PACK);
    const i = (row - packRow * PER_PACK) * wide + (column - packColumn * PER_PACK);
    return picture(await entry(`${folder}/${level}/${packRow}_${packColumn}.js`, i));
  }

  /** Return the edge of a level of a pyramid in pixels, as it was halved and rounded up. */
  function levelEdge(edge, level) {
    for (let i = 0; i < level; i++) edge = Math.ceil(edge / 2);
    return edge;
  }

  /** Return the number of levels of the pyramid of a panorama. */
  function levelCount(one) {
    let count = 1;
    while (levelEdge(Math.max(one.width_px, one.height_px), count - 1) > 1024) count++;
    return count;
  }

  const Layer = L.GridLayer.extend({
    options: {
      tileSize: EDGE,
      keepBuffer: 1,
      updateWhenIdle: false,
      updateWhenZooming: false,
      // What lies below a tile without a picture.
      fill: null,
    },
    createTile(coords, done) {
      const made = document.createElement("canvas");
      made.width = made.height = EDGE;
      const level = -coords.z;
      const { panorama, folder, fill } = this.options;
      const wide = levelEdge(panorama.width_px, level);
      const high = levelEdge(panorama.height_px, level);
      tile(folder, level, coords.y, coords.x, Math.ceil(wide / EDGE))
        .then((bitmap) => {
          const context = made.getContext("2d");
          if (bitmap) {
            context.drawImage(bitmap, 0, 0);
            bitmap.close();
          } else if (fill) {
            context.fillStyle = fill;
            context.fillRect(0, 0, wide - coords.x * EDGE, high - coords.y * EDGE);
          }
          done(null, made);
        })
        .catch((error) => done(error, made));
      return made;
    },
  });

  /**
   * Draw the surroundings of a site, at full size, into a canvas.
   *
   * window: { left, top, width, height } in pixels of the panorama; may leave it.
   * Returns a promise, which fails where tiles are missing.
   */
  async function crop(one, window, canvas) {
    const context = canvas.getContext("2d");
    const scale = canvas.width / window.width;
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingEnabled = scale < 1;
    const columns = Math.ceil(one.width_px / EDGE);
    const rows = Math.ceil(one.height_px / EDGE);
    const within = (value, last) => Math.min(Math.max(Math.floor(value / EDGE), 0), last);
    const asked = [];
    for (let r = within(window.top, rows - 1); r <= within(window.top + window.height - 1, rows - 1); r++) {
      const last = within(window.left + window.width - 1, columns - 1);
      for (let c = within(window.left, columns - 1); c <= last; c++) {
        asked.push(
          tile(`tiles/${one.panorama}`, 0, r, c, columns).then((bitmap) => {
            if (!bitmap) return;
            context.drawImage(
              bitmap,
              (c * EDGE - window.left) * scale,
              (r * EDGE - window.top) * scale,
              bitmap.width * scale,
              bitmap.height * scale,
            );
            bitmap.close();
          }),
        );
      }
    }
    await Promise.all(asked);
  }

  return { EDGE, Layer, crop, entry, pack, picture, levelCount };
})();
