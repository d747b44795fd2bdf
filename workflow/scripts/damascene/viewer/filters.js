/* The form by which sites are filtered, and what the map shows beside them. */
"use strict";

damascene.filters = (function () {
  const { el } = damascene;

  /** Return a form; changed is called with the filter whenever it changes. */
  function form(filter, counts, changed) {
    const classified = Boolean(Object.keys(counts).some((name) => name !== damascene.sites.CANDIDATE));
    const boxes = damascene.study.classes
      .filter((each) => each.name in counts)
      .map((each) =>
        el(
          "label",
          null,
          el("input", {
            type: "checkbox",
            checked: !filter.hidden.has(each.name),
            data: { class: each.name },
            onchange: (event) => {
              if (event.target.checked) filter.hidden.delete(each.name);
              else filter.hidden.add(each.name);
              changed();
            },
          }),
          damascene.marks.sample(each.name),
          ` ${damascene.details.shown(each.name)} `,
          el("span", { class: "pale" }, String(counts[each.name])),
        ),
      );
    const range = (word, least, most, step, from, to, unit) => {
      const field = (key, value, name) =>
        el("input", {
          type: "number",
          min: 0,
          step: step,
          value: value,
          data: { filter: key },
          "aria-label": `${word}, ${name}`,
          onchange: (event) => {
            const typed = parseFloat(event.target.value);
            filter[key] = Number.isNaN(typed) ? (key.startsWith("least") ? 0 : Infinity) : typed;
            changed();
          },
        });
      return el(
        "div",
        { class: "range" },
        el("span", null, word),
        field(least, from, "least"),
        " to ",
        field(most, to, "most"),
        unit ? " " + unit : null,
      );
    };
    const choice = (word, key, options) =>
      el(
        "label",
        { class: "choice" },
        word,
        el(
          "select",
          {
            data: { filter: key },
            onchange: (event) => {
              filter[key] = event.target.value;
              changed();
            },
          },
          options.map(([value, text]) => el("option", { value: value, selected: filter[key] === value }, text)),
        ),
      );
    const finite = (value) => (value === Infinity ? "" : value);
    return el(
      "fieldset",
      { class: "filters" },
      el("legend", null, "Sites"),
      el("div", { class: "classes" }, boxes),
      classified
        ? range("probability", "least_probability", "most_probability", 0.05, filter.least_probability, filter.most_probability)
        : null,
      range("area", "least_um2", "most_um2", 0.1, filter.least_um2, finite(filter.most_um2), "µm²"),
      classified
        ? choice("prediction set", "set", [
            ["any", "any"],
            ["one", "one class"],
            ["several", "several classes"],
            ["none", "none promised"],
          ])
        : null,
      choice("labels", "labels", [
        ["any", "any"],
        ["labelled", "labelled"],
        ["unlabelled", "not labelled"],
        ["disagree", "people disagree"],
        ...(classified ? [["differs", "label differs from networks"]] : []),
      ]),
      el("output", { class: "left" }),
    );
  }

  return { form };
})();
