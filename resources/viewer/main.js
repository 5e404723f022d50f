// @ts-check
// Opens the page: reads the link, goes on with what begin.js has begun, and wires it all together.
//
// What costs round trips comes first: the code that shows things is loaded while the connection is made.

import { describeBrowser } from "./files.js";
import { parseLink } from "./link.js";
import { canConnect, Peer } from "./peer.js";
import { Session } from "./session.js";
import { ifFresh, Signalling } from "./signalling.js";
import { saySorry } from "./sorry.js";
import { Store } from "./store.js";

/** @typedef {import("./page.js").Page} Page */
/** @typedef {import("./session.js").SessionEvent} SessionEvent */
/** @typedef {import("./session.js").Action} Action */
/** @typedef {import("./session.js").State} State */
/** @typedef {import("./session.js").Timer} Timer */
/** @typedef {import("./link.js").Link} Link */

/** Null where nothing could be begun. */
const begun = globalThis.begun ?? null;
/** The STUN servers that begin.js has read. */
const SERVERS = begun?.servers ?? [];

/** Reads the link and shows what is behind it. */
async function open() {
  const link = parseLink(location.hash);
  if (typeof link === "string") return showOnly({ phase: "broken", reason: link });
  if (!canConnect()) return showOnly({ phase: "unable", reason: "missing" });
  const shells = new Shells();
  const session = new Session(link, describeBrowser(navigator.userAgent), Math.random);
  const viewer = new Viewer(link, session, shells, new Store());
  viewer.handle({ type: "start" });
  shells.goOn();
  const code = await loadPage();
  if (code === null) viewer.handle({ type: "unshown" });
  else viewer.show(code.Page);
}

/**
 * The code that shows things; without it, all that can be said is that.
 * @returns {Promise<typeof import("./page.js") | null>}
 */
async function loadPage() {
  try {
    return await import("./page.js");
  } catch {
    saySorry();
    return null;
  }
}

/** @param {State} state one that no connection is needed for */
async function showOnly(state) {
  begun?.line.socket.close();
  begun?.call?.connection.close();
  const code = await loadPage();
  if (code === null) return;
  const nothing = () => undefined;
  new code.Page({ wanted: nothing, cancelled: nothing, undecodable: nothing, back: nothing }, new Store()).draw(state);
}

/** The socket and the present peer connection; all that they hear becomes events of the session. */
class Shells {
  /** @type {(event: SessionEvent) => void} */
  hear = () => undefined;
  signalling = new Signalling({
    opened: () => this.hear({ type: "socket", open: true }),
    heard: (message) => this.hear({ type: "signal", message }),
    closed: () => this.hear({ type: "socket", open: false }),
  });
  /** @type {Peer | null} */
  peer = null;

  /** The offer first: an answer that has come already is to it. */
  goOn() {
    const fresh = ifFresh(begun, performance.now());
    this.offer(1, fresh?.call);
    this.signalling.connect(fresh?.line);
  }

  /**
   * @param {number} peer the number of the call
   * @param {Dialled | null} [begun]
   */
  offer(peer, begun = null) {
    this.peer?.close();
    this.peer = new Peer({
      offered: (sdp) => this.hear({ type: "offer", peer, sdp }),
      candidate: (candidate) => this.hear({ type: "candidate", peer, candidate }),
      opened: () => this.hear({ type: "open", peer }),
      control: (text) => this.hear({ type: "control", peer, text }),
      data: (data) => this.hear({ type: "data", peer, data }),
      path: (state) => this.hear({ type: "path", peer, state }),
      closed: () => this.hear({ type: "closed", peer }),
      impostor: () => this.hear({ type: "impostor", peer }),
      unable: () => this.hear({ type: "unable", peer }),
    }, begun, SERVERS);
  }

  hangUp() {
    this.peer?.close();
    this.peer = null;
  }
}

/** Carries out what the session says, and has its state drawn as soon as there is something to draw it with. */
class Viewer {
  #link;
  #session;
  #shells;
  #store;
  /** @type {Page | null} */
  #page = null;
  /** @type {Map<Timer, number>} */
  #timers = new Map();
  #phase = "";
  #isDrawingSoon = false;

  /**
   * @param {Link} link
   * @param {Session} session
   * @param {Shells} shells
   * @param {Store} store
   */
  constructor(link, session, shells, store) {
    this.#link = link;
    this.#session = session;
    this.#shells = shells;
    this.#store = store;
    shells.hear = (event) => this.handle(event);
    this.#watchWindow();
  }

  /** @param {typeof import("./page.js").Page} Page */
  show(Page) {
    const listener = {
      wanted: (/** @type {number} */ file, /** @type {import("./downloads.js").Purpose} */ purpose) =>
        this.handle({ type: "want", file, purpose }),
      cancelled: (/** @type {number} */ file) => this.handle({ type: "cancel", file }),
      undecodable: (/** @type {number} */ file) => this.handle({ type: "undecodable", file }),
      back: () => this.handle({ type: "back" }),
    };
    this.#page = new Page(listener, this.#store);
    this.handle({ type: "shown" });
    this.#draw();
  }

  /** @param {SessionEvent} event */
  handle(event) {
    for (const action of this.#session.handle(event, performance.now())) this.#carryOut(action);
    this.#drawInTime();
  }

  #watchWindow() {
    const hurry = () => {
      if (document.visibilityState === "visible") this.handle({ type: "hurry" });
    };
    addEventListener("online", hurry);
    document.addEventListener("visibilitychange", hurry);
    addEventListener("pagehide", () => this.handle({ type: "leave" }));
    addEventListener("pageshow", (event) => {
      if (event.persisted) location.reload();
    });
    addEventListener("hashchange", () => location.reload());
  }

  /** A new phase at once, progress with the next frame. */
  #drawInTime() {
    const { phase } = this.#session.state;
    if (phase !== this.#phase) return this.#draw();
    if (this.#isDrawingSoon) return;
    this.#isDrawingSoon = true;
    requestAnimationFrame(() => {
      this.#isDrawingSoon = false;
      this.#draw();
    });
  }

  #draw() {
    const { state } = this.#session;
    this.#phase = state.phase;
    this.#page?.draw(state);
  }

  /** @param {Action} action */
  #carryOut(action) {
    const { signalling, peer } = this.#shells;
    switch (action.do) {
      case "connect":
        return signalling.connect();
      case "disconnect":
        return signalling.close();
      case "signal":
        return signalling.send(action.message);
      case "offer":
        return this.#shells.offer(action.peer);
      case "accept":
        return peer?.accept(action.sdp, this.#link);
      case "addCandidate":
        return peer?.addCandidate(action.candidate);
      case "say":
        return peer?.say(action.text);
      case "hangUp":
        return this.#shells.hangUp();
      case "keep":
        return this.#store.keep(action.file, action.bytes);
      case "finish":
        return this.#store.finish(action.file, action.kind);
      case "forget":
        return this.#store.forget(action.file);
      case "drop":
        return this.#store.drop();
      case "save":
        return this.#save(action.file);
      case "timer":
        return this.#wait(action.name, action.delay);
      case "cancel":
        return this.#cancel(action.name);
    }
  }

  /** @param {number} index */
  #save(index) {
    const { state } = this.#session;
    const file = state.phase === "files" ? state.files[index] : undefined;
    if (file !== undefined) this.#page?.save(file);
  }

  /** @param {Timer} name @param {number} delay milliseconds */
  #wait(name, delay) {
    this.#cancel(name);
    this.#timers.set(name, window.setTimeout(() => this.handle({ type: "timer", name }), delay));
  }

  /** @param {Timer} name */
  #cancel(name) {
    window.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

void open();
