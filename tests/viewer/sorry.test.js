// What the page says where the code that draws it did not come, with a document that notes what is done to it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { saySorry } from "../../resources/viewer/sorry.js";
import { VIEWER } from "./support.js";

const html = readFileSync(new URL("index.html", VIEWER), "utf8");

test("it says so in what index.html has, and offers to load it again", () => {
  const elements = new Map();
  let loads = 0;
  globalThis.location = { reload: () => (loads += 1) };
  globalThis.document = {
    getElementById(id) {
      assert.ok(html.includes(`id="${id}"`), id);
      const marks = new Set();
      if (!elements.has(id)) elements.set(id, { marks, classList: marks, hidden: true, addEventListener: (_, act) => act() });
      return elements.get(id);
    },
  };
  try {
    saySorry();
  } finally {
    delete globalThis.document;
    delete globalThis.location;
  }
  assert.equal(elements.get("title").textContent, "This page could not be loaded");
  assert.match(elements.get("text").textContent, /load it again/);
  assert.equal(elements.get("again").hidden, false);
  assert.equal(loads, 1);
});
