// Files whose bytes have changed while the owner was away: nothing of the old is ever joined to the new.

import assert from "node:assert/strict";
import test from "node:test";

import { Transfer, encodeGet } from "../../resources/viewer/transfer.js";
import { answer, data, Drive, PICTURE, PNG } from "./support.js";

const NEW = { version: "another-" };
const get = (request, file, offset) => `say ${encodeGet(request, file, offset)}`;
const ack = (request, held) => `say ${JSON.stringify({ type: "ack", request, held })}`;
const text = (name) => ({ name, size: 4, media_type: "text/plain", version: "AAECAwQF" });
const [A, B, C] = [text("a.txt"), text("b.txt"), text("c.txt")];
const want = (page, file, purpose = "save") => page.do({ type: "want", file, purpose });

/** The connection breaks, the page calls again, and the owner takes the call. */
function again(page) {
  page.of("closed");
  page.timer("retry");
  page.of("offer", { sdp: "offer" });
  page.signal({ type: "answer", sdp: answer() });
  page.of("open");
}

/** What the page would save or show of a file: the bytes that it was told to keep since it last forgot them. */
class Kept {
  #files = new Map();

  constructor(page) {
    const { session } = page;
    const handle = session.handle.bind(session);
    session.handle = (event, now) => {
      const actions = handle(event, now);
      for (const action of actions) this.#note(action);
      return actions;
    };
  }

  #note({ do: what, file, bytes }) {
    if (what === "keep") this.#files.set(file, [...this.of(file), ...bytes]);
    if (what === "forget") this.#files.delete(file);
    if (what === "drop") this.#files.clear();
  }

  of(file) {
    return this.#files.get(file) ?? [];
  }
}

test("what is held of other files stays, what is held of this one is void", () => {
  const transfer = new Transfer();
  assert.deepEqual(transfer.setManifest([A, B]), [0, 1], "all of them are new");
  transfer.get(0);
  transfer.take(data(1, 0, [1, 2]));
  transfer.get(1);
  transfer.take(data(2, 0, [1, 2, 3]));
  assert.deepEqual(transfer.setManifest([A, { ...B, ...NEW }]), [1]);
  assert.deepEqual(transfer.held, [2, 0]);
  assert.equal(transfer.get(1), encodeGet(3, 1, 0));
  assert.deepEqual(transfer.setManifest([A, { ...B, ...NEW }]), [], "said again");
  assert.deepEqual(transfer.setManifest([A]), [0], "another list: nothing of it is known");
});

test("a picture that changed in the middle begins anew, and holds nothing of the old one", () => {
  const page = new Drive();
  const kept = new Kept(page);
  page.offered(PICTURE);
  page.data(1, 0, PNG.subarray(0, 9).map(() => 7));
  again(page);
  assert.deepEqual(page.manifest({ ...PICTURE, ...NEW }), ["drop", get(2, 0, 0)]);
  assert.equal(page.state.file.held, 0);
  assert.deepEqual(page.data(2, 0, PNG), ["keep 0: 16", ack(2, 16), "finish 0: png"]);
  assert.deepEqual(kept.of(0), [...PNG]);
});

test("… also where the owner begins it, and where it was here already", () => {
  const page = new Drive();
  const kept = new Kept(page);
  page.open();
  page.begun(PICTURE);
  page.data(0, 0, PNG.map(() => 7));
  again(page);
  assert.deepEqual(page.begun({ ...PICTURE, ...NEW }), ["drop"], "what comes is what is wanted");
  assert.equal(page.phase, "receiving");
  assert.deepEqual(page.data(0, 0, PNG), ["keep 0: 16", ack(0, 16), "finish 0: png"]);
  assert.deepEqual(kept.of(0), [...PNG]);
  again(page);
  assert.deepEqual(page.begun({ ...PICTURE, ...NEW }), [get(1, 0, 16), ack(1, 16)], "the same: it is held");
  again(page);
  assert.deepEqual(page.begun(PICTURE), ["drop", get(2, 0, 0)], "not held any more, and not said to be");
});

test("a download that was on its way begins anew by itself, the others go on", () => {
  const page = new Drive();
  const kept = new Kept(page);
  page.offered(A, B, C);
  want(page, 0);
  page.data(1, 0, [1, 2, 3, 4]);
  want(page, 1);
  want(page, 2);
  page.data(2, 0, [7, 7]);
  again(page);
  assert.deepEqual(page.manifest(A, { ...B, ...NEW }, C), ["forget 1", get(3, 0, 4), ack(3, 4), get(4, 2, 0)]);
  assert.deepEqual(page.data(4, 0, [5, 6, 7, 8]).at(-1), get(5, 1, 0));
  assert.deepEqual(page.data(5, 0, [1, 2, 3, 4]), ["keep 1: 4", ack(5, 4), "finish 1: null", "save 1"]);
  assert.deepEqual(kept.of(1), [1, 2, 3, 4]);
});

test("a file that was here is offered anew, and had only when it is wanted", () => {
  const page = new Drive();
  page.offered(A, B);
  want(page, 0);
  page.data(1, 0, [1, 2, 3, 4]);
  again(page);
  assert.deepEqual(page.manifest({ ...A, ...NEW }, B), ["forget 0"]);
  assert.deepEqual(page.state.files.map(({ status, held }) => [status, held]), [["offered", 0], ["offered", 0]]);
  assert.deepEqual(want(page, 0), [get(2, 0, 0)]);
});

test("a picture that is looked at is had anew, and nothing of it is saved that nobody asked for", () => {
  const page = new Drive();
  page.offered(A, PICTURE);
  want(page, 1, "show");
  page.data(1, 0, PNG);
  want(page, 1, "save");
  again(page);
  assert.deepEqual(page.manifest(A, { ...PICTURE, ...NEW }), ["forget 1", get(2, 1, 0)]);
  assert.equal(page.phase, "receiving");
  assert.deepEqual(page.data(2, 0, PNG), ["keep 1: 16", ack(2, 16), "finish 1: png"]);
  assert.equal(page.phase, "picture");
});

test("one that could not be served any more is offered again once there are other bytes", () => {
  const page = new Drive();
  page.offered(A, B);
  want(page, 0);
  page.control({ type: "failed", file: 0, reason: "changed" });
  again(page);
  page.manifest(A, B);
  assert.equal(page.state.files[0].status, "failed", "the same bytes as before");
  again(page);
  page.manifest({ ...A, ...NEW }, B);
  assert.equal(page.state.files[0].status, "offered");
});

test("a wish is for the file that was named: another one in its place is only offered", () => {
  const page = new Drive();
  page.offered(A, B);
  want(page, 0);
  page.data(1, 0, [1, 2]);
  again(page);
  assert.deepEqual(page.manifest({ ...A, ...NEW, name: "z.exe" }, B), ["forget 0"]);
  again(page);
  assert.deepEqual(page.manifest(A), ["drop"], "and so are fewer");
});
