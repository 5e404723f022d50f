// @ts-check
// What cannot wait for a module: the socket, the offer, and the question to the owner are under way before any is here.
//
// The server puts this file into the page itself, as each round trip counts; it must not contain an end tag. It opens
// what signalling.js and peer.js would open, and says what call.js would say first: main.js gives it to them.

/**
 * @typedef {object} Line
 * @property {WebSocket} socket
 * @property {string} said      the question, once it was asked
 * @property {number} saidAt    when that was, by performance.now()
 * @property {unknown[]} heard  what came before anyone listened
 */

/**
 * @typedef {object} Dialled
 * @property {RTCPeerConnection} connection
 * @property {RTCDataChannel[]} channels   control, data
 * @property {Promise<void>} made          the offer
 * @property {string} offer                "" until it is made
 * @property {(string | null)[]} candidates   found before anyone listened
 */

/**
 * Null where the link is damaged, or this browser cannot connect; `servers` are for later calls too.
 * @type {{line: Line, call: Dialled | null, servers: RTCIceServer[]} | null}
 */
var begun = (() => {
  // Of another version nobody knows which bytes are the secret: only one that begins with the byte 1 is read any further.
  const link = /^#(A[Q-Za-f][\w-]{56})$/.exec(location.hash)?.[1];
  if (link === undefined || typeof RTCPeerConnection !== "function") return null;
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/signal`);
  /** @type {Line} */
  const line = { socket, said: "", saidAt: 0, heard: [] };
  socket.onmessage = (event) => line.heard.push(event.data);

  // The server has written into the page which STUN servers there are: the owner opens its router towards the address
  // that one of them tells. Nothing waits for them, and where the browser takes none (Firefox has forbidden ports), there
  // are none.
  const told = /** @type {HTMLMetaElement | null} */ (document.querySelector("meta[name=stun]"))?.content ?? "";
  const urls = told.split(" ").filter((url) => /^stun:[\w*.:[\]-]+$/.test(url));
  let servers = urls.length === 0 ? [] : [{ urls: urls.map((url) => url.replace("*", location.hostname)) }];

  const dial = () => {
    const connection = new RTCPeerConnection({ iceServers: servers, bundlePolicy: "max-bundle" });
    const channels = ["control", "data"].map((label, id) =>
      connection.createDataChannel(label, { negotiated: true, id, ordered: true }),
    );
    /** @type {Dialled} */
    const call = { connection, channels, made: Promise.resolve(), offer: "", candidates: [] };
    connection.onicecandidate = ({ candidate }) => call.candidates.push(candidate?.candidate || null);
    call.made = connection.createOffer().then(async (offer) => {
      await connection.setLocalDescription(offer);
      call.offer = offer.sdp ?? "";
    });
    return call;
  };

  /** The share's id is bytes 1 to 10 of the link (see link.js). @param {string} text base64url */
  const idOf = (text) => {
    const bytes = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return btoa(bytes.slice(1, 11)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };

  const dialAnyway = () => {
    try {
      return dial();
    } catch {
      servers = [];
      return dial();
    }
  };

  try {
    const call = dialAnyway();
    const ask = () => {
      if (call.offer === "" || socket.readyState !== WebSocket.OPEN) return;
      line.said = JSON.stringify({ type: "view", id: idOf(link), offer: call.offer });
      line.saidAt = performance.now();
      socket.send(line.said);
    };
    socket.onopen = ask;
    call.made.then(ask).catch(() => undefined); // why it could not be made is for peer.js to find out
    return { line, call, servers };
  } catch {
    return { line, call: null, servers };
  }
})();
