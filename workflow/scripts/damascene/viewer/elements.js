/* The one way in which this page makes elements: whatever a user wrote becomes text, never markup. */
"use strict";

var damascene = { views: {} };

/**
 * Return an element of HTML.
 *
 * attributes: a name beginning with "on" takes a function; "data" and "style" take an object of
 * strings; true and false set and leave out an attribute; null and undefined leave it out.
 * children: elements, or anything else as text; arrays are taken apart, null is left out.
 */
damascene.el = function (tag, attributes, ...children) {
  return damascene.fill(document.createElement(tag), attributes, children);
};

/** Return an element of SVG; arguments as for `el`. */
damascene.svg = function (tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  return damascene.fill(made, attributes, children);
};

damascene.fill = function (element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) {
      // A text here would be run as a script.
      if (typeof value !== "function") throw new TypeError(name + " takes a function");
      element.addEventListener(name.slice(2), value);
    } else if (name === "data") {
      Object.assign(element.dataset, value);
    } else if (name === "style") {
      for (const [property, set] of Object.entries(value)) element.style.setProperty(property, set);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
};

/** Put children in place of what an element holds. */
damascene.replace = function (element, ...children) {
  element.replaceChildren();
  return damascene.fill(element, null, children);
};

/** Hand a file to the user: content is a text or a Blob. */
damascene.download = function (name, content, type) {
  const blob = content instanceof Blob ? content : new Blob([content], { type: type });
  const link = damascene.el("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
};

/** Return rows as a table that a spreadsheet and damascene read: tabs, one header, no quotes. */
damascene.tsv = function (columns, rows) {
  // A tab or a line break within a cell would begin another one.
  const cell = (value) =>
    value === null || value === undefined || Number.isNaN(value)
      ? ""
      : String(value).replace(/[\t\r\n\u0085\u2028\u2029]+/g, " ");
  const lines = [columns, ...rows.map((row) => columns.map((name) => row[name]))];
  return lines.map((line) => line.map(cell).join("\t") + "\n").join("");
};
