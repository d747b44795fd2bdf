/* All panoramas of the study, one row each. */
"use strict";

damascene.views.index = {
  title: "Panoramas",
  keys: [],
  open(root) {
    const { el } = damascene;
    const rows = damascene.study.panoramas.map((one) =>
      el(
        "li",
        null,
        el("a", { href: damascene.app.address("map", one.panorama) }, one.panorama),
      ),
    );
    root.append(el("h1", null, "Panoramas"), el("ul", null, rows));
  },
  close() {},
};
