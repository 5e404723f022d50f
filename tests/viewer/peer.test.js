// The shell around RTCPeerConnection: what it asks of the browser, and in which order it believes what it hears.

import assert from "node:assert/strict";
import test from "node:test";

import { canConnect, Peer } from "../../resources/viewer/peer.js";
import { answer, digest, LINK } from "./support.js";

class FakeChannel {
  readyState = "connecting";
  sent = [];

  constructor(label, options) {
    Object.assign(this, { label, options });
  }

  send(text) {
    this.sent.push(text);
  }

  open() {
    this.readyState = "open";
    this.onopen?.();
  }
}

class FakeConnection {
  static last;
  static readsAs = (sdp) => sdp;
  channels = [];
  candidates = [];
  connectionState = "new";

  constructor(configuration) {
    this.configuration = configuration;
    FakeConnection.last = this;
  }

  createDataChannel(label, options) {
    const channel = new FakeChannel(label, options);
    this.channels.push(channel);
    return channel;
  }

  async createOffer() {
    return { type: "offer", sdp: "v=0" };
  }

  async setLocalDescription(description) {
    this.localDescription = description;
  }

  async setRemoteDescription({ sdp }) {
    if (sdp === "refused") throw new TypeError("bad SDP");
    this.remoteDescription = { sdp: FakeConnection.readsAs(sdp) };
  }

  async addIceCandidate(candidate) {
    if (this.remoteDescription === undefined) throw new TypeError("too early");
    this.candidates.push(candidate.candidate);
    if (candidate.candidate === "bad") throw new TypeError("bad candidate");
  }

  close() {
    this.connectionState = "closed";
  }
}

/** Lets every promise that can settle do so. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

function makePeer() {
  const heard = [];
  const listener = Object.fromEntries(
    ["offered", "candidate", "opened", "control", "data", "path", "closed", "impostor", "unable"].map((name) => [
      name,
      (value) => heard.push(value === undefined ? name : `${name} ${value instanceof ArrayBuffer ? value.byteLength : value}`),
    ]),
  );
  return { peer: new Peer(listener), heard, connection: FakeConnection.last };
}

test.beforeEach(() => {
  globalThis.RTCPeerConnection = FakeConnection;
  globalThis.RTCDataChannel = FakeChannel;
  FakeConnection.readsAs = (sdp) => sdp;
});

test("a browser without WebRTC is known beforehand", () => {
  assert.equal(canConnect(), true);
  delete globalThis.RTCPeerConnection;
  assert.equal(canConnect(), false);
});

test("two channels agreed beforehand, and an offer that waits for no address", async () => {
  const { heard, connection } = makePeer();
  await settled();
  assert.deepEqual(connection.configuration.iceServers, []);
  assert.deepEqual(
    connection.channels.map(({ label, options }) => [label, options]),
    [
      ["control", { negotiated: true, id: 0, ordered: true }],
      ["data", { negotiated: true, id: 1, ordered: true }],
    ],
  );
  assert.deepEqual(heard, ["offered v=0"]);
  connection.onicecandidate({ candidate: { candidate: "candidate:1" } });
  connection.onicecandidate({ candidate: { candidate: "" } });
  connection.onicecandidate({ candidate: null });
  assert.deepEqual(heard.slice(1), ["candidate candidate:1", "candidate null", "candidate null"]);
});

test("the STUN servers of the page are asked in later calls too", () => {
  const servers = [{ urls: ["stun:owner.example:21880"] }];
  const peer = new Peer({}, null, servers);
  assert.deepEqual(FakeConnection.last.configuration, { iceServers: servers, bundlePolicy: "max-bundle" });
  peer.close();
});

test("candidates wait for the answer; one that the browser does not take is none", async () => {
  const { peer, connection } = makePeer();
  await settled();
  peer.accept(answer(), LINK);
  for (const candidate of ["one", "bad", "two"]) peer.addCandidate(candidate);
  await settled();
  assert.deepEqual(connection.candidates, ["one", "bad", "two"]);
});

test("open is said after the browser has read the answer, and messages as they come", async () => {
  const { peer, heard, connection } = makePeer();
  await settled();
  const [control, data] = connection.channels;
  peer.say("too early");
  peer.accept(answer(), LINK);
  control.open();
  assert.deepEqual(heard, ["offered v=0"]);
  await settled();
  peer.say("hello");
  control.onmessage({ data: "text" });
  data.onmessage({ data: new ArrayBuffer(5) });
  data.onmessage({ data: "text on the data channel" });
  await settled();
  assert.deepEqual(heard.slice(1), ["opened", "control text", "data 5"]);
  assert.deepEqual(control.sent, ["hello"]);
  assert.equal(data.binaryType, "arraybuffer");
});

test("an owner that is heard before the browser says that the channel is open", async () => {
  const { peer, heard, connection } = makePeer();
  await settled();
  const [control, data] = connection.channels;
  peer.accept(answer(), LINK);
  data.onmessage({ data: new ArrayBuffer(5) });
  control.onmessage({ data: "text" });
  await settled();
  assert.deepEqual(heard.slice(1), [], "nothing could be answered yet, not even with hello");
  control.open();
  await settled();
  assert.deepEqual(heard.slice(1), ["opened", "data 5", "control text"]);
});

test("the answer gets the password that only who knows the link can make", async () => {
  const { peer, connection } = makePeer();
  await settled();
  connection.localDescription = { sdp: `v=0\r\na=fingerprint:sha-256 ${digest(1)}\r\n` };
  peer.accept(answer(), LINK);
  await settled();
  assert.match(connection.remoteDescription.sdp, new RegExp(`a=ice-pwd:${"CwwNDg8QERITFBUWFxgZGg"}${digest(1).replaceAll(":", "")}\r\n`));
});

test("the browser reads another fingerprint than the page did: an impostor, before anything opens", async () => {
  FakeConnection.readsAs = () => answer([`a=fingerprint:sha-256 ${digest(99)}`]);
  const { peer, heard, connection } = makePeer();
  await settled();
  peer.accept(answer(), LINK);
  connection.channels[0].open();
  await settled();
  assert.deepEqual(heard.slice(1, 2), ["impostor"]);
});

test("an answer that the browser does not take, a failed path, a closed channel", async () => {
  const { peer, heard, connection } = makePeer();
  await settled();
  peer.accept("refused", LINK);
  await settled();
  for (const state of ["connecting", "connected", "disconnected", "failed"]) {
    connection.connectionState = state;
    connection.onconnectionstatechange();
  }
  connection.channels[1].onclose();
  assert.deepEqual(heard.slice(1), ["closed", "path connected", "path disconnected", "closed", "closed"]);
});

test("a connection that was closed here says nothing more", async () => {
  const { peer, heard, connection } = makePeer();
  await settled();
  peer.close();
  connection.channels[0].onopen();
  connection.channels[0].onmessage({ data: "late" });
  connection.onconnectionstatechange();
  peer.say("late");
  peer.addCandidate("late");
  peer.accept(answer(), LINK);
  await settled();
  assert.equal(connection.connectionState, "closed");
  assert.deepEqual(heard, ["offered v=0"]);
  assert.deepEqual(connection.channels[0].sent, []);
});

test("a browser that forbids it", async () => {
  globalThis.RTCPeerConnection = class {
    constructor() {
      throw new DOMException("blocked");
    }
  };
  const { heard } = makePeer();
  await settled();
  assert.deepEqual(heard, ["unable"]);
});
