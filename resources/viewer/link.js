// @ts-check
// Reads a share's link and says whom to believe; pure.
//
// The fragment is unpadded base64url of: version (1 byte) | id (10) | secret (16) | pin (16).
// The pin is the start of the SHA-256 of the owner's DTLS certificate, which SDP carries as
// `a=fingerprint:sha-256` (RFC 8122): the browser itself then refuses any other peer.

export const VERSION = 1;
const ID_BYTES = 10;
const SECRET_BYTES = 16;
const PIN_BYTES = 16;

/**
 * @typedef {object} Link
 * @property {string} id      names the share at the signalling server, base64url
 * @property {string} secret  never sent: what the browser signs its checks to the owner with, base64url
 * @property {Uint8Array} pin 16 bytes that the owner's certificate hash begins with
 */

/** @typedef {"empty" | "damaged" | "version"} LinkProblem */

/**
 * The link in `location.hash`, or why there is none.
 * @param {string} hash with or without its leading "#"
 * @returns {Link | LinkProblem}
 */
export function parseLink(hash) {
  const text = hash.replace(/^#/, "");
  if (text === "") return "empty";
  const data = decodeBase64url(text);
  if (data === null || data.length === 0) return "damaged";
  if (data[0] !== VERSION) return "version";
  if (data.length !== 1 + ID_BYTES + SECRET_BYTES + PIN_BYTES) return "damaged";
  const secretAt = 1 + ID_BYTES;
  const pinAt = secretAt + SECRET_BYTES;
  return {
    id: encodeBase64url(data.subarray(1, secretAt)),
    secret: encodeBase64url(data.subarray(secretAt, pinAt)),
    pin: data.slice(pinAt),
  };
}

/**
 * Whether an answer comes from the owner: one application section, and one fingerprint line, sha-256, that begins
 * with the pin. Whatever could be read in two ways is refused, so that the browser cannot read it otherwise.
 * @param {string} sdp
 * @param {Uint8Array} pin
 * @returns {boolean}
 */
export function isPinned(sdp, pin) {
  if (/[^\x20-\x7e\r\n]/.test(sdp) || /\r(?!\n)/.test(sdp)) return false;
  const lines = sdp.split(/\r?\n/);
  const sections = lines.filter((line) => /^\s*m\s*=/i.test(line));
  const fingerprints = lines.filter((line) => /fingerprint/i.test(line));
  if (sections.length !== 1 || fingerprints.length !== 1) return false;
  if (!sections[0].startsWith("m=application ")) return false;
  const match = /^a=fingerprint:sha-256 ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31})$/.exec(fingerprints[0]);
  if (match === null || pin.length !== PIN_BYTES) return false;
  const digest = match[1].split(":").map((pair) => parseInt(pair, 16));
  return pin.every((byte, index) => byte === digest[index]);
}

/**
 * The owner's answer with the ICE password, which both ends make for themselves: the link's secret, and the digits of
 * the fingerprint in our offer. The browser signs its checks with it (RFC 8445, section 7.1), which shows the owner
 * that we know the link, and needs no cryptography here. Whatever password stands in the answer is not the owner's.
 * @param {string} answer
 * @param {string} offer ours, as the browser has made it
 * @param {string} secret base64url
 * @returns {string}
 */
export function withPassword(answer, offer, secret) {
  const digest = /^a=fingerprint:sha-256 ([0-9A-F:]{95})\s*$/im.exec(offer)?.[1] ?? "";
  const password = secret.replace(/-/g, "+").replace(/_/g, "/") + digest.replace(/:/g, "").toUpperCase();
  const lines = answer.split(/\r?\n/).filter((line) => !/^a=ice-pwd:/i.test(line));
  const at = lines.findIndex((line) => line.startsWith("a=ice-ufrag:"));
  if (at >= 0) lines.splice(at + 1, 0, `a=ice-pwd:${password}`);
  return lines.join("\r\n");
}

/**
 * @param {Uint8Array} data
 * @returns {string} unpadded base64url (RFC 4648, section 5)
 */
export function encodeBase64url(data) {
  return btoa(String.fromCharCode(...data)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/**
 * @param {string} text
 * @returns {Uint8Array | null} null for anything that is not in its one canonical form
 */
export function decodeBase64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1 || text.length > 1024) return null;
  const data = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (mark) => mark.charCodeAt(0));
  return encodeBase64url(data) === text ? data : null;
}
