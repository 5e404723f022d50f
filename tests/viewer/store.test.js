// What was received is one blob with a harmless type, and really gone once it is dropped.

import assert from "node:assert/strict";
import { resolveObjectURL } from "node:buffer";
import test from "node:test";

import { Store } from "../../resources/viewer/store.js";

const MIB = 2 ** 20;

test("the pieces come out as one, across the seams of joining", async () => {
  for (const length of [0, 1, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 9 * MIB]) {
    const store = new Store();
    const data = Uint8Array.from({ length }, (_, index) => (index * 31) % 251);
    for (let at = 0; at < length; at += 65_524) store.keep(0, data.slice(at, at + 65_524));
    assert.equal(store.url(0), "", "not whole yet");
    store.finish(0, "png");
    const blob = resolveObjectURL(store.url(0));
    assert.equal(blob.type, "image/png");
    assert.equal(Buffer.compare(Buffer.from(await blob.arrayBuffer()), Buffer.from(data)), 0, String(length));
    store.drop();
  }
});

test("whatever is no picture has a type that no browser opens", () => {
  const store = new Store();
  store.keep(3, new TextEncoder().encode("<svg/>"));
  store.finish(3, null);
  assert.equal(resolveObjectURL(store.url(3)).type, "application/octet-stream");
  store.drop();
});

test("dropped is dropped: object URLs lead nowhere, and nothing is held", () => {
  const store = new Store();
  for (const file of [0, 1]) {
    store.keep(file, new Uint8Array(5));
    store.finish(file, null);
  }
  store.keep(2, new Uint8Array(5));
  const urls = [store.url(0), store.url(1)];
  store.drop();
  for (const url of urls) assert.equal(resolveObjectURL(url), undefined);
  for (const file of [0, 1, 2]) assert.deepEqual([store.url(file), store.blob(file)], ["", null]);
});

test("one file forgotten, the others stay", () => {
  const store = new Store();
  for (const file of [0, 1]) {
    store.keep(file, new Uint8Array(5));
    store.finish(file, null);
  }
  store.forget(0);
  store.forget(7);
  assert.equal(store.url(0), "");
  assert.equal(store.blob(1).size, 5);
  store.drop();
});
