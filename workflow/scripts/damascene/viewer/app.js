/* Routes, the keyboard, and the start of the page. Views register as damascene.views.NAME with
   { title, open(root, rest), close(), keys: [[key, what it does, function or null]] }. A key means
   the same wherever it is known; `keys` has all of a view, also while some are not in use. */
"use strict";

damascene.app = (function () {
  const { el, replace } = damascene;
  const EVERYWHERE = [
    ["?", "show or hide these keys", () => toggleHelp()],
    ["a", "all panoramas", () => go("")],
    ["r", "review", () => go("review")],
  ];
  const SHOWN = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
  let current = null;

  /** Return the address of a view; parts are names, in which any character may stand. */
  function address(...parts) {
    return "#/" + parts.map(encodeURIComponent).join("/");
  }

  function go(...parts) {
    location.hash = address(...parts);
  }

  /** Return the name of the view and what else the address says. */
  function route() {
    const parts = location.hash.replace(/^#\/?/, "").split("/");
    const told = parts.map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
    return [told[0] || "index", told.slice(1)];
  }

  function show() {
    const [name, rest] = route();
    const root = document.getElementById("view");
    if (current) current.close();
    current = damascene.views[name] || null;
    root.replaceChildren();
    for (const link of document.querySelectorAll("header nav a")) {
      const here = link.dataset.view === name;
      if (here) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (!current) {
      replace(root, el("p", { class: "alert" }, "This page has no view ", name, "."));
      return;
    }
    document.title = [current.title, damascene.study.study].filter(Boolean).join(" · ");
    document.body.dataset.view = name;
    current.open(root, rest);
  }

  function pressed(event) {
    const place = event.target;
    const writes = place.closest && place.closest("input, select, textarea, [contenteditable]");
    if (event.key === "Escape" && writes) return place.blur();
    if (writes && !/^(checkbox|radio|range|button)$/.test(place.type || "")) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && !document.getElementById("help").hidden) return toggleHelp();
    const all = [...EVERYWHERE, ...((current && current.keys) || [])];
    const found = all.find(([key, , act]) => act && key === event.key);
    if (!found) return;
    event.preventDefault();
    found[2](event);
  }

  /** Show all keys of all views, those of the current one first. */
  function toggleHelp() {
    const help = document.getElementById("help");
    help.hidden = !help.hidden;
    if (help.hidden) return document.getElementById("view").focus();
    const views = Object.values(damascene.views);
    const groups = [
      ...(current ? [[current.title, current.keys]] : []),
      ["Everywhere", EVERYWHERE],
      ...views.filter((view) => view !== current).map((view) => [view.title, view.keys]),
    ];
    replace(
      help,
      el("button", { type: "button", onclick: toggleHelp }, "Close"),
      el("h2", null, "Keys"),
      el(
        "div",
        { class: "groups" },
        groups.map(([title, keys]) => keyGroup(title, keys)),
      ),
    );
    help.querySelector("button").focus();
  }

  /** Return the keys of a view; those that do the same share a line. */
  function keyGroup(title, keys) {
    const together = new Map();
    for (const [key, what] of keys) together.set(what, [...(together.get(what) || []), key]);
    return el(
      "section",
      { "aria-label": title },
      el("h3", null, title),
      el(
        "dl",
        null,
        [...together].map(([what, own]) => [
          el("dt", null, own.map((key) => [el("kbd", null, SHOWN[key] || key), " "])),
          el("dd", null, what),
        ]),
      ),
    );
  }

  /** Tell the user something, also one who does not see the page. */
  function say(text) {
    document.getElementById("said").textContent = text;
  }

  function start() {
    damascene.study = damascene.data.study();
    document.getElementById("study-name").textContent = damascene.study.study;
    document.getElementById("help-button").addEventListener("click", toggleHelp);
    addEventListener("hashchange", show);
    addEventListener("keydown", pressed);
    show();
  }

  return { start, go, address, say };
})();
