// Every state has its words: what happened, why, and what to do.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { announcement, message, obstacle, presence } from "../../resources/viewer/words.js";
import { VIEWER } from "./support.js";

const AWAY = ["offline", "unknown", "full", "lost", "unreachable", "server"];
const FILE = { index: 0, name: "a.png", size: 4, claimed: true, status: "ready", held: 4, rate: 0, kind: "png", reason: null };
const SAID = [
  { phase: "connecting" },
  { phase: "preparing" },
  ...AWAY.map((away) => ({ phase: "waiting", away })),
  ...["revoked", "expired", "dismissed", "refused"].map((reason) => ({ phase: "ended", reason })),
  ...["vanished", "changed", "unreadable", "stopped"].map((reason) => ({ phase: "ended", reason })),
  ...["empty", "damaged", "version", "protocol"].map((reason) => ({ phase: "broken", reason })),
  ...["missing", "blocked"].map((reason) => ({ phase: "unable", reason })),
  { phase: "impostor" },
];
const SHOWN = [null, ...AWAY].flatMap((away) => [
  { phase: "receiving", file: FILE, away, several: false },
  { phase: "picture", file: FILE, away, several: false },
  { phase: "files", files: [FILE, FILE], away },
]);

const html = readFileSync(new URL("index.html", VIEWER), "utf8");

for (const state of SAID) {
  const name = Object.values(state).join(" ");
  test(`words for: ${name}`, () => {
    const { icon, title, text } = message(state);
    assert.match(title, /^[A-Z][^.]{5,50}$/, "a short title without a full stop");
    assert.match(text, /^[A-Z].{15,}\.$/, "at least a whole sentence");
    assert.ok(icon === "" || html.includes(`<symbol id="icon-${icon}"`), `the icon ${icon} is drawn`);
  });
}

test("no two states say the same", () => {
  const titles = SAID.map((state) => message(state).title);
  assert.equal(new Set(titles).size, titles.length);
});

test("a screen reader is told of every state, and not of progress", () => {
  for (const state of [...SAID, ...SHOWN]) assert.match(announcement(state), /^[A-Z2].*\.$/);
  const halfway = { phase: "receiving", file: FILE, away: null, several: false };
  assert.equal(announcement(halfway), announcement({ ...halfway, file: { ...FILE, held: 2, rate: 9 } }));
});

test("where the picture lives, and when it is gone", () => {
  assert.match(presence(null), /owner’s computer.*gone/i);
  for (const away of AWAY) assert.notEqual(presence(away), presence(null));
});

test("why a file cannot be had", () => {
  assert.equal(obstacle(FILE), "");
  const failed = ["vanished", "changed", "unreadable"].map((reason) => obstacle({ ...FILE, status: "failed", reason }));
  assert.equal(new Set(failed).size, 3);
  assert.match(obstacle({ ...FILE, status: "too-large" }), /1\.6 GB/);
});
