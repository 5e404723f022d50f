// Where a picture lies on its stage.

import assert from "node:assert/strict";
import test from "node:test";

import { corner, fit, fitScale, pan, percent, zoomTo } from "../../resources/viewer/zoom.js";

const stage = (width = 800, height = 600, ratio = 1) => ({ left: 0, top: 0, width, height, ratio });
const LARGE = { width: 1600, height: 900 };
const SMALL = { width: 100, height: 50 };
const MIDDLE = { x: 400, y: 300 };

test("a large picture fits, a small one is not blown up; both are in the middle", () => {
  assert.deepEqual(fit(stage(), LARGE), { scale: 0.5, x: 0, y: 75 });
  assert.deepEqual(fit(stage(), SMALL), { scale: 1, x: 350, y: 275 });
  assert.equal(percent(fit(stage(), LARGE), stage()), 50);
});

test("100 % is a pixel of the screen for a pixel of the picture", () => {
  const fine = stage(800, 600, 2);
  assert.deepEqual(fit(fine, SMALL), { scale: 0.5, x: 375, y: 287.5 });
  assert.equal(percent({ scale: 0.5, x: 0, y: 0 }, fine), 100);
});

test("it lies on whole pixels of the screen, wherever its stage does", () => {
  for (const ratio of [1, 1.25, 1.5, 2, 3]) {
    const odd = { ...stage(801.3, 599.7, ratio), left: 0.4, top: 57.33 };
    const { x, y } = corner(fit(odd, { width: 333, height: 77 }), odd);
    for (const place of [x * ratio, y * ratio]) assert.ok(Math.abs(place - Math.round(place)) < 1e-9, String(place));
  }
});

test("what lies under the pointer stays there", () => {
  const before = zoomTo(fit(stage(), LARGE), 2, MIDDLE, stage(), LARGE);
  const at = { x: 200, y: 100 };
  const after = zoomTo(before, 4, at, stage(), LARGE);
  for (const axis of /** @type {const} */ (["x", "y"])) {
    const was = (at[axis] - before[axis]) / before.scale;
    const is = (at[axis] - after[axis]) / after.scale;
    assert.ok(Math.abs(was - is) < 1, axis);
  }
});

test("zoom ends at the whole picture, and at sixteenfold", () => {
  const start = fit(stage(), LARGE);
  assert.equal(zoomTo(start, 0.01, MIDDLE, stage(), LARGE).scale, fitScale(stage(), LARGE));
  assert.equal(zoomTo(start, 1000, MIDDLE, stage(), LARGE).scale, 16);
  assert.equal(zoomTo(start, 1000, MIDDLE, stage(800, 600, 2), LARGE).scale, 8);
});

test("it cannot be moved away from an edge, or out of the middle where there is room", () => {
  const large = zoomTo(fit(stage(), LARGE), 1, MIDDLE, stage(), LARGE);
  assert.deepEqual(pan(large, 1e6, 1e6, stage(), LARGE), { scale: 1, x: 0, y: 0 });
  assert.deepEqual(pan(large, -1e6, -1e6, stage(), LARGE), { scale: 1, x: -800, y: -300 });
  assert.deepEqual(pan(fit(stage(), SMALL), 50, 50, stage(), SMALL), fit(stage(), SMALL));
});

test("a stage without room, and a picture of one pixel, are no trouble", () => {
  for (const placement of [fit(stage(0, 0), LARGE), fit(stage(), { width: 1, height: 1 })]) {
    for (const value of Object.values(placement)) assert.ok(Number.isFinite(value));
  }
});
