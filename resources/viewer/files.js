// @ts-check
// What the page makes of files that it did not choose: their names, kinds and sizes; pure.
//
// Names and types come from the wire and are text, never markup. A file is a picture by its first bytes alone.

/** @typedef {"png" | "jpeg" | "gif" | "webp" | "avif" | "bmp"} PictureKind raster only: no SVG, which is a program */

/** The most that this page takes of one file: it is held in memory until it is saved. */
export const MAX_FILE = 1.5 * 2 ** 30;
/** A picture up to this size is fetched at once, without being asked for. */
export const MAX_PICTURE = 128 * 2 ** 20;
/** Bytes that `sniffKind` wants to see. */
export const SNIFF_BYTES = 32;

const EXTENSIONS = { png: ["png"], jpeg: ["jpg", "jpeg"], gif: ["gif"], webp: ["webp"], avif: ["avif"], bmp: ["bmp"] };

/**
 * The kind of a picture by its magic bytes; null for everything else, whatever its name or type says.
 * @param {Uint8Array} head the first SNIFF_BYTES of the file, or all of a shorter one
 * @returns {PictureKind | null}
 */
export function sniffKind(head) {
  const text = String.fromCharCode(...head.subarray(0, SNIFF_BYTES));
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (text.startsWith("\xff\xd8\xff")) return "jpeg";
  if (/^GIF8[79]a/.test(text)) return "gif";
  if (/^RIFF[^]{4}WEBPVP8[ LX]/.test(text)) return "webp";
  if (/^[^]{4}ftypavi[fs]/.test(text)) return "avif";
  if (/^BM[^]{4}\0\0\0\0/.test(text)) return "bmp";
  return null;
}

/**
 * Whether the owner says that a file is a picture which this page can show; its bytes still have to prove it.
 * @param {string} mediaType
 */
export function claimsPicture(mediaType) {
  return /^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(mediaType);
}

/** C0 and C1 controls, line and paragraph separators, and what reorders or hides text. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202f\u2060-\u206f\u3164\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;

/**
 * A name as it may be shown: one line, nothing that hides or reorders its letters, never empty.
 * @param {string} name
 */
export function displayName(name) {
  const clean = name.slice(0, 1024).replace(/\p{Surrogate}/gu, "\ufffd").normalize("NFC");
  const line = clean.replace(/\s+/g, " ").replace(UNSAFE, "").trim();
  return line === "" ? "file" : shorten(line, 160);
}

/**
 * A name that every file system takes, for the `download` attribute; a picture's extension is that of its bytes.
 * @param {string} name
 * @param {PictureKind | null} kind
 */
export function downloadName(name, kind) {
  const plain = displayName(name)
    .replace(/[/\\:*?"<>|]/g, "_")
    .replace(/^[. ]+|[. ]+$/g, "");
  const safe = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(plain) ? `_${plain}` : plain;
  const named = safe === "" ? "file" : shorten(safe, 120);
  if (kind === null || EXTENSIONS[kind].includes(extension(named))) return named;
  return `${named}.${EXTENSIONS[kind][0]}`;
}

/**
 * The name under which a picture is saved as PNG.
 * @param {string} name
 */
export function pngName(name) {
  return `${downloadName(name, null).replace(/\.(png|jpe?g|gif|webp|avif|bmp)$/i, "")}.png`;
}

/** @param {string} name @returns {string} in lower case, without its dot; "" where there is none */
export function extension(name) {
  return /\.([A-Za-z0-9]{1,8})$/.exec(name)?.[1].toLowerCase() ?? "";
}

/** Cuts the middle out, so that the extension stays. @param {string} text @param {number} limit characters */
function shorten(text, limit) {
  const marks = [...text];
  if (marks.length <= limit) return text;
  return `${marks.slice(0, limit - 21).join("")}…${marks.slice(-20).join("")}`;
}

/**
 * A size for people: "0 bytes", "812 kB", "1.4 MB"; decimal units, as file managers show them.
 * @param {number} bytes
 */
export function formatBytes(bytes) {
  if (bytes < 1000) return bytes === 1 ? "1 byte" : `${Math.round(bytes)} bytes`;
  const units = ["kB", "MB", "GB", "TB", "PB"];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 9.95 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/**
 * How long the rest takes, for people; "" while that cannot be said.
 * @param {number} bytes still to come
 * @param {number} rate bytes per second
 */
export function formatRemaining(bytes, rate) {
  if (rate <= 0) return "";
  const seconds = Math.ceil(bytes / rate);
  if (seconds < 60) return `${seconds} s left`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min left`;
  return `${(seconds / 3600).toFixed(1)} h left`;
}

/**
 * The browser and the system as the owner's list shows them; "" for what is not known.
 * @param {string} agent navigator.userAgent
 * @returns {{browser: string, system: string}}
 */
export function describeBrowser(agent) {
  const browsers = [
    ["Edge", /Edg(?:e|A|iOS)?\/(\d+)/],
    ["Opera", /OPR\/(\d+)/],
    ["Samsung Internet", /SamsungBrowser\/(\d+)/],
    ["Firefox", /(?:Firefox|FxiOS)\/(\d+)/],
    ["Chrome", /(?:Chrome|CriOS)\/(\d+)/],
    ["Safari", /Version\/(\d+).*Safari\//],
  ];
  const systems = [
    ["Android", /Android/],
    ["iOS", /iPhone|iPad|iPod/],
    ["Windows", /Windows/],
    ["ChromeOS", /CrOS/],
    ["macOS", /Macintosh|Mac OS X/],
    ["Linux", /Linux|X11/],
  ];
  const browser = browsers.map(([name, mark]) => [name, new RegExp(mark).exec(agent)?.[1]]).find(([, found]) => found);
  const system = systems.find(([, mark]) => new RegExp(mark).test(agent));
  return { browser: browser ? browser.join(" ") : "", system: system ? String(system[0]) : "" };
}
