/* The answers of one person: kept in the browser, handed out as the label file of the project. */
"use strict";

damascene.reviewStore = (function () {
  const COLUMNS = [
    "panorama", "x_px", "y_px", "label", "annotator", "time", "site_id", "left_px", "top_px",
    "width_px", "height_px", "model", "previous_label", "drawn_by", "decides", "note",
    "image_width_px", "image_height_px", "pixel_size_nm", "image",
  ];
  const NUMBERS = [
    "x_px", "y_px", "site_id", "left_px", "top_px", "width_px", "height_px", "image_width_px",
    "image_height_px", "pixel_size_nm",
  ];
  const NEEDED = ["panorama", "x_px", "y_px", "label"];
  const PREFIX = "damascene/review/";
  const MOST_UNDONE = 200;

  /** Return a name as it may stand in a table: one line, and nothing that parts names. */
  function cleanName(text) {
    return String(text).replace(/[\s|\u0000-\u001f\u0085\u2028\u2029]+/g, " ").trim().slice(0, 80);
  }

  /**
   * Sites keep their place in every run; their numbers change with the detection. An answer that
   * decides stands beside the blind one of the same person, as how well people agree is told by these.
   */
  function keyOf(row) {
    const place = [row.panorama, Number(row.x_px).toFixed(1), Number(row.y_px).toFixed(1)];
    return [...place, ...(row.decides ? ["decides"] : [])].join(" ");
  }

  function place(study, annotator) {
    return PREFIX + JSON.stringify([study, annotator]);
  }

  /** Return who answered in this study and this browser before. */
  function annotators(study) {
    const found = [];
    try {
      for (let i = 0; i < localStorage.length; i++) {
        const key = localStorage.key(i);
        if (!key.startsWith(PREFIX)) continue;
        const [of, name] = JSON.parse(key.slice(PREFIX.length));
        if (of === study) found.push(name);
      }
    } catch {
      return found;
    }
    return found.sort();
  }

  /** Remember who answers in this tab, also when it is loaded again; an empty name forgets. */
  function remember(study, annotator) {
    try {
      sessionStorage.setItem(PREFIX + study, annotator);
    } catch {
      // A browser that keeps nothing asks again.
    }
  }

  /** Return who answered in this tab before it was loaded again, or nothing. */
  function recall(study) {
    try {
      return sessionStorage.getItem(PREFIX + study) || "";
    } catch {
      return "";
    }
  }

  /** Put rows of a second record into the first: of one site the later one counts. */
  function merge(rows, others) {
    for (const [key, row] of Object.entries(others)) {
      if (!rows[key] || rows[key].time < row.time) rows[key] = row;
    }
    return rows;
  }

  function read(study, annotator) {
    const text = localStorage.getItem(place(study, annotator));
    if (text === null) return { rows: {}, undone: [] };
    const held = JSON.parse(text);
    return { rows: held.rows || {}, undone: held.undone || [] };
  }

  /**
   * Return the answers of a person in a study.
   *
   * told: called with a message where the browser does not keep them, and with "" once it does.
   */
  function open(study, annotator, told) {
    let rows = {};
    let undone = [];
    let last = "";
    try {
      ({ rows, undone } = read(study, annotator));
    } catch (error) {
      told(refusal(error));
    }

    function refusal(error) {
      return (
        "This browser does not keep your answers (" + error.name + "). Download them before you " +
        "close this tab, or choose a file that is kept up to date."
      );
    }

    /** Another tab may have answered since: nothing of it is overwritten. */
    function keep() {
      try {
        merge(rows, read(study, annotator).rows);
        localStorage.setItem(place(study, annotator), JSON.stringify({ rows, undone }));
        told("");
        return true;
      } catch (error) {
        told(refusal(error));
        return false;
      }
    }

    /** Times order the answers, so that no two are the same. */
    function now() {
      let time = new Date().toISOString();
      if (time <= last) time = new Date(Date.parse(last) + 1).toISOString();
      last = time;
      return time;
    }

    /** Give a site an answer that can be undone; an empty label takes it back. */
    function put(row) {
      undone.push({ key: keyOf(row), before: rows[keyOf(row)] || null });
      if (undone.length > MOST_UNDONE) undone.shift();
      write(row);
    }

    /** Keep what is known of a site, such as a note, which is no answer to be undone. */
    function write(row) {
      const key = keyOf(row);
      rows[key] = { ...row, annotator: annotator, time: now() };
      keep();
    }

    /** Take the last answer back, but no note, and return its site; null if there is none. */
    function undo() {
      const step = undone.pop();
      if (!step) return null;
      const held = rows[step.key];
      const before = step.before || { ...held, label: "" };
      rows[step.key] = { ...before, note: held.note, time: now() };
      keep();
      return rows[step.key];
    }

    function get(row) {
      const found = rows[keyOf(row)];
      return found && (found.label || found.note) ? found : null;
    }

    /** Return all answers on panoramas of this study, in the order in which they were given. */
    function answers() {
      const known = new Map(damascene.study.panoramas.map((one) => [one.panorama, one]));
      // A study of the same name may have another image under the name of a panorama.
      const fits = (row) => {
        const about = known.get(row.panorama);
        return about && (!row.image_width_px ||
          (row.image_width_px === about.width_px && row.image_height_px === about.height_px));
      };
      return Object.values(rows)
        .filter((row) => row.label && fits(row))
        .sort((a, b) => (a.time < b.time ? -1 : 1));
    }

    /** Take answers over from a file that this person wrote before; return what was found in it. */
    function take(text, labels) {
      const found = parse(text, labels);
      if (found.problem) return found;
      const own = found.rows.filter((row) => cleanName(row.annotator) === annotator);
      const taken = {};
      for (const row of own) merge(taken, { [keyOf(row)]: row });
      const before = answers().length;
      merge(rows, taken);
      keep();
      return { read: own.length, of_others: found.rows.length - own.length,
        new: answers().length - before };
    }

    /** Another tab wrote: take its answers over, and bring back those of one's own that it had not
        seen yet, as browsers tell tabs of each other's writing a little later. */
    function reread() {
      try {
        const stored = read(study, annotator).rows;
        const lacks = Object.entries(rows).some(([key, row]) =>
          !stored[key] || stored[key].time < row.time);
        merge(rows, stored);
        if (lacks) keep();
      } catch (error) {
        told(refusal(error));
      }
    }

    return { annotator, put, write, undo, get, answers, take, keep, reread, file: () => tsv(answers()) };
  }

  function tsv(rows) {
    return damascene.tsv(COLUMNS, rows);
  }

  /** Return the rows of a label file, or what is wrong with it, with its row. */
  function parse(text, labels) {
    const lines = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/);
    const header = lines[0].split("\t");
    const missing = NEEDED.filter((name) => !header.includes(name));
    if (missing.length) {
      return { problem: "This is no label file: it has no column " + missing.join(", ") + "." };
    }
    const rows = [];
    for (let i = 1; i < lines.length; i++) {
      if (!lines[i].trim()) continue;
      const cells = lines[i].split("\t");
      if (cells.length !== header.length) {
        return { problem: "Row " + (i + 1) + " has " + cells.length + " cells, and the header has " +
          header.length + ". Nothing was taken over." };
      }
      const row = Object.fromEntries(header.map((name, at) => [name, cells[at]]));
      if (!row.label) continue;
      if (!labels.includes(row.label)) {
        return { problem: "Row " + (i + 1) + ", column label: unknown class '" + row.label +
          "'. Nothing was taken over." };
      }
      const full = Object.fromEntries(COLUMNS.map((name) => [name, row[name] || ""]));
      for (const name of NUMBERS) full[name] = full[name] === "" ? "" : Number(full[name]);
      if (Number.isNaN(full.x_px) || Number.isNaN(full.y_px)) {
        return { problem: "Row " + (i + 1) + ": the position is no number. Nothing was taken over." };
      }
      // As the workflow reads it: a time without a zone is one of UTC.
      const zone = /T.*(Z|[+-]\d\d:?\d\d)$/i;
      const written = full.time.trim().replace(" ", "T");
      const time = new Date(written.includes("T") && !zone.test(written) ? written + "Z" : written);
      full.time = Number.isNaN(time.getTime()) ? new Date(0).toISOString() : time.toISOString();
      rows.push(full);
    }
    return { rows: rows };
  }

  /** Return the name of the file: any character of a name that a disk refuses becomes a line. */
  function fileName(annotator, time) {
    const name = annotator.normalize("NFKD").replace(/[^A-Za-z0-9-]+/g, "_").replace(/^_+|_+$/g, "");
    const stamp = time.toISOString().replace(/[-:]|\.\d+/g, "");
    return "labels_" + (name || "annotator") + "_" + stamp + ".tsv";
  }

  /** Whether a changed store belongs to a person: another tab wrote it. */
  function isPlace(key, study, annotator) {
    return key === place(study, annotator);
  }

  return { COLUMNS, open, annotators, remember, recall, cleanName, fileName, parse, isPlace };
})();
