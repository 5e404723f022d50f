// @ts-check
// The signalling server as a viewer meets it: what may be said and heard (pure), and the WebSocket that carries it.
//
// Nothing that arrives here is trusted: the server can only delay, refuse or lie about whether the owner is there.

const MAX_MESSAGE = 16 * 1024;
const MAX_SDP = 12 * 1024;
const MAX_CANDIDATE = 512;

/**
 * What the server says to a viewer.
 * @typedef {{type: "answer", sdp: string}
 *   | {type: "candidate", candidate: string | null}
 *   | {type: "offline" | "unknown" | "online" | "revoked" | "expired" | "stopped" | "refused" | "full" | "draining"}
 *   | {type: "error", code: string, detail: string}} ServerMessage
 */

/**
 * What a viewer says to the server.
 * @typedef {{type: "view", id: string, offer: string}
 *   | {type: "candidate", candidate: string | null}} ViewerMessage
 */

/** @type {Record<string, readonly string[]>} the fields beside `type`, exactly */
const FIELDS = {
  answer: ["sdp"],
  candidate: ["candidate"],
  offline: [],
  unknown: [],
  online: [],
  revoked: [],
  expired: [],
  stopped: [],
  refused: [],
  full: [],
  draining: [],
  error: ["code", "detail"],
};

/** @type {Record<string, (value: unknown) => boolean>} */
const CHECKS = {
  sdp: (value) => isText(value, MAX_SDP),
  candidate: (value) =>
    value === null || (typeof value === "string" && value.length <= MAX_CANDIDATE && !/[\r\n\0]/.test(value)),
  code: (value) => isText(value, 64),
  detail: (value) => isText(value, 256),
};

/**
 * @param {unknown} data a WebSocket message's data
 * @returns {ServerMessage | null} null for anything that is not one of this protocol
 */
export function decodeSignal(data) {
  if (typeof data !== "string" || data.length > MAX_MESSAGE) return null;
  const message = parseObject(data);
  if (message === null || typeof message.type !== "string" || !Object.hasOwn(FIELDS, message.type)) return null;
  const fields = FIELDS[message.type];
  const given = Object.keys(message).filter((name) => name !== "type" && !(name === "id" && message.type === "error"));
  if (given.length !== fields.length) return null;
  if (!fields.every((name) => Object.hasOwn(message, name) && CHECKS[name](message[name]))) return null;
  return /** @type {ServerMessage} */ (/** @type {unknown} */ (message));
}

/**
 * @param {string} text
 * @returns {Record<string, unknown> | null} null for what is not a JSON object
 */
export function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * @param {unknown} value
 * @param {number} limit characters
 */
function isText(value, limit) {
  return typeof value === "string" && value.length > 0 && value.length <= limit;
}

/**
 * @typedef {object} SignallingListener
 * @property {() => void} opened
 * @property {(message: ServerMessage) => void} heard
 * @property {() => void} closed   also when it could not be opened
 */

/** The owner gives a visit up that has not connected ten seconds after its offer. */
const FRESH_MS = 8_000;

/**
 * What begin.js has begun, if it is of use still: a question that is too old is taken back, with all that came of it.
 * @param {typeof globalThis.begun} begun
 * @param {number} now as of performance.now()
 */
export function ifFresh(begun, now) {
  if (begun === null || begun.line.said === "" || now - begun.line.saidAt < FRESH_MS) return begun;
  begun.line.socket.onmessage = null;
  begun.line.socket.close();
  begun.call?.connection.close();
  return null;
}

/** A WebSocket to the page's own host. */
function openSocket() {
  return new WebSocket(`${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/signal`);
}

/** One WebSocket at a time, to the page's own host; when to try again is the session's to say. */
export class Signalling {
  /** @type {WebSocket | null} */
  #socket = null;
  /** What begin.js has said on this socket: not to be said twice. */
  #said = () => "";
  /** @type {SignallingListener} */
  #listener;

  /** @param {SignallingListener} listener */
  constructor(listener) {
    this.#listener = listener;
  }

  /**
   * Opens a socket; a former one is forgotten.
   * @param {Line | null} begun one that begin.js has opened already: what it heard is heard now
   */
  connect(begun = null) {
    this.close();
    const socket = begun?.socket ?? openSocket();
    this.#socket = socket;
    this.#said = () => begun?.said ?? "";
    socket.onopen = () => this.#listener.opened();
    socket.onclose = () => this.#onClose();
    socket.onmessage = (event) => this.#hear(event.data);
    if (begun !== null) this.#catchUp(begun);
  }

  /** @param {Line} begun */
  #catchUp({ socket, heard }) {
    if (socket.readyState === WebSocket.OPEN) this.#listener.opened();
    for (const data of heard) this.#hear(data);
    if (socket.readyState === WebSocket.CLOSED) this.#onClose();
  }

  #onClose() {
    this.#socket = null;
    this.#listener.closed();
  }

  /** @param {unknown} data */
  #hear(data) {
    const message = decodeSignal(data);
    if (message !== null) this.#listener.heard(message);
  }

  /** @param {ViewerMessage} message */
  send(message) {
    const text = JSON.stringify(message);
    if (this.#socket?.readyState === WebSocket.OPEN && text !== this.#said()) this.#socket.send(text);
  }

  /** Closes without a word to the listener. */
  close() {
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = socket.onclose = socket.onmessage = null;
    socket.close();
  }
}
