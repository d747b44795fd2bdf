/* The review gallery: clips to label. */
"use strict";

damascene.views.review = {
  title: "Review",
  keys: [],
  open(root) {
    root.append(damascene.el("h1", null, "Review"));
  },
  close() {},
};
