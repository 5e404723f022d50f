// The page's life as traces: an event, and what is done about it. Timers are named where they matter.

import assert from "node:assert/strict";
import test from "node:test";

import { answer, Drive, digest, LINK, PICTURE, PNG } from "./support.js";

const HELLO = 'say {"type":"hello","version":1,"browser":"Firefox 153","system":"Linux"}';
const VIEW = `signal {"type":"view","id":"${LINK.id}","offer":"offer"}`;
const get = (request, file, offset) => `say ${JSON.stringify({ type: "get", request, file, offset })}`;
const ack = (request, held) => `say ${JSON.stringify({ type: "ack", request, held })}`;
const other = () => answer([`a=fingerprint:sha-256 ${digest(99)}`]);
const REPORT = { name: "report.pdf", size: 4, media_type: "application/pdf", version: "AAECAwQF" };
const EMPTY = { name: "empty.txt", size: 0, media_type: "text/plain", version: "AAECAwQF" };
const OVER = ["disconnect", "drop"];

test("from the link to the picture", () => {
  const page = new Drive();
  assert.equal(page.phase, "connecting");
  assert.deepEqual(page.of("candidate", { candidate: "candidate:1" }), [], "kept until the offer was sent");
  assert.deepEqual(page.of("offer", { sdp: "offer" }), [], "the socket is not open yet");
  assert.deepEqual(page.do({ type: "socket", open: true }), [VIEW, 'signal {"type":"candidate","candidate":"candidate:1"}']);
  assert.deepEqual(page.of("candidate", { candidate: null }), ['signal {"type":"candidate","candidate":null}']);
  assert.deepEqual(page.signal({ type: "answer", sdp: answer() }), ["accept 1"]);
  assert.deepEqual(page.signal({ type: "candidate", candidate: "candidate:2" }), ["addCandidate 1"]);
  assert.deepEqual(page.of("open"), [HELLO]);
  assert.equal(page.phase, "connecting");
  assert.deepEqual(page.control({ type: "waiting" }), []);
  assert.equal(page.phase, "preparing");
  assert.deepEqual(page.begun(PICTURE), ["drop"], "it need not ask");
  assert.equal(page.phase, "receiving");
  assert.deepEqual(page.data(0, 0, PNG.subarray(0, 9)), ["keep 0: 9"]);
  assert.equal(page.state.file.held, 9);
  assert.deepEqual(page.data(0, 9, PNG.subarray(9)), ["keep 0: 7", ack(0, 16), "finish 0: png"]);
  assert.equal(page.phase, "picture");
  assert.deepEqual(page.do({ type: "leave" }), ['say {"type":"bye"}', "hangUp 1", "disconnect"]);
});

test("the view waits for whichever comes last, the socket or the offer", () => {
  const page = new Drive();
  assert.deepEqual(page.do({ type: "socket", open: true }), []);
  assert.deepEqual(page.of("offer", { sdp: "offer" }), [VIEW]);
});

test("acknowledgements come after 128 KiB, or a tenth of a second", () => {
  const page = new Drive();
  page.offered({ ...PICTURE, size: 1_000_000 });
  const piece = new Uint8Array(60_000);
  piece.set(PNG);
  assert.deepEqual(page.timers({ type: "data", peer: 1, data: dataOf(1, 0, piece) }), { ack: 100 });
  assert.deepEqual(page.data(1, 60_000, piece), ["keep 0: 60000"], "the timer runs already");
  assert.deepEqual(page.timer("ack"), [ack(1, 120_000)]);
  assert.deepEqual(page.timer("ack"), [], "nothing new");
  page.data(1, 120_000, piece);
  page.data(1, 180_000, piece);
  assert.deepEqual(page.data(1, 240_000, piece), ["keep 0: 60000", ack(1, 300_000)]);
});

test("what nothing can draw yet is not acknowledged to its end, so that no view is used up", () => {
  const page = new Drive({ isShown: false });
  page.offered(PICTURE);
  assert.deepEqual(page.data(1, 0, PNG.subarray(0, 9)), ["keep 0: 9"]);
  assert.deepEqual(page.timer("ack"), [ack(1, 9)], "the owner sees that it is there");
  assert.deepEqual(page.data(1, 9, PNG.subarray(9)), ["keep 0: 7"]);
  assert.deepEqual(page.timer("ack"), []);
  assert.equal(page.phase, "receiving");
  assert.deepEqual(page.do({ type: "shown" }), [ack(1, 16), "finish 0: png"]);
  assert.equal(page.phase, "picture");
});

test("… also where the connection broke meanwhile, and where the page is left", () => {
  const page = new Drive({ isShown: false });
  page.offered(PICTURE);
  page.data(1, 0, PNG);
  page.of("closed");
  again(page);
  assert.deepEqual(page.manifest(PICTURE), [get(2, 0, 16)]);
  assert.deepEqual(page.do({ type: "shown" }), [ack(2, 16), "finish 0: png"]);
  const unseen = new Drive({ isShown: false });
  unseen.offered(PICTURE);
  unseen.data(1, 0, PNG);
  assert.deepEqual(unseen.do({ type: "unshown" }).slice(0, 2), ['say {"type":"bye"}', "hangUp 1"]);
  assert.deepEqual(unseen.do({ type: "hurry" }), [], "it does not come back");
});

// Whom to believe

test("a swapped fingerprint: nothing is said, nothing is accepted, and the page says so", () => {
  const page = new Drive();
  page.do({ type: "socket", open: true });
  page.of("offer", { sdp: "offer" });
  assert.deepEqual(page.signal({ type: "answer", sdp: other() }), ["hangUp 1", ...OVER]);
  assert.equal(page.phase, "impostor");
  assert.deepEqual(page.signal({ type: "answer", sdp: answer() }), []);
  assert.deepEqual(page.of("open"), [], "nothing is said");
});

test("a second answer, a replayed one, one without a question: not heard", () => {
  const page = new Drive();
  assert.deepEqual(page.signal({ type: "answer", sdp: other() }), [], "nothing was asked");
  page.do({ type: "socket", open: true });
  page.of("offer", { sdp: "offer" });
  page.signal({ type: "answer", sdp: answer() });
  assert.deepEqual(page.signal({ type: "answer", sdp: other() }), []);
  assert.deepEqual(page.signal({ type: "answer", sdp: answer() }), []);
  assert.equal(page.phase, "connecting");
});

test("the browser read another fingerprint than we did: over before a word", () => {
  const page = new Drive();
  page.do({ type: "socket", open: true });
  page.of("offer", { sdp: "offer" });
  page.signal({ type: "answer", sdp: answer() });
  assert.deepEqual(page.of("impostor"), ["hangUp 1", ...OVER]);
  assert.equal(page.phase, "impostor");
});

test("a channel that opens without an accepted answer is told nothing", () => {
  const page = new Drive();
  page.do({ type: "socket", open: true });
  page.of("offer", { sdp: "offer" });
  assert.deepEqual(page.of("open"), []);
});

test("hello is said once, and the secret never", () => {
  const page = new Drive();
  const said = page.open();
  assert.equal(said.length, 1);
  assert.ok(!said[0].includes(LINK.secret));
  assert.deepEqual(page.of("open"), []);
});

test("candidates are bounded, either way", () => {
  const page = new Drive();
  page.do({ type: "socket", open: true });
  page.of("offer", { sdp: "offer" });
  let ours = 0;
  for (let index = 0; index < 100; index += 1) ours += page.of("candidate", { candidate: `c${index}` }).length;
  assert.equal(ours, 64);
  assert.deepEqual(page.of("candidate", { candidate: "c".repeat(513) }), []);
  assert.deepEqual(page.signal({ type: "candidate", candidate: "early" }), [], "it waits for the answer");
  assert.deepEqual(page.signal({ type: "answer", sdp: answer() }), ["accept 1", "addCandidate 1"]);
  let theirs = 0;
  for (let index = 0; index < 100; index += 1) theirs += page.signal({ type: "candidate", candidate: `c${index}` }).length;
  assert.equal(theirs, 63);
});

test("while the owner is at the other end, only the end of the share is believed of the server", () => {
  const page = new Drive();
  page.offered(PICTURE);
  for (const word of ["offline", "unknown", "full", "online", "draining"]) assert.deepEqual(page.signal(word), [], word);
  assert.deepEqual(page.signal({ type: "error", code: "too_fast", detail: "x" }), []);
  assert.equal(page.phase, "receiving");
  assert.deepEqual(page.signal("revoked"), ["hangUp 1", ...OVER]);
  assert.equal(page.phase, "ended revoked");
});

// The owner is not here

for (const word of ["offline", "unknown", "full"]) {
  test(`${word}: the page waits, and calls again at the server's word`, () => {
    const page = new Drive();
    page.do({ type: "socket", open: true });
    page.of("offer", { sdp: "offer" });
    assert.deepEqual(page.signal(word), ["hangUp 1"]);
    assert.equal(page.phase, `waiting ${word}`);
    assert.deepEqual(page.signal("online"), ["offer 2"]);
    assert.equal(page.phase, "connecting");
    assert.deepEqual(page.of("offer", { sdp: "offer" }), [VIEW]);
  });
}

test("the server forgot to say that there is room again: the page asks by itself", () => {
  const page = new Drive();
  page.do({ type: "socket", open: true });
  page.of("offer", { sdp: "offer" });
  assert.deepEqual(page.timers({ type: "signal", message: { type: "full" } }), { retry: 5000 });
  assert.deepEqual(page.timer("retry"), ["offer 2"]);
  assert.equal(page.phase, "waiting full", "what is read does not flicker");
});

test("a server that is away: again and again, ever more patiently", () => {
  const page = new Drive();
  const delays = [];
  for (let attempt = 0; attempt < 7; attempt += 1) {
    delays.push(page.timers({ type: "socket", open: false }).retry);
    assert.equal(page.phase, "waiting server");
    assert.deepEqual(page.timer("retry").slice(0, 2), ["connect", `offer ${attempt + 2}`]);
  }
  assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
});

test("a server that restarts while the owner is away is no news", () => {
  const page = new Drive();
  page.do({ type: "socket", open: true });
  page.of("offer", { sdp: "offer" });
  page.signal("offline");
  page.do({ type: "socket", open: false });
  assert.equal(page.phase, "waiting offline");
  assert.deepEqual(page.timer("retry"), ["connect", "offer 2"]);
});

test("a server that says nothing at all is left", () => {
  const page = new Drive();
  assert.deepEqual(page.timer("patience"), ["disconnect", "hangUp 1"]);
  assert.equal(page.phase, "waiting server");
});

test("no path to the owner: said as what it is, and tried again", () => {
  for (const failure of [(page) => page.of("closed"), (page) => page.timer("patience")]) {
    const page = new Drive();
    page.do({ type: "socket", open: true });
    page.of("offer", { sdp: "offer" });
    page.of("candidate", { candidate: "candidate:1" });
    page.signal({ type: "answer", sdp: answer() });
    assert.deepEqual(failure(page), ["hangUp 1"]);
    assert.equal(page.phase, "waiting unreachable");
    assert.deepEqual(page.timer("retry"), ["offer 2"]);
  }
});

test("a browser that offers no address at all is the one that blocks", () => {
  const page = new Drive();
  page.do({ type: "socket", open: true });
  page.of("offer", { sdp: "offer" });
  page.of("candidate", { candidate: null });
  page.signal({ type: "answer", sdp: answer() });
  page.timer("patience");
  assert.equal(page.phase, "unable blocked");
});

test("a browser that offers no more than what a STUN server told it blocks nothing", () => {
  const page = new Drive();
  page.do({ type: "socket", open: true });
  page.of("offer", { sdp: "offer" });
  page.signal({ type: "answer", sdp: answer() });
  page.of("candidate", { candidate: "candidate:1 1 udp 1677729535 203.0.113.7 40000 typ srflx raddr 0.0.0.0 rport 0" });
  page.of("candidate", { candidate: null });
  page.timer("patience");
  assert.equal(page.phase, "waiting unreachable");
});

test("a browser that makes no connections", () => {
  const page = new Drive();
  assert.deepEqual(page.of("unable"), ["hangUp 1", ...OVER]);
  assert.equal(page.phase, "unable blocked");
});

test("what waits is hurried when the page is looked at again", () => {
  const page = new Drive();
  page.do({ type: "socket", open: true });
  page.of("offer", { sdp: "offer" });
  page.signal("offline");
  assert.deepEqual(page.do({ type: "hurry" }), ["offer 2"]);
  assert.deepEqual(page.do({ type: "hurry" }), [], "a call is under way");
});

// The connection breaks

/** A page that has 9 of 16 bytes. */
function halfway() {
  const page = new Drive();
  page.offered(PICTURE);
  page.data(1, 0, PNG.subarray(0, 9));
  return page;
}

/** The page calls again and the owner takes the call. */
function again(page) {
  page.timer("retry");
  page.of("offer", { sdp: "offer" });
  page.signal({ type: "answer", sdp: answer() });
  page.of("open");
}

test("it goes on where it stopped", () => {
  const page = halfway();
  assert.deepEqual(page.of("closed"), ["hangUp 1"]);
  assert.equal(page.phase, "receiving lost");
  assert.equal(page.state.file.held, 9);
  again(page);
  assert.equal(page.phase, "receiving lost");
  assert.deepEqual(page.manifest(PICTURE), [get(2, 0, 9)]);
  assert.equal(page.phase, "receiving");
  assert.deepEqual(page.data(2, 9, PNG.subarray(9)), ["keep 0: 7", ack(2, 16), "finish 0: png"]);
});

// The channels keep no common order

test("data that overtakes the manifest waits for it", () => {
  const page = new Drive();
  page.open();
  assert.deepEqual(page.data(0, 0, PNG.subarray(0, 9)), []);
  assert.deepEqual(page.data(0, 9, PNG.subarray(9)), []);
  assert.equal(page.phase, "connecting");
  assert.deepEqual(page.begun(PICTURE), ["drop", "keep 0: 9", "keep 0: 7", ack(0, 16), "finish 0: png"]);
  assert.equal(page.phase, "picture");
});

test("… also where it goes on: what the owner begins once more is not kept, and the rest is asked for", () => {
  const page = new Drive();
  page.open();
  page.begun(PICTURE);
  page.data(0, 0, PNG.subarray(0, 9));
  page.of("closed");
  again(page);
  assert.deepEqual(page.data(0, 0, PNG.subarray(0, 12)), []);
  assert.deepEqual(page.begun(PICTURE), [get(1, 0, 9)]);
  assert.deepEqual(page.data(0, 12, PNG.subarray(12)), [], "it was on its way");
  assert.deepEqual(page.data(1, 9, PNG.subarray(9)), ["keep 0: 7", ack(1, 16), "finish 0: png"]);
});

test("… and not from one connection to the next", () => {
  const page = new Drive();
  page.open();
  page.data(0, 0, PNG.subarray(0, 9));
  page.of("closed");
  again(page);
  page.data(0, 0, PNG);
  assert.deepEqual(page.begun(PICTURE), ["drop", "keep 0: 16", ack(0, 16), "finish 0: png"]);
});

test("a picture whose connection broke before its first byte is taken as it comes", () => {
  const page = new Drive();
  page.open();
  page.begun(PICTURE);
  page.of("closed");
  again(page);
  assert.deepEqual(page.begun(PICTURE), []);
  assert.deepEqual(page.data(0, 0, PNG), ["keep 0: 16", ack(0, 16), "finish 0: png"]);
});

test("no more of it waits than an owner may send unacknowledged", () => {
  const page = new Drive();
  page.open();
  const piece = new Uint8Array(64 * 1024 - 12);
  for (let offset = 0; offset + piece.length <= 8 * 2 ** 20; offset += piece.length) page.data(1, offset, piece);
  assert.equal(page.phase, "connecting");
  page.data(1, 0, piece);
  assert.equal(page.phase, "broken protocol");
  const hollow = new Drive();
  hollow.open();
  for (let count = 0; count <= 16 * 1024; count += 1) hollow.data(1, 0, []);
  assert.equal(hollow.phase, "broken protocol", "messages without payload take memory too");
});

test("a picture that the owner has not begun is asked for once the manifest is there", () => {
  const page = new Drive();
  page.open();
  assert.deepEqual(page.manifest(PICTURE), ["drop", get(1, 0, 0)]);
});

test("what the owner begins and nobody wants is stopped", () => {
  const page = new Drive();
  page.open();
  assert.deepEqual(page.begun(REPORT), ["drop", 'say {"type":"stop","request":0}']);
  assert.deepEqual(page.data(0, 0, [1, 2]), [], "it was on its way");
  assert.equal(page.phase, "files");
  assert.deepEqual(page.do({ type: "want", file: 0, purpose: "save" }), [get(1, 0, 0)]);
});

test("while a manifest is waited for, nothing is asked for", () => {
  const page = new Drive();
  page.offered(REPORT, PICTURE);
  page.of("closed");
  again(page);
  page.control({ type: "waiting" });
  assert.deepEqual(page.do({ type: "want", file: 0, purpose: "save" }), []);
  assert.deepEqual(page.manifest(REPORT, PICTURE), [get(1, 0, 0)]);
});

test("what is cancelled meanwhile is stopped, and had again from its beginning", () => {
  const page = halfway();
  page.of("closed");
  again(page);
  page.do({ type: "cancel", file: 0 });
  assert.deepEqual(page.begun(PICTURE), ['say {"type":"stop","request":0}']);
  assert.deepEqual(page.data(0, 0, PNG), [], "it was on its way");
  assert.equal(page.phase, "files");
  assert.deepEqual(page.do({ type: "want", file: 0, purpose: "show" }), [get(2, 0, 0)]);
});

test("… also from an owner that still prepares it: what was never asked on this call is not stopped", () => {
  const page = halfway();
  page.of("closed");
  again(page);
  page.control({ type: "waiting" });
  assert.deepEqual(page.of("cancel", { file: 0 }), ["forget 0"]);
});

test("what nothing could draw yet is not acknowledged on a call that has no manifest", () => {
  const page = new Drive({ isShown: false });
  page.open();
  page.begun(PICTURE);
  page.data(0, 0, PNG);
  page.of("closed");
  again(page);
  assert.deepEqual(page.do({ type: "shown" }), []);
  assert.deepEqual(page.begun(PICTURE), [get(1, 0, 16), ack(1, 16), "finish 0: png"]);
  assert.equal(page.phase, "picture");
});

test("a picture that was complete, was begun and is not wanted any more, is no fault", () => {
  const page = new Drive();
  page.open();
  page.begun({ ...PICTURE, size: 4 });
  page.data(0, 0, [1, 2, 3, 4]);
  page.of("closed");
  page.do({ type: "want", file: 0, purpose: "save" });
  page.timer("retry");
  page.of("offer", { sdp: "offer" });
  page.signal({ type: "answer", sdp: answer() });
  page.of("open");
  assert.deepEqual(page.begun(REPORT), ["drop", 'say {"type":"stop","request":0}'], "other files than before");
  assert.deepEqual(page.data(0, 0, [1, 2, 3, 4]), []);
  assert.equal(page.phase, "files");
});

test("other files than before: it starts over", () => {
  const page = halfway();
  page.of("closed");
  again(page);
  assert.deepEqual(page.begun({ ...PICTURE, size: 17 }), ["drop", get(2, 0, 0)]);
});

test("a picture that is here stays while the owner is away, and is told to the owner again", () => {
  const page = halfway();
  page.data(1, 9, PNG.subarray(9));
  page.of("closed");
  assert.equal(page.phase, "picture lost");
  again(page);
  assert.deepEqual(page.manifest(PICTURE), [get(2, 0, 16), ack(2, 16)]);
  assert.equal(page.phase, "picture");
});

test("a call of before is not heard any more", () => {
  const page = halfway();
  page.of("closed");
  page.timer("retry");
  const late = [
    { type: "open" },
    { type: "closed" },
    { type: "impostor" },
    { type: "control", text: '{"type":"ended","reason":"revoked"}' },
    { type: "data", data: dataOf(1, 9, PNG.subarray(9)) },
  ];
  for (const event of late) assert.deepEqual(page.do({ ...event, peer: 1 }), []);
  assert.equal(page.phase, "receiving lost");
});

test("no packets for a moment is nothing; for longer it is a loss", () => {
  const page = halfway();
  assert.deepEqual(page.timers({ type: "path", peer: 1, state: "disconnected" }), { grace: 4000 });
  assert.deepEqual(page.do({ type: "path", peer: 1, state: "connected" }, { timers: true }), ["cancel grace"]);
  page.do({ type: "path", peer: 1, state: "disconnected" });
  assert.deepEqual(page.timer("grace"), ["hangUp 1"]);
  assert.equal(page.phase, "receiving lost");
});

test("no packets, and the server says that the owner is gone: a loss at once", () => {
  const page = halfway();
  page.do({ type: "path", peer: 1, state: "disconnected" });
  assert.deepEqual(page.signal("offline"), ["hangUp 1"]);
  assert.equal(page.phase, "receiving offline");
});

test("the server says that the owner is gone, and then no packets: a loss at once; not if it came back meanwhile", () => {
  const gone = halfway();
  assert.deepEqual(gone.signal("offline"), []);
  assert.deepEqual(gone.do({ type: "path", peer: 1, state: "disconnected" }), ["hangUp 1"]);
  assert.equal(gone.phase, "receiving offline");
  assert.deepEqual(gone.signal("online"), ["offer 2"]);
  const back = halfway();
  back.signal("offline");
  back.signal("online");
  assert.deepEqual(back.timers({ type: "path", peer: 1, state: "disconnected" }), { grace: 4000 });
});

test("the server goes while the owner is there: the transfer goes on, and no socket is opened", () => {
  const page = halfway();
  assert.deepEqual(page.do({ type: "socket", open: false }), []);
  assert.deepEqual(page.data(1, 9, PNG.subarray(9)), ["keep 0: 7", ack(1, 16), "finish 0: png"]);
  page.of("closed");
  assert.deepEqual(page.timer("retry"), ["connect", "offer 2"]);
});

test("an owner that stopped sending is left after a while", () => {
  const page = halfway();
  page.now += 44_000;
  assert.deepEqual(page.timers({ type: "timer", name: "stall" }), { stall: 1000 });
  page.now += 1000;
  assert.deepEqual(page.timer("stall"), ["hangUp 1"]);
  assert.equal(page.phase, "receiving lost");
});

test("an owner that lets nobody in is left after a while", () => {
  const page = new Drive();
  page.open();
  assert.deepEqual(page.timer("patience"), ["hangUp 1"]);
  assert.equal(page.phase, "waiting lost");
});

test("calls that break at once come ever more slowly, until one holds", () => {
  const page = halfway();
  const first = page.timers({ type: "closed", peer: page.peer }).retry;
  again(page);
  const second = page.timers({ type: "closed", peer: page.peer }).retry;
  again(page);
  page.control({ type: "manifest", files: [PICTURE] });
  page.timer("steady");
  const third = page.timers({ type: "closed", peer: page.peer }).retry;
  assert.deepEqual([first, second, third], [500, 1000, 500]);
});

test("are you there?", () => {
  const page = halfway();
  assert.deepEqual(page.control({ type: "ping" }), ['say {"type":"pong"}']);
});

// The owner ends it

for (const reason of ["revoked", "expired", "dismissed", "refused", "vanished", "changed", "unreadable"]) {
  test(`ended: ${reason}: nothing of it is left`, () => {
    const page = halfway();
    assert.deepEqual(page.control({ type: "ended", reason }), ["hangUp 1", ...OVER]);
    assert.equal(page.phase, `ended ${reason}`);
    assert.deepEqual(page.data(1, 9, PNG.subarray(9)), []);
    assert.deepEqual(page.timer("retry"), []);
    assert.deepEqual(page.do({ type: "hurry" }), []);
  });
}

test("stopped: while the owner is at the other end, the page hears from it why", () => {
  const page = halfway();
  assert.deepEqual(page.signal("stopped"), []);
  page.control({ type: "failed", file: 0, reason: "changed" });
  assert.deepEqual(page.control({ type: "ended", reason: "changed" }), ["hangUp 1", ...OVER]);
  assert.equal(page.phase, "ended changed");
  assert.deepEqual(page.signal("stopped"), [], "it stays so");
  assert.equal(page.phase, "ended changed");
});

test("stopped: while the owner is about to be reached, its word is waited for, but not for long", () => {
  const answered = () => {
    const page = new Drive();
    page.do({ type: "socket", open: true });
    page.of("offer", { sdp: "offer" });
    page.signal({ type: "answer", sdp: answer() });
    assert.deepEqual(page.timers({ type: "signal", message: { type: "stopped" } }), { patience: 3000 });
    return page;
  };
  const told = answered();
  told.of("open");
  told.control({ type: "ended", reason: "vanished" });
  assert.equal(told.phase, "ended vanished");
  const untold = answered();
  assert.deepEqual(untold.timer("patience"), ["hangUp 1", ...OVER]);
  assert.equal(untold.phase, "ended stopped");
});

test("refused: the link is not right; of a call that stands it means nothing", () => {
  const page = new Drive();
  page.do({ type: "socket", open: true });
  page.of("offer", { sdp: "offer" });
  page.signal({ type: "answer", sdp: answer() });
  assert.deepEqual(page.signal("refused"), ["hangUp 1", ...OVER]);
  assert.equal(page.phase, "ended refused");
  const standing = halfway();
  assert.deepEqual(standing.signal("refused"), []);
  assert.equal(standing.phase, "receiving");
});

test("stopped: who comes late, or calls again, hears it from the server", () => {
  const late = new Drive();
  late.do({ type: "socket", open: true });
  late.of("offer", { sdp: "offer" });
  assert.deepEqual(late.signal("stopped"), ["hangUp 1", ...OVER]);
  assert.equal(late.phase, "ended stopped");
  const lost = halfway();
  lost.of("closed");
  lost.signal("stopped");
  assert.equal(lost.phase, "ended stopped");
});

test("stopped: an owner that does not say why is not waited for, and nothing is kept", () => {
  const losses = [
    (page) => page.of("closed"),
    (page) => page.timer("grace"),
    (page) => page.of("path", { state: "disconnected" }),
    (page) => page.control({ type: "ended", reason: "stalled" }),
    (page) => page.control({ type: "ended", reason: "full" }),
  ];
  for (const lose of losses) {
    const page = halfway();
    page.data(1, 9, PNG.subarray(9));
    page.signal("stopped");
    assert.equal(page.phase, "picture");
    assert.deepEqual(lose(page), ["hangUp 1", ...OVER]);
    assert.equal(page.phase, "ended stopped");
  }
  const page = halfway();
  page.of("path", { state: "disconnected" });
  assert.deepEqual(page.signal("stopped"), ["hangUp 1", ...OVER]);
  assert.equal(page.phase, "ended stopped");
});

test("stopped, and shared again before the call was lost: it goes on", () => {
  const page = halfway();
  page.signal("stopped");
  page.signal("online");
  page.of("closed");
  assert.equal(page.phase, "receiving lost");
});

test("ended: a picture that is shown goes too", () => {
  const page = halfway();
  page.data(1, 9, PNG.subarray(9));
  assert.deepEqual(page.signal("revoked"), ["hangUp 1", ...OVER]);
  assert.equal(page.phase, "ended revoked");
});

test("ended: all timers stop", () => {
  const page = halfway();
  const actions = page.session.handle({ type: "signal", message: { type: "expired" } }, page.now);
  const stopped = actions.filter((action) => action.do === "cancel").map((action) => action.name);
  for (const name of ["patience", "grace", "steady", "ack", "stall", "retry"]) assert.ok(stopped.includes(name), name);
});

test("ended: full: it tries again", () => {
  const page = new Drive();
  page.open();
  assert.deepEqual(page.control({ type: "ended", reason: "full" }), ["hangUp 1"]);
  assert.equal(page.phase, "waiting full");
  assert.deepEqual(page.timer("retry"), ["offer 2"]);
});

test("ended: stalled: it goes on if anything is wanted, and else when something is", () => {
  const busy = halfway();
  busy.control({ type: "ended", reason: "stalled" });
  assert.equal(busy.phase, "receiving lost");
  const idle = new Drive();
  idle.offered(REPORT);
  assert.deepEqual(idle.timers({ type: "control", peer: 1, text: '{"type":"ended","reason":"stalled"}' }), {});
  assert.equal(idle.phase, "files");
  assert.deepEqual(idle.do({ type: "socket", open: false }), []);
  assert.deepEqual(idle.do({ type: "want", file: 0, purpose: "save" }), ["connect", "offer 2"]);
});

// Files that are no picture, and several

test("one file that is no picture is offered, not fetched", () => {
  const page = new Drive();
  assert.deepEqual(page.offered(REPORT), ["drop"]);
  assert.equal(page.phase, "files");
  assert.deepEqual(page.do({ type: "want", file: 0, purpose: "save" }), [get(1, 0, 0)]);
  assert.deepEqual(page.data(1, 0, [37, 80, 68, 70]), ["keep 0: 4", ack(1, 4), "finish 0: null", "save 0"]);
  assert.deepEqual(page.do({ type: "want", file: 0, purpose: "save" }), ["save 0"], "it is here");
});

test("several files come one after the other", () => {
  const page = new Drive();
  page.offered(REPORT, PICTURE, EMPTY);
  assert.deepEqual(page.do({ type: "want", file: 0, purpose: "save" }), [get(1, 0, 0)]);
  assert.deepEqual(page.do({ type: "want", file: 2, purpose: "save" }), []);
  assert.deepEqual(page.do({ type: "want", file: 1, purpose: "show" }), []);
  assert.deepEqual(page.state.file.status, "queued");
  assert.deepEqual(page.data(1, 0, [1, 2, 3, 4]), [
    "keep 0: 4", ack(1, 4), "finish 0: null", "save 0",
    get(2, 2, 0), ack(2, 0), "finish 2: null", "save 2",
    get(3, 1, 0),
  ]);
  assert.deepEqual(page.data(3, 0, PNG), ["keep 1: 16", ack(3, 16), "finish 1: png"]);
  assert.equal(page.phase, "picture");
  page.do({ type: "back" });
  assert.equal(page.phase, "files");
  assert.deepEqual(page.state.files.map((file) => file.status), ["ready", "ready", "ready"]);
});

test("an empty file is complete at once, and acknowledged", () => {
  const page = new Drive();
  page.offered(EMPTY);
  assert.deepEqual(page.do({ type: "want", file: 0, purpose: "save" }), [get(1, 0, 0), ack(1, 0), "finish 0: null", "save 0"]);
});

test("what is cancelled is forgotten, and can be had again from its beginning", () => {
  const page = new Drive();
  page.offered(REPORT, PICTURE);
  page.do({ type: "want", file: 0, purpose: "save" });
  page.do({ type: "want", file: 1, purpose: "save" });
  page.data(1, 0, [1, 2]);
  assert.deepEqual(page.do({ type: "cancel", file: 0 }), ['say {"type":"stop","request":1}', "forget 0", get(2, 1, 0)]);
  assert.deepEqual(page.data(1, 2, [3, 4]), [], "it was on its way");
  assert.deepEqual(page.do({ type: "want", file: 0, purpose: "save" }), []);
  assert.deepEqual(page.data(2, 0, PNG).at(-1), get(3, 0, 0));
});

test("with the owner away, what is wanted waits for it", () => {
  const page = new Drive();
  page.offered(REPORT, PICTURE);
  page.of("closed");
  assert.deepEqual(page.do({ type: "want", file: 0, purpose: "save" }), ["offer 2"]);
  assert.equal(page.phase, "files lost");
  page.of("offer", { sdp: "offer" });
  page.signal({ type: "answer", sdp: answer() });
  page.of("open");
  assert.deepEqual(page.manifest(REPORT, PICTURE), [get(1, 0, 0)]);
  assert.deepEqual(page.data(1, 0, [1, 2, 3, 4]), ["keep 0: 4", ack(1, 4), "finish 0: null", "save 0"]);
});

test("a picture that is none by its bytes is a file, and is not saved unasked", () => {
  const page = new Drive();
  page.offered({ ...PICTURE, name: "a.png", size: 6 });
  const svg = new TextEncoder().encode("<svg/>");
  assert.deepEqual(page.data(1, 0, svg), ["keep 0: 6", ack(1, 6), "finish 0: null"]);
  assert.equal(page.phase, "files");
  assert.equal(page.state.files[0].kind, null);
});

test("a picture that the browser cannot draw is a file", () => {
  const page = halfway();
  page.data(1, 9, PNG.subarray(9));
  page.do({ type: "undecodable", file: 0 });
  assert.equal(page.phase, "files");
  assert.equal(page.state.files[0].status, "ready");
});

test("a picture too large to be fetched unasked, a file too large for any", () => {
  const page = new Drive();
  assert.deepEqual(page.offered({ ...PICTURE, size: 128 * 2 ** 20 + 1 }), ["drop"]);
  assert.equal(page.phase, "files");
  const huge = new Drive();
  huge.offered({ ...REPORT, size: 1.5 * 2 ** 30 + 1 });
  assert.equal(huge.state.files[0].status, "too-large");
  assert.deepEqual(huge.do({ type: "want", file: 0, purpose: "save" }), []);
});

for (const reason of ["vanished", "changed", "unreadable"]) {
  test(`a file failed: ${reason}`, () => {
    const page = halfway();
    assert.deepEqual(page.control({ type: "failed", file: 0, reason }), ["forget 0"]);
    assert.equal(page.phase, "files");
    assert.deepEqual([page.state.files[0].status, page.state.files[0].reason], ["failed", reason]);
    assert.deepEqual(page.data(1, 9, PNG.subarray(9)), []);
    assert.deepEqual(page.do({ type: "want", file: 0, purpose: "show" }), []);
  });
}

test("a file that is here stays when the owner's vanishes", () => {
  const page = halfway();
  page.data(1, 9, PNG.subarray(9));
  assert.deepEqual(page.control({ type: "failed", file: 0, reason: "vanished" }), []);
  assert.equal(page.phase, "picture");
});

// An owner that breaks the protocol

/** @type {[string, (page: Drive) => unknown][]} */
const LIES = [
  ["more bytes than announced", (page) => page.data(1, 9, new Uint8Array(8))],
  ["bytes after the last one", (page) => [page.data(1, 9, PNG.subarray(9)), page.data(1, 16, [0])]],
  ["a gap", (page) => page.data(1, 10, [1])],
  ["bytes twice", (page) => page.data(1, 0, [1])],
  ["a request that was never made", (page) => page.data(7, 9, [1])],
  ["a message that is none", (page) => page.of("control", { text: "{" })],
  ["half a header", (page) => page.of("data", { data: new ArrayBuffer(11) })],
  ["a file that is not there", (page) => page.control({ type: "failed", file: 1, reason: "changed" })],
  ["a beginning that is no truth value", (page) => page.control({ type: "manifest", files: [PICTURE], begun: 1 })],
  ["a manifest of nothing", (page) => page.control({ type: "manifest", files: [] })],
];

for (const [name, tell] of LIES) {
  test(`the owner lies: ${name}`, () => {
    const page = halfway();
    tell(page);
    assert.equal(page.phase, "broken protocol");
    assert.deepEqual(page.timer("retry"), []);
  });
}

test("before the channels are open, nothing of the owner is heard", () => {
  const page = new Drive();
  page.do({ type: "socket", open: true });
  page.of("offer", { sdp: "offer" });
  page.signal({ type: "answer", sdp: answer() });
  assert.deepEqual(page.control({ type: "manifest", files: [PICTURE] }), []);
  assert.deepEqual(page.data(1, 0, [1]), []);
  assert.equal(page.phase, "connecting");
});

/** A data message, for events that are made by hand. */
function dataOf(request, offset, payload) {
  const buffer = new ArrayBuffer(12 + payload.length);
  new DataView(buffer).setUint32(0, request);
  new DataView(buffer).setUint32(8, offset);
  new Uint8Array(buffer, 12).set(payload);
  return buffer;
}
