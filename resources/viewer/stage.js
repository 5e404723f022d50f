// @ts-check
// The picture under the hand: wheel, pinch, drag and keys become placements (see zoom.js). Used by page.js alone.

import { corner, fit, fitScale, pan, percent, settle, zoomTo } from "./zoom.js";

/** @typedef {import("./zoom.js").Placement} Placement */
/** @typedef {{x: number, y: number}} Point */

const STEP = 1.25;
const ARROW_PX = 64;
/** From this many screen pixels for one of the picture on, its pixels are drawn as squares. */
const SQUARES_FROM = 3;

export class StageView {
  #element;
  #changed;
  /** @type {HTMLImageElement | null} */
  #image = null;
  /** @type {Placement} */
  #placement = { scale: 1, x: 0, y: 0 };
  #isFitted = true;
  /** @type {Map<number, Point>} pointers that are down */
  #pointers = new Map();

  /**
   * @param {HTMLElement} element
   * @param {() => void} changed  the zoom is another
   */
  constructor(element, changed) {
    this.#element = element;
    this.#changed = changed;
    new ResizeObserver(() => this.#onResize()).observe(element);
    element.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false });
    element.addEventListener("dblclick", (event) => this.#toggleAt(this.#pointOf(event)));
    element.addEventListener("pointerdown", (event) => this.#onPointerDown(event));
    element.addEventListener("pointermove", (event) => this.#onPointerMove(event));
    for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) {
      element.addEventListener(name, (event) => this.#onPointerUp(event));
    }
  }

  /** Shows a decoded picture, or nothing. @param {HTMLImageElement | null} image */
  show(image) {
    this.#image?.removeAttribute("src");
    this.#image = image;
    this.#element.replaceChildren(...(image === null ? [] : [image]));
    this.#pointers.clear();
    this.fit();
  }

  /** @returns {number} per cent of the picture's own pixels */
  get percent() {
    return percent(this.#placement, this.#stage);
  }

  get isFitted() {
    return this.#isFitted;
  }

  get isSmallest() {
    return this.#image !== null && this.#placement.scale <= fitScale(this.#stage, this.#size);
  }

  fit() {
    this.#isFitted = true;
    this.#place(fit(this.#stage, this.#size));
  }

  /** One pixel of the picture on one of the screen. */
  full() {
    this.#zoom(1 / this.#stage.ratio);
  }

  /** All of it, or its own pixels: whichever it is not. */
  toggle() {
    this.#toggleAt(this.#centre);
  }

  larger() {
    this.#zoom(this.#placement.scale * STEP);
  }

  smaller() {
    this.#zoom(this.#placement.scale / STEP);
  }

  /**
   * @param {string} key as in KeyboardEvent
   * @returns {boolean} whether it meant something
   */
  press(key) {
    if (this.#image === null) return false;
    const arrows = /** @type {Record<string, [number, number]>} */ ({
      ArrowLeft: [ARROW_PX, 0],
      ArrowRight: [-ARROW_PX, 0],
      ArrowUp: [0, ARROW_PX],
      ArrowDown: [0, -ARROW_PX],
    });
    if (key === "+" || key === "=") this.larger();
    else if (key === "-" || key === "_") this.smaller();
    else if (key === "0") this.fit();
    else if (key === "1") this.full();
    else if (Object.hasOwn(arrows, key)) this.#pan(...arrows[key]);
    else return false;
    return true;
  }

  get #stage() {
    const { left, top, width, height } = this.#element.getBoundingClientRect();
    return { left, top, width, height, ratio: devicePixelRatio };
  }

  get #size() {
    return { width: this.#image?.naturalWidth || 1, height: this.#image?.naturalHeight || 1 };
  }

  get #centre() {
    const { width, height } = this.#stage;
    return { x: width / 2, y: height / 2 };
  }

  /** @param {number} scale @param {Point} [at] */
  #zoom(scale, at = this.#centre) {
    const placement = zoomTo(this.#placement, scale, at, this.#stage, this.#size);
    this.#isFitted = placement.scale === fitScale(this.#stage, this.#size);
    this.#place(placement);
  }

  /** @param {number} dx @param {number} dy */
  #pan(dx, dy) {
    this.#place(pan(this.#placement, dx, dy, this.#stage, this.#size));
  }

  /** @param {Point} at */
  #toggleAt(at) {
    if (this.#isFitted && this.percent !== 100) this.#zoom(1 / this.#stage.ratio, at);
    else if (this.#isFitted) this.#zoom(2 / this.#stage.ratio, at);
    else this.fit();
  }

  /** @param {Placement} placement */
  #place(placement) {
    this.#placement = placement;
    if (this.#image === null) return;
    const { scale } = placement;
    const { width, height, ratio } = this.#stage;
    const { x, y } = corner(placement, this.#stage);
    this.#image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    const isMovable = this.#size.width * scale > width + 0.5 || this.#size.height * scale > height + 0.5;
    this.#element.classList.toggle("movable", isMovable);
    this.#element.classList.toggle("close", scale * ratio >= SQUARES_FROM);
    this.#changed();
  }

  #onResize() {
    if (this.#isFitted) this.fit();
    else this.#place(settle(this.#placement, this.#stage, this.#size));
  }

  /** @param {MouseEvent} event @returns {Point} */
  #pointOf(event) {
    const box = this.#element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** A wheel's notch and a touchpad's pinch zoom at the pointer. @param {WheelEvent} event */
  #onWheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.002;
    const delta = Math.max(-150, Math.min(150, event.deltaY * lines));
    this.#zoom(this.#placement.scale * Math.exp(-delta * speed), this.#pointOf(event));
  }

  /** @param {PointerEvent} event */
  #onPointerDown(event) {
    if (event.button !== 0 || this.#image === null) return;
    this.#pointers.set(event.pointerId, this.#pointOf(event));
    this.#element.setPointerCapture(event.pointerId);
    this.#element.classList.add("moving");
  }

  /** @param {PointerEvent} event */
  #onPointerMove(event) {
    const before = this.#pointers.get(event.pointerId);
    if (before === undefined) return;
    const now = this.#pointOf(event);
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.#pointers.set(event.pointerId, now);
    if (other !== undefined) this.#pinch(before, now, other);
    this.#pan(...halved(now.x - before.x, now.y - before.y, other !== undefined));
  }

  /** @param {Point} before @param {Point} now @param {Point} other the finger that rests */
  #pinch(before, now, other) {
    const factor = distance(now, other) / Math.max(1, distance(before, other));
    this.#zoom(this.#placement.scale * factor, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
  }

  /** @param {PointerEvent} event */
  #onPointerUp(event) {
    this.#pointers.delete(event.pointerId);
    if (this.#pointers.size === 0) this.#element.classList.remove("moving");
  }
}

/** @param {Point} a @param {Point} b */
function distance(a, b) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** The middle of two fingers moves half as far as one of them. @param {number} x @param {number} y @param {boolean} half @returns {[number, number]} */
function halved(x, y, half) {
  return half ? [x / 2, y / 2] : [x, y];
}
