// What the server may say to a viewer, and the socket that it is said on.

import assert from "node:assert/strict";
import test from "node:test";

import { decodeSignal, Signalling } from "../../resources/viewer/signalling.js";
import { FakeSocket, wire } from "./support.js";

const examples = wire("signalling");
const toViewer = ({ direction }) => direction === "server-to-viewer";

for (const { name, message } of examples.valid.filter(toViewer)) {
  test(`read: ${name}`, () => assert.deepEqual(decodeSignal(JSON.stringify(message)), message));
}

for (const { name, text, why } of examples.hostile.filter(toViewer)) {
  test(`refused: ${name} (${why})`, () => assert.equal(decodeSignal(text), null));
}

test("there are examples of both kinds", () => {
  assert.ok(examples.valid.filter(toViewer).length >= 10);
  assert.ok(examples.hostile.filter(toViewer).length >= 20);
});

test("only text frames are read", () => {
  assert.equal(decodeSignal(new ArrayBuffer(4)), null);
  assert.equal(decodeSignal(undefined), null);
});

/** Runs `body` with a page at `address` and the fake socket. */
function onPage(address, body) {
  globalThis.location = new URL(address);
  const real = globalThis.WebSocket;
  globalThis.WebSocket = FakeSocket;
  const heard = [];
  const signalling = new Signalling({
    opened: () => heard.push("opened"),
    heard: (message) => heard.push(message.type),
    closed: () => heard.push("closed"),
  });
  try {
    body(signalling, heard);
  } finally {
    globalThis.WebSocket = real;
    delete globalThis.location;
  }
}

test("the socket is the page's own host's, secure where the page is", () => {
  onPage("http://192.0.2.7:21880/#x", (signalling) => {
    signalling.connect();
    assert.equal(FakeSocket.last.url, "ws://192.0.2.7:21880/signal");
  });
  onPage("https://share.example/#x", (signalling) => {
    signalling.connect();
    assert.equal(FakeSocket.last.url, "wss://share.example/signal");
  });
});

test("it speaks once open, and hears what is of the protocol", () => {
  onPage("http://localhost/", (signalling, heard) => {
    signalling.connect();
    signalling.send({ type: "candidate", candidate: null });
    FakeSocket.last.open();
    signalling.send({ type: "view", id: "i", offer: "o" });
    FakeSocket.last.onmessage({ data: '{"type":"online"}' });
    FakeSocket.last.onmessage({ data: '{"type":"nonsense"}' });
    FakeSocket.last.onclose();
    assert.deepEqual(FakeSocket.last.sent, ['{"type":"view","id":"i","offer":"o"}']);
    assert.deepEqual(heard, ["opened", "online", "closed"]);
  });
});

test("a socket that was closed here says nothing more", () => {
  onPage("http://localhost/", (signalling, heard) => {
    signalling.connect();
    const first = FakeSocket.last;
    signalling.connect();
    assert.equal(first.readyState, 3);
    assert.equal(first.onmessage, null);
    assert.equal(first.onclose, null);
    signalling.close();
    signalling.send({ type: "candidate", candidate: null });
    assert.deepEqual(heard, []);
  });
});
