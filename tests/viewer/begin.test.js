// What runs before any module: it opens what the modules would open, and asks what the session would ask, only earlier.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import vm from "node:vm";

import { encodeBase64url } from "../../resources/viewer/link.js";
import { Peer } from "../../resources/viewer/peer.js";
import { ifFresh, Signalling } from "../../resources/viewer/signalling.js";
import { answer, Drive, FakeSocket, fragment, VIEWER } from "./support.js";

const SOURCE = readFileSync(new URL("begin.js", VIEWER), "utf8");
const HOST = { protocol: "http:", host: "owner.example:21880", hostname: "owner.example" };

class FakeConnection {
  static refuses = false;
  channels = [];

  constructor({ iceServers, bundlePolicy }) {
    this.configuration = { iceServers, bundlePolicy };
  }

  createDataChannel(label, { negotiated, id, ordered }) {
    this.channels.push({ label, negotiated, id, ordered });
    return {};
  }

  async createOffer() {
    if (FakeConnection.refuses) throw new TypeError("no");
    return { type: "offer", sdp: "offer" };
  }

  async setLocalDescription() {}

  close() {
    this.isClosed = true;
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** What begin.js leaves behind; `stun` is what the server has written into the page, null where it has no place for it. */
function begin({ hash = `#${fragment()}`, protocol = "http:", hostname = HOST.hostname, stun = "", RTCPeerConnection = FakeConnection } = {}) {
  const location = { ...HOST, protocol, hostname, hash };
  const document = { querySelector: (what) => (what === "meta[name=stun]" && stun !== null ? { content: stun } : null) };
  const context = { location, document, WebSocket: FakeSocket, RTCPeerConnection, performance, atob, btoa };
  vm.runInNewContext(SOURCE, context);
  return context.begun;
}

/** The session with its shells, as main.js joins them: what it hears, and the answers that it took. */
function goOn({ line, call }) {
  const page = new Drive();
  const heard = [];
  const hear = (event) => {
    heard.push(event.type);
    for (const action of page.session.handle(event, 0)) {
      if (action.do === "signal") signalling.send(action.message);
      else heard.push(action.do);
    }
  };
  const signalling = new Signalling({
    opened: () => hear({ type: "socket", open: true }),
    heard: (message) => hear({ type: "signal", message }),
    closed: () => hear({ type: "socket", open: false }),
  });
  const listener = {
    offered: (sdp) => hear({ type: "offer", peer: 1, sdp }),
    candidate: (candidate) => hear({ type: "candidate", peer: 1, candidate }),
    unable: () => hear({ type: "unable", peer: 1 }),
  };
  new Peer(listener, call);
  signalling.connect(line);
  return heard;
}

test.beforeEach(() => {
  globalThis.location = HOST;
  globalThis.WebSocket = FakeSocket;
  globalThis.RTCPeerConnection = FakeConnection;
  FakeConnection.refuses = false;
});

/** The question of a session that had to begin by itself. */
function question() {
  const page = new Drive();
  page.do({ type: "socket", open: true });
  return page.of("offer", { sdp: "offer" })[0].replace("signal ", "");
}

test("it asks what the session would ask, whichever comes last, the socket or the offer", async () => {
  const late = begin();
  await settled();
  assert.deepEqual(late.line.socket.sent, []);
  late.line.socket.open();
  assert.deepEqual(late.line.socket.sent, [question()]);
  const early = begin();
  early.line.socket.open();
  assert.deepEqual(early.line.socket.sent, []);
  await settled();
  assert.deepEqual(early.line.socket.sent, [question()]);
});

test("it opens what the modules would open", async () => {
  const { line, call, servers } = begin({ stun: "stun:*:21880" });
  new Signalling({}).connect();
  assert.equal(line.socket.url, "ws://owner.example:21880/signal");
  assert.equal(begin({ protocol: "https:" }).line.socket.url, "wss://owner.example:21880/signal");
  let connection;
  globalThis.RTCPeerConnection = class extends FakeConnection {
    constructor(configuration) {
      super(configuration);
      connection = this;
    }
  };
  const peer = new Peer({ offered: () => undefined }, null, servers);
  assert.equal(JSON.stringify(call.connection), JSON.stringify(connection));
  peer.close();
});

test("the page names its STUN servers: a star is the page's own host, and what is none is passed over", () => {
  const asked = (page) => JSON.parse(JSON.stringify(begin(page).call.connection.configuration.iceServers));
  assert.deepEqual(asked({ stun: "stun:*:21880" }), [{ urls: ["stun:owner.example:21880"] }]);
  assert.deepEqual(asked({ stun: "stun:*:21880", hostname: "[2001:db8::1]" }), [{ urls: ["stun:[2001:db8::1]:21880"] }]);
  assert.deepEqual(asked({ stun: "stun:stun.example.org stun:[2001:db8::1]:3478" }), [
    { urls: ["stun:stun.example.org", "stun:[2001:db8::1]:3478"] },
  ]);
  for (const stun of ["", null, " ", "*", "turn:a", "http://a", "stun:", "stun:a?b"]) assert.deepEqual(asked({ stun }), [], stun);
  assert.deepEqual(begin({ stun: "stun:*" }).servers[0].urls[0], "stun:owner.example");
});

test("a browser that refuses the servers is asked without them, and so in later calls", async () => {
  class Particular extends FakeConnection {
    constructor(configuration) {
      super(configuration);
      if (configuration.iceServers.length > 0) throw new SyntaxError("a forbidden port");
    }
  }
  const { line, call, servers } = begin({ stun: "stun:*:6000", RTCPeerConnection: Particular });
  assert.deepEqual([call.connection.configuration.iceServers.length, servers.length], [0, 0]);
  line.socket.open();
  await settled();
  assert.deepEqual(line.socket.sent, [question()]);
});

test("a link that cannot be one, a browser without WebRTC: nothing is opened", () => {
  for (const hash of ["", "#", "#short", `#${fragment()}A`, `#${fragment().replace(/.$/, "*")}`]) assert.equal(begin({ hash }), null);
  assert.equal(begin({ RTCPeerConnection: null }), null);
});

test("a link of another version: not a byte of it is said, for it may be the secret", () => {
  for (const version of [0, 2, 3, 17, 64, 128, 255]) assert.equal(begin({ hash: `#${fragment(version)}` }), null, String(version));
  for (const first of [0, 15, 16, 200, 255]) {
    const link = encodeBase64url(Uint8Array.from({ length: 43 }, (_, index) => [1, first][index] ?? 255));
    assert.notEqual(begin({ hash: `#${link}` }), null, link);
  }
});

test("all was quick: the answer is there before anyone listens, and nothing is asked twice", async () => {
  const begun = begin();
  const { line, call } = begun;
  line.socket.open();
  await settled();
  call.connection.onicecandidate({ candidate: { candidate: "candidate:1" } });
  line.socket.onmessage({ data: JSON.stringify({ type: "answer", sdp: answer() }) });
  assert.deepEqual(goOn(begun), ["candidate", "offer", "socket", "timer", "signal", "accept", "timer"]);
  assert.deepEqual(line.socket.sent, [question(), '{"type":"candidate","candidate":"candidate:1"}']);
});

test("an address that a STUN server told before the socket was open is said right behind the question", async () => {
  const begun = begin();
  const { line, call } = begun;
  await settled();
  const told = "candidate:2 1 udp 1677729535 203.0.113.7 40000 typ srflx raddr 0.0.0.0 rport 0";
  call.connection.onicecandidate({ candidate: { candidate: told } });
  goOn(begun);
  call.connection.onicecandidate({ candidate: { candidate: "candidate:3" } });
  assert.deepEqual(line.socket.sent, []);
  line.socket.open();
  const said = [told, "candidate:3"].map((candidate) => JSON.stringify({ type: "candidate", candidate }));
  assert.deepEqual(line.socket.sent, [question(), ...said]);
});

test("all was slow: the modules are there before the socket and before the offer", async () => {
  const begun = begin();
  const { line, call } = begun;
  const heard = goOn(begun);
  assert.deepEqual(heard, []);
  line.socket.open();
  await settled();
  call.connection.onicecandidate({ candidate: null });
  line.socket.onmessage({ data: JSON.stringify({ type: "offline" }) });
  assert.deepEqual(line.socket.sent, [question(), '{"type":"candidate","candidate":null}']);
  assert.deepEqual(heard.filter((event) => ["socket", "offer", "candidate", "signal"].includes(event)), [
    "socket", "offer", "candidate", "signal",
  ]);
});

test("an answer is of use for as long as the owner waits: after that, all begins anew", async () => {
  const begun = begin();
  assert.equal(ifFresh(begun, performance.now() + 60_000), begun, "nothing was asked yet");
  begun.line.socket.open();
  await settled();
  assert.equal(ifFresh(begun, begun.line.saidAt + 7_900), begun);
  assert.equal(ifFresh(begun, begun.line.saidAt + 8_100), null);
  assert.deepEqual([begun.line.socket.readyState, begun.call.connection.isClosed], [3, true]);
  assert.equal(ifFresh(null, 0), null);
});

test("the socket closed before anyone listened", async () => {
  const begun = begin();
  await settled();
  begun.line.socket.readyState = 3;
  assert.deepEqual(goOn(begun).filter((event) => event === "socket"), ["socket"]);
});

test("a browser that makes no offer, or no connection: the session hears of it", async () => {
  FakeConnection.refuses = true;
  const begun = begin();
  const heard = goOn(begun);
  await settled();
  assert.ok(heard.includes("unable"));
  globalThis.RTCPeerConnection = class {
    constructor() {
      throw new TypeError("blocked");
    }
  };
  const blocked = begin({ RTCPeerConnection });
  assert.equal(blocked.call, null);
  const told = goOn(blocked);
  await settled();
  assert.ok(told.includes("unable"));
});
