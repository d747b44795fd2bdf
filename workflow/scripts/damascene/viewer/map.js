/* A panorama to fly over. */
"use strict";

damascene.views.map = {
  title: "Map",
  keys: [],
  open(root, rest) {
    root.append(damascene.el("h1", null, rest[0]));
  },
  close() {},
};
