/* The sites of a panorama: columns as the data scripts hold them, filters, and what is near a place. */
"use strict";

damascene.sites = (function () {
  const CANDIDATE = "candidate";
  // In place of a class where people call a place by several, or cannot tell.
  const OPEN = "unclear";

  /** Return a promise of the sites of a panorama. */
  async function load(name) {
    return prepared(await damascene.data.load(`sites/${name}.js`));
  }

  function prepared(told) {
    if (told.count !== undefined) return told;
    const sites = told;
    sites.count = sites.columns.site_id.length;
    sites.classes = sites.words.class ? sites.words.class.names : [CANDIDATE];
    sites.classCode = sites.words.class ? sites.words.class.codes : new Uint16Array(sites.count);
    sites.probability = probabilities(sites);
    sites.setSize = setSizes(sites);
    sites.answersOf = new Map();
    for (const answer of sites.answers) {
      const own = sites.answersOf.get(answer.site_id) || [];
      own.push(answer);
      sites.answersOf.set(answer.site_id, own);
    }
    sites.indexOf = new Map(sites.columns.site_id.map((id, i) => [id, i]));
    let before = 0;
    sites.attention = (sites.attention || []).map((each) => {
      const first = before;
      before += each.site_id.length;
      return { ...each, first: first, rowOf: new Map(each.site_id.map((id, row) => [id, row])) };
    });
    sites.places = places(sites.astray || []);
    return sites;
  }

  /** Return the places that people labelled where no candidate lies: { id, x, y, name, reason, answers }. */
  function places(astray) {
    const found = new Map();
    for (const each of astray) {
      const own = found.get(each.site_id) || [];
      own.push(each);
      found.set(each.site_id, own);
    }
    return [...found].map(([id, answers]) => {
      const mean = (name) => answers.reduce((sum, each) => sum + each[name], 0) / answers.length;
      const said = new Set(votes(answers).map((each) => each.answer));
      return {
        id: id,
        x: mean("x_px"),
        y: mean("y_px"),
        name: said.size === 1 ? [...said][0] : OPEN,
        disagree: said.size > 1,
        reason: answers[0].tied_by,
        answers: answers,
      };
    });
  }

  function votes(answers) {
    return answers.filter((each) => each.counts !== false);
  }

  function word(sites, name, i) {
    const column = sites.words[name];
    return column ? column.names[column.codes[i]] : null;
  }

  /** Return the class of a site as the study counts it. */
  function className(sites, i) {
    return sites.classes[sites.classCode[i]];
  }

  /** Return the probability of the class that the networks gave: calibrated where labels allow it. */
  function probabilities(sites) {
    const { columns, words } = sites;
    if (!words.predicted_class) return null;
    return Float32Array.from({ length: sites.count }, (_, i) => {
      if (columns.confidence[i] !== null) return columns.confidence[i];
      const predicted = word(sites, "predicted_class", i);
      if (predicted === "inclusion") return columns.p_inclusion[i];
      const own = columns["p_" + predicted];
      if (own) return (1 - columns.p_inclusion[i]) * own[i];
      const damage = Object.keys(columns).filter((k) => k.startsWith("p_") && k !== "p_inclusion");
      return (1 - columns.p_inclusion[i]) * Math.max(...damage.map((k) => columns[k][i]));
    });
  }

  function setSizes(sites) {
    const column = sites.words.prediction_set;
    if (!column) return null;
    const sizes = column.names.map((name) => (name ? name.split("|").length : 0));
    return Uint8Array.from(column.codes, (code) => sizes[code]);
  }

  /** Say whether people gave a site different classes. */
  function peopleDisagree(sites, id) {
    return new Set(votes(sites.answersOf.get(id) || []).map((each) => each.answer)).size > 1;
  }

  const LABELS = {
    any: () => true,
    labelled: (sites, i) => sites.answersOf.has(sites.columns.site_id[i]),
    unlabelled: (sites, i) => !sites.answersOf.has(sites.columns.site_id[i]),
    disagree: (sites, i) => peopleDisagree(sites, sites.columns.site_id[i]),
    differs: (sites, i) => {
      const label = word(sites, "label", i);
      return Boolean(label) && label !== word(sites, "predicted_class", i);
    },
  };

  /** Return the filter that leaves all sites. */
  function noFilter() {
    return {
      hidden: new Set(),
      least_probability: 0,
      most_probability: 1,
      least_um2: 0,
      most_um2: Infinity,
      set: "any",
      labels: "any",
      places: true,
    };
  }

  /** Return the places of the sites that a filter leaves, in their order. */
  function filtered(sites, filter) {
    const kept = [];
    const shown = sites.classes.map((name) => !filter.hidden.has(name));
    const byProbability =
      sites.probability && (filter.least_probability > 0 || filter.most_probability < 1);
    const inLabels = LABELS[filter.labels];
    for (let i = 0; i < sites.count; i++) {
      if (!shown[sites.classCode[i]]) continue;
      if (byProbability) {
        const p = sites.probability[i];
        if (p < filter.least_probability || p > filter.most_probability) continue;
      }
      const area = sites.columns.area_um2[i];
      if (area < filter.least_um2 || area > filter.most_um2) continue;
      if (filter.set !== "any" && sites.setSize) {
        const size = sites.setSize[i];
        if (filter.set === "none" ? size : filter.set === "one" ? size !== 1 : size < 2) continue;
      }
      if (filter.labels !== "any" && !inLabels(sites, i)) continue;
      kept.push(i);
    }
    return kept;
  }

  /** Return the numbers of the places without a candidate that a filter leaves: they have neither
      probability nor area nor set. */
  function filteredPlaces(sites, filter) {
    const all = noFilter();
    const own = ["least_probability", "most_probability", "least_um2", "most_um2", "set"];
    if (!filter.places || own.some((name) => filter[name] !== all[name])) return [];
    const fits = {
      any: () => true,
      labelled: () => true,
      disagree: (place) => place.disagree,
    }[filter.labels];
    return [...sites.places.keys()].filter(
      (k) => fits && fits(sites.places[k]) && !filter.hidden.has(sites.places[k].name),
    );
  }

  /** Return what a person wrote so that no spreadsheet takes it for a formula. */
  function noFormula(text) {
    return /^[=+\-@]/.test(text) ? "'" + text : text;
  }

  const SELECTED = ["site_id", "x_px", "y_px", "area_um2"];

  /** Return sites as rows of a table. */
  function asRows(sites, panorama, indices) {
    const numbers = Object.keys(sites.columns).filter((name) => !SELECTED.includes(name));
    const columns = ["panorama", ...SELECTED, ...Object.keys(sites.words), ...numbers];
    const all = [...columns, "answers", "annotators", "notes"];
    const rows = indices.map((i) => {
      const row = { panorama: panorama };
      for (const name of [...SELECTED, ...numbers]) row[name] = sites.columns[name][i];
      for (const name of Object.keys(sites.words)) row[name] = word(sites, name, i);
      const own = sites.answersOf.get(sites.columns.site_id[i]) || [];
      row.answers = own.map((each) => each.answer).join("|");
      row.annotators = noFormula(own.map((each) => each.annotator).join("|"));
      row.notes = noFormula(own.map((each) => each.note || "").join("|"));
      return row;
    });
    return { columns: all, rows: rows };
  }

  /** Return a promise of the pixels of a site: { width, height, mask } within its box. */
  async function pixels(sites, panorama, i) {
    const bytes = await damascene.tiles.entry(`sites/${panorama}.outlines.js`, i);
    const width = sites.columns.width_px[i];
    const height = sites.columns.height_px[i];
    const mask = new Uint8Array(width * height);
    let place = 0;
    const next = () => {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[place++];
        value += (byte & 127) * 2 ** shift;
        if (byte < 128) return value;
      }
    };
    for (let y = 0; bytes && place < bytes.length; ) {
      y += next();
      const left = next();
      mask.fill(1, y * width + left, y * width + left + next());
    }
    return { width, height, mask };
  }

  return { load, prepared, word, className, peopleDisagree, noFilter, filtered, filteredPlaces, asRows, pixels, CANDIDATE, OPEN };
})();
