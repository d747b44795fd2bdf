/* All panoramas of the study, one row each, with what speaks against them. */
"use strict";

damascene.views.index = (function () {
  const { el, replace } = damascene;
  let sorted = { by: null, descending: false };
  let words = "";
  // Panoramas whose warnings are open, which sorting leaves open.
  const opened = new Set();
  // The row of each panorama, made once: a thousand of them take a while.
  let made = new Map();
  const collator = new Intl.Collator();
  // A browser lays out so many rows in the blink of an eye; more are shown when they are asked for.
  const FIRST_ROWS = 200;
  let all = false;

  function columns() {
    const names = damascene.study.classes
      .map((each) => each.name)
      .filter((name) => damascene.study.panoramas.some((one) => name in one.counts));
    const classified = names.some((name) => name !== damascene.sites.CANDIDATE);
    return [
      { key: "panorama", text: "panorama", of: (one) => one.panorama },
      { key: "strain", text: "strain %", numeric: true, of: (one) => one.strain_percent },
      { key: "condition", text: "condition", of: (one) => one.condition },
      { key: "area", text: "valid mm²", numeric: true, of: (one) => one.valid_area_mm2, digits: 3 },
      { key: "candidates", text: classified ? "sites" : "candidates", numeric: true, of: (one) => one.candidates },
      ...(classified ? names : []).map((name) => ({
        key: name,
        mark: name,
        text: damascene.details.shown(name),
        numeric: true,
        // Classes that are withheld are not counted here, either.
        of: (one) => (one.withheld ? null : one.counts[name]),
      })),
      { key: "labelled", text: "labelled", numeric: true, of: (one) => one.labelled },
      {
        key: "warnings",
        text: "warnings",
        numeric: true,
        of: (one) => one.warnings.length + (one.withheld ? 100 : 0),
      },
    ].filter((column) => column.key !== "condition" || damascene.study.panoramas.some(column.of));
  }

  function rows() {
    const found = damascene.study.panoramas.filter((one) =>
      [one.panorama, one.condition, one.specimen].join(" ").toLowerCase().includes(words.toLowerCase()),
    );
    const column = columns().find((each) => each.key === sorted.by);
    if (!column) return found;
    const compare = (a, b) => {
      const [x, y] = [column.of(a), column.of(b)];
      // What is not known comes last, in either direction.
      if (x === null || y === null) return (x === null) - (y === null);
      const order = column.numeric ? x - y : collator.compare(String(x), String(y));
      return sorted.descending ? -order : order;
    };
    return [...found].sort(compare);
  }

  function cell(column, one) {
    if (column.key === "panorama") {
      const link = damascene.app.address("map", one.panorama);
      return el("th", { scope: "row", role: "rowheader" }, el("a", { href: link }, one.panorama));
    }
    // On a narrow screen the heading of a column stands before each number.
    const own = { role: "cell", data: { word: column.text } };
    if (column.key === "warnings") {
      return el("td", { ...own, class: "warnings" }, warnings(one));
    }
    const value = column.of(one);
    if (value === null || value === undefined) return el("td", { ...own, class: "n pale" }, "–");
    const text = column.digits ? Number(value.toPrecision(column.digits)) : value;
    return el("td", { ...own, class: column.numeric ? "n" : null }, text);
  }

  /** Return the button that opens the warnings of a panorama, which need the width of the page. */
  function warnings(one) {
    if (!one.withheld && !one.warnings.length) return "none";
    const turn = ({ currentTarget: button }) => {
      const row = button.closest("tr");
      if (opened.delete(one.panorama)) row.nextElementSibling.remove();
      else {
        opened.add(one.panorama);
        row.after(openedRow(one, row.cells.length));
      }
      button.setAttribute("aria-expanded", String(opened.has(one.panorama)));
    };
    return el(
      "button",
      {
        type: "button",
        class: "warned",
        "aria-expanded": String(opened.has(one.panorama)),
        onclick: turn,
      },
      one.withheld ? "withheld" : `${one.warnings.length} to read`,
    );
  }

  function openedRow(one, width) {
    if (!opened.has(one.panorama)) return null;
    return el(
      "tr",
      { class: "said", role: "row" },
      el(
        "td",
        { colspan: width, role: "cell" },
        el("strong", null, `Warnings of ${one.panorama}`),
        one.withheld ? el("p", null, el("strong", null, "Classes withheld: "), one.withheld) : null,
        one.warnings.map((text) => el("p", null, text)),
      ),
    );
  }

  function body(table) {
    const shown = columns();
    const fitting = rows();
    const first = all ? fitting : fitting.slice(0, FIRST_ROWS);
    const found = first.flatMap((one) => {
      if (!made.has(one)) made.set(one, row(one, shown));
      return [made.get(one), openedRow(one, shown.length + 1)].filter(Boolean);
    });
    table.tBodies[0].replaceChildren(...found);
    const more = document.getElementById("more-rows");
    more.hidden = first.length === fitting.length;
    more.textContent = `Show the other ${fitting.length - first.length} of ${fitting.length}`;
  }

  function row(one, shown) {
    return el(
      "tr",
      { class: one.withheld ? "panorama withheld" : "panorama", role: "row" },
      el(
        "td",
        { class: "thumbnail", role: "cell" },
        el(
          "a",
          { href: damascene.app.address("map", one.panorama), tabindex: -1, "aria-hidden": "true" },
          el("img", {
            src: `tiles/${encodeURIComponent(one.panorama)}/thumbnail.jpg`,
            loading: "lazy",
            alt: "",
          }),
        ),
      ),
      shown.map((column) => cell(column, one)),
    );
  }

  function heading(column, table) {
    const sort = () => {
      const descending = sorted.by === column.key ? !sorted.descending : Boolean(column.numeric);
      sorted = { by: column.key, descending: descending };
      for (const each of table.tHead.querySelectorAll("th[aria-sort]")) each.removeAttribute("aria-sort");
      headingOf(table, column.key).setAttribute("aria-sort", descending ? "descending" : "ascending");
      body(table);
    };
    return el(
      "th",
      { scope: "col", role: "columnheader", data: { column: column.key }, class: column.numeric ? "n" : null },
      el(
        "button",
        { type: "button", class: "sort", onclick: sort },
        column.mark ? damascene.marks.sample(column.mark) : null,
        column.text,
      ),
    );
  }

  function headingOf(table, key) {
    return table.tHead.querySelector(`th[data-column="${key}"]`);
  }

  function open(root) {
    const study = damascene.study;
    made = new Map();
    // Roles are told, as tables laid out as cards lose them.
    const table = el(
      "table",
      { class: "index", role: "table", "aria-label": "Panoramas" },
      el("thead", { role: "rowgroup" }),
      el("tbody", { role: "rowgroup" }),
    );
    replace(
      table.tHead,
      el(
        "tr",
        { role: "row" },
        el("th", { role: "columnheader" }, el("span", { class: "unseen" }, "picture")),
        columns().map((each) => heading(each, table)),
      ),
    );
    const more = el("button", {
      type: "button",
      id: "more-rows",
      onclick: () => {
        all = true;
        body(table);
        table.querySelectorAll("tr.panorama")[FIRST_ROWS].querySelector("a[href]:not([tabindex])").focus();
      },
    });
    const search = el("input", {
      type: "search",
      id: "search",
      placeholder: "name or condition",
      "aria-label": "Show panoramas whose name or condition contains",
      value: words,
      oninput: (event) => {
        words = event.target.value;
        body(table);
      },
    });
    root.append(
      el("h1", null, "Panoramas"),
      el(
        "p",
        null,
        `${study.panoramas.length} ${study.panoramas.length === 1 ? "panorama" : "panoramas"}. Choose one to fly over it. `,
        el("label", null, "Show ", search),
      ),
      el("div", { class: "scroll" }, table),
      el("p", null, more),
      el(
        "p",
        { class: "pale" },
        "Pictures are compressed for viewing; all numbers were measured on the original images. Made by damascene ",
        study.version,
        ".",
      ),
    );
    body(table);
  }

  return {
    title: "Panoramas",
    keys: [["/", "seek a panorama by its name", () => document.getElementById("search").focus()]],
    open,
    close() {},
  };
})();
