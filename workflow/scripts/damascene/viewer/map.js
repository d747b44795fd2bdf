/* The view in which one flies over a panorama, or over several side by side. */
"use strict";

damascene.views.map = (function () {
  const { el, replace } = damascene;
  const MOST_BESIDE = 4;
  const LAYERS = [
    ["image", "image", true],
    ["marks", "marks", true],
    ["phases", "phase map", false],
    ["valid", "what is not valid", false],
    ["density", "density of these sites", false],
  ];
  let maps = [];
  let shown = {};
  let filter = null;
  let chosen = null;
  let parts = {};
  let guided = false;

  function open(root, rest) {
    const one = damascene.study.panoramas.find((each) => each.panorama === rest[0]);
    if (!one) {
      const words = `The study has no panorama '${rest[0] || ""}'. `;
      root.append(
        el("p", { class: "alert" }, words, el("a", { href: "#/" }, "Choose one of all panoramas.")),
      );
      return;
    }
    filter = filter || damascene.sites.noFilter();
    shown = Object.fromEntries(LAYERS.map(([name, , on]) => [name, on]));
    chosen = null;
    parts = {
      alerts: el("div", { class: "alerts" }),
      maps: el("div", { class: "maps" }),
      panel: el("aside", { class: "panel", "aria-label": "Site", hidden: true }),
      filters: el("div"),
      layers: el("fieldset", { class: "layers" }),
      legend: el("div", { class: "legend" }),
      beside: el("div", { class: "beside" }),
    };
    root.append(
      el(
        "div",
        { class: "map-view" },
        el("h1", { class: "unseen" }, one.panorama),
        toolbar(one),
        parts.alerts,
        el(
          "div",
          { class: "body" },
          el("aside", { class: "side", "aria-label": "Filters and layers" }, parts.filters, parts.layers, parts.legend, parts.beside),
          parts.maps,
          parts.panel,
        ),
      ),
    );
    layerList();
    add(one);
    if (rest[1] !== undefined) maps[0].ready.then(() => goToNumber(maps[0], rest[1]));
    root.focus();
  }

  function close() {
    for (const map of maps) map.remove();
    maps = [];
  }

  function toolbar(one) {
    const names = damascene.study.panoramas.map((each) => each.panorama);
    const select = el(
      "select",
      { "aria-label": "Panorama", onchange: (event) => damascene.app.go("map", event.target.value) },
      names.map((name) => el("option", { value: name, selected: name === one.panorama }, name)),
    );
    const find = el("input", {
      type: "text",
      inputmode: "numeric",
      size: 6,
      id: "find-site",
      "aria-label": "Number of a site",
      placeholder: "number",
      onkeydown: (event) => {
        if (event.key !== "Enter") return;
        goToNumber(maps[0], event.target.value);
        event.target.blur();
      },
    });
    const button = (text, act, key) =>
      el("button", { type: "button", onclick: act, title: `key ${key}` }, text);
    return el(
      "div",
      { class: "toolbar", role: "toolbar", "aria-label": "Map" },
      button("‹", () => neighbour(-1), "["),
      select,
      button("›", () => neighbour(1), "]"),
      button("Whole", fit, "0"),
      el("label", null, "Site ", find),
      button("‹ site", () => step(-1), "k"),
      button("site ›", () => step(1), "j"),
      button("Save sites", () => saveSites(false), "w"),
      button("Save those in view", () => saveSites(true), "e"),
      button("Save picture", savePicture, "t"),
    );
  }

  /** Add a panorama beside those that are shown. */
  function add(one) {
    const root = el("div", { class: "one" });
    if (maps.length) {
      root.append(
        el(
          "div",
          { class: "name" },
          el("strong", null, one.panorama),
          el(
            "button",
            { type: "button", onclick: () => drop(one), "aria-label": `Close ${one.panorama}` },
            "×",
          ),
        ),
      );
    } else {
      root.append(el("div", { class: "name" }, el("strong", null, named(one))));
    }
    parts.maps.append(root);
    const map = new damascene.PanoramaMap(root, one, {
      choose: choose,
      moved: follow,
    });
    maps.push(map);
    parts.maps.dataset.count = maps.length;
    if (maps.length > 1) map.setView(maps[0].view());
    else map.fit();
    for (const [name, , usual] of LAYERS) {
      if (shown[name] !== usual && name !== "density") map.setLayer(name, shown[name]);
    }
    map.ready.then(() => {
      filterForm();
      filtered();
    });
    besideList();
    warn();
  }

  function named(one) {
    const strain = one.strain_percent === null ? "" : `, ${one.strain_percent} % strain`;
    return one.panorama + strain + (one.condition ? `, ${one.condition}` : "");
  }

  function drop(one) {
    const map = maps.find((each) => each.one === one);
    if (chosen && chosen.map === map) closePanel();
    map.remove();
    map.root.remove();
    maps = maps.filter((each) => each !== map);
    parts.maps.dataset.count = maps.length;
    besideList();
    warn();
    filterForm();
    if (shown.density) densities();
  }

  /** Let the other maps show the same place in um, as far from it. */
  function follow(map) {
    if (guided || maps.length < 2) return;
    guided = true;
    const view = map.view();
    for (const other of maps) if (other !== map) other.setView(view);
    guided = false;
  }

  function warn() {
    replace(
      parts.alerts,
      maps.map(({ one }) => [
        one.withheld
          ? el("p", { class: "alert" }, el("strong", null, `${one.panorama}: classes are withheld. `), one.withheld)
          : null,
        one.candidates === 0
          ? el("p", { class: "alert" }, `${one.panorama}: no site was found.`)
          : null,
      ]),
    );
  }

  function filterForm() {
    const counts = maps.map((map) => map.one.counts);
    const places = maps.map((map) => (map.sites ? map.sites.places.length : 0));
    replace(parts.filters, damascene.filters.form(filter, counts, places, filtered));
    if (maps.length > 1) {
      const names = maps.map((map) => map.one.panorama).join(" · ");
      parts.filters.querySelector("legend").after(el("p", { class: "of" }, names));
    }
    tellCounts();
  }

  function filtered() {
    for (const map of maps) map.apply(filter);
    tellCounts();
    if (shown.density) densities();
  }

  /** Show densities, of all panoramas in the same blocks and colours. */
  async function densities() {
    const { blockEdge } = damascene.overlays;
    const ready = maps.filter((map) => map.sites);
    try {
      const edge_um = Math.max(...ready.map((map) => blockEdge(map.one, map.shown.length)));
      const highest = Math.max(...(await Promise.all(ready.map((map) => map.countBlocks(edge_um)))));
      for (const map of ready) map.highest = highest;
      if (shown.density) await Promise.all(ready.map((map) => map.setLayer("density", true)));
    } catch (error) {
      maps[0].fail(error);
    }
    legend();
  }

  function tellCounts() {
    const told = (map) => {
      const places = map.shownPlaces.length;
      return (
        `${map.shown.length} of ${map.sites ? map.sites.count : 0} sites` +
        (places ? ` and ${places} ${places === 1 ? "place" : "places"} without one` : "") +
        (maps.length > 1 ? ` in ${map.one.panorama}` : "")
      );
    };
    const said = maps.map(told).join(", ");
    const place = parts.filters.querySelector(".left");
    if (place) place.textContent = said;
    damascene.app.say(said);
  }

  function layerList() {
    const has = { phases: Boolean(damascene.study.phases) };
    replace(
      parts.layers,
      el("legend", null, "Layers"),
      LAYERS.filter(([name]) => has[name] !== false).map(([name, text]) =>
        el(
          "label",
          null,
          el("input", {
            type: "checkbox",
            checked: shown[name],
            data: { layer: name },
            onchange: (event) => setLayer(name, event.target.checked),
          }),
          ` ${text} `,
          el("kbd", null, LAYERS.findIndex(([each]) => each === name) + 1),
        ),
      ),
    );
  }

  async function setLayer(name, on) {
    shown[name] = on;
    const box = parts.layers.querySelector(`[data-layer="${name}"]`);
    if (box) box.checked = on;
    if (name === "density" && on) return densities();
    await Promise.all(maps.map((map) => map.setLayer(name, on)));
    legend();
  }

  function legend() {
    const phases = Object.entries(damascene.study.phases || {});
    const swatch = (colour) => {
      const made = el("span", { class: "swatch" });
      made.style.background = colour;
      return made;
    };
    replace(
      parts.legend,
      shown.phases
        ? el("p", null, phases.map(([name, colour]) => [swatch(colour), ` ${name} `]))
        : null,
      shown.valid
        ? el("p", null, swatch("rgb(204,0,119)"), ` not valid: ${maps.map(({ one }) => `${(100 * (1 - one.valid_fraction)).toFixed(1)} %`).join(", ")}`)
        : null,
      shown.density ? densityLegend() : null,
    );
  }

  function densityLegend() {
    const map = maps.find((each) => each.found);
    if (!map) return null;
    const { overlays } = damascene;
    const colours = [0, 0.25, 0.5, 0.75, 1].map((part) => `rgb(${overlays.ramp(part).join(",")})`);
    const bar = el("span", { class: "ramp" });
    bar.style.background = `linear-gradient(to right, ${colours.join(",")})`;
    return el(
      "p",
      null,
      "0 ",
      bar,
      ` ${Math.round(map.highest)} sites per mm² of valid area, in squares of ${map.found.edge_um} µm`,
    );
  }

  function besideList() {
    const names = maps.map((map) => map.one.panorama);
    const others = damascene.study.panoramas.filter((one) => !names.includes(one.panorama));
    if (!others.length || maps.length >= MOST_BESIDE) {
      replace(parts.beside);
      return;
    }
    replace(
      parts.beside,
      el(
        "label",
        null,
        "Beside it, at the same place: ",
        el(
          "select",
          {
            id: "beside",
            onchange: (event) => {
              const one = others.find((each) => each.panorama === event.target.value);
              if (one) add(one);
            },
          },
          el("option", { value: "" }, "another panorama"),
          others.map((one) => el("option", { value: one.panorama }, named(one))),
        ),
      ),
    );
  }

  /** Open the panel of a site, or of { place: number }. */
  function choose(map, what) {
    if (chosen && chosen.map !== map) chosen.map.choose(null);
    chosen = { map: map, what: what };
    map.choose(what);
    parts.panel.hidden = false;
    const { panel, placePanel } = damascene.details;
    const own = what.place === undefined;
    replace(parts.panel, own ? panel(map, what, closePanel) : placePanel(map, what.place, closePanel));
    parts.panel.scrollTop = 0;
    // On a narrow screen it lies below the map.
    parts.panel.scrollIntoView({ block: "nearest" });
    damascene.app.say(
      own ? `Site ${map.sites.columns.site_id[what]}` : `Place ${map.sites.places[what.place].id}`,
    );
  }

  function closePanel() {
    if (!chosen) return;
    chosen.map.choose(null);
    chosen = null;
    parts.panel.hidden = true;
    replace(parts.panel);
    document.getElementById("view").focus();
  }

  function goToNumber(map, text) {
    const number = text.trim() === "" ? NaN : Number(text);
    const place = map.sites ? map.sites.places.findIndex((each) => each.id === number) : -1;
    const what = place >= 0 ? { place: place } : map.sites && map.sites.indexOf.get(number);
    if (what === undefined) {
      damascene.app.say(`No site ${text}`);
      return;
    }
    choose(map, what);
    map.goTo(what);
  }

  /** Go to the next or the last one of the sites that the filter leaves; places without a
      candidate come after them. */
  function step(by) {
    const map = chosen ? chosen.map : maps[0];
    if (!map || !map.sites) return;
    const order = (what) => (what.place === undefined ? what : map.sites.count + what.place);
    const all = [...map.shown, ...map.shownPlaces.map((place) => ({ place: place }))];
    if (!all.length) return;
    const own = chosen && order(chosen.what);
    const at = chosen ? all.findIndex((what) => order(what) >= own) : by > 0 ? -1 : 0;
    const from = chosen && at < 0 ? all.length : at;
    // What the filter hides lies between two that it shows.
    const hidden = chosen && (from === all.length || order(all[from]) !== own) && by > 0 ? 1 : 0;
    const next = all[(from + by - hidden + all.length) % all.length];
    choose(map, next);
    map.goTo(next);
  }

  function neighbour(by) {
    const names = damascene.study.panoramas.map((each) => each.panorama);
    const at = names.indexOf(maps[0].one.panorama);
    damascene.app.go("map", names[(at + by + names.length) % names.length]);
  }

  function fit() {
    maps[0].fit();
  }

  function saveSites(inView) {
    const ready = maps.filter((map) => map.sites);
    const tables = ready.map((map) =>
      damascene.sites.asRows(map.sites, map.one.panorama, inView ? map.inView() : map.shown),
    );
    const columns = [...new Set(tables.flatMap((table) => table.columns))];
    const rows = tables.flatMap((table) => table.rows);
    damascene.download(
      `sites_${ready.map((map) => map.one.panorama).join("_")}.tsv`,
      damascene.tsv(columns, rows),
      "text/tab-separated-values",
    );
    damascene.app.say(`${rows.length} sites saved`);
  }

  function savePicture() {
    const pictures = maps.map((map) => map.picture());
    const all = document.createElement("canvas");
    all.width = pictures.reduce((n, each) => n + each.width, 0);
    all.height = Math.max(...pictures.map((each) => each.height));
    const context = all.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, all.width, all.height);
    pictures.reduce((left, each) => {
      context.drawImage(each, left, 0);
      return left + each.width;
    }, 0);
    const name = `${maps.map((map) => map.one.panorama).join("_")}.png`;
    all.toBlob((blob) => damascene.download(name, blob), "image/png");
  }

  const pan = (x, y) => () => maps[0] && maps[0].map.panBy([x * 160, y * 160]);
  const zoom = (by) => () => maps[0] && maps[0].map.setZoom(maps[0].map.getZoom() + by);
  const toggle = (name) => () => setLayer(name, !shown[name]);

  const keys = [
    ["ArrowLeft", "move left", pan(-1, 0)],
    ["ArrowRight", "move right", pan(1, 0)],
    ["ArrowUp", "move up", pan(0, -1)],
    ["ArrowDown", "move down", pan(0, 1)],
    ["+", "closer", zoom(1)],
    ["-", "farther", zoom(-1)],
    ["0", "the whole panorama", fit],
    ["j", "next site of the filter", () => step(1)],
    ["k", "site before", () => step(-1)],
    ["/", "type the number of a site", () => document.getElementById("find-site").focus()],
    ["Escape", "close the panel of a site", closePanel],
    ["1", "image", toggle("image")],
    ["2", "marks", toggle("marks")],
    ["3", "phase map", toggle("phases")],
    ["4", "what is not valid", toggle("valid")],
    ["5", "density", toggle("density")],
    ["w", "save the sites of the filter as a table (TSV)", () => saveSites(false)],
    ["e", "save those of them in view", () => saveSites(true)],
    ["t", "save the view as a picture (PNG)", savePicture],
    ["[", "panorama before", () => neighbour(-1)],
    ["]", "next panorama", () => neighbour(1)],
  ];

  return { title: "Map", keys, open, close, maps: () => maps };
})();
