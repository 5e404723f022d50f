// @ts-check
// Draws the one state of the page, and says what the person wants; the only file (with stage.js, and sorry.js in its place) that touches the DOM.
//
// Names from the wire are written as text only. A picture is put in place once it is decoded, so nothing flickers.

import { downloadName, formatBytes, formatRemaining, pngName } from "./files.js";
import { StageView } from "./stage.js";
import { announcement, message, obstacle, presence } from "./words.js";

/** @typedef {import("./session.js").State} State */
/** @typedef {import("./downloads.js").FileView} FileView */
/** @typedef {import("./downloads.js").Purpose} Purpose */

/**
 * @typedef {object} PageListener
 * @property {(file: number, purpose: Purpose) => void} wanted
 * @property {(file: number) => void} cancelled
 * @property {(file: number) => void} undecodable   the browser cannot draw it
 * @property {() => void} back
 */

const TOAST_MS = 5000;

/** @param {string} id @returns {HTMLElement} */
function find(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no ${id}`);
  return element;
}

/** Whether this browser lets a page put a picture on the clipboard here; on plain http none does. */
function canCopy() {
  return isSecureContext && typeof ClipboardItem === "function" && navigator.clipboard?.write !== undefined;
}

export class Page {
  #listener;
  #store;
  #view = new StageView(find("stage"), () => this.#drawZoom());
  /** @type {State} */
  #state = { phase: "connecting" };
  /** The object URL on the stage, or on its way there; "" for none. */
  #shown = "";
  /** @type {HTMLImageElement | null} decoded and on the stage */
  #image = null;
  #announced = "";
  #toastTimer = 0;
  /** @type {Map<number, ReturnType<typeof makeRow>>} */
  #rows = new Map();

  /**
   * @param {PageListener} listener
   * @param {import("./store.js").Store} store  of the files that are here
   */
  constructor(listener, store) {
    this.#listener = listener;
    this.#store = store;
    find("larger").addEventListener("click", () => this.#view.larger());
    find("smaller").addEventListener("click", () => this.#view.smaller());
    find("percent").addEventListener("click", () => this.#view.toggle());
    for (const id of ["back", "stop"]) find(id).addEventListener("click", () => listener.back());
    find("again").addEventListener("click", () => location.reload());
    find("copy").addEventListener("click", () => void this.#copy());
    find("save").addEventListener("click", () => this.#saveShown());
    find("save-png").addEventListener("click", () => void this.#savePng());
    document.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** @param {State} state */
  draw(state) {
    this.#state = state;
    if (state.phase === "picture") return this.#drawPicture(state.file);
    this.#clearStage();
    this.#drawPhase();
  }

  /** A file that is here goes where the browser puts downloads. @param {FileView} file */
  save(file) {
    download(this.#store.url(file.index), downloadName(file.name, file.kind));
  }

  /** Says something for a moment. @param {string} text */
  #toast(text) {
    const toast = find("toast");
    clearTimeout(this.#toastTimer);
    toast.textContent = text;
    toast.classList.add("up");
    this.#toastTimer = setTimeout(() => toast.classList.remove("up"), TOAST_MS);
  }

  // The picture

  /** @param {FileView} file */
  #drawPicture(file) {
    const url = this.#store.url(file.index);
    if (url === this.#shown) {
      if (this.#image !== null) this.#drawPhase();
      return;
    }
    this.#clearStage();
    this.#shown = url;
    void this.#load(url, file);
  }

  /** @param {string} url @param {FileView} file */
  async #load(url, file) {
    const image = new Image();
    image.alt = file.name;
    image.draggable = false;
    image.src = url;
    const isDecoded = await image.decode().then(() => true, () => false);
    if (this.#shown !== url) return;
    if (!isDecoded) return this.#listener.undecodable(file.index);
    this.#image = image;
    this.#drawPhase();
    this.#view.show(image);
  }

  #clearStage() {
    if (this.#shown === "") return;
    this.#shown = "";
    this.#image = null;
    this.#view.show(null);
  }

  #saveShown() {
    if (this.#state.phase === "picture") this.save(this.#state.file);
  }

  async #savePng() {
    const { file } = this.#shownFile() ?? {};
    if (file === undefined) return;
    try {
      const url = URL.createObjectURL(await this.#toPng());
      download(url, pngName(file.name));
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    } catch {
      this.#toast("This browser cannot make a PNG of a picture this large. Save it as it came instead.");
    }
  }

  async #copy() {
    if (this.#shownFile() === null) return;
    if (!canCopy()) {
      const hand = matchMedia("(pointer: coarse)").matches ? "Press and hold the picture" : "Right-click the picture";
      return this.#toast(`${hand} and choose “Copy image”. Browsers let a page copy by itself over https only.`);
    }
    try {
      await navigator.clipboard.write([new ClipboardItem({ "image/png": this.#toPng() })]);
      this.#toast("Copied");
    } catch {
      this.#toast("The browser did not allow it. Right-click the picture and choose “Copy image”.");
    }
  }

  #shownFile() {
    return this.#state.phase === "picture" && this.#image !== null ? { file: this.#state.file } : null;
  }

  /** @returns {Promise<Blob>} */
  async #toPng() {
    const image = this.#image;
    if (image === null || this.#state.phase !== "picture") throw new Error("there is no picture");
    const { kind, index } = this.#state.file;
    return (kind === "png" ? this.#store.blob(index) : null) ?? drawPng(image);
  }

  // The rest of the page

  #drawPhase() {
    const state = this.#state;
    const isMessage = state.phase !== "picture" && state.phase !== "files";
    document.body.dataset.phase = state.phase;
    document.body.classList.toggle("away", "away" in state && state.away !== null);
    find("message").hidden = !isMessage;
    find("stage").hidden = state.phase !== "picture";
    find("files").hidden = state.phase !== "files";
    find("bar").hidden = isMessage;
    if (isMessage) this.#drawMessage(state);
    else this.#drawBar(state);
    this.#drawRows(state.phase === "files" ? state.files : []);
    this.#announce(state);
  }

  /** @param {State} state */
  #drawMessage(state) {
    const { icon, title, text, again } = message(state);
    const box = find("message");
    box.classList.toggle("busy", icon === "" || state.phase === "waiting");
    box.classList.toggle("halted", icon !== "");
    box.classList.toggle("alarm", state.phase === "impostor");
    find("symbol").setAttribute("href", `#icon-${icon || "mark"}`);
    write("title", title);
    write("text", text);
    find("again").hidden = again !== true;
    find("stop").hidden = !(state.phase === "receiving" && state.several);
    find("progress").hidden = state.phase !== "receiving";
    if (state.phase === "receiving") this.#drawProgress(state.file, state.away !== null);
    else find("fill").style.transform = "";
  }

  /** @param {FileView} file @param {boolean} isAway */
  #drawProgress(file, isAway) {
    const part = file.size === 0 ? 1 : file.held / file.size;
    find("fill").style.transform = `scaleX(${part})`;
    find("meter").setAttribute("aria-valuenow", String(Math.floor(part * 100)));
    write("detail", isAway ? "The owner is gone. It goes on when they are back." : progressText(file));
    find("message").classList.toggle("halted", isAway);
    find("message").classList.toggle("busy", !isAway);
  }

  /** @param {State} state */
  #drawBar(state) {
    if (state.phase !== "picture" && state.phase !== "files") return;
    const isPicture = state.phase === "picture";
    const title = isPicture ? state.file.name : `${state.files.length} ${state.files.length === 1 ? "file" : "files"}`;
    write("name", title);
    write("presence", presence(state.away));
    find("back").hidden = !(isPicture && state.several);
    find("tools").hidden = !isPicture;
    if (!isPicture) return;
    find("save").title = `Save as it came: ${(state.file.kind ?? "").toUpperCase()}, ${formatBytes(state.file.size)}`;
    find("save-png").hidden = state.file.kind === "png";
    const copyLabel = canCopy() ? "Copy" : "Copy…";
    find("copy").title = canCopy() ? "Copy the picture" : "How to copy the picture";
    find("copy").setAttribute("aria-label", find("copy").title);
    /** @type {HTMLElement} */ (find("copy").lastElementChild).textContent = copyLabel;
  }

  #drawZoom() {
    const button = find("percent");
    const fitted = this.#view.isFitted;
    button.textContent = `${this.#view.percent} %`;
    button.title = fitted ? "Show at 100 % (1)" : "Fit to the window (0)";
    button.setAttribute("aria-label", `Zoom ${this.#view.percent} per cent. ${button.title}`);
    /** @type {HTMLButtonElement} */ (find("smaller")).disabled = this.#view.isSmallest;
  }

  /** @param {FileView[]} files */
  #drawRows(files) {
    const list = find("list-of-files");
    if (files.length !== this.#rows.size) {
      this.#rows = new Map(files.map((file) => [file.index, makeRow(file, this.#listener)]));
      list.replaceChildren(...[...this.#rows.values()].map((row) => row.element));
    }
    for (const file of files) this.#rows.get(file.index)?.draw(file);
  }

  /** Once for every change of state, never for every per cent. @param {State} state */
  #announce(state) {
    const text = announcement(state);
    if (text === this.#announced) return;
    this.#announced = text;
    write("announcer", text);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const command = event.ctrlKey || event.metaKey;
    if (this.#shownFile() === null || event.altKey) return;
    if (command && event.key === "s") this.#saveShown();
    else if (command && event.key === "c" && getSelection()?.isCollapsed !== false) void this.#copy();
    else if (event.key === "Escape") this.#listener.back();
    else if (command || !this.#view.press(event.key)) return;
    event.preventDefault();
  }
}

/** @param {string} id @param {string} text */
function write(id, text) {
  const element = find(id);
  if (element.textContent !== text) element.textContent = text;
}

/** @param {FileView} file "1.2 of 3.4 MB · 12 MB/s · 3 s left" */
function progressText(file) {
  const parts = [`${formatBytes(file.held)} of ${formatBytes(file.size)}`];
  if (file.rate > 0) parts.push(`${formatBytes(file.rate)}/s`, formatRemaining(file.size - file.held, file.rate));
  return parts.join(" · ");
}

/** @param {string} url @param {string} name */
function download(url, name) {
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  anchor.click();
}

/** @param {HTMLImageElement} image @returns {Promise<Blob>} */
async function drawPng(image) {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  canvas.getContext("2d")?.drawImage(image, 0, 0);
  const blob = await new Promise((/** @type {(blob: Blob | null) => void} */ resolve) => canvas.toBlob(resolve));
  canvas.width = canvas.height = 0;
  if (blob === null) throw new Error("the browser made no PNG");
  return blob;
}

/** @param {string} symbol drawn in index.html */
function makeIcon(symbol) {
  const namespace = "http://www.w3.org/2000/svg";
  const icon = document.createElementNS(namespace, "svg");
  const use = document.createElementNS(namespace, "use");
  icon.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${symbol}`);
  icon.append(use);
  return icon;
}

/** @param {string} tag @param {string} className */
function make(tag, className) {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}

/** @param {string} text @param {() => void} pressed */
function makeButton(text, pressed) {
  const button = /** @type {HTMLButtonElement} */ (make("button", "tool named"));
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", pressed);
  return button;
}

/**
 * One file of the list; its elements stay while what they say changes, so that nothing jumps and the focus stays.
 * @param {FileView} file
 * @param {PageListener} listener
 */
function makeRow(file, listener) {
  const { index } = file;
  const element = make("li", "file");
  const name = make("span", "file-name");
  const detail = make("span", "file-detail");
  const meter = make("div", "file-meter");
  const fill = document.createElement("div");
  const text = document.createElement("div");
  const actions = make("div", "file-actions");
  const show = makeButton("Show", () => listener.wanted(index, "show"));
  const save = makeButton("Save", () => listener.wanted(index, "save"));
  const cancel = makeButton("Cancel", () => listener.cancelled(index));
  name.textContent = file.name;
  meter.append(fill);
  meter.setAttribute("role", "progressbar");
  meter.setAttribute("aria-label", file.name);
  for (const [button, verb] of /** @type {const} */ ([[show, "Show"], [save, "Save"], [cancel, "Cancel"]])) {
    button.setAttribute("aria-label", `${verb} ${file.name}`);
  }
  text.append(name, detail, meter);
  actions.append(show, save, cancel);
  element.append(makeIcon(file.claimed ? "image" : "file"), text, actions);

  /** @param {FileView} now */
  const draw = (now) => {
    const isUnderWay = now.status === "receiving" || now.status === "queued";
    const isPossible = now.status === "offered" || now.status === "ready";
    const part = now.size === 0 ? 0 : now.held / now.size;
    detail.textContent = rowText(now);
    element.classList.toggle("under-way", isUnderWay);
    meter.hidden = !isUnderWay;
    meter.setAttribute("aria-valuenow", String(Math.floor(part * 100)));
    fill.style.transform = `scaleX(${part})`;
    show.hidden = !isPossible || (now.status === "ready" ? now.kind === null : !now.claimed);
    save.hidden = !isPossible;
    cancel.hidden = !isUnderWay;
  };
  return { element, draw };
}

/** @param {FileView} file */
function rowText(file) {
  const problem = obstacle(file);
  if (problem !== "") return `${formatBytes(file.size)} · ${problem}`;
  if (file.status === "receiving") return progressText(file);
  if (file.status === "queued") return `${formatBytes(file.size)} · Next in line`;
  if (file.status === "ready") return `${formatBytes(file.size)} · Received`;
  return formatBytes(file.size);
}
