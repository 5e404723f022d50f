// The transfer protocol from the viewer's side: the wire examples, the seams of size, and an owner that lies.

import assert from "node:assert/strict";
import test from "node:test";

import {
  ACK_BYTES,
  decodeControl,
  decodeData,
  encodeAck,
  encodeBye,
  encodeGet,
  encodeHello,
  encodePong,
  encodeStop,
  MAX_DATA,
  Meter,
  Transfer,
  WireError,
} from "../../resources/viewer/transfer.js";
import { data, wire } from "./support.js";

const examples = wire("transfer");
const toViewer = ({ direction }) => direction === "owner-to-viewer";
const toOwner = ({ direction }) => direction === "viewer-to-owner";
const fromHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16)).buffer;

const ENCODERS = {
  hello: ({ browser, system }) => encodeHello(browser, system),
  get: ({ request, file, offset }) => encodeGet(request, file, offset),
  ack: ({ request, held }) => encodeAck(request, held),
  stop: ({ request }) => encodeStop(request),
  pong: () => encodePong(),
  bye: () => encodeBye(),
};

for (const { name, message } of examples.valid.filter(toOwner)) {
  test(`said as the owner reads it: ${name}`, () => {
    assert.deepEqual(JSON.parse(ENCODERS[message.type](message)), message);
  });
}

for (const { name, message } of examples.valid.filter(toViewer)) {
  test(`read: ${name}`, () => {
    assert.deepEqual(decodeControl(JSON.stringify(message)), message);
    assert.deepEqual(decodeControl(JSON.stringify({ ...message, later: 1 })), message, "with a field of a later version");
  });
}

for (const { name, text, why } of examples.hostile.filter(toViewer)) {
  test(`refused: ${name} (${why})`, () => assert.throws(() => decodeControl(text), WireError));
}

for (const { name, hex, request, offset, payload } of examples.data.valid) {
  test(`data read: ${name}`, () => {
    assert.deepEqual(decodeData(fromHex(hex)), { request, offset, payload: new Uint8Array(fromHex(payload)) });
  });
}

for (const { name, hex, why } of examples.data.hostile) {
  test(`data refused: ${name} (${why})`, () => assert.throws(() => decodeData(fromHex(hex)), WireError));
}

test("control messages have a limit, data messages too", () => {
  assert.throws(() => decodeControl(`{"type":"waiting","x":"${"x".repeat(16 * 1024)}"}`), WireError);
  assert.equal(decodeData(new ArrayBuffer(MAX_DATA)).payload.length, MAX_DATA - 12);
  assert.throws(() => decodeData(new ArrayBuffer(MAX_DATA + 1)), WireError);
});

test("the owner reads at most 64 characters of what a browser says of itself", () => {
  const { browser, system } = JSON.parse(encodeHello("b".repeat(65), "ü".repeat(65)));
  assert.equal(browser.length, 64);
  assert.equal(system.length, 64);
});

const entry = (size, name = "a", version = "AAECAwQF") => ({ name, size, media_type: "image/png", version });

/** A transfer that asked for a file of `size` bytes. */
function asked(size) {
  const transfer = new Transfer();
  transfer.setManifest([entry(size)]);
  assert.equal(transfer.get(0), encodeGet(1, 0, 0));
  return transfer;
}

/** Gives a transfer a whole file in messages of at most `largest` payload bytes; the acknowledgements that were due. */
function serve(transfer, size, largest) {
  const acks = [];
  for (let offset = 0; offset < size; offset += largest) {
    const taken = transfer.take(data(1, offset, new Uint8Array(Math.min(largest, size - offset))));
    assert.equal(taken.complete, offset + largest >= size);
    if (transfer.isAckDue) acks.push(JSON.parse(transfer.ack()).held);
  }
  return acks;
}

const PAYLOAD = MAX_DATA - 12;
const WINDOW = 8 * 1024 * 1024;
const SIZES = [1, PAYLOAD - 1, PAYLOAD, PAYLOAD + 1, ACK_BYTES - 1, ACK_BYTES, ACK_BYTES + 1, WINDOW - 1, WINDOW, WINDOW + 1];

for (const size of SIZES) {
  test(`a file of ${size} bytes`, () => {
    const transfer = asked(size);
    const acks = serve(transfer, size, PAYLOAD);
    assert.equal(acks.at(-1), size, "the last acknowledgement is at once");
    acks.reduce((before, held) => {
      assert.ok(held > before && held - before <= ACK_BYTES + PAYLOAD);
      return held;
    }, 0);
    assert.equal(transfer.isComplete(0), true);
    assert.equal(transfer.ack(), null, "nothing is acknowledged twice");
  });
}

test("an empty file is complete at once, and acknowledged", () => {
  const transfer = asked(0);
  assert.equal(transfer.isComplete(0), true);
  assert.equal(transfer.isAckDue, true);
  assert.equal(transfer.ack(), encodeAck(1, 0));
});

test("a message without payload changes nothing", () => {
  const transfer = asked(3);
  assert.deepEqual(transfer.take(data(1, 0, [])), { file: 0, bytes: new Uint8Array(), complete: false });
  assert.equal(transfer.held[0], 0);
});

test("messages of a superseded request are ignored", () => {
  const transfer = new Transfer();
  transfer.setManifest([entry(4, "a"), entry(4, "b")]);
  transfer.get(0);
  transfer.take(data(1, 0, [1, 2]));
  assert.equal(transfer.get(1), encodeGet(2, 1, 0));
  assert.equal(transfer.take(data(1, 2, [3, 4])), null);
  assert.deepEqual(transfer.held, [2, 0]);
  assert.equal(transfer.get(0), encodeGet(3, 0, 2), "what is held is not asked for again");
});

test("after a stop, what was on its way is ignored", () => {
  const transfer = asked(4);
  assert.equal(transfer.stop(), encodeStop(1));
  assert.equal(transfer.take(data(1, 0, [1])), null);
});

test("on a new connection it goes on at the offset, if the files are the same", () => {
  const transfer = asked(4);
  transfer.take(data(1, 0, [1, 2, 3]));
  assert.deepEqual(transfer.setManifest([entry(4)]), []);
  assert.equal(transfer.get(0), encodeGet(2, 0, 3));
  assert.deepEqual(transfer.setManifest([entry(5)]), [0]);
  assert.equal(transfer.get(0), encodeGet(3, 0, 0));
});

test("what the owner begins is request 0, and goes on like any request", () => {
  const transfer = new Transfer();
  transfer.setManifest([entry(4)]);
  assert.equal(transfer.meet(true), null);
  assert.equal(transfer.file, 0);
  assert.deepEqual(transfer.take(data(0, 0, [1, 2])), { file: 0, bytes: Uint8Array.of(1, 2), complete: false });
  assert.equal(transfer.ack(), encodeAck(0, 2));
  assert.equal(transfer.stop(), encodeStop(0));
  assert.equal(transfer.take(data(0, 2, [3])), null, "it was on its way");
  assert.equal(transfer.get(0), encodeGet(1, 0, 2));
});

test("what the owner begins again is not what is wanted: its rest is", () => {
  const transfer = new Transfer();
  transfer.setManifest([entry(4)]);
  transfer.meet(true);
  transfer.take(data(0, 0, [1, 2]));
  transfer.pause();
  assert.equal(transfer.meet(true), null);
  assert.equal(transfer.file, null, "it has to be asked for");
  assert.equal(transfer.take(data(0, 0, [1])), null);
  assert.equal(transfer.get(0), encodeGet(1, 0, 2));
});

test("what the owner begins and is not wanted is stopped, and no fault though all was finished before", () => {
  const transfer = new Transfer();
  transfer.setManifest([entry(2)]);
  transfer.meet(true);
  transfer.take(data(0, 0, [1, 2]));
  transfer.finish();
  transfer.pause();
  assert.equal(transfer.meet(false), encodeStop(0));
  assert.equal(transfer.take(data(0, 0, [1, 2])), null);
  assert.deepEqual(transfer.held, [2]);
});

test("a file that is here is told to the owner again, byte for byte none", () => {
  const transfer = asked(2);
  transfer.take(data(1, 0, [1, 2]));
  transfer.ack();
  transfer.finish();
  assert.equal(transfer.get(0), encodeGet(2, 0, 2));
  assert.equal(transfer.ack(), encodeAck(2, 2));
});

/** @type {[string, (transfer: Transfer) => void][]} */
const LIES = [
  ["a request that was never made", (transfer) => transfer.take(data(2, 0, [1]))],
  ["a gap", (transfer) => transfer.take(data(1, 1, [1]))],
  ["a byte twice", (transfer) => [0, 0].forEach((offset) => transfer.take(data(1, offset, [1])))],
  ["an offset in another world", (transfer) => transfer.take(data(1, 2 ** 52, [1]))],
  ["one byte too many", (transfer) => transfer.take(data(1, 0, [1, 2, 3, 4, 5]))],
  [
    "a byte after the last one",
    (transfer) => {
      transfer.take(data(1, 0, [1, 2, 3, 4]));
      transfer.finish();
      transfer.take(data(1, 4, [5]));
    },
  ],
];

for (const [name, tell] of LIES) {
  test(`the owner lies: ${name}`, () => {
    const transfer = asked(4);
    assert.throws(() => tell(transfer), WireError);
    assert.ok(transfer.held[0] <= 4);
  });
}

test("bytes that nobody asked for are refused", () => {
  const transfer = new Transfer();
  transfer.setManifest([entry(4)]);
  assert.throws(() => transfer.take(data(1, 0, [1])), WireError);
});

test("the rate is that of the last two seconds", () => {
  const meter = new Meter();
  assert.equal(meter.rate(0), 0);
  for (let now = 0; now <= 4000; now += 100) meter.add(100_000, now);
  assert.ok(Math.abs(meter.rate(4000) - 1_050_000) < 60_000, String(meter.rate(4000)));
  assert.equal(meter.rate(10_000), 0, "long silence");
  meter.clear();
  assert.equal(meter.rate(10_000), 0);
});
