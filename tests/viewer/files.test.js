// Names, kinds and sizes of files that the page did not choose.

import assert from "node:assert/strict";
import test from "node:test";

import {
  claimsPicture,
  describeBrowser,
  displayName,
  downloadName,
  formatBytes,
  formatRemaining,
  pngName,
  sniffKind,
} from "../../resources/viewer/files.js";

const latin = (text) => Uint8Array.from(text, (mark) => mark.charCodeAt(0));

const PICTURES = {
  png: "\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
  jpeg: "\xff\xd8\xff\xe0\0\x10JFIF",
  gif: "GIF89a\x01\0\x01\0",
  webp: "RIFF\x24\0\0\0WEBPVP8L",
  avif: "\0\0\0\x20ftypavif\0\0\0\0",
  bmp: "BM\x36\0\0\0\0\0\0\0",
};

for (const [kind, head] of Object.entries(PICTURES)) {
  test(`a picture by its bytes: ${kind}`, () => {
    assert.equal(sniffKind(latin(head)), kind);
    assert.equal(sniffKind(latin(` ${head}`)), null, "they come first");
    assert.equal(sniffKind(latin(head).subarray(0, 1)), null, "and whole");
  });
}

const NO_PICTURES = {
  "an SVG": '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
  "an SVG behind an XML head": '<?xml version="1.0"?><svg/>',
  HTML: "<!doctype html><script>alert(1)</script>",
  "HTML that names a PNG": "PNG\r\n<html>",
  PDF: "%PDF-1.7",
  "a ZIP": "PK\x03\x04",
  "a RIFF sound": "RIFF\x24\0\0\0WAVEfmt ",
  "a MP4": "\0\0\0\x20ftypisom\0\0\0\0",
  "text that begins with BM": "BM is a brand of something",
  nothing: "",
};

for (const [name, head] of Object.entries(NO_PICTURES)) {
  test(`no picture: ${name}`, () => assert.equal(sniffKind(latin(head)), null));
}

test("a media type is a claim, and only of raster pictures", () => {
  for (const kind of Object.keys(PICTURES)) assert.ok(claimsPicture(`image/${kind}`));
  for (const type of ["image/svg+xml", "text/html", "IMAGE/PNG", "image/png; x", "", "image/png\n"]) {
    assert.equal(claimsPicture(type), false, type);
  }
});

/** @type {[string, string][]} */
const SHOWN = [
  ["Screenshot.png", "Screenshot.png"],
  ["  two   spaces ", "two spaces"],
  ["line\nbreak\ttab", "line break tab"],
  ["photo\u202egnp.exe", "photognp.exe"],
  ["\u2066a\u2069\u200f\u061cb\ufeff\u200b", "ab"],
  ["e\u0301", "é"],
  ["\ud800half", "\ufffdhalf"],
  ["👩‍👩‍👧 family.jpg", "👩‍👩‍👧 family.jpg"],
  ["图片.png", "图片.png"],
  ["<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>.png"],
  ["\0\u0007\u009f", "file"],
  ["", "file"],
];

for (const [name, shown] of SHOWN) {
  test(`shown: ${JSON.stringify(name)}`, () => assert.equal(displayName(name), shown));
}

test("a long name keeps its end", () => {
  const shown = displayName(`${"a".repeat(900)}.tar.gz`);
  assert.ok([...shown].length <= 160);
  assert.match(shown, /^a+…a+\.tar\.gz$/);
});

/** @type {[string, import("../../resources/viewer/files.js").PictureKind | null, string][]} */
const SAVED = [
  ["report.pdf", null, "report.pdf"],
  ["../../etc/passwd", null, "_.._etc_passwd"],
  ["C:\\temp\\x.txt", null, "C__temp_x.txt"],
  [".bashrc", null, "bashrc"],
  ["name. . ", null, "name"],
  ["con", null, "_con"],
  ["NUL.txt", null, "_NUL.txt"],
  ["COM1.tar.gz", null, "_COM1.tar.gz"],
  ["console.txt", null, "console.txt"],
  ["a<b>|c?*\":", null, "a_b__c____"],
  ["...", null, "file"],
  ["shot.png", "png", "shot.png"],
  ["shot.PNG", "png", "shot.PNG"],
  ["shot.jpeg", "jpeg", "shot.jpeg"],
  ["shot.png", "webp", "shot.png.webp"],
  ["invoice.exe", "png", "invoice.exe.png"],
  ["shot", "gif", "shot.gif"],
];

for (const [name, kind, saved] of SAVED) {
  test(`saved: ${name} (${kind})`, () => assert.equal(downloadName(name, kind), saved));
}

test("no name that is saved is long, hidden or a path", () => {
  for (const name of ["x".repeat(5000), "\u202e".repeat(9), "a/".repeat(600), "é".repeat(400), "🙂".repeat(300)]) {
    const saved = downloadName(name, "png");
    assert.ok([...saved].length <= 125 && saved.length > 0);
    assert.doesNotMatch(saved, /[/\\\u202e\p{Surrogate}]|^\./u);
  }
});

test("a picture saved as PNG", () => {
  assert.equal(pngName("shot.webp"), "shot.png");
  assert.equal(pngName("shot"), "shot.png");
  assert.equal(pngName("v1.2"), "v1.2.png");
});

test("sizes for people", () => {
  const shown = [0, 1, 999, 1000, 1499, 9949, 12_345, 999_499, 999_500, 1_449_000, 20_000_000, 1.5e9, 2 ** 53].map(formatBytes);
  assert.deepEqual(shown, [
    "0 bytes", "1 byte", "999 bytes", "1 kB", "1 kB", "10 kB", "12 kB", "999 kB", "1.0 MB", "1.4 MB", "20 MB", "1.5 GB", "9.0 PB",
  ]);
});

test("how long it takes", () => {
  assert.equal(formatRemaining(100, 0), "");
  assert.equal(formatRemaining(100, 50), "2 s left");
  assert.equal(formatRemaining(120_000, 1000), "2 min left");
  assert.equal(formatRemaining(5_400_000, 1000), "1.5 h left");
});

/** @type {[string, string, string][]} */
const AGENTS = [
  ["Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", "Firefox 153", "Linux"],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36", "Chrome 156", "Windows"],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0", "Edge 156", "Windows"],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.2 Safari/605.1.15", "Safari 18", "macOS"],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.2 Mobile/15E148 Safari/604.1", "Safari 18", "iOS"],
  ["Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36", "Chrome 156", "Android"],
  ["curl/8.0", "", ""],
];

for (const [agent, browser, system] of AGENTS) {
  test(`a browser says of itself: ${browser || "nothing"} on ${system || "nothing"}`, () => {
    assert.deepEqual(describeBrowser(agent), { browser, system });
  });
}
