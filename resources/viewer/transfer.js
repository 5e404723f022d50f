// @ts-check
// The transfer protocol inside the pinned channel, from the viewer's side; pure: messages in, what to send out.
//
// control: JSON text     viewer: hello, get, ack, stop, pong, bye     owner: waiting, manifest, failed, ping, ended
// data:    request (u32) | offset (u64) | payload, big-endian, at most 64 KiB in all, from the owner only
//
// The owner speaks first. Where file 0 is all there is, and a picture, it begins with it from its beginning, as request
// 0, and its manifest says so. The channels keep no common order: what comes before the manifest waits for it, at most
// WINDOW bytes. What is held of a file is completed on a later connection only while its version there is the same.

import { parseObject } from "./signalling.js";

export const VERSION = 1;
export const HEADER_BYTES = 12;
export const MAX_DATA = 64 * 1024;
export const MAX_CONTROL = 16 * 1024;
/** Bytes that may be held without having been acknowledged. */
export const ACK_BYTES = 128 * 1024;
/** The owner sends at most so many bytes beyond the last acknowledgement. */
export const WINDOW = 8 * 1024 * 1024;
const MAX_U32 = 2 ** 32 - 1;
const RATE_WINDOW_MS = 2000;
const FILE_VERSION = /^[A-Za-z0-9_-]{1,16}$/;
/** Not even zero bytes have been acknowledged. */
const NOTHING = -1;

/** The owner broke the protocol; the message says how, for developers. */
export class WireError extends Error {}

/**
 * One file of the manifest, untrusted text; with another version its bytes are others.
 * @typedef {{name: string, size: number, media_type: string, version: string}} Entry
 */
/** @typedef {"vanished" | "changed" | "unreadable"} FailReason */
/** @typedef {"revoked" | "expired" | "dismissed" | "refused" | "full" | "stalled" | FailReason} EndReason */
/**
 * @typedef {{type: "waiting"}
 *   | {type: "ping"}
 *   | {type: "manifest", files: Entry[], begun?: boolean}
 *   | {type: "failed", file: number, reason: FailReason}
 *   | {type: "ended", reason: EndReason}} OwnerMessage
 */
/** @typedef {{request: number, offset: number, payload: Uint8Array<ArrayBuffer>}} DataMessage */

const FAIL_REASONS = ["vanished", "changed", "unreadable"];
const END_REASONS = ["revoked", "expired", "dismissed", "refused", "full", "stalled", ...FAIL_REASONS];

/** @param {string} browser as the owner's list shows it @param {string} system */
export function encodeHello(browser, system) {
  return JSON.stringify({ type: "hello", version: VERSION, browser: browser.slice(0, 64), system: system.slice(0, 64) });
}

/** @param {number} request @param {number} file @param {number} offset */
export function encodeGet(request, file, offset) {
  return JSON.stringify({ type: "get", request, file, offset });
}

/** @param {number} request @param {number} held */
export function encodeAck(request, held) {
  return JSON.stringify({ type: "ack", request, held });
}

/** @param {number} request */
export function encodeStop(request) {
  return JSON.stringify({ type: "stop", request });
}

/** The answer to `ping`: the page is there, even where it has nothing to acknowledge. */
export function encodePong() {
  return JSON.stringify({ type: "pong" });
}

export function encodeBye() {
  return JSON.stringify({ type: "bye" });
}

/**
 * @param {string} text
 * @returns {OwnerMessage} fields that this version does not know are dropped
 * @throws {WireError}
 */
export function decodeControl(text) {
  const message = text.length <= MAX_CONTROL ? parseObject(text) : null;
  if (message === null) throw new WireError("a control message is not a JSON object, or too long");
  switch (message.type) {
    case "waiting":
      return { type: "waiting" };
    case "ping":
      return { type: "ping" };
    case "manifest":
      return { type: "manifest", files: decodeEntries(message.files), ...decodeBegun(message.begun) };
    case "failed":
      check(isWhole(message.file, MAX_U32) && isOneOf(message.reason, FAIL_REASONS), "failed");
      return { type: "failed", file: Number(message.file), reason: /** @type {FailReason} */ (message.reason) };
    case "ended":
      check(isOneOf(message.reason, END_REASONS), "ended");
      return { type: "ended", reason: /** @type {EndReason} */ (message.reason) };
    default:
      throw new WireError("a control message has an unknown type");
  }
}

/**
 * @param {unknown} files
 * @returns {Entry[]}
 */
function decodeEntries(files) {
  check(Array.isArray(files) && files.length > 0, "manifest");
  return /** @type {unknown[]} */ (files).map((file) => {
    check(typeof file === "object" && file !== null, "manifest");
    const { name, size, media_type, version } = /** @type {Record<string, unknown>} */ (file);
    check(typeof name === "string" && typeof media_type === "string", "manifest");
    check(isWhole(size, Number.MAX_SAFE_INTEGER), "manifest");
    check(typeof version === "string" && FILE_VERSION.test(version), "manifest");
    return { name: String(name), size: Number(size), media_type: String(media_type), version: String(version) };
  });
}

/** @param {unknown} begun */
function decodeBegun(begun) {
  if (begun === undefined) return {};
  check(typeof begun === "boolean", "manifest");
  return { begun: begun === true };
}

/**
 * @param {ArrayBuffer} buffer
 * @returns {DataMessage} the payload is a view of `buffer`
 * @throws {WireError}
 */
export function decodeData(buffer) {
  check(buffer.byteLength >= HEADER_BYTES && buffer.byteLength <= MAX_DATA, "data length");
  const header = new DataView(buffer, 0, HEADER_BYTES);
  const high = header.getUint32(4);
  check(high < 2 ** 21, "data offset");
  const offset = high * 2 ** 32 + header.getUint32(8);
  return { request: header.getUint32(0), offset, payload: new Uint8Array(buffer, HEADER_BYTES) };
}

/** @param {unknown} value @param {number} limit */
function isWhole(value, limit) {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= limit;
}

/** @param {unknown} value @param {string[]} words */
function isOneOf(value, words) {
  return typeof value === "string" && words.includes(value);
}

/** @param {boolean} condition @param {string} what */
function check(condition, what) {
  if (!condition) throw new WireError(`not a valid ${what}`);
}

/**
 * What became of a data message: bytes to keep, or nothing where its request was superseded.
 * @typedef {{file: number, bytes: Uint8Array<ArrayBuffer>, complete: boolean}} Taken
 */

/** Which bytes of which file are held, over any number of connections; one file is asked for at a time. */
export class Transfer {
  /** @type {readonly Entry[]} empty until the manifest is there */
  entries = [];
  /** @type {number[]} bytes held of each file, from its beginning on */
  held = [];
  /** @type {number | null} the file that is being received */
  file = null;
  #request = 0;
  #acknowledged = 0;
  #finished = false;

  /**
   * What is held of a file stays only where all that is said of it has stayed the same, its version too.
   * @param {Entry[]} entries
   * @returns {number[]} the files that were not there before as they are now: what was held of them is void
   */
  setManifest(entries) {
    const before = entries.length === this.entries.length ? this.entries.map((entry) => JSON.stringify(entry)) : [];
    const others = entries.flatMap((entry, index) => (JSON.stringify(entry) === before[index] ? [] : [index]));
    if (others.length === 0) return others;
    this.held = entries.map((_, index) => (others.includes(index) ? 0 : this.held[index]));
    this.entries = entries;
    this.file = null;
    return others;
  }

  /**
   * Asks for the rest of a file; of one that is all here too, so that the owner knows it.
   * @param {number} file
   * @returns {string} the control message
   */
  get(file) {
    this.#request += 1;
    this.#begin(file);
    return encodeGet(this.#request, file, this.held[file]);
  }

  /** @param {number} file */
  #begin(file) {
    this.file = file;
    this.#finished = false;
    this.#acknowledged = this.isComplete(file) ? NOTHING : this.held[file];
  }

  /**
   * The owner has begun with file 0 before anyone asked for it.
   * @param {boolean} isWanted
   * @returns {string | null} the control message that stops it, where it is not wanted; its rest has to be asked for
   */
  meet(isWanted) {
    if (isWanted && this.#request === 0 && this.held[0] === 0) this.#begin(0);
    return isWanted ? null : encodeStop(0);
  }

  /** Whether every byte of the file is held. @param {number} file */
  isComplete(file) {
    return this.held[file] === this.entries[file].size;
  }

  /**
   * @param {ArrayBuffer} buffer a message of the data channel
   * @returns {Taken | null}
   * @throws {WireError} where it is not the next piece of the file that was asked for
   */
  take(buffer) {
    const { request, offset, payload } = decodeData(buffer);
    check(request <= this.#request, "request: it was never made");
    check(request < this.#request || !this.#finished, "size: more bytes than announced");
    if (request < this.#request || this.file === null) return null;
    const file = this.file;
    check(offset === this.held[file], "offset: bytes are missing or repeated");
    check(offset + payload.length <= this.entries[file].size, "size: more bytes than announced");
    this.held[file] += payload.length;
    return { file, bytes: payload, complete: this.isComplete(file) };
  }

  /** Whether an acknowledgement is due at once rather than after a moment. */
  get isAckDue() {
    if (this.file === null) return false;
    return this.isComplete(this.file) || this.held[this.file] - this.#acknowledged >= ACK_BYTES;
  }

  /** @returns {string | null} the control message; null where nothing new is held */
  ack() {
    if (this.file === null) return null;
    const held = this.held[this.file];
    if (held === this.#acknowledged) return null;
    this.#acknowledged = held;
    return encodeAck(this.#request, held);
  }

  /**
   * Wants no more of the present file for now.
   * @returns {string} the control message
   */
  stop() {
    this.file = null;
    return encodeStop(this.#request);
  }

  /** A new connection: nothing is on its way on it. */
  pause() {
    this.file = null;
    this.#finished = false;
  }

  /** The present file is complete: a byte more of it is one too many. */
  finish() {
    this.file = null;
    this.#finished = true;
  }

  /** Forgets everything but the request numbers, which only ever rise. */
  reset() {
    this.entries = [];
    this.held = [];
    this.file = null;
  }
}

/** Bytes per second over the last two seconds. */
export class Meter {
  /** @type {{at: number, bytes: number}[]} */
  #samples = [];

  /** @param {number} bytes @param {number} now milliseconds */
  add(bytes, now) {
    const last = this.#samples.at(-1);
    if (last !== undefined && now - last.at < 50) last.bytes += bytes;
    else this.#samples.push({ at: now, bytes });
    while (this.#samples[0].at < now - RATE_WINDOW_MS) this.#samples.shift();
  }

  /** @param {number} now milliseconds @returns {number} 0 while too little is known */
  rate(now) {
    const recent = this.#samples.filter((sample) => sample.at >= now - RATE_WINDOW_MS);
    if (recent.length < 2) return 0;
    const seconds = Math.max(0.25, (now - recent[0].at) / 1000);
    return recent.reduce((sum, sample) => sum + sample.bytes, 0) / seconds;
  }

  clear() {
    this.#samples = [];
  }
}
