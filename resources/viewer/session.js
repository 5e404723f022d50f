// @ts-check
// The page's life, from the link to the picture and to its end; pure: events in, actions out, time as an argument.
//
//   offering -> asked -> answered -> open -> admitted        one call to the owner; a broken one is followed by the next
//   `state` is the one value that the page draws.

import { Downloads } from "./downloads.js";
import { isPinned } from "./link.js";
import { decodeControl, encodeBye, encodeHello, encodePong, WireError } from "./transfer.js";

/** @typedef {import("./link.js").Link} Link */
/** @typedef {import("./link.js").LinkProblem} LinkProblem */
/** @typedef {import("./signalling.js").ServerMessage} ServerMessage */
/** @typedef {import("./signalling.js").ViewerMessage} ViewerMessage */
/** @typedef {import("./transfer.js").OwnerMessage} OwnerMessage */
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
 * @typedef {{phase: "ended", reason: "revoked" | "expired" | "dismissed" | "refused"}
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
 *   | {type: "back" | "hurry" | "leave"}} SessionEvent
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

/** @typedef {"idle" | "offering" | "offered" | "asked" | "answered" | "open" | "admitted"} Stage */

const SERVER_PATIENCE_MS = 10_000;
const OPEN_PATIENCE_MS = 20_000;
const ADMISSION_PATIENCE_MS = 15_000;
const DISCONNECTED_GRACE_MS = 4_000;
const STEADY_MS = 10_000;
const STALL_MS = 45_000;
const ACK_MS = 100;
const FULL_RETRY_MS = 5_000;
const AWAY_RETRY_MS = 30_000;
const MAX_RETRY_MS = 15_000;
const MAX_CANDIDATES = 64;
const MAX_CANDIDATE_CHARS = 512;

export class Session {
  #link;
  #me;
  #random;
  #downloads = new Downloads();
  /** @type {Action[]} */
  #actions = [];
  #now = 0;
  /** @type {Final | null} */
  #final = null;
  /** @type {Away | null} */
  #away = null;
  /** @type {"opening" | "open" | "closed"} */
  #socket = "opening";
  /** The present call's number; events of former ones are not heard. */
  #peer = 1;
  /** @type {Stage} */
  #stage = "offering";
  #offer = "";
  /** @type {(string | null)[]} ours, not signalled yet */
  #local = [];
  #gathered = 0;
  /** @type {string[]} the owner's, before its answer */
  #remote = [];
  #attempts = 0;
  #isDisconnected = false;
  #isAckTimed = false;
  #lastData = 0;

  /**
   * The first socket is being opened and the first offer, by peer 1, being made when this is called.
   * @param {Link} link
   * @param {{browser: string, system: string}} me what the owner's list says of this viewer
   * @param {() => number} random in [0, 1), for jitter
   */
  constructor(link, me, random) {
    this.#link = link;
    this.#me = me;
    this.#random = random;
  }

  /** @returns {State} */
  get state() {
    if (this.#final !== null) return this.#final;
    const downloads = this.#downloads;
    const away = this.#away;
    if (downloads.known) {
      const several = downloads.count > 1;
      if (downloads.opened === null) return { phase: "files", files: downloads.views(this.#now), away };
      const file = downloads.view(downloads.opened, this.#now);
      return { phase: file.status === "ready" ? "picture" : "receiving", file, away, several };
    }
    if (away !== null) return { phase: "waiting", away };
    return { phase: this.#stage === "admitted" ? "preparing" : "connecting" };
  }

  /**
   * @param {SessionEvent} event
   * @param {number} now milliseconds, monotonic
   * @returns {Action[]} to be carried out in order
   */
  handle(event, now) {
    this.#now = now;
    this.#actions = [];
    if (this.#final !== null || ("peer" in event && event.peer !== this.#peer)) return [];
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
    switch (event.type) {
      case "start":
        return this.#wait("patience", SERVER_PATIENCE_MS);
      case "socket":
        return event.open ? this.#onSocketOpen() : this.#onSocketClosed();
      case "signal":
        return this.#onSignal(event.message);
      case "offer":
        return this.#onOffer(event.sdp);
      case "candidate":
        return this.#onCandidate(event.candidate);
      case "open":
        return this.#onOpen();
      case "path":
        return this.#onPath(event.state);
      case "closed":
        return this.#stage === "idle" ? undefined : this.#onClosed();
      case "impostor":
        return this.#end({ phase: "impostor" });
      case "unable":
        return this.#end({ phase: "unable", reason: "blocked" });
      case "control":
        return this.#onControl(decodeControl(event.text));
      case "data":
        return this.#onData(event.data);
      case "timer":
        return this.#onTimer(event.name);
      case "want":
        return this.#onWant(event.file, event.purpose);
      case "cancel":
        return this.#onCancel(event.file);
      case "undecodable":
        return this.#downloads.isNoPicture(event.file);
      case "back":
        return this.#onBack();
      case "hurry":
        return this.#stage === "idle" ? this.#call() : undefined;
      case "leave":
        return this.#onLeave();
    }
  }

  // Signalling

  #onSocketOpen() {
    this.#socket = "open";
    this.#ask();
  }

  /** A call that stands needs no server; one that does not is made anew. */
  #onSocketClosed() {
    this.#socket = "closed";
    if (this.#stage === "open" || this.#stage === "admitted") return;
    const isNews = this.#away === null || this.#attempts > 1;
    this.#retry(isNews && !this.#downloads.known ? "server" : (this.#away ?? "server"));
  }

  /** @param {string} sdp */
  #onOffer(sdp) {
    if (this.#stage !== "offering") return;
    this.#stage = "offered";
    this.#offer = sdp;
    this.#ask();
  }

  /** Sends the offer as soon as there is one and the socket is open; candidates follow as they come. */
  #ask() {
    if (this.#stage !== "offered" || this.#socket !== "open") return;
    this.#stage = "asked";
    this.#act({ do: "signal", message: { type: "view", id: this.#link.id, offer: this.#offer } });
    for (const candidate of this.#local) this.#act({ do: "signal", message: { type: "candidate", candidate } });
    this.#local = [];
    this.#wait("patience", SERVER_PATIENCE_MS);
  }

  /** @param {string | null} candidate */
  #onCandidate(candidate) {
    if (candidate !== null && (candidate.length > MAX_CANDIDATE_CHARS || this.#gathered >= MAX_CANDIDATES)) return;
    if (candidate !== null) this.#gathered += 1;
    if (this.#stage === "offering" || this.#stage === "offered") this.#local.push(candidate);
    else this.#act({ do: "signal", message: { type: "candidate", candidate } });
  }

  /** @param {ServerMessage} message */
  #onSignal(message) {
    switch (message.type) {
      case "answer":
        return this.#stage === "asked" ? this.#onAnswer(message.sdp) : undefined;
      case "candidate":
        return this.#onRemoteCandidate(message.candidate);
      case "offline":
      case "unknown":
      case "full":
        return this.#onAway(message.type);
      case "online":
        return this.#stage === "idle" ? this.#callAfresh() : undefined;
      case "revoked":
      case "expired":
        return this.#end({ phase: "ended", reason: message.type });
      case "error":
        return this.#stage === "asked" ? this.#retry(this.#away ?? "server") : undefined;
      case "draining":
        return undefined; // its close follows, and is what counts
    }
  }

  /** Only the first answer to an offer counts, and only the owner's. @param {string} sdp */
  #onAnswer(sdp) {
    if (!isPinned(sdp, this.#link.pin)) return this.#end({ phase: "impostor" });
    this.#stage = "answered";
    this.#act({ do: "accept", peer: this.#peer, sdp });
    for (const candidate of this.#remote) this.#act({ do: "addCandidate", peer: this.#peer, candidate });
    this.#wait("patience", OPEN_PATIENCE_MS);
  }

  /** @param {string | null} candidate */
  #onRemoteCandidate(candidate) {
    const isEarly = this.#stage === "asked";
    const isLate = this.#stage === "idle" || this.#stage === "offering" || this.#stage === "offered";
    if (candidate === null || isLate || this.#remote.length >= MAX_CANDIDATES) return;
    this.#remote.push(candidate);
    if (!isEarly) this.#act({ do: "addCandidate", peer: this.#peer, candidate });
  }

  /** While the owner is at the other end, the server's word about it does not count. @param {"offline" | "unknown" | "full"} why */
  #onAway(why) {
    const stands = this.#stage === "open" || this.#stage === "admitted";
    if (this.#stage === "idle" || (stands && !this.#isDisconnected)) return;
    this.#hangUp();
    this.#away = why;
    this.#retryAfter(this.#jittered(why === "full" ? FULL_RETRY_MS : AWAY_RETRY_MS));
  }

  // The call

  #callAfresh() {
    if (!this.#downloads.known) this.#away = null;
    this.#call();
  }

  #call() {
    this.#hangUp();
    this.#cancel("retry");
    this.#peer += 1;
    this.#stage = "offering";
    this.#local = [];
    this.#remote = [];
    this.#gathered = 0;
    if (this.#socket === "closed") {
      this.#socket = "opening";
      this.#act({ do: "connect" });
    }
    this.#act({ do: "offer", peer: this.#peer });
    this.#wait("patience", SERVER_PATIENCE_MS);
  }

  #hangUp() {
    if (this.#stage === "idle") return;
    this.#stage = "idle";
    this.#isDisconnected = false;
    this.#isAckTimed = false;
    for (const name of /** @type {Timer[]} */ (["patience", "grace", "steady", "ack", "stall"])) this.#cancel(name);
    this.#act({ do: "hangUp", peer: this.#peer });
  }

  /** @param {Away} why */
  #retry(why) {
    this.#hangUp();
    this.#away = why;
    const backoff = Math.min(MAX_RETRY_MS, 500 * 2 ** this.#attempts);
    this.#attempts += 1;
    this.#retryAfter(this.#jittered(backoff));
  }

  /** @param {number} delay */
  #retryAfter(delay) {
    this.#wait("retry", delay);
  }

  /** @param {number} delay @returns {number} half to one and a half of it, so that many pages do not come at once */
  #jittered(delay) {
    return Math.round(delay * (0.5 + this.#random()));
  }

  /** The one place where the secret is said: the browser has verified the pinned certificate by now. */
  #onOpen() {
    if (this.#stage !== "answered") return;
    this.#stage = "open";
    this.#say(encodeHello(this.#link.secret, this.#me.browser, this.#me.system));
    this.#wait("patience", ADMISSION_PATIENCE_MS);
  }

  /** @param {"connected" | "disconnected"} state */
  #onPath(state) {
    this.#isDisconnected = state === "disconnected";
    if (this.#stage !== "open" && this.#stage !== "admitted") return;
    if (this.#isDisconnected) this.#wait("grace", DISCONNECTED_GRACE_MS);
    else this.#cancel("grace");
  }

  #onClosed() {
    const stood = this.#stage === "open" || this.#stage === "admitted";
    this.#retry(stood ? "lost" : "unreachable");
  }

  /** @param {Timer} name */
  #onTimer(name) {
    switch (name) {
      case "retry":
        return this.#call();
      case "patience":
        return this.#onImpatience();
      case "grace":
        return this.#retry("lost");
      case "steady":
        this.#attempts = 0;
        return undefined;
      case "ack":
        this.#isAckTimed = false;
        return this.#sayIfAny(this.#downloads.ack());
      case "stall":
        return this.#onStallTimer();
    }
  }

  #onImpatience() {
    if (this.#stage === "answered" && this.#gathered === 0) return this.#end({ phase: "unable", reason: "blocked" });
    if (this.#stage === "answered") return this.#retry("unreachable");
    if (this.#stage === "open") return this.#retry("lost");
    this.#act({ do: "disconnect" });
    this.#socket = "closed";
    this.#retry("server");
  }

  #onStallTimer() {
    if (!this.#downloads.busy) return;
    const quiet = this.#now - this.#lastData;
    if (quiet >= STALL_MS) this.#retry("lost");
    else this.#wait("stall", STALL_MS - quiet);
  }

  // The transfer

  /** @param {OwnerMessage} message */
  #onControl(message) {
    if (this.#stage !== "open" && this.#stage !== "admitted") return;
    switch (message.type) {
      case "waiting":
        return this.#onAdmitted();
      case "ping":
        return this.#say(encodePong());
      case "manifest":
        this.#onAdmitted();
        if (this.#downloads.setManifest(message.files)) this.#act({ do: "drop" });
        return this.#next();
      case "failed":
        if (this.#downloads.fail(message.file, message.reason)) this.#act({ do: "forget", file: message.file });
        return this.#next();
      case "ended":
        return this.#onEnded(message.reason);
    }
  }

  #onAdmitted() {
    this.#stage = "admitted";
    this.#away = null;
    this.#cancel("patience");
    this.#wait("steady", STEADY_MS);
  }

  /** @param {import("./transfer.js").EndReason} reason */
  #onEnded(reason) {
    if (reason === "stalled") return this.#downloads.busy ? this.#retry("lost") : this.#hangUp();
    if (reason === "full") {
      this.#hangUp();
      this.#away = "full";
      return this.#retryAfter(this.#jittered(FULL_RETRY_MS));
    }
    return this.#end({ phase: "ended", reason });
  }

  /** Asks for the next file, if one is wanted and none is on its way. */
  #next() {
    if (this.#stage !== "admitted" || !this.#downloads.known) return;
    const text = this.#downloads.next();
    if (text === null) return;
    this.#say(text);
    this.#lastData = this.#now;
    const settled = this.#downloads.settled();
    if (settled !== null) return this.#onPiece(settled);
    this.#wait("stall", STALL_MS);
  }

  /** @param {ArrayBuffer} data */
  #onData(data) {
    if (this.#stage !== "admitted") return;
    const piece = this.#downloads.take(data, this.#now);
    if (piece === null) return;
    this.#lastData = this.#now;
    this.#onPiece(piece);
  }

  /** @param {import("./downloads.js").Piece} piece */
  #onPiece({ file, bytes, complete }) {
    if (bytes !== null) this.#act({ do: "keep", file, bytes });
    if (this.#downloads.isAckDue) this.#sayIfAny(this.#downloads.ack());
    else this.#ackSoon();
    if (complete) this.#onComplete(file);
  }

  #ackSoon() {
    if (this.#isAckTimed) return;
    this.#isAckTimed = true;
    this.#wait("ack", ACK_MS);
  }

  /** @param {number} file */
  #onComplete(file) {
    const { purpose, kind, fresh } = this.#downloads.finish();
    if (fresh) {
      this.#act({ do: "finish", file, kind });
      if (purpose === "save") this.#act({ do: "save", file });
    }
    this.#next();
  }

  /** @param {number} file @param {Purpose} purpose */
  #onWant(file, purpose) {
    const isHere = this.#downloads.want(file, purpose);
    if (isHere && purpose === "save") this.#act({ do: "save", file });
    if (!isHere && this.#stage === "idle") this.#call();
    this.#next();
  }

  /** @param {number} file */
  #onCancel(file) {
    const text = this.#downloads.cancel(file);
    if (text !== null) this.#sayIfAny(text);
    this.#act({ do: "forget", file });
    this.#next();
  }

  #onBack() {
    if (this.#downloads.count > 1) this.#downloads.opened = null;
  }

  // The end

  #onLeave() {
    if (this.#stage === "open" || this.#stage === "admitted") this.#say(encodeBye());
    this.#hangUp();
    this.#cancel("retry");
    this.#act({ do: "disconnect" });
  }

  /** Whatever was received is gone from here on. @param {Final} final */
  #end(final) {
    this.#hangUp();
    this.#cancel("retry");
    this.#act({ do: "disconnect" });
    this.#downloads.clear();
    this.#act({ do: "drop" });
    this.#final = final;
  }

  /** @param {Action} action */
  #act(action) {
    this.#actions.push(action);
  }

  /** @param {Timer} name @param {number} delay milliseconds */
  #wait(name, delay) {
    this.#act({ do: "timer", name, delay });
  }

  /** @param {Timer} name */
  #cancel(name) {
    this.#act({ do: "cancel", name });
  }

  /** @param {string} text */
  #say(text) {
    this.#act({ do: "say", peer: this.#peer, text });
  }

  /** @param {string | null} text */
  #sayIfAny(text) {
    if (text !== null) this.#say(text);
  }
}
