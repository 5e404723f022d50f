// What the tests of the page share: the wire examples, a link, answers, and a session that is driven like a trace.

import { readFileSync } from "node:fs";

import { encodeBase64url, parseLink } from "../../resources/viewer/link.js";
import { Session } from "../../resources/viewer/session.js";

export const VIEWER = new URL("../../resources/viewer/", import.meta.url);

/** The examples that both languages must read. */
export function wire(name) {
  return JSON.parse(readFileSync(new URL(`../wire/${name}.json`, import.meta.url), "utf8"));
}

/** Bytes 0, 1, 2, … as a share's id, secret and pin. */
export function fragment(version = 1, length = 43) {
  return encodeBase64url(Uint8Array.from({ length }, (_, index) => (index === 0 ? version : index)));
}

export const LINK = parseLink(fragment());

/** A sha-256 in SDP's spelling that begins with the pin of LINK, or with other bytes. */
export function digest(first = 27) {
  return Array.from({ length: 32 }, (_, index) => ((first + index) % 256).toString(16).padStart(2, "0").toUpperCase()).join(":");
}

/** An answer as the owner's transport makes it. */
export function answer(fingerprints = [`a=fingerprint:sha-256 ${digest()}`], sections = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel"]) {
  return [
    "v=0",
    "o=- 1 1 IN IP4 0.0.0.0",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0",
    ...sections,
    "c=IN IP4 0.0.0.0",
    "a=mid:0",
    "a=ice-ufrag:abcd",
    "a=ice-pwd:0123456789abcdef012345",
    ...fingerprints,
    "a=setup:active",
    "a=sctp-port:5000",
    "a=max-message-size:65536",
    "",
  ].join("\r\n");
}

/** A data message of the owner. */
export function data(request, offset, payload) {
  const buffer = new ArrayBuffer(12 + payload.length);
  const header = new DataView(buffer);
  header.setUint32(0, request);
  header.setUint32(4, Math.floor(offset / 2 ** 32));
  header.setUint32(8, offset % 2 ** 32);
  new Uint8Array(buffer, 12).set(payload);
  return buffer;
}

export const PNG = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3, 4, 5, 6, 7, 8]);
export const PICTURE = { name: "Screenshot.png", size: PNG.length, media_type: "image/png", version: "AAECAwQF" };

/** Drives a session; time only passes when the test says so. */
export class Drive {
  now = 1000;
  peer = 1;
  session = new Session(LINK, { browser: "Firefox 153", system: "Linux" }, () => 0.5);

  /** @param isShown whether the code that draws is here already */
  constructor({ isShown = true } = {}) {
    this.do({ type: "start" });
    if (isShown) this.do({ type: "shown" });
  }

  /** Lets an event happen; the actions as short text, timers left out unless `timers` is true. */
  do(event, { timers = false } = {}) {
    const actions = this.session.handle(event, this.now);
    for (const action of actions) this.#note(action);
    return actions.filter((action) => timers || (action.do !== "timer" && action.do !== "cancel")).map(describe);
  }

  /** The delays of the timers that an event starts, by name. */
  timers(event) {
    const actions = this.session.handle(event, this.now);
    for (const action of actions) this.#note(action);
    return Object.fromEntries(actions.filter((action) => action.do === "timer").map(({ name, delay }) => [name, delay]));
  }

  #note(action) {
    if (action.do === "offer") this.peer = action.peer;
  }

  of(type, fields = {}) {
    return this.do({ type, peer: this.peer, ...fields });
  }

  signal(message) {
    return this.do({ type: "signal", message: typeof message === "string" ? { type: message } : message });
  }

  control(message) {
    return this.of("control", { text: JSON.stringify(message) });
  }

  data(request, offset, payload) {
    return this.of("data", { data: data(request, offset, payload) });
  }

  timer(name) {
    return this.do({ type: "timer", name });
  }

  /** From the start, or from a new offer, to the owner's answer and the open channel. */
  open() {
    this.do({ type: "socket", open: true });
    this.of("offer", { sdp: "offer" });
    this.signal({ type: "answer", sdp: answer() });
    return this.of("open");
  }

  /** A page that has got `files` offered. */
  offered(...files) {
    this.open();
    return this.manifest(...files);
  }

  /** The manifest of an owner that waits for what is asked of it. */
  manifest(...files) {
    return this.control({ type: "manifest", files });
  }

  /** The manifest of an owner that has begun with the picture by itself, as request 0. */
  begun(picture) {
    return this.control({ type: "manifest", files: [picture], begun: true });
  }

  get state() {
    return this.session.state;
  }

  get phase() {
    const { phase, away, reason } = this.session.state;
    return [phase, away, reason].filter((word) => typeof word === "string").join(" ");
  }
}

/** An action in a line, as traces show it. */
function describe(action) {
  switch (action.do) {
    case "signal":
      return `signal ${JSON.stringify(action.message)}`;
    case "say":
      return `say ${action.text}`;
    case "keep":
      return `keep ${action.file}: ${action.bytes.length}`;
    case "finish":
      return `finish ${action.file}: ${action.kind}`;
    case "timer":
      return `timer ${action.name} ${action.delay}`;
    default:
      return [action.do, action.peer ?? action.file ?? action.name].filter((word) => word !== undefined).join(" ");
  }
}

/** A WebSocket whose other end is the test. */
export class FakeSocket {
  static OPEN = 1;
  static CLOSED = 3;
  /** @type {any} the newest one */
  static last;
  readyState = 0;
  /** @type {string[]} */
  sent = [];
  /** @type {() => void} */
  onopen = () => undefined;

  /** @param {string} url */
  constructor(url) {
    this.url = url;
    FakeSocket.last = this;
  }

  /** @param {string} text */
  send(text) {
    this.sent.push(text);
  }

  close() {
    this.readyState = 3;
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }
}
