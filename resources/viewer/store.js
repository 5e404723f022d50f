// @ts-check
// The bytes that were received, and the object URLs made of them: the one place that holds content, and drops it.
//
// Pieces are joined into blobs as they come, which the browser may keep outside the page's memory. A sink that writes
// to disk while it receives would stand here too, with the same four verbs.

/** @typedef {import("./files.js").PictureKind} PictureKind */

const JOIN_BYTES = 4 * 2 ** 20;

/**
 * @typedef {object} Content
 * @property {BlobPart[]} parts
 * @property {Uint8Array<ArrayBuffer>[]} loose  not joined yet
 * @property {number} looseBytes
 * @property {Blob | null} blob                 null until it is whole
 * @property {string} url                       its object URL, "" until then
 */

export class Store {
  /** @type {Map<number, Content>} */
  #files = new Map();

  /** @param {number} file @param {Uint8Array<ArrayBuffer>} bytes the next ones */
  keep(file, bytes) {
    const content = this.#open(file);
    content.loose.push(bytes);
    content.looseBytes += bytes.length;
    if (content.looseBytes < JOIN_BYTES) return;
    content.parts.push(new Blob(content.loose));
    content.loose = [];
    content.looseBytes = 0;
  }

  /**
   * The file is whole. Whatever is no raster picture gets a type that no browser opens.
   * @param {number} file
   * @param {PictureKind | null} kind
   */
  finish(file, kind) {
    const content = this.#open(file);
    const type = kind === null ? "application/octet-stream" : `image/${kind}`;
    content.blob = new Blob([...content.parts, ...content.loose], { type });
    content.url = URL.createObjectURL(content.blob);
    content.parts = [];
    content.loose = [];
  }

  /** @param {number} file @returns {string} its object URL, "" where it is not here */
  url(file) {
    return this.#files.get(file)?.url ?? "";
  }

  /** @param {number} file @returns {Blob | null} */
  blob(file) {
    return this.#files.get(file)?.blob ?? null;
  }

  /** @param {number} file */
  forget(file) {
    const content = this.#files.get(file);
    if (content !== undefined && content.url !== "") URL.revokeObjectURL(content.url);
    this.#files.delete(file);
  }

  drop() {
    for (const file of [...this.#files.keys()]) this.forget(file);
  }

  /** @param {number} file @returns {Content} */
  #open(file) {
    const found = this.#files.get(file);
    if (found !== undefined) return found;
    /** @type {Content} */
    const content = { parts: [], loose: [], looseBytes: 0, blob: null, url: "" };
    this.#files.set(file, content);
    return content;
  }
}
