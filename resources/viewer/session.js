// @ts-check
// The page's life, from the link to the picture and to its end; pure: events in, actions out, time as an argument.
//
// call.js reaches the owner, downloads.js knows what is here; `state` is the one value that the page draws.

import { Call } from "./call.js";
import { Downloads } from "./downloads.js";
import { decodeControl, encodeBye, encodeHello, encodePong, HEADER_BYTES, WINDOW, WireError } from "./transfer.js";

/** @typedef {import("./link.js").Link} Link */
/** @typedef {import("./link.js").LinkProblem} LinkProblem */
/** @typedef {import("./signalling.js").ServerMessage} ServerMessage */
/** @typedef {import("./signalling.js").ViewerMessage} ViewerMessage */
/** @typedef {import("./transfer.js").OwnerMessage} OwnerMessage */
/** @typedef {import("./transfer.js").FailReason} FailReason */
/** @typedef {import("./downloads.js").FileView} FileView */
/** @typedef {import("./downloads.js").Purpose} Purpose */
/** @typedef {import("./files.js").PictureKind} PictureKind */

/**
 * Why the owner is not here: all of these heal by themselves.
 * offline: was here, is out of reach. unknown: never seen by this server. full: too many viewers. lost: the connection
 * broke. unreachable: the owner answers, but no packet comes through. server: the signalling server does not answer.
 * @typedef {"offline" | "unknown" | "full" | "lost" | "unreachable" | "server"} Away
 */

/**
 * What the page draws.
 * @typedef {{phase: "connecting"}
 *   | {phase: "waiting", away: Away}
 *   | {phase: "preparing"}
 *   | {phase: "receiving", file: FileView, away: Away | null, several: boolean}
 *   | {phase: "picture", file: FileView, away: Away | null, several: boolean}
 *   | {phase: "files", files: FileView[], away: Away | null}
 *   | Final} State
 */

/**
 * States that nothing leads out of but opening the page again.
 * @typedef {{phase: "ended", reason: "revoked" | "expired" | "dismissed" | "refused" | "stopped" | FailReason}
 *   | {phase: "broken", reason: LinkProblem | "protocol"}
 *   | {phase: "unable", reason: "missing" | "blocked"}
 *   | {phase: "impostor"}} Final
 */

/** @typedef {"retry" | "patience" | "grace" | "steady" | "ack" | "stall"} Timer */

/**
 * @typedef {{type: "start"}
 *   | {type: "socket", open: boolean}
 *   | {type: "signal", message: ServerMessage}
 *   | {type: "offer", peer: number, sdp: string}
 *   | {type: "candidate", peer: number, candidate: string | null}
 *   | {type: "open" | "closed" | "impostor" | "unable", peer: number}
 *   | {type: "path", peer: number, state: "connected" | "disconnected"}
 *   | {type: "control", peer: number, text: string}
 *   | {type: "data", peer: number, data: ArrayBuffer}
 *   | {type: "timer", name: Timer}
 *   | {type: "want", file: number, purpose: Purpose}
 *   | {type: "cancel" | "undecodable", file: number}
 *   | {type: "shown" | "unshown" | "back" | "hurry" | "leave"}} SessionEvent
 */

/**
 * @typedef {{do: "connect" | "disconnect"}
 *   | {do: "signal", message: ViewerMessage}
 *   | {do: "offer" | "hangUp", peer: number}
 *   | {do: "accept", peer: number, sdp: string}
 *   | {do: "addCandidate", peer: number, candidate: string}
 *   | {do: "say", peer: number, text: string}
 *   | {do: "keep", file: number, bytes: Uint8Array<ArrayBuffer>}
 *   | {do: "finish", file: number, kind: PictureKind | null}
 *   | {do: "save" | "forget", file: number}
 *   | {do: "drop"}
 *   | {do: "timer", name: Timer, delay: number}
 *   | {do: "cancel", name: Timer}} Action
 */

const STALL_MS = 45_000;
const ACK_MS = 100;
/** Messages that may wait for the manifest: an honest owner's hold a KiB or more, and WINDOW bytes in all. */
const MAX_EARLY = 16 * 1024;

export class Session {
  #me;
  #call;
  #downloads = new Downloads();
  /** @type {Action[]} */
  #actions = [];
  #now = 0;
  /** @type {Final | null} */
  #final = null;
  /** Something draws the state: before that, no file is acknowledged to its end, as that may use a view up. */
  #isShown = false;
  #isAckTimed = false;
  #lastData = 0;
  /** @type {ArrayBuffer[] | null} data that has overtaken the manifest; null where that is there */
  #early = null;
  #earlyBytes = 0;

  /**
   * The first socket is being opened and the first offer, by peer 1, being made when this is called.
   * @param {Link} link
   * @param {{browser: string, system: string}} me what the owner's list says of this viewer
   * @param {() => number} random in [0, 1), for jitter
   */
  constructor(link, me, random) {
    this.#me = me;
    this.#call = new Call(link, random, (action) => this.#act(action), (final) => this.#end(final));
  }

  /** @returns {State} */
  get state() {
    if (this.#final !== null) return this.#final;
    const { away, isAdmitted } = this.#call;
    if (this.#downloads.known) return this.#drawDownloads(away);
    if (away !== null) return { phase: "waiting", away };
    return { phase: isAdmitted ? "preparing" : "connecting" };
  }

  /** @param {Away | null} away @returns {State} */
  #drawDownloads(away) {
    const { opened, count } = this.#downloads;
    if (opened === null) return { phase: "files", files: this.#downloads.views(this.#now), away };
    const file = this.#downloads.view(opened, this.#now);
    return { phase: file.status === "ready" ? "picture" : "receiving", file, away, several: count > 1 };
  }

  /**
   * @param {SessionEvent} event
   * @param {number} now milliseconds, monotonic
   * @returns {Action[]} to be carried out in order
   */
  handle(event, now) {
    this.#now = now;
    this.#actions = [];
    if (this.#final !== null || ("peer" in event && event.peer !== this.#call.peer)) return [];
    try {
      this.#dispatch(event);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#end({ phase: "broken", reason: "protocol" });
    }
    return this.#actions;
  }

  /** @param {SessionEvent} event */
  #dispatch(event) {
    const call = this.#call;
    switch (event.type) {
      case "start":
        return call.start();
      case "socket":
        return call.onSocket(event.open);
      case "signal":
        return call.onSignal(event.message);
      case "offer":
        return call.onOffer(event.sdp);
      case "candidate":
        return call.onCandidate(event.candidate);
      case "open":
        return this.#onOpen();
      case "path":
        return call.onPath(event.state);
      case "closed":
        return call.onClosed();
      case "impostor":
        return this.#end({ phase: "impostor" });
      case "unable":
        return this.#end({ phase: "unable", reason: "blocked" });
      case "control":
        return call.stands ? this.#onControl(decodeControl(event.text)) : undefined;
      case "data":
        return call.stands ? this.#onData(event.data) : undefined;
      case "timer":
        return this.#onTimer(event.name);
      case "want":
        return this.#onWant(event.file, event.purpose);
      case "cancel":
        return this.#onCancel(event.file);
      case "undecodable":
        return this.#downloads.isNoPicture(event.file);
      case "shown":
        return this.#onShown();
      case "unshown":
        return this.#onUnshown();
      case "back":
        return this.#downloads.close();
      case "hurry":
        return call.hurry();
      case "leave":
        return this.#onLeave();
    }
  }

  #onOpen() {
    if (!this.#call.onOpen()) return;
    const { browser, system } = this.#me;
    this.#early = [];
    this.#earlyBytes = 0;
    this.#downloads.pause();
    this.#say(encodeHello(browser, system));
  }

  /** @param {Timer} name */
  #onTimer(name) {
    if (name === "ack") this.#onAckTimer();
    else if (name === "stall") this.#onStallTimer();
    else this.#call.onTimer(name);
  }

  // What the owner says

  /** @param {OwnerMessage} message */
  #onControl(message) {
    switch (message.type) {
      case "waiting":
        return this.#call.onAdmitted();
      case "ping":
        return this.#say(encodePong());
      case "manifest":
        return this.#onManifest(message.files, message.begun === true);
      case "failed":
        if (this.#downloads.fail(message.file, message.reason)) this.#act({ do: "forget", file: message.file });
        return this.#next();
      case "ended":
        return this.#onEnded(message.reason);
    }
  }

  /**
   * The same manifest on a new connection: it goes on where it stopped. A file that has other bytes there begins anew.
   * @param {import("./transfer.js").Entry[]} files
   * @param {boolean} begun the owner sends the picture already, from its beginning
   */
  #onManifest(files, begun) {
    this.#call.onAdmitted();
    this.#isAckTimed = false;
    const others = this.#downloads.setManifest(files);
    if (others.length === files.length) this.#act({ do: "drop" });
    else for (const file of others) this.#act({ do: "forget", file });
    if (begun) this.#sayIfAny(this.#downloads.meet());
    const early = this.#early ?? [];
    this.#early = null;
    if (this.#downloads.busy) this.#onAsked();
    else this.#next();
    for (const data of early) this.#onData(data);
  }

  /** @param {import("./transfer.js").EndReason} reason */
  #onEnded(reason) {
    if (reason === "full") return this.#call.waitFor("full");
    if (reason !== "stalled") return this.#end({ phase: "ended", reason });
    // A page that asks for nothing does not hold a place: the next wish calls again.
    if (this.#downloads.busy) this.#call.retry("lost");
    else this.#call.rest();
  }

  /** @param {ArrayBuffer} data */
  #onData(data) {
    if (this.#early !== null) return this.#keepForManifest(this.#early, data);
    const piece = this.#downloads.take(data, this.#now);
    if (piece === null) return;
    this.#lastData = this.#now;
    this.#onPiece(piece);
  }

  /** @param {ArrayBuffer[]} early @param {ArrayBuffer} data */
  #keepForManifest(early, data) {
    this.#earlyBytes += Math.max(0, data.byteLength - HEADER_BYTES);
    if (this.#earlyBytes > WINDOW || early.length >= MAX_EARLY) throw new WireError("more data than may come before the manifest");
    early.push(data);
  }

  // What is asked of it

  /** Asks for the next file, if one is wanted and none is on its way. */
  #next() {
    if (!this.#call.isAdmitted || !this.#downloads.known || this.#early !== null) return;
    const text = this.#downloads.next();
    if (text === null) return;
    this.#say(text);
    this.#onAsked();
  }

  /** The owner has been asked for a file. */
  #onAsked() {
    this.#lastData = this.#now;
    const settled = this.#downloads.settled();
    if (settled !== null) return this.#onPiece(settled);
    this.#act({ do: "timer", name: "stall", delay: STALL_MS });
  }

  /** @param {import("./downloads.js").Piece} piece */
  #onPiece({ file, bytes, complete }) {
    if (bytes !== null && bytes.length > 0) this.#act({ do: "keep", file, bytes });
    if (complete && !this.#isShown) return;
    if (this.#downloads.isAckDue) this.#sayIfAny(this.#downloads.ack());
    else this.#ackSoon();
    if (complete) this.#onComplete(file);
  }

  #onShown() {
    this.#isShown = true;
    const settled = this.#downloads.settled();
    if (settled !== null) this.#onPiece(settled);
  }

  /** Nothing will ever draw the state: there is no use in going on, or in coming back. */
  #onUnshown() {
    this.#onLeave();
    this.#end({ phase: "unable", reason: "missing" });
  }

  #ackSoon() {
    if (this.#isAckTimed) return;
    this.#isAckTimed = true;
    this.#act({ do: "timer", name: "ack", delay: ACK_MS });
  }

  #onAckTimer() {
    this.#isAckTimed = false;
    const isHeld = !this.#isShown && this.#downloads.settled() !== null;
    if (this.#call.isAdmitted && !isHeld) this.#sayIfAny(this.#downloads.ack());
  }

  #onStallTimer() {
    if (!this.#call.isAdmitted || !this.#downloads.busy) return;
    const quiet = this.#now - this.#lastData;
    if (quiet >= STALL_MS) this.#call.retry("lost");
    else this.#act({ do: "timer", name: "stall", delay: STALL_MS - quiet });
  }

  /** @param {number} file */
  #onComplete(file) {
    const { purpose, kind, fresh } = this.#downloads.finish();
    if (fresh) this.#act({ do: "finish", file, kind });
    if (fresh && purpose === "save") this.#act({ do: "save", file });
    this.#next();
  }

  // What the person wants

  /** @param {number} file @param {Purpose} purpose */
  #onWant(file, purpose) {
    const isHere = this.#downloads.want(file, purpose);
    if (isHere && purpose === "save") this.#act({ do: "save", file });
    if (!isHere) this.#call.hurry();
    this.#next();
  }

  /** @param {number} file */
  #onCancel(file) {
    const text = this.#downloads.cancel(file);
    if (this.#call.isAdmitted) this.#sayIfAny(text);
    this.#act({ do: "forget", file });
    this.#next();
  }

  // The end

  /** A browser may drop the last word when the page goes; the end of the connection says the same. */
  #onLeave() {
    if (this.#call.stands) this.#say(encodeBye());
    this.#call.finish();
  }

  /** Whatever was received is gone from here on. @param {Final} final */
  #end(final) {
    this.#call.finish();
    this.#downloads.clear();
    this.#early = null;
    this.#act({ do: "cancel", name: "ack" });
    this.#act({ do: "cancel", name: "stall" });
    this.#act({ do: "drop" });
    this.#final = final;
  }

  /** @param {Action} action */
  #act(action) {
    this.#actions.push(action);
  }

  /** @param {string} text */
  #say(text) {
    this.#act({ do: "say", peer: this.#call.peer, text });
  }

  /** @param {string | null} text */
  #sayIfAny(text) {
    if (text !== null) this.#say(text);
  }
}
