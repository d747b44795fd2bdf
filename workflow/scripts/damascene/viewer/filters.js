/* The form by which sites are filtered, and what the map shows beside them. */
"use strict";

damascene.filters = (function () {
  const { el } = damascene;

  /**
   * Return a form; changed is called with the filter whenever it changes.
   *
   * counts: of each panorama that is shown, in their order, sites by class; places: of each, how many
   * places without a candidate people labelled.
   */
  function form(filter, counts, places, changed) {
    const names = damascene.study.classes
      .map((each) => each.name)
      .filter((name) => counts.some((own) => name in own));
    const classified = names.some((name) => name !== damascene.sites.CANDIDATE);
    const numbers = (each) => el("span", { class: "pale" }, each.join(" · "));
    const box = (checked, data, turned, ...words) =>
      el(
        "label",
        null,
        el("input", {
          type: "checkbox",
          checked: checked,
          data: data,
          onchange: (event) => {
            turned(event.target.checked);
            changed();
          },
        }),
        words,
      );
    const boxes = names.map((name) =>
      box(
        !filter.hidden.has(name),
        { class: name },
        (on) => (on ? filter.hidden.delete(name) : filter.hidden.add(name)),
        damascene.marks.sample(name),
        ` ${damascene.details.shown(name)} `,
        numbers(counts.map((own) => own[name] || 0)),
      ),
    );
    const without = places.some(Boolean)
      ? box(
          filter.places,
          { filter: "places" },
          (on) => (filter.places = on),
          damascene.marks.placeSample(damascene.sites.OPEN),
          " labelled, but no site there ",
          numbers(places),
        )
      : null;
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
      el("div", { class: "classes" }, boxes, without),
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
        ["labelled", "with an answer"],
        ["unlabelled", "without an answer"],
        ["disagree", "people disagree"],
        ...(classified ? [["differs", "label differs from networks"]] : []),
      ]),
      el("output", { class: "left" }),
    );
  }

  return { form };
})();
