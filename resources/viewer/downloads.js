// @ts-check
// The files of a share as the page has them: offered, on their way, here; pure. One comes at a time, in turn.

import { claimsPicture, displayName, MAX_FILE, MAX_PICTURE, SNIFF_BYTES, sniffKind } from "./files.js";
import { Meter, Transfer, WireError } from "./transfer.js";

/** @typedef {import("./files.js").PictureKind} PictureKind */
/** @typedef {import("./transfer.js").Entry} Entry */
/** @typedef {import("./transfer.js").FailReason} FailReason */
/** @typedef {"offered" | "queued" | "receiving" | "ready" | "failed" | "too-large"} FileStatus */
/** @typedef {"show" | "save" | "keep"} Purpose what happens once the file is here */

/**
 * One file, as the page draws it.
 * @typedef {object} FileView
 * @property {number} index
 * @property {string} name            fit to be shown, as text
 * @property {number} size            bytes
 * @property {boolean} claimed        the owner says that it is a picture
 * @property {FileStatus} status
 * @property {number} held            bytes that are here
 * @property {number} rate            bytes per second; 0 while unknown
 * @property {PictureKind | null} kind   by its bytes, once it is ready
 * @property {FailReason | null} reason  why it cannot be had
 */

/**
 * @typedef {object} Item
 * @property {FileStatus} status
 * @property {Purpose} purpose
 * @property {PictureKind | null} kind
 * @property {FailReason | null} reason
 * @property {number[]} head  the first bytes, for their magic
 */

/** Bytes to keep, and whether they were the last of their file. */
/** @typedef {{file: number, bytes: Uint8Array<ArrayBuffer> | null, complete: boolean}} Piece */

export class Downloads {
  /** The picture that is shown, or will be once it is here; null for the list. @type {number | null} */
  opened = null;
  #transfer = new Transfer();
  #meter = new Meter();
  /** @type {Item[]} */
  #items = [];
  /** @type {number[]} */
  #queue = [];

  /** Whether the manifest is there. */
  get known() {
    return this.#items.length > 0;
  }

  /** Whether bytes are outstanding. */
  get busy() {
    return this.#transfer.file !== null;
  }

  /** How many files there are. */
  get count() {
    return this.#items.length;
  }

  /** A new connection: until its manifest is here, nothing has been asked for on it. */
  pause() {
    this.#transfer.pause();
  }

  /**
   * @param {Entry[]} entries
   * @returns {number[]} the files of which what was held before is void
   */
  setManifest(entries) {
    const { opened } = this;
    const items = this.#items;
    const names = this.#transfer.entries.map(({ name }) => name);
    this.#transfer.pause();
    const others = this.#transfer.setManifest(entries);
    this.#items = entries.map(({ size }, index) => (others.includes(index) ? newItem(size) : items[index]));
    this.#resume();
    if (opened !== null && (others.includes(opened) || opened >= entries.length)) this.opened = null;
    if (others.length > 0 && isLonePicture(entries)) this.want(0, "show");
    if (entries.length !== items.length) return others;
    for (const index of others) {
      if (entries[index].name === names[index]) this.#wantAgain(index, items[index], opened === index);
    }
    return others;
  }

  /**
   * A file has other bytes than before: what the person wanted of the old ones is wanted of these.
   * @param {number} index
   * @param {Item} before
   * @param {boolean} wasOpened
   */
  #wantAgain(index, before, wasOpened) {
    if (wasOpened) this.want(index, "show");
    else if (before.status === "queued" || before.status === "receiving") this.want(index, before.purpose);
  }

  /**
   * The owner has begun with the lone picture by itself.
   * @returns {string | null} the control message that stops it, where it is not wanted
   */
  meet() {
    const text = this.#transfer.meet(this.#queue[0] === 0);
    if (this.busy) this.#take();
    return text;
  }

  /** The first of the queue is on its way. @returns {number} */
  #take() {
    const index = /** @type {number} */ (this.#queue.shift());
    const item = this.#items[index];
    if (item.status !== "ready") item.status = "receiving";
    this.#meter.clear();
    return index;
  }

  /** On a new connection the owner is told of all that is here, and asked for the rest. */
  #resume() {
    const held = this.#items.flatMap((item, index) => (item.status === "ready" ? [index] : []));
    const halfway = this.#items.flatMap((item, index) => (item.status === "receiving" ? [index] : []));
    this.#queue = [...held, ...halfway, ...this.#queue.filter((index) => this.#items[index]?.status === "queued")];
  }

  /**
   * The person wants a file.
   * @param {number} index
   * @param {Purpose} purpose
   * @returns {boolean} true where it is here already
   */
  want(index, purpose) {
    const item = this.#items[index];
    if (item === undefined || item.status === "too-large" || item.status === "failed") return false;
    item.purpose = purpose;
    if (purpose === "show") this.opened = index;
    if (item.status === "ready") return true;
    if (item.status === "offered") {
      item.status = "queued";
      this.#queue.push(index);
    }
    return false;
  }

  /**
   * The person does not want it any more: its bytes are forgotten.
   * @param {number} index
   * @returns {string | null} the control message that stops it
   */
  cancel(index) {
    const item = this.#items[index];
    if (item === undefined || (item.status !== "queued" && item.status !== "receiving")) return null;
    const text = this.#transfer.file === index ? this.#transfer.stop() : null;
    this.#forget(index, "offered");
    return text;
  }

  /** @returns {string | null} the control message that asks for the next file; null when there is none, or one is on its way */
  next() {
    return this.busy || this.#queue.length === 0 ? null : this.#transfer.get(this.#take());
  }

  /**
   * The file that was asked for last, where nothing more of it is to come: it is empty, or was here already.
   * @returns {Piece | null}
   */
  settled() {
    const file = this.#transfer.file;
    return file !== null && this.#transfer.isComplete(file) ? { file, bytes: null, complete: true } : null;
  }

  /**
   * @param {ArrayBuffer} buffer a message of the data channel
   * @param {number} now milliseconds
   * @returns {Piece | null} null for what was not asked for any more
   */
  take(buffer, now) {
    const taken = this.#transfer.take(buffer);
    if (taken === null) return null;
    const { head } = this.#items[taken.file];
    if (head.length < SNIFF_BYTES) head.push(...taken.bytes.subarray(0, SNIFF_BYTES - head.length));
    this.#meter.add(taken.bytes.length, now);
    return taken;
  }

  get isAckDue() {
    return this.#transfer.isAckDue;
  }

  /** @returns {string | null} */
  ack() {
    return this.#transfer.ack();
  }

  /**
   * Every byte of the present file is here.
   * @returns {{purpose: Purpose, kind: PictureKind | null, fresh: boolean}} fresh: it was not here before
   */
  finish() {
    const index = /** @type {number} */ (this.#transfer.file);
    this.#transfer.finish();
    const item = this.#items[index];
    const fresh = item.status !== "ready";
    item.status = "ready";
    if (fresh) item.kind = sniffKind(Uint8Array.from(item.head));
    if (item.kind === null && this.opened === index) this.opened = null;
    return { purpose: item.purpose, kind: item.kind, fresh };
  }

  /**
   * The owner cannot serve a file (any more).
   * @param {number} index
   * @param {FailReason} reason
   * @returns {boolean} false where it was here already, and stays
   */
  fail(index, reason) {
    const item = this.#items[index];
    if (item === undefined) throw new WireError("not a valid failed: there is no such file");
    if (this.#transfer.file === index) this.#transfer.stop();
    if (item.status === "ready") return false;
    this.#forget(index, "failed");
    item.reason = reason;
    return true;
  }

  /** Back to the list, where there is one. */
  close() {
    if (this.count > 1) this.opened = null;
  }

  /** The browser cannot draw it: it is a file like any other. @param {number} index */
  isNoPicture(index) {
    if (this.#items[index] !== undefined) this.#items[index].kind = null;
    if (this.opened === index) this.opened = null;
  }

  /** @param {number} index @param {number} now @returns {FileView} */
  view(index, now) {
    const { name, size, media_type } = this.#transfer.entries[index];
    const { status, kind, reason } = this.#items[index];
    const rate = this.#transfer.file === index ? this.#meter.rate(now) : 0;
    const claimed = claimsPicture(media_type);
    return { index, name: displayName(name), size, claimed, status, held: this.#transfer.held[index], rate, kind, reason };
  }

  /** @param {number} now @returns {FileView[]} */
  views(now) {
    return this.#items.map((_, index) => this.view(index, now));
  }

  /** Everything is void. */
  clear() {
    this.#transfer.reset();
    this.#items = [];
    this.#queue = [];
    this.opened = null;
  }

  /** @param {number} index @param {FileStatus} status */
  #forget(index, status) {
    this.#queue = this.#queue.filter((queued) => queued !== index);
    this.#transfer.held[index] = 0;
    this.#items[index].head = [];
    this.#items[index].status = status;
    if (this.opened === index) this.opened = null;
  }
}

/** @param {Entry[]} entries */
function isLonePicture(entries) {
  return entries.length === 1 && claimsPicture(entries[0].media_type) && entries[0].size <= MAX_PICTURE;
}

/** @param {number} size @returns {Item} */
function newItem(size) {
  return { status: size > MAX_FILE ? "too-large" : "offered", purpose: "keep", kind: null, reason: null, head: [] };
}
