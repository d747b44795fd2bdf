/* Data of the study. A page from disk may not fetch files, but it may load scripts: all data beside
   the page are scripts that call `damascene.data.receive`. */
"use strict";

damascene.data = (function () {
  const waiting = new Map();
  const loaded = new Map();

  /** What index.html itself holds: the study, its classes, and a row for each panorama. */
  function study() {
    return JSON.parse(document.getElementById("study").textContent);
  }

  /** Called by data scripts: key is the path of the script below the viewer's folder. */
  function receive(key, value) {
    const asked = waiting.get(key);
    if (asked) asked.value = value;
  }

  /**
   * Return a promise of what a data script holds, such as "sites/strain_06.js".
   *
   * charset: "windows-1252" for scripts that hold bytes; see `bytes`.
   * keep: whether the next call for it is answered from memory.
   */
  function load(path, options) {
    const { charset = "utf-8", keep = true } = options || {};
    if (loaded.has(path)) return loaded.get(path);
    const promise = new Promise((resolve, reject) => {
      const asked = { value: undefined };
      waiting.set(path, asked);
      const script = damascene.el("script", {
        src: path.split("/").map(encodeURIComponent).join("/"),
        charset: charset,
      });
      const done = () => {
        waiting.delete(path);
        if (!keep) loaded.delete(path);
        script.remove();
      };
      script.onload = () => {
        done();
        if (asked.value === undefined) reject(new Error(path + " holds no data"));
        else resolve(asked.value);
      };
      script.onerror = () => {
        done();
        loaded.delete(path);
        reject(
          new Error(path + " is missing. Copy the whole folder viewer/, not the page alone."),
        );
      };
      document.head.append(script);
    });
    loaded.set(path, promise);
    return promise;
  }

  // Bytes of a script are read as windows-1252, which knows every byte by one character.
  const ODD =
    "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f" +
    "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178";
  const BYTES = new Uint8Array(0x2200).map((_, i) => i & 255);
  for (let i = 0; i < 32; i++) BYTES[ODD.charCodeAt(i)] = 128 + i;

  /** Return the bytes that a text of a script with charset windows-1252 stands for. */
  function bytes(text, start, end) {
    const made = new Uint8Array(end - start);
    for (let i = start; i < end; i++) made[i - start] = BYTES[text.charCodeAt(i)];
    return made;
  }

  return { study, receive, load, bytes };
})();
