// The page as it is sent: its weight, its order, and nothing inline, foreign or parsed as markup.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { gzipSync } from "node:zlib";

import { VIEWER } from "./support.js";

const LIMIT = 60 * 1024;
const names = readdirSync(VIEWER).filter((name) => /\.(html|css|js|svg)$/.test(name));
const read = (name) => readFileSync(new URL(name, VIEWER), "utf8");
const scripts = names.filter((name) => name.endsWith(".js"));
const modules = scripts.filter((name) => name !== "begin.js");
const html = read("index.html");

test("the whole page is at most 60 KB over the wire", (context) => {
  const bytes = names.reduce((sum, name) => sum + gzipSync(read(name), { level: 9 }).length, 0);
  context.diagnostic(`${(bytes / 1024).toFixed(1)} KiB in ${names.length} files`);
  assert.ok(bytes <= LIMIT, `${bytes} bytes`);
});

test("every module is asked for at once, first those that the connection waits for", () => {
  const preloaded = [...html.matchAll(/rel="modulepreload" href="([^"]+)"/g)].map((match) => match[1]);
  assert.deepEqual([...preloaded].sort(), [...modules].sort());
  const first = new Set(["main.js"]);
  for (const name of first) for (const imported of imports(read(name))) first.add(imported);
  assert.deepEqual(preloaded.slice(0, first.size).sort(), [...first].sort());
});

test("what cannot wait for a module runs before anything is waited for", () => {
  assert.ok(html.indexOf('<script src="begin.js"></script>') < html.indexOf('<link rel="stylesheet"'));
  assert.doesNotMatch(read("begin.js"), /<\/|<!--|^(?:import|export)\b/m);
});

/** What a module imports before its first line runs. */
function imports(source) {
  return [...source.matchAll(/^import .* from "\.\/([^"]+)";$/gm)].map((match) => match[1]);
}

test("modules import each other by relative names, and nothing else", () => {
  for (const name of modules) {
    for (const [, target] of read(name).matchAll(/(?:^import [^\n]* from |\bimport\()"([^"]+)"/gm)) {
      assert.ok(target.startsWith("./") && modules.includes(target.slice(2)), `${name} imports ${target}`);
    }
  }
});

test("no code and no style inline, nothing from elsewhere", () => {
  assert.doesNotMatch(html, /<style|\sstyle=|\son[a-z]+=|javascript:/i);
  assert.equal([...html.matchAll(/<script\b/g)].length, 2);
  assert.match(html, /<script src="begin\.js"><\/script>/);
  assert.match(html, /<meta name="stun" content="">[^]*<script src="begin/);
  assert.match(html, /<script type="module" src="main\.js"><\/script>/);
  for (const name of names) assert.doesNotMatch(read(name), /(?:src|href)="(?:https?:)?\/\/|@import|:[^;"]*\burl\(/i, name);
});

test("nothing that came over the wire can become markup or code", () => {
  const sinks = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function|setTimeout\("|srcdoc/;
  for (const name of scripts) assert.doesNotMatch(read(name), sinks, name);
});

/** What the server has written into the page's head, where nothing is drawn. */
const READS_ITS_SERVERS = 'document.querySelector("meta[name=stun]")';

test("only the page, its stage, and what is said without them know the document", () => {
  for (const name of scripts.filter((name) => !["page.js", "stage.js", "sorry.js"].includes(name))) {
    const code = name === "begin.js" ? read(name).replace(READS_ITS_SERVERS, "") : read(name);
    assert.doesNotMatch(code, /document\.(?!visibilityState|addEventListener)|HTMLElement/, name);
  }
});

test("the pure modules know nothing of a browser", () => {
  const pure = ["call.js", "downloads.js", "files.js", "link.js", "session.js", "transfer.js", "words.js", "zoom.js"];
  for (const name of pure) {
    const code = read(name).replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
    assert.doesNotMatch(code, /\b(?:window|navigator|WebSocket|RTCPeerConnection|localStorage|Date|Math\.random)\b/, name);
  }
});

test("bots and previews learn nothing", () => {
  assert.match(html, /<title>Seedshot<\/title>/);
  assert.match(html, /<meta name="robots" content="noindex, nofollow">/);
  assert.match(html, /<meta name="referrer" content="no-referrer">/);
  assert.doesNotMatch(html, /og:|twitter:/);
});

test("every id that the page draws is there once", () => {
  const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]);
  assert.equal(new Set(ids).size, ids.length);
  for (const [, id] of read("page.js").matchAll(/(?:find|write)\("([^"]+)"/g)) assert.ok(ids.includes(id), id);
  for (const [, id] of html.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.includes(id), id);
});
