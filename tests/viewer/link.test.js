// The link: what is one, whom it names, and which answers are the owner's.

import assert from "node:assert/strict";
import test from "node:test";

import { decodeBase64url, encodeBase64url, isPinned, parseLink, withPassword } from "../../resources/viewer/link.js";
import { answer, digest, fragment, LINK, wire } from "./support.js";

const bytes = (...values) => Uint8Array.from(values);

test("a link names the share, the secret and the pin", () => {
  const link = parseLink(`#${fragment()}`);
  assert.equal(link.id, encodeBase64url(bytes(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)));
  assert.equal(link.id.length, 14);
  assert.equal(link.secret, encodeBase64url(Uint8Array.from({ length: 16 }, (_, index) => 11 + index)));
  assert.deepEqual([...link.pin], Array.from({ length: 16 }, (_, index) => 27 + index));
});

test("what is not a whole link says why", () => {
  assert.equal(parseLink(""), "empty");
  assert.equal(parseLink("#"), "empty");
  assert.equal(parseLink(fragment(2)), "version");
  assert.equal(parseLink(fragment(0)), "version");
  assert.equal(parseLink(fragment(1, 42)), "damaged");
  assert.equal(parseLink(fragment(1, 44)), "damaged");
  for (const text of ["A", "*", "a b", `${fragment()}=`, `${fragment()} `, fragment().slice(1), `${fragment()}#`, "é".repeat(58)]) {
    assert.equal(typeof parseLink(text), "string", text);
  }
});

test("base64url has one form only", () => {
  assert.deepEqual(decodeBase64url("_-8"), bytes(0xff, 0xef));
  assert.equal(encodeBase64url(bytes(0xff, 0xef)), "_-8");
  for (const text of ["_-9", "/+8", "_-8=", "AAAAA", "A\n"]) assert.equal(decodeBase64url(text), null, text);
  for (let length = 0; length < 70; length += 1) {
    const data = Uint8Array.from({ length }, (_, index) => (index * 37 + length) % 256);
    assert.deepEqual(decodeBase64url(encodeBase64url(data)), data);
  }
});

test("the owner's answer is the one whose hash begins with the pin", () => {
  assert.ok(isPinned(answer(), LINK.pin));
  assert.ok(isPinned(answer([`a=fingerprint:sha-256 ${digest().toLowerCase()}`]), LINK.pin));
  assert.ok(isPinned(answer().replaceAll("\r\n", "\n"), LINK.pin));
});

const GOOD = `a=fingerprint:sha-256 ${digest()}`;
const OTHER = `a=fingerprint:sha-256 ${digest(28)}`;

/** @type {[string, string][]} */
const REFUSED = [
  ["another hash", answer([OTHER])],
  ["no hash", answer([])],
  ["the owner's and another", answer([GOOD, OTHER])],
  ["another and the owner's", answer([OTHER, GOOD])],
  ["the owner's twice", answer([GOOD, GOOD])],
  ["another for the session, the owner's for the section", answer([GOOD]).replace("a=group", `${OTHER}\r\na=group`)],
  ["another spelt in capitals", answer([GOOD, OTHER.replace("a=fingerprint", "a=FINGERPRINT")])],
  ["another behind a space", answer([GOOD, ` ${OTHER}`])],
  ["another behind a lone carriage return", answer([`${GOOD}\r${OTHER}`])],
  ["another behind a vertical tab", answer([`${GOOD}\v${OTHER}`])],
  ["another behind a line separator", answer([`${GOOD}\u2028${OTHER}`])],
  ["another behind a NUL", answer([`${GOOD}\0${OTHER}`])],
  ["sha-1", answer(["a=fingerprint:sha-1 27:28:29:2A:2B:2C:2D:2E:2F:30:31:32:33:34:35:36:37:38:39:3A"])],
  ["sha-512 that begins like the pin", answer([`a=fingerprint:sha-512 ${digest()}:${digest(59)}`])],
  ["a hash in capitals' name", answer([GOOD.replace("sha-256", "SHA-256")])],
  ["the pin's 16 bytes alone", answer([GOOD.slice(0, "a=fingerprint:sha-256 ".length + 47)])],
  ["a byte too many", answer([`${GOOD}:00`])],
  ["words after the hash", answer([`${GOOD} ${digest(28)}`])],
  ["two spaces", answer([GOOD.replace("sha-256 ", "sha-256  ")])],
  ["no colons", answer([`a=fingerprint:sha-256 ${digest().replaceAll(":", "")}`])],
  ["a section of another kind", answer([GOOD], ["m=audio 9 UDP/TLS/RTP/SAVPF 0"])],
  ["two sections", answer([GOOD], ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"])],
  ["a second section behind a space", answer([GOOD], ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", " m=audio 9 UDP/TLS/RTP/SAVPF 0"])],
  ["no section", answer([GOOD], [])],
  ["nothing", ""],
];

for (const [name, sdp] of REFUSED) {
  test(`not the owner: ${name}`, () => assert.equal(isPinned(sdp, LINK.pin), false));
}

test("every byte of the pin counts", () => {
  for (let index = 0; index < 16; index += 1) {
    const pin = LINK.pin.slice();
    pin[index] ^= 1;
    assert.equal(isPinned(answer(), pin), false, `byte ${index}`);
  }
  assert.equal(isPinned(answer(), LINK.pin.slice(0, 15)), false);
  assert.equal(isPinned(answer(), new Uint8Array()), false);
});

for (const { name, secret, fingerprint, password } of wire("password").examples) {
  test(`the password of the owner's answer: ${name}`, () => {
    const offer = `v=0\r\na=ice-pwd:ours\r\na=fingerprint:sha-256 ${fingerprint}\r\na=setup:actpass\r\n`;
    const bare = "v=0\r\na=ice-ufrag:abcd\r\na=setup:passive\r\n";
    const ready = `v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:${password}\r\na=setup:passive\r\n`;
    assert.equal(withPassword(bare, offer, secret), ready);
    assert.equal(withPassword(`${bare}a=ice-pwd:another\r\n`, offer, secret), ready, "no other password counts");
  });
}
