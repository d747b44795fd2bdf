/* What is known of one site: clip, classes, numbers, people, and how its class came about. */
"use strict";

damascene.details = (function () {
  const { el, sites: table } = damascene;
  const CLIP_UM = 10;
  const CLIP_SCREEN_PX = 300;

  function number(value, digits, unit) {
    if (value === null || value === undefined || Number.isNaN(value)) return "not known";
    return `${Number(value).toFixed(digits)}${unit ? " " + unit : ""}`;
  }

  function facts(rows) {
    return el(
      "dl",
      { class: "facts" },
      rows.map(([word, said, meaning]) => [
        el("dt", meaning ? { title: meaning } : null, word),
        el("dd", null, said),
      ]),
    );
  }

  /** Return a canvas with the surroundings of a site, its pixels outlined. */
  function clip(map, i) {
    const { one, sites } = map;
    const c = sites.columns;
    const middle = [c.left_px[i] + c.width_px[i] / 2, c.top_px[i] + c.height_px[i] / 2];
    const longest = Math.max(c.width_px[i], c.height_px[i]);
    return cropped(map, middle, longest, `site ${c.site_id[i]}`, async (canvas, window_px) =>
      outline(canvas, await table.pixels(sites, one.panorama, i), c.left_px[i], c.top_px[i], window_px),
    );
  }

  /** Return a canvas with what lies round a point, for which draw adds what it knows. */
  function cropped(map, [x, y], longest_px, named, draw) {
    const { one } = map;
    const edge = Math.max((CLIP_UM * 1000) / one.pixel_size_nm, 1.4 * longest_px, 24);
    const window_px = {
      left: Math.round(x - edge / 2),
      top: Math.round(y - edge / 2),
      width: Math.round(edge),
      height: Math.round(edge),
    };
    const px = CLIP_SCREEN_PX * Math.min(window.devicePixelRatio || 1, 2);
    const label = `Picture of ${named}, ${number(map.um(edge), 1, "µm")} wide`;
    const canvas = el("canvas", { width: px, height: px, class: "clip", role: "img", "aria-label": label });
    damascene.tiles
      .crop(one, window_px, canvas)
      .then(() => draw(canvas, window_px))
      .then(() => {
        canvas.dataset.drawn = "";
      })
      .catch((error) => map.fail(error));
    return { canvas, edge_um: map.um(edge) };
  }

  /** Mark a point without covering it. */
  function crosshair(canvas, x, y, window_px) {
    const context = canvas.getContext("2d");
    const scale = canvas.width / window_px.width;
    const [left, top] = [(x + 0.5 - window_px.left) * scale, (y + 0.5 - window_px.top) * scale];
    const [inner, outer] = [0.06 * canvas.width, 0.12 * canvas.width];
    for (const [width, colour] of [[4, "#000"], [1.5, "#F0E442"]]) {
      context.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(left + dx * inner, top + dy * inner);
        context.lineTo(left + dx * outer, top + dy * outer);
      }
      context.lineWidth = width * (canvas.width / CLIP_SCREEN_PX);
      context.strokeStyle = colour;
      context.stroke();
    }
  }

  /** Draw the border between the pixels of a site and all others. */
  function outline(canvas, { width, height, mask }, left, top, window_px) {
    const context = canvas.getContext("2d");
    const scale = canvas.width / window_px.width;
    const at = (x, y) => (x >= 0 && y >= 0 && x < width && y < height ? mask[y * width + x] : 0);
    context.beginPath();
    const line = (x0, y0, x1, y1) => {
      context.moveTo((left + x0 - window_px.left) * scale, (top + y0 - window_px.top) * scale);
      context.lineTo((left + x1 - window_px.left) * scale, (top + y1 - window_px.top) * scale);
    };
    for (let y = 0; y <= height; y++) {
      for (let x = 0; x <= width; x++) {
        if (at(x, y) !== at(x, y - 1)) line(x, y, x + 1, y);
        if (at(x, y) !== at(x - 1, y)) line(x, y, x, y + 1);
      }
    }
    context.lineWidth = 1.5 * (canvas.width / CLIP_SCREEN_PX);
    context.strokeStyle = "#F0E442";
    context.stroke();
  }

  function probabilityBars(sites, i) {
    const names = Object.keys(sites.columns).filter((name) => name.startsWith("p_"));
    if (!names.length) return null;
    const row = (name) => {
      const p = sites.columns[name][i];
      const own = damascene.marks.ofClass(name.slice(2));
      const bar = el("span", { class: "bar" });
      bar.style.width = `${(100 * p).toFixed(1)}%`;
      bar.style.background = own.colour;
      return el(
        "tr",
        null,
        el("th", { scope: "row" }, damascene.marks.sample(own.name), " ", shown(own.name)),
        el("td", { class: "n" }, p.toFixed(3)),
        el("td", { class: "bars" }, bar),
      );
    };
    const first = names.filter((name) => name === "p_inclusion");
    const second = names.filter((name) => name !== "p_inclusion");
    const heading = (text) => el("tr", null, el("th", { colspan: 3, class: "pale" }, text));
    return el(
      "table",
      { class: "probabilities" },
      el(
        "tbody",
        null,
        heading("First network: is it an inclusion?"),
        first.map(row),
        heading("Second network: if not, which class?"),
        second.map(row),
      ),
    );
  }

  function shown(name) {
    return name.replaceAll("_", " ");
  }

  /** Return the corner and edge of the window round a pixel, shifted inside where it would leave the
      panorama, as the clips of networks are cut. */
  function networkWindow(one, x, y, edge) {
    const start = (value, size) =>
      Math.min(Math.max(Math.floor(value + 0.5) - Math.floor(edge / 2), 0), size - edge);
    return { left: start(x, one.width_px), top: start(y, one.height_px), width: edge, height: edge };
  }

  // From no support to most: dark to bright, and ever less transparent.
  const HEAT = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];

  /** Lay the support of each cell over a clip. */
  function heatOver(canvas, cells, bytes) {
    const small = el("canvas", { width: cells, height: cells });
    const image = small.getContext("2d").createImageData(cells, cells);
    bytes.forEach((value, i) => {
      const place = (value / 255) * (HEAT.length - 1);
      const below = Math.min(Math.floor(place), HEAT.length - 2);
      const colour = HEAT[below].map((c, k) => c + (HEAT[below + 1][k] - c) * (place - below));
      image.data.set([...colour, 140], 4 * i);
    });
    small.getContext("2d").putImageData(image, 0, 0);
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = true;
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
  }

  /** Return what in its window speaks for the class that each network gives a labelled site. */
  function attention(map, i) {
    const { one, sites } = map;
    const id = sites.columns.site_id[i];
    const own = sites.attention.filter((each) => each.rowOf.has(id));
    if (!own.length) return null;
    return [
      el("h3", null, "Where the networks look"),
      own.map((each) => {
        const row = each.rowOf.get(id);
        const which = each.stage === "inclusion" ? "First" : "Second";
        const said = each.named[row] === "rest" ? "no inclusion" : shown(each.named[row]);
        const edge = Math.max(Math.round(each.window_px || (each.window_um * 1000) / one.pixel_size_nm), 1);
        const edges = [edge, Math.max(Math.round(edge * each.centre), 1)].slice(0, each.scales);
        const px = 140 * Math.min(window.devicePixelRatio || 1, 2);
        const entry = damascene.tiles.entry(`sites/${one.panorama}.attention.js`, each.first + row);
        const pictures = edges.map((own_edge, scale) => {
          const wide = number(map.um(own_edge), 1, "µm");
          const label = `What speaks for ${said}, ${wide} wide`;
          const canvas = el("canvas", { width: px, height: px, class: "heat", role: "img", "aria-label": label });
          const window_px = networkWindow(one, each.x_px[row], each.y_px[row], own_edge);
          Promise.all([entry, damascene.tiles.crop(one, window_px, canvas)])
            .then(([bytes]) => {
              const length = each.cells * each.cells;
              heatOver(canvas, each.cells, bytes.subarray(scale * length, (scale + 1) * length));
              canvas.dataset.drawn = "";
            })
            .catch((error) => map.fail(error));
          return el("figure", null, canvas, el("figcaption", { class: "pale" }, `${wide} wide`));
        });
        return [
          el("p", null, `${which} network, for `, el("strong", null, said),
            ` (p = ${number(each.probability[row], 2)})`),
          el("div", { class: "heats" }, pictures),
        ];
      }),
      el("p", { class: "pale" }, "Grad-CAM: the brighter, the more a place supports the class. The brightest place ",
        "of each network is equally bright at all sites; descriptors have no place. Only labelled sites have it, and most of ",
        "them were learned from."),
    ];
  }

  function geometry(map, i) {
    const { sites } = map;
    const c = sites.columns;
    const means = (name) => sites.meanings[name];
    return facts([
      ["centre", `x ${number(map.um(c.x_px[i]), 2)}, y ${number(map.um(c.y_px[i]), 2, "µm")} (${c.x_px[i]}, ${c.y_px[i]} px)`],
      ["area", `${number(c.area_um2[i], 3, "µm²")} (${c.area_px[i]} px)`],
      ["diameter", number(c.equivalent_diameter_um[i], 2, "µm"), means("equivalent_diameter_um")],
      ["box", `${number(map.um(c.width_px[i]), 2)} × ${number(map.um(c.height_px[i]), 2, "µm")}`],
      ["aspect ratio", number(c.aspect_ratio[i], 2), means("aspect_ratio")],
      ["orientation", number(c.orientation_deg[i], 0, "°"), means("orientation_deg")],
      ["convexity", number(c.convexity[i], 2), means("convexity")],
      ["grey", `mean ${number(c.mean_grey[i], 0)}, lowest ${number(c.minimum_grey[i], 0)}`],
      [
        "cut off",
        c.touches_border[i] ? "yes, by the border" : c.touches_mask[i] ? "yes, by what is not valid" : "no",
      ],
    ]);
  }

  function surroundings(sites, i) {
    const c = sites.columns;
    if (!c.distance_um) return null;
    const hard = damascene.study.hard_phase || "hard phase";
    const means = (name) => sites.meanings[name];
    const part = (name) => (c[name][i] === null ? "not known" : `${(100 * c[name][i]).toFixed(0)} %`);
    return [
      el("h3", null, "Phases round it"),
      facts([
        [`to ${hard}`, `${table.word(sites, "place", i)}, distance ${number(c.distance_um[i], 2, "µm")}`, means("distance_um")],
        ["outline on it", part("contact_hard"), means("contact_hard")],
        ["within 0.25 µm", part("hard_0.25um"), means("hard_0.25um")],
        ["0.5 to 1 µm out", part("hard_1um"), means("hard_1um")],
        ["square of 5 µm", part("hard_square"), means("hard_square")],
        ["damage in the map", part("own_damage"), means("own_damage")],
      ]),
    ];
  }

  // Columns of an answer that the table has places for; all others are told one by one.
  const KNOWN = ["site_id", "annotator", "answer", "file", "row", "counts", "time", "note", "decides",
    "x_px", "y_px", "tied_by"];

  function people(own) {
    if (!own.length) return el("p", { class: "pale" }, "Nobody labelled it.");
    return el(
      "ul",
      { class: "answers" },
      own.map((each) => {
        const more = Object.entries(each).filter(
          ([name, value]) => !KNOWN.includes(name) && value !== null && value !== "",
        );
        return el(
          "li",
          null,
          el("strong", null, shown(each.answer)),
          ` by ${each.annotator || "someone without a name"}`,
          each.time ? `, ${each.time.replace("T", " ")}` : "",
          each.decides ? ", to decide between others" : "",
          each.counts === false ? " (taken back by a later answer)" : "",
          each.note ? el("div", null, `“${each.note}”`) : null,
          el(
            "div",
            { class: "pale" },
            [
              each.file ? `${each.file}, row ${each.row}` : null,
              ...more.map(([name, value]) => `${shown(name)}: ${value}`),
            ]
              .filter(Boolean)
              .join("; "),
          ),
        );
      }),
    );
  }

  /** Say step by step how the class of a site came about. */
  function story(map, i) {
    const { sites } = map;
    const c = sites.columns;
    const word = (name) => table.word(sites, name, i);
    const steps = [
      `Candidate: ${c.area_px[i]} dark pixels` +
        (c.fragments[i] > 1 ? `, joined from ${c.fragments[i]} pieces` : "") +
        ` (results/candidates/${map.one.panorama}.parquet, site_id ${c.site_id[i]}).`,
    ];
    const networks = damascene.study.networks || {};
    const told = (stage) => {
      const one = networks[stage];
      return one ? ` (${one.network}, ${one.file}, sha256 ${one.sha256.slice(0, 12)}…)` : "";
    };
    const limit = (stage) => (networks[stage] ? networks[stage].threshold : null);
    if (sites.words.predicted_class) {
      const first = c.p_inclusion[i];
      const is = word("predicted_class") === "inclusion";
      steps.push(
        `First network${told("inclusion")}: inclusion with ${first.toFixed(3)}, which is ` +
          `${is ? "" : "not "}above the threshold of ${limit("inclusion") ?? "the study"}.`,
      );
      if (!is) {
        const names = Object.keys(c).filter((name) => name.startsWith("p_") && name !== "p_inclusion");
        const best = names.reduce((a, b) => (c[b][i] > c[a][i] ? b : a));
        steps.push(
          `Second network${told("damage")}: most probably ${shown(best.slice(2))} with ` +
            `${c[best][i].toFixed(3)}; threshold ${limit("damage") ?? "of the study"}.`,
        );
      }
      const confidence = c.confidence[i];
      const set = word("prediction_set");
      steps.push(
        `Networks say ${shown(word("predicted_class"))}` +
          (confidence === null ? "" : `, right with a calibrated probability of ${confidence.toFixed(3)}`) +
          (set ? `; at the chosen coverage it may be ${set.split("|").map(shown).join(" or ")}` : "") +
          ".",
      );
      const label = word("label");
      steps.push(
        label
          ? `People say ${shown(label)}, which counts.`
          : "No majority of people says otherwise, so that the networks' class counts.",
      );
    }
    if (map.one.withheld) steps.push(`Classes of this panorama are withheld: ${map.one.withheld}.`);
    return el("ol", { class: "story" }, steps.map((step) => el("li", null, step)));
  }

  /** Return the panel of a site. */
  function panel(map, i, close) {
    const { sites, one } = map;
    const id = sites.columns.site_id[i];
    const name = table.className(sites, i);
    const picture = clip(map, i);
    const figures = damascene.study.attention || [];
    return el(
      "section",
      { class: "details", "aria-label": `Site ${id}` },
      el("button", { type: "button", class: "close", onclick: close, "aria-label": "Close" }, "×"),
      el("h2", null, damascene.marks.sample(name), ` Site ${id}: ${shown(name)}`),
      el("p", { class: "pale" }, one.panorama),
      picture.canvas,
      el("p", { class: "pale" }, `${number(picture.edge_um, 1, "µm")} wide; the outline holds the pixels that the area counts`),
      sites.words.predicted_class ? el("h3", null, "Probabilities") : null,
      probabilityBars(sites, i),
      attention(map, i),
      el("h3", null, "Geometry"),
      geometry(map, i),
      surroundings(sites, i),
      el("h3", null, "Labels of people"),
      people(sites.answersOf.get(id) || []),
      el("h3", null, "How its class came about"),
      story(map, i),
      figures.length
        ? el(
            "p",
            null,
            "Where the networks look, at the surest site of each class: ",
            figures.map((each, n) => [n ? ", " : "", el("a", { href: each.path, target: "_blank" }, each.title)]),
          )
        : null,
    );
  }

  // Why no site belongs to an answer, as the table of answers has it.
  const ASTRAY = {
    "no candidate": "The detection finds no site here.",
    "two candidates": "Its outline fits two of the sites that the detection finds.",
    "part of a larger candidate": "It is a small part of a larger site that the detection finds.",
    "outside the valid area": "It lies outside the valid area, where no site is sought.",
  };

  /** Return the panel of a place that people labelled and where no candidate is. */
  function placePanel(map, k, close) {
    const { one } = map;
    const place = map.sites.places[k];
    const picture = cropped(map, [place.x, place.y], 0, "this place", (canvas, window_px) =>
      crosshair(canvas, place.x, place.y, window_px),
    );
    return el(
      "section",
      { class: "details", "aria-label": `Place ${place.id}` },
      el("button", { type: "button", class: "close", onclick: close, "aria-label": "Close" }, "×"),
      el("h2", null, damascene.marks.placeSample(place.name), ` Place ${place.id}: ${shown(place.name)}`),
      el("p", { class: "pale" }, one.panorama),
      picture.canvas,
      el("p", { class: "pale" }, `${number(picture.edge_um, 1, "µm")} wide; the cross marks the position in the label file`),
      el("p", null, ASTRAY[place.reason] || place.reason, " It is not counted as a site; the label file stays as it is."),
      facts([
        ["position", `x ${number(map.um(place.x), 2)}, y ${number(map.um(place.y), 2, "µm")} (${number(place.x, 1)}, ${number(place.y, 1)} px)`],
      ]),
      el("h3", null, "Labels of people"),
      people(place.answers),
    );
  }

  return { panel, placePanel, clip, outline, shown, number };
})();
