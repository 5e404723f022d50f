// @ts-check
// One connection to the owner: an RTCPeerConnection with two channels agreed beforehand, and nothing else.

import { isPinned, withPassword } from "./link.js";

/** @typedef {import("./link.js").Link} Link */

/**
 * @typedef {object} PeerListener
 * @property {(sdp: string) => void} offered          the offer to be signalled
 * @property {(candidate: string | null) => void} candidate   to be signalled, after the offer; null is the last
 * @property {() => void} opened                      the pinned owner is at the other end
 * @property {(text: string) => void} control
 * @property {(data: ArrayBuffer) => void} data
 * @property {(state: "connected" | "disconnected") => void} path   whether packets come through at the moment
 * @property {() => void} closed                      failed, or closed by the owner
 * @property {() => void} impostor                    the browser read another fingerprint than the pin
 * @property {() => void} unable                      this browser does not let pages make connections
 */

/**
 * A connection with its channels and its offer under way.
 * @param {RTCIceServer[]} iceServers
 * @returns {Dialled}
 */
function dial(iceServers) {
  const connection = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
  const channels = ["control", "data"].map((label, id) =>
    connection.createDataChannel(label, { negotiated: true, id, ordered: true }),
  );
  const call = { connection, channels, made: Promise.resolve(), offer: "", candidates: [] };
  call.made = connection.createOffer().then(async (offer) => {
    await connection.setLocalDescription(offer);
    call.offer = offer.sdp ?? "";
  });
  return call;
}

/** Whether this browser has what a peer connection needs. */
export function canConnect() {
  return typeof RTCPeerConnection === "function" && typeof RTCDataChannel === "function";
}

export class Peer {
  /** @type {RTCPeerConnection | null} */
  #connection = null;
  /** @type {RTCDataChannel | null} */
  #control = null;
  /** @type {PeerListener | null} null once closed: nothing is heard from then on */
  #listener;
  /** @type {Promise<void>} settles when the browser has read the answer, and it was the owner's; candidates wait for it */
  #accepted = Promise.resolve();

  /**
   * @param {PeerListener} listener
   * @param {Dialled | null} begun what begin.js has dialled already
   * @param {RTCIceServer[]} servers that tell this browser its public address; it may do without
   */
  constructor(listener, begun = null, servers = []) {
    this.#listener = listener;
    try {
      const call = begun ?? dial(servers);
      this.#connection = call.connection;
      this.#watch(call.connection);
      this.#open(call.channels);
      void this.#offer(call);
    } catch {
      queueMicrotask(() => this.#listener?.unable());
    }
  }

  /** @param {RTCPeerConnection} connection */
  #watch(connection) {
    connection.onicecandidate = ({ candidate }) => this.#listener?.candidate(candidate?.candidate || null);
    connection.onconnectionstatechange = () => {
      const state = connection.connectionState;
      if (state === "connected" || state === "disconnected") this.#listener?.path(state);
      if (state === "failed" || state === "closed") this.#listener?.closed();
    };
  }

  /** @param {RTCDataChannel[]} channels */
  #open([control, data]) {
    data.binaryType = "arraybuffer";
    // The owner speaks first, and may be heard before the browser has opened the channel for what we say.
    const opened = new Promise((resolve) => (control.onopen = resolve)).then(() => this.#accepted);
    void opened.then(() => this.#listener?.opened());
    control.onmessage = (event) => void opened.then(() => this.#listener?.control(String(event.data)));
    data.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) void opened.then(() => this.#listener?.data(data));
    };
    control.onclose = data.onclose = () => this.#listener?.closed();
    this.#control = control;
  }

  /** @param {Dialled} call */
  async #offer(call) {
    for (const candidate of call.candidates) this.#listener?.candidate(candidate);
    try {
      if (call.offer === "") await call.made;
      this.#listener?.offered(call.offer);
    } catch {
      this.#listener?.unable();
    }
  }

  /**
   * Takes the owner's answer, whose pin the session has checked; checks it once more as the browser has read it.
   * @param {string} answer
   * @param {Link} link
   */
  accept(answer, { pin, secret }) {
    const connection = this.#connection;
    if (connection === null) return;
    const sdp = withPassword(answer, connection.localDescription?.sdp ?? "", secret);
    this.#accepted = connection.setRemoteDescription({ type: "answer", sdp }).then(
      () => {
        if (!isPinned(connection.remoteDescription?.sdp ?? "", pin)) this.#listener?.impostor();
      },
      () => this.#listener?.closed(),
    );
  }

  /** @param {string} candidate of the owner; one that the browser does not take is none */
  addCandidate(candidate) {
    void this.#accepted
      .then(() => this.#connection?.addIceCandidate({ candidate, sdpMLineIndex: 0 }))
      .catch(() => undefined);
  }

  /** @param {string} text */
  say(text) {
    if (this.#control?.readyState === "open") this.#control.send(text);
  }

  /** Hangs up; the listener hears nothing more. */
  close() {
    this.#listener = null;
    this.#connection?.close();
    this.#connection = null;
    this.#control = null;
  }
}
