/* The review gallery: sites in the order in which an answer is worth most, labelled by single keys. */
"use strict";

damascene.views.review = (function () {
  const { el, replace } = damascene;
  const WHY = {
    random: "drawn at random",
    cluster: "one of a group of look-alikes",
    disagreement: "annotators contradict each other",
    set: "the networks cannot tell",
    far: "unlike what the networks learned from",
    // Not which class: that is what the networks think.
    balance: "chosen so that no class lacks labels",
    picked: "picked by you",
  };
  const QUEUES = {
    all: "All, the most valuable first",
    random: "Drawn at random only",
    contradictions: "Contradictions, to decide",
  };
  // Labels of a class with which networks begin to be useful.
  const GOOD_START = 30;
  const GRID = 24;
  const STRIP = 4;

  let root = null;
  let queue = null;
  let panoramas = new Map();
  // Places of which the study has no label: an own answer there counts beside those that it has.
  let asked = new Set();
  let store = null;
  // The site that was answered last, to which one may still have something to say.
  let latest = null;
  let shown = [];
  let at = 0;
  let parts = {};
  let file = null;
  let writing = null;
  let unkept = "";
  const options = { queue: "all", grid: false, outline: true, hints: false };

  const view = { title: "Review", open, close };

  /** Return the classes by their keys, as on label sheets. */
  const letters = () => damascene.study.letters || {};

  function open(where, rest) {
    root = where;
    replace(root, el("h1", null, "Review"), el("p", null, "The queue is loaded."));
    addEventListener("storage", otherTab);
    addEventListener("beforeunload", warn);
    damascene.data.load("review/queue.js").then(
      (found) => {
        // Whoever left meanwhile sees another view.
        if (root !== where) return;
        queue = found;
        panoramas = new Map(damascene.study.panoramas.map((one) => [one.panorama, one]));
        asked = new Set([...Array(queue.count).keys()]
          .filter((row) => queue.drawn_by[row] !== "disagreement").map((row) => placeOf(asRow(row))));
        if (rest && rest.length === 2) view.wanted = rest;
        if (!queue.count) return nothing();
        const before = damascene.reviewStore.recall(damascene.study.study);
        if (!store && before) store = damascene.reviewStore.open(damascene.study.study, before, keptOrNot);
        if (store) gallery();
        else whoAmI();
      },
      () => root === where && missing(),
    );
  }

  function close() {
    root = null;
    parts = {};
    removeEventListener("storage", otherTab);
    removeEventListener("beforeunload", warn);
  }

  function missing() {
    replace(
      root,
      el("h1", null, "Review"),
      el("p", { class: "alert" }, "There is no queue of sites beside this page. Run ",
        el("code", null, "snakemake review"), ", and copy the whole folder viewer/ if you move it."),
    );
  }

  function nothing() {
    replace(
      root,
      el("h1", null, "Review"),
      el("p", null, "No site is to be labelled: none was found, or all have a label."),
    );
  }

  /* ------------------------------------------------------------------ who answers */

  function whoAmI() {
    parts = {};
    const study = damascene.study.study;
    const known = damascene.reviewStore.annotators(study);
    const input = el("input", { id: "annotator", type: "text", maxlength: 80, autocomplete: "off",
      required: true });
    const begin = (name) => {
      const clean = damascene.reviewStore.cleanName(name);
      if (!clean) return input.focus();
      store = damascene.reviewStore.open(study, clean, keptOrNot);
      damascene.reviewStore.remember(study, clean);
      file = null;
      latest = null;
      gallery();
    };
    const form = el(
      "form",
      { onsubmit: (event) => { event.preventDefault(); begin(input.value); } },
      el("label", { for: "annotator" }, "Your name, as it is to stand in the label file"),
      el("div", null, input, " ", el("button", { type: "submit" }, "Begin")),
    );
    replace(
      root,
      el("h1", null, "Who are you?"),
      form,
      known.length
        ? [el("p", null, "Or go on as"), el("p", { class: "names" }, known.map((name) =>
            el("button", { type: "button", onclick: () => begin(name) }, name)))]
        : null,
      el("p", { class: "pale" }, "Answers are kept in this browser under your name. Each person ",
        "answers for themselves: answers of others are not shown before you have given yours."),
    );
    input.focus();
  }

  function keptOrNot(message) {
    unkept = message;
    if (parts.alert) {
      parts.alert.hidden = !message;
      parts.alert.textContent = message;
    }
  }

  function warn(event) {
    if (!store || !unkept || file || !store.answers().length) return;
    event.preventDefault();
    event.returnValue = "";
  }

  function otherTab(event) {
    if (!store || !damascene.reviewStore.isPlace(event.key, damascene.study.study, store.annotator))
      return;
    store.reread();
    if (parts.main) draw();
  }

  /* ------------------------------------------------------------------ the queue */

  const column = (name, row) => (queue[name] ? queue[name][row] : "");

  function facts(row) {
    return panoramas.get(queue.panorama[row]) || {};
  }

  /** Return what stands of a site in the label file, without the answer. */
  function asRow(row) {
    const about = facts(row);
    const names = ["panorama", "x_px", "y_px", "site_id", "left_px", "top_px", "width_px",
      "height_px", "drawn_by", "image"];
    return {
      ...Object.fromEntries(names.map((name) => [name, column(name, row)])),
      model: queue.model,
      image_width_px: about.width_px,
      image_height_px: about.height_px,
      pixel_size_nm: about.pixel_size_nm,
    };
  }

  /** In the word of the label file, whether answers decide now between those of others. */
  const decides = () => (options.queue === "contradictions" ? "yes" : "");

  /** Return the own answer to a site: where one decides, that which decides. */
  function given(row) {
    return store.get({ ...asRow(row), decides: decides() });
  }

  function done(row) {
    const own = given(row);
    return Boolean(own && own.label);
  }

  function select() {
    const wanted = {
      all: () => true,
      random: (row) => queue.drawn_by[row] === "random",
      contradictions: (row) => queue.drawn_by[row] === "disagreement",
    }[options.queue];
    shown = [...Array(queue.count).keys()].filter(wanted);
    const open = shown.findIndex((row) => !done(row));
    at = open < 0 ? 0 : open;
    if (view.wanted) {
      const [panorama, site] = view.wanted;
      const found = shown.findIndex((row) =>
        queue.panorama[row] === panorama && String(queue.site_id[row]) === site);
      if (found >= 0) at = found;
      else damascene.app.say("Site " + site + " of " + panorama + " is not in the queue.");
      view.wanted = null;
    }
  }

  /** Return a promise of the picture of a site, as an address. */
  function picture(row) {
    const number = Math.floor(row / queue.chunk);
    return damascene.data
      .load("review/clips_" + number + ".js")
      .then((chunk) => "data:image/webp;base64," + chunk[row % queue.chunk]);
  }

  /* ------------------------------------------------------------------ answers */

  function answer(label) {
    if (!shown.length) return;
    const row = shown[at];
    const before = given(row);
    const earlier = before || store.get(asRow(row));
    const seen = earlier && earlier.label ? earlier.label : seesClass(row) ? seenClass(row) : "";
    store.put({
      ...asRow(row),
      label: label,
      previous_label: seen,
      decides: decides(),
      note: before ? before.note : "",
    });
    kept();
    latest = row;
    damascene.app.say(label + ". " + answered() + " of " + shown.length + " answered.");
    next(true);
  }

  function undo() {
    const back = store.undo();
    if (!back) return damascene.app.say("There is nothing to undo.");
    kept();
    latest = null;
    const found = shown.findIndex((row) => queue.panorama[row] === back.panorama &&
      ["x_px", "y_px"].every((name) => queue[name][row].toFixed(1) === Number(back[name]).toFixed(1)));
    if (found >= 0) at = found;
    damascene.app.say("The last answer was taken back.");
    draw();
  }

  function setNote(row, text) {
    const before = given(row);
    const note = text.replace(/[\t\r\n\u0085\u2028\u2029]+/g, " ").trim();
    if (note === (before ? before.note : "")) return;
    store.write({
      ...asRow(row),
      label: before ? before.label : "",
      previous_label: before ? before.previous_label : "",
      decides: decides(),
      note: note,
    });
    kept();
    progress();
  }

  function answered() {
    return shown.filter(done).length;
  }

  function kept() {
    if (!file) return;
    clearTimeout(writing);
    writing = setTimeout(writeFile, 400);
  }

  async function writeFile() {
    try {
      const stream = await file.createWritable();
      await stream.write(store.file());
      await stream.close();
      status("Kept in " + file.name + ", " + new Date().toLocaleTimeString() + ".");
    } catch (error) {
      status("");
      keptOrNot("The file " + file.name + " could not be written (" + error.name +
        "). Your answers are still in this browser: download them.");
      file = null;
    }
  }

  async function chooseFile() {
    try {
      file = await showSaveFilePicker({
        suggestedName: damascene.reviewStore.fileName(store.annotator, new Date()),
        types: [{ description: "Label file", accept: { "text/tab-separated-values": [".tsv"] } }],
      });
    } catch {
      return;
    }
    writeFile();
  }

  function download() {
    const name = damascene.reviewStore.fileName(store.annotator, new Date());
    damascene.download(name, store.file(), "text/tab-separated-values");
    status("Handed out as " + name + ". Put it into config/labels/ and run again.");
  }

  function importFile(event) {
    const chosen = event.target.files[0];
    event.target.value = "";
    if (!chosen) return;
    chosen.text().then((text) => {
      const found = store.take(text, Object.values(letters()));
      if (found.problem) return status(chosen.name + ": " + found.problem);
      const others = found.of_others
        ? " " + found.of_others + " of other people were left out." : "";
      status(chosen.name + ": " + found.read + " answers of " + store.annotator + " read, " +
        found.new + " of them new." + others);
      kept();
      select();
      draw();
    });
  }

  function status(text) {
    if (parts.status) parts.status.textContent = text;
    damascene.app.say(text);
  }

  /* ------------------------------------------------------------------ moving */

  function go(place) {
    writeNotes();
    at = Math.min(Math.max(place, 0), Math.max(shown.length - 1, 0));
    draw();
  }

  /** Go on: to the next site, or to the next one without an answer, from the start if need be. */
  function next(unanswered) {
    writeNotes();
    if (unanswered) {
      const turn = [...shown.keys()].map((step) => (at + 1 + step) % shown.length);
      const found = turn.find((place) => !done(shown[place]));
      at = found === undefined ? Math.min(at + 1, shown.length - 1) : found;
    } else {
      at = Math.min(at + 1, shown.length - 1);
    }
    draw();
  }

  function rowsOfGrid() {
    const cells = root.querySelectorAll(".grid > *");
    if (!cells.length) return 1;
    const top = cells[0].offsetTop;
    const first = [...cells].findIndex((cell) => cell.offsetTop > top);
    return first < 0 ? cells.length : first;
  }

  function toggle(name) {
    writeNotes();
    options[name] = !options[name];
    draw();
  }

  /* ------------------------------------------------------------------ what is seen */

  const seesClass = (row) => options.hints || options.queue === "contradictions";

  function seenClass(row) {
    return column("predicted_class", row);
  }

  function mark(name) {
    return damascene.marks ? damascene.marks.sample(name) : null;
  }

  /** Return a clip with the outline of its site and a scale bar. */
  function clip(row, large) {
    const [left, top, edge] = queue.window[row];
    const pixel_um = (facts(row).pixel_size_nm || 0) / 1000;
    const percent = (px) => (100 * px) / edge + "%";
    // A little room, so that the frame does not lie on the site; none beyond the border of the clip.
    const edges = ([from, length], corner) => {
      const start = Math.max(column(from, row) - corner - 2, 0);
      return [start, Math.min(column(from, row) + column(length, row) - corner + 2, edge) - start];
    };
    const [x, width] = edges(["left_px", "width_px"], left);
    const [y, height] = edges(["top_px", "height_px"], top);
    const image = el("img", { alt: "Site " + queue.site_id[row] + " of " + queue.panorama[row] });
    picture(row).then((address) => image.setAttribute("src", address), () => {
      image.alt = "The clip is missing.";
    });
    const bar_um = edge * pixel_um >= 8 ? 2 : 0.5;
    return el(
      "div",
      { class: "clip" },
      image,
      options.outline
        ? el("i", { class: "outline", style: { left: percent(x), top: percent(y),
            width: percent(width), height: percent(height) } })
        : null,
      large && pixel_um
        ? el("span", { class: "bar-um", style: { width: percent(bar_um / pixel_um) } },
            bar_um + " µm")
        : null,
    );
  }

  function said(row) {
    const own = given(row);
    return own && own.label ? own.label : "";
  }

  function thumbnail(place) {
    const row = shown[place];
    const own = said(row);
    const named = "Site " + (place + 1) + (own ? ", " + own : ", no answer");
    return el(
      "button",
      { type: "button", class: "thumb", "aria-label": named,
        "aria-current": place === at ? "true" : null, onclick: () => go(place) },
      clip(row, false),
      el("span", { class: "answer" }, place + 1, own ? [" ", mark(own), " ", own] : ""),
    );
  }

  function single() {
    const row = shown[at];
    const from = Math.min(Math.max(at - STRIP, 0), Math.max(shown.length - 2 * STRIP - 1, 0));
    const strip = [...Array(2 * STRIP + 1).keys()].map((step) => from + step)
      .filter((place) => place < shown.length);
    return [
      el("div", { class: "large" }, clip(row, true), about(row)),
      el("div", { class: "strip", "aria-label": "Sites before and after" }, strip.map(thumbnail)),
    ];
  }

  function grid() {
    const start = Math.floor(at / GRID) * GRID;
    const cells = [...Array(GRID).keys()].map((step) => start + step)
      .filter((place) => place < shown.length);
    return [
      el("div", { class: "grid" }, cells.map(thumbnail)),
      about(shown[at]),
    ];
  }

  /** Return a field for the note of a site, which is kept when one leaves it. */
  function noteField(row, id) {
    const own = given(row);
    return el("input", { id: id, type: "text", value: own ? own.note : "", maxlength: 500,
      class: "note", data: { row: String(row) }, onchange: writeNotes,
      onkeydown: (event) => event.key === "Enter" && leaveNote() });
  }

  /** Return what was answered just now, with a field for its note: the page has moved on. */
  function justAnswered(row) {
    if (latest === null || latest === row || !said(latest)) return null;
    const place = shown.indexOf(latest);
    if (place < 0) return null;
    return el(
      "div",
      { class: "latest" },
      el("button", { type: "button", class: "thumb", onclick: () => go(place),
        "aria-label": "Back to site " + (place + 1) }, clip(latest, false)),
      el("div", null,
        el("p", null, "Answered just now: site ", place + 1, ", ", mark(said(latest)), " ",
          el("strong", null, said(latest)), " ",
          el("button", { type: "button", onclick: undo }, "Undo ", el("kbd", null, "z"))),
        el("p", null, el("label", { for: "note-before" }, "Note to it ", el("kbd", null, "x")), " ",
          noteField(latest, "note-before"))),
    );
  }

  function about(row) {
    const pixel_um = (facts(row).pixel_size_nm || 0) / 1000;
    const um = (px) => (px * pixel_um).toFixed(1);
    const own = given(row);
    return el(
      "div",
      { class: "about" },
      el("p", null, el("strong", null, at + 1, " of ", shown.length), ": ",
        queue.panorama[row], ", site ", queue.site_id[row]),
      el("p", { class: "pale" }, "x ", um(column("x_px", row)), " µm, y ",
        um(column("y_px", row)), " µm; ", um(column("width_px", row)), " × ",
        um(column("height_px", row)), " µm. Why it is asked about: ",
        seesClass(row) ? queue.reason[row] : WHY[queue.drawn_by[row]], "."),
      el("p", { class: "own" }, "Your answer: ",
        said(row) ? [mark(said(row)), " ", el("strong", null, said(row))] : "none yet",
        own && own.decides ? " (decides)" : ""),
      el("p", null, el("label", { for: "note" }, "Note to this site ", el("kbd", null, "c")), " ",
        noteField(row, "note")),
      justAnswered(row),
      seesClass(row) ? hints(row) : null,
    );
  }

  function hints(row) {
    const told = [];
    if (seenClass(row)) {
      const p = column("p_inclusion", row);
      const names = Object.keys(queue).filter((name) => name.startsWith("p_"));
      const share = (name) => name === "p_inclusion" ? p : (1 - p) * column(name, row);
      told.push(el("p", null, "The networks say ", el("strong", null, seenClass(row)), ": ",
        names.map((name) => [share(name), name.slice(2)]).sort((a, b) => b[0] - a[0]).slice(0, 3)
          .map(([value, name]) => name + " " + Math.round(100 * value) + " %").join(", "), "."));
    }
    if (queue.answers[row].length) {
      told.push(el("p", null, "Answers so far:"), el("ul", null, queue.answers[row].map(
        ([name, label, time]) => el("li", null, name || "somebody", ": ",
          el("strong", null, label), time ? " (" + time.slice(0, 10) + ")" : ""))));
    }
    return told.length ? el("div", { class: "hints" }, told) : null;
  }

  function leaveNote() {
    writeNotes();
    document.getElementById("view").focus();
  }

  function writeNotes() {
    if (!store || !parts.main) return;
    for (const note of parts.main.querySelectorAll("input.note")) {
      setNote(Number(note.dataset.row), note.value);
    }
  }

  function progress() {
    const own = store.answers().filter((row) => !row.decides);
    const known = queue.labels || {};
    const rows = Object.values(letters()).map((label) => {
      const mine = own.filter((row) => row.label === label);
      const all = (known[label] || 0) + mine.filter((row) => asked.has(placeOf(row))).length;
      const counted = label !== "unclear";
      return el("tr", null, el("th", { scope: "row" }, mark(label), " ", label),
        el("td", { class: "n" }, mine.length),
        el("td", { class: "n" }, counted ? all + (all < GOOD_START ? " of " + GOOD_START : "") : ""),
        el("td", { class: "share" }, counted
          ? el("progress", { max: GOOD_START, value: Math.min(all, GOOD_START),
              "aria-label": label }) : null));
    });
    const before = Object.values(known).reduce((sum, each) => sum + each, 0);
    const kinds = [...new Set(queue.drawn_by)].map((kind) => {
      const all = queue.drawn_by.map((each, row) => each === kind ? row : -1)
        .filter((row) => row >= 0);
      const done = all.filter((row) => said(row)).length;
      return el("tr", null, el("th", { scope: "row" }, WHY[kind]),
        el("td", { class: "n" }, done, " of ", all.length), el("td"));
    });
    replace(
      parts.progress,
      el("h2", null, "Labels"),
      el("table", null,
        el("thead", null, el("tr", null, el("td"), el("th", { scope: "col", class: "n" }, "yours"),
          el("th", { scope: "col", class: "n" }, "everyone's"), el("td"))),
        el("tbody", null, rows)),
      el("p", { class: "pale" }, "Yours: what you answered in this browser. Everyone's: the ", before,
        " labelled sites that the study had when this page was made, and those that you added since. ",
        GOOD_START, " of each class are a good start."),
      el("h2", null, "Your answers in this queue"),
      el("table", null, el("tbody", null, kinds)),
    );
  }

  /** Return the place of a site, by which its answers are known. */
  function placeOf(row) {
    return [row.panorama, Number(row.x_px).toFixed(1), Number(row.y_px).toFixed(1)].join(" ");
  }

  function draw() {
    const focused = document.activeElement;
    const hadNote = focused && focused.classList.contains("note");
    const hadThumb = focused && focused.closest && focused.closest(".thumb");
    if (!shown.length) {
      replace(parts.main, el("p", null, options.queue === "contradictions"
        ? "No answers contradict each other." : "No site in this queue."));
    } else {
      replace(parts.main, options.grid ? grid() : single());
      for (const ahead of [at + 1, at + queue.chunk]) {
        if (ahead < shown.length) picture(shown[ahead]).catch(() => null);
      }
    }
    for (const button of parts.toolbar.querySelectorAll("button[data-option]")) {
      button.setAttribute("aria-pressed", String(options[button.dataset.option]));
    }
    parts.decides.hidden = options.queue !== "contradictions";
    const current = parts.main.querySelector(".thumb[aria-current]");
    if (hadThumb && current) current.focus();
    else if (hadNote) document.getElementById("view").focus();
    progress();
  }

  function gallery() {
    const pressed = (name, key, text) => el("button", { type: "button", data: { option: name },
      "aria-pressed": String(options[name]), onclick: () => toggle(name) },
      text, " ", el("kbd", null, key));
    const chosen = el("select", { id: "queue", onchange: (event) => {
      writeNotes();
      options.queue = event.target.value;
      select();
      draw();
      document.getElementById("view").focus();
    } }, Object.entries(QUEUES).map(([name, text]) =>
      el("option", { value: name, selected: name === options.queue }, text)));
    const importer = el("input", { type: "file", id: "import", accept: ".tsv,.txt,text/plain",
      class: "unseen", onchange: importFile });
    parts = {
      toolbar: el("div", { class: "toolbar" },
        el("span", null, "Answers of ", el("strong", null, store.annotator), " "),
        el("button", { type: "button", onclick: somebodyElse },
          "Somebody else"),
        el("label", null, "Queue ", chosen),
        pressed("grid", "g", "Grid"),
        pressed("outline", "b", "Frame"),
        queue.model ? pressed("hints", "p", "What the networks say") : null,
        el("button", { type: "button", onclick: download }, "Download ", el("kbd", null, "w")),
        window.showSaveFilePicker
          ? el("button", { type: "button", onclick: chooseFile }, "Keep a file up to date …") : null,
        el("button", { type: "button", onclick: () => importer.click() }, "Go on from a file …"),
        importer),
      alert: el("p", { class: "alert", role: "alert", hidden: !unkept }, unkept),
      status: el("p", { class: "pale status" }),
      decides: el("p", { class: "alert", hidden: true }, "Here you decide: your answer counts ",
        "more than all others of a site. Look at what was said, and why, before you answer."),
      classes: el("div", { class: "classes", role: "group", "aria-label": "Classes" },
        Object.entries(letters()).map(([letter, label]) =>
          el("button", { type: "button", data: { label: label }, onclick: () => answer(label) },
            mark(label), " ", label === "interface" ? "interface decohesion" : label, " ",
            el("kbd", null, letter)))),
      main: el("div", { class: "sites" }),
      progress: el("div", { class: "progress" }),
    };
    replace(root, el("h1", { class: "unseen" }, "Review"), parts.toolbar, parts.alert, parts.decides,
      el("div", { class: "review" }, el("div", { class: "work" }, parts.classes, parts.main,
        parts.status), parts.progress));
    select();
    draw();
    document.getElementById("view").focus();
  }

  function somebodyElse() {
    writeNotes();
    store = null;
    damascene.reviewStore.remember(damascene.study.study, "");
    whoAmI();
  }

  function focusOn(id) {
    const note = document.getElementById(id);
    if (note) note.focus();
  }

  Object.defineProperty(view, "keys", { get() {
    // Without a person and sites to answer, keys are told and do nothing.
    const ready = (act) => () => parts.main && act();
    const down = () => (options.grid ? rowsOfGrid() : 1);
    return [
      ...Object.entries(letters()).map(([letter, label]) => [letter, label, () => answer(label)]),
      ["z", "undo the last answer", undo],
      ["Backspace", "undo the last answer", undo],
      ["c", "write a note to this site; Enter or Escape to leave it", () => focusOn("note")],
      ["x", "write a note to the site answered just now", () => focusOn("note-before")],
      ["j", "next site", () => go(at + 1)],
      ["k", "site before", () => go(at - 1)],
      ["ArrowRight", "next site", () => go(at + 1)],
      ["ArrowLeft", "site before", () => go(at - 1)],
      ["ArrowDown", "row below, in the grid", () => go(at + down())],
      ["ArrowUp", "row above, in the grid", () => go(at - down())],
      ["o", "next site without an answer", () => next(true)],
      ["g", "one site, or a grid", () => toggle("grid")],
      ["b", "frame of the site", () => toggle("outline")],
      ["p", "what the networks say, if there are any", () => queue.model && toggle("hints")],
      ["w", "download your answers as a label file (TSV)", download],
    ].map(([key, what, act]) => [key, what, ready(act)]);
  } });

  return view;
})();
