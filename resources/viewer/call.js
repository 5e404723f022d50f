// @ts-check
// Reaching the owner, and reaching it again: from the offer to the open channel; pure, driven by session.js.
//
//   idle -> offering -> offered -> asked -> answered -> open -> admitted
//
// The first socket and the first offer are under way when the page starts. Whatever goes wrong ends in `idle`, with a
// timer to try again; a call that stands needs no server, so a lost socket is only opened anew with the next call.

import { isPinned } from "./link.js";

/** @typedef {import("./link.js").Link} Link */
/** @typedef {import("./signalling.js").ServerMessage} ServerMessage */
/** @typedef {import("./session.js").Action} Action */
/** @typedef {import("./session.js").Final} Final */
/** @typedef {import("./session.js").Away} Away */
/** @typedef {import("./session.js").Timer} Timer */
/** @typedef {"idle" | "offering" | "offered" | "asked" | "answered" | "open" | "admitted"} Stage */

const SERVER_PATIENCE_MS = 10_000;
const OPEN_PATIENCE_MS = 20_000;
const ADMISSION_PATIENCE_MS = 15_000;
const DISCONNECTED_GRACE_MS = 4_000;
/** For the connection to open to an owner that has ended the share: it says why. */
const LAST_WORD_MS = 3_000;
/** A call that held for so long starts the back-off anew. */
const STEADY_MS = 10_000;
const FULL_RETRY_MS = 5_000;
/** The server says when the owner is back; this is for the case that it forgot. */
const AWAY_RETRY_MS = 60_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
const MAX_CANDIDATES = 64;
const MAX_CANDIDATE_CHARS = 512;

export class Call {
  /** The present call's number; events of former ones are not heard. */
  peer = 1;
  /** Why the owner is not here; null while connecting and while it is. @type {Away | null} */
  away = null;
  /** @type {Stage} */
  #stage = "offering";
  #link;
  #random;
  #act;
  #end;
  /** @type {"opening" | "open" | "closed"} */
  #socket = "opening";
  #offer = "";
  /** @type {(string | null)[]} ours, not signalled yet */
  #local = [];
  #gathered = 0;
  /** @type {string[]} the owner's */
  #remote = [];
  #attempts = 0;
  #isDisconnected = false;
  /** The server has lost the owner, which may mean nothing: the call stands. */
  #isDoubted = false;
  /** The server says that the share is over: so it is as soon as the call is. */
  #isStopped = false;

  /**
   * @param {Link} link
   * @param {() => number} random in [0, 1), for jitter
   * @param {(action: Action) => void} act
   * @param {(final: Final) => void} end
   */
  constructor(link, random, act, end) {
    this.#link = link;
    this.#random = random;
    this.#act = act;
    this.#end = end;
  }

  get isIdle() {
    return this.#stage === "idle";
  }

  get isAdmitted() {
    return this.#stage === "admitted";
  }

  /** The pinned owner is at the other end. */
  get stands() {
    return this.#stage === "open" || this.#stage === "admitted";
  }

  start() {
    this.#wait("patience", SERVER_PATIENCE_MS);
  }

  // Signalling

  /** @param {boolean} isOpen */
  onSocket(isOpen) {
    this.#socket = isOpen ? "open" : "closed";
    if (isOpen) this.#ask();
    else if (!this.stands) this.#onServerLost();
  }

  /** A lost socket may be a restart, which is no news while the owner is away anyway. */
  #onServerLost() {
    const { away } = this;
    if (this.isIdle && away === null) return; // nothing is waited for: the next call opens a new one
    this.retry(away === null || (!this.isIdle && this.#attempts > 1) ? "server" : away);
  }

  /** @param {string} sdp */
  onOffer(sdp) {
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

  /** @param {string | null} candidate ours */
  onCandidate(candidate) {
    if (candidate !== null && (candidate.length > MAX_CANDIDATE_CHARS || this.#gathered >= MAX_CANDIDATES)) return;
    if (candidate !== null) this.#gathered += 1;
    if (this.#stage === "offering" || this.#stage === "offered") this.#local.push(candidate);
    else this.#act({ do: "signal", message: { type: "candidate", candidate } });
  }

  /** @param {ServerMessage} message */
  onSignal(message) {
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
        return this.#onOnline();
      case "revoked":
      case "expired":
        return this.#end({ phase: "ended", reason: message.type });
      case "refused":
        return this.stands ? undefined : this.#end({ phase: "ended", reason: "refused" });
      case "stopped":
        return this.#onStopped();
      case "error":
        return this.#stage === "asked" ? this.retry(this.away ?? "server") : undefined;
      case "draining":
        return undefined; // the close that follows is what counts
    }
  }

  /** Only the first answer to an offer counts, and only the owner's. @param {string} sdp */
  #onAnswer(sdp) {
    if (!isPinned(sdp, this.#link.pin)) return this.#end({ phase: "impostor" });
    this.#stage = "answered";
    this.#act({ do: "accept", peer: this.peer, sdp });
    for (const candidate of this.#remote) this.#act({ do: "addCandidate", peer: this.peer, candidate });
    this.#wait("patience", OPEN_PATIENCE_MS);
  }

  /** @param {string | null} candidate the owner's; those before the answer wait for it */
  #onRemoteCandidate(candidate) {
    const isEarly = this.#stage === "asked";
    if (candidate === null || this.#remote.length >= MAX_CANDIDATES) return;
    if (!isEarly && this.#stage !== "answered" && !this.stands) return;
    this.#remote.push(candidate);
    if (!isEarly) this.#act({ do: "addCandidate", peer: this.peer, candidate });
  }

  /** While packets come from the owner, the server's word about it does not count. @param {Away} why */
  #onAway(why) {
    if (this.isIdle) return;
    if (this.stands && !this.#isDisconnected) this.#isDoubted = why === "offline";
    else this.waitFor(why);
  }

  /** The owner says why, if it is there or just about to be; once the call is over, this counts. */
  #onStopped() {
    this.#isStopped = true;
    if (this.#stage === "answered") this.#wait("patience", LAST_WORD_MS);
    else if (!this.stands || this.#isDisconnected) this.#endIfStopped();
  }

  /** @returns {boolean} whether that was the end of the page */
  #endIfStopped() {
    if (this.#isStopped) this.#end({ phase: "ended", reason: "stopped" });
    return this.#isStopped;
  }

  #onOnline() {
    this.#isDoubted = false;
    this.#isStopped = false;
    if (this.isIdle) this.begin();
  }

  // The connection

  /** @returns {boolean} whether this is the moment for hello: the browser has verified the pinned certificate */
  onOpen() {
    if (this.#stage !== "answered") return false;
    this.#stage = "open";
    this.#wait("patience", ADMISSION_PATIENCE_MS);
    return true;
  }

  onAdmitted() {
    this.#stage = "admitted";
    this.away = null;
    this.#cancel("patience");
    this.#wait("steady", STEADY_MS);
  }

  /** @param {"connected" | "disconnected"} state */
  onPath(state) {
    this.#isDisconnected = state === "disconnected";
    if (!this.stands) return;
    if (!this.#isDisconnected) this.#cancel("grace");
    else if (this.#isStopped) this.#endIfStopped();
    else if (this.#isDoubted) this.waitFor("offline");
    else this.#wait("grace", DISCONNECTED_GRACE_MS);
  }

  onClosed() {
    if (!this.isIdle) this.retry(this.stands ? "lost" : "unreachable");
  }

  /** @param {Timer} name */
  onTimer(name) {
    if (name === "retry") this.#dial();
    else if (name === "patience") this.#onImpatience();
    else if (name === "grace") this.retry("lost");
    else if (name === "steady") this.#attempts = 0;
  }

  #onImpatience() {
    if (this.#endIfStopped()) return undefined;
    if (this.#stage === "answered" && this.#gathered === 0) return this.#end({ phase: "unable", reason: "blocked" });
    if (this.#stage === "answered") return this.retry("unreachable");
    if (this.#stage === "open") return this.retry("lost");
    this.#act({ do: "disconnect" });
    this.#socket = "closed";
    this.retry("server");
  }

  // One call after the other

  /** At once, and as if it were the first time. */
  begin() {
    this.away = null;
    this.#dial();
  }

  /** The page came back to the foreground, or the network to the computer: what waits need not wait on. */
  hurry() {
    if (this.isIdle) this.#dial();
  }

  #dial() {
    this.#hangUp();
    this.#cancel("retry");
    this.peer += 1;
    this.#stage = "offering";
    this.#local = [];
    this.#remote = [];
    this.#gathered = 0;
    if (this.#socket === "closed") {
      this.#socket = "opening";
      this.#act({ do: "connect" });
    }
    this.#act({ do: "offer", peer: this.peer });
    this.#wait("patience", SERVER_PATIENCE_MS);
  }

  /** Ends the call; nothing follows by itself. */
  rest() {
    if (!this.#endIfStopped()) this.#hangUp();
  }

  #hangUp() {
    if (this.isIdle) return;
    this.#stage = "idle";
    this.#isDisconnected = false;
    this.#isDoubted = false;
    for (const name of /** @type {const} */ (["patience", "grace", "steady"])) this.#cancel(name);
    this.#act({ do: "hangUp", peer: this.peer });
  }

  /** Tries again after a while that doubles from time to time. @param {Away} why */
  retry(why) {
    if (this.#endIfStopped()) return;
    this.#hangUp();
    this.away = why;
    const backoff = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    this.#wait("retry", this.#jittered(backoff));
  }

  /** The server will say when to ask again; should it not, we do. @param {Away} why */
  waitFor(why) {
    if (this.#endIfStopped()) return;
    this.#hangUp();
    this.away = why;
    this.#wait("retry", this.#jittered(why === "full" ? FULL_RETRY_MS : AWAY_RETRY_MS));
  }

  /** The page ends, or has nothing more to expect. */
  finish() {
    this.#hangUp();
    this.#cancel("retry");
    this.#act({ do: "disconnect" });
  }

  /** Half to one and a half of it, so that many pages do not come at once. @param {number} delay */
  #jittered(delay) {
    return Math.round(delay * (0.5 + this.#random()));
  }

  /** @param {Timer} name @param {number} delay milliseconds */
  #wait(name, delay) {
    this.#act({ do: "timer", name, delay });
  }

  /** @param {Timer} name */
  #cancel(name) {
    this.#act({ do: "cancel", name });
  }
}
