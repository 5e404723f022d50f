// @ts-check
// Where a picture lies on its stage; pure. 100 % is one pixel of the picture on one pixel of the screen.

/**
 * @typedef {object} Stage
 * @property {number} left    where it lies in the window, CSS pixels, perhaps with a fraction
 * @property {number} top
 * @property {number} width   CSS pixels
 * @property {number} height  CSS pixels
 * @property {number} ratio   device pixels in a CSS pixel
 */
/** @typedef {{width: number, height: number}} Size pixels of the picture */
/** @typedef {{scale: number, x: number, y: number}} Placement CSS pixels per picture pixel; its corner on the stage, CSS pixels */

const MAX_ZOOM = 16;

/** @param {Stage} stage @param {Size} size @returns {number} the scale that shows all of it, at most at 100 % */
export function fitScale(stage, size) {
  return Math.min(1 / stage.ratio, stage.width / size.width, stage.height / size.height);
}

/** @param {Stage} stage @param {Size} size @returns {Placement} */
export function fit(stage, size) {
  return settle({ scale: fitScale(stage, size), x: 0, y: 0 }, stage, size);
}

/**
 * Another scale, with what lies at a point of the stage staying there.
 * @param {Placement} placement @param {number} scale @param {{x: number, y: number}} at
 * @param {Stage} stage @param {Size} size
 * @returns {Placement}
 */
export function zoomTo(placement, scale, at, stage, size) {
  const lowest = fitScale(stage, size);
  const next = Math.max(lowest, Math.min(scale, Math.max(lowest, MAX_ZOOM / stage.ratio)));
  const factor = next / placement.scale;
  const x = at.x - (at.x - placement.x) * factor;
  const y = at.y - (at.y - placement.y) * factor;
  return settle({ scale: next, x, y }, stage, size);
}

/**
 * @param {Placement} placement @param {number} dx @param {number} dy @param {Stage} stage @param {Size} size
 * @returns {Placement}
 */
export function pan(placement, dx, dy, stage, size) {
  return settle({ ...placement, x: placement.x + dx, y: placement.y + dy }, stage, size);
}

/**
 * Centred where there is room, without a gap at an edge where there is not.
 * @param {Placement} placement @param {Stage} stage @param {Size} size
 * @returns {Placement}
 */
export function settle({ scale, x, y }, stage, size) {
  return {
    scale,
    x: settleAxis(x, size.width * scale, stage.width),
    y: settleAxis(y, size.height * scale, stage.height),
  };
}

/**
 * Where the top left corner is in the window, on whole pixels of the screen: at 100 % nothing is blurred.
 * @param {Placement} placement @param {Stage} stage
 * @returns {{x: number, y: number}} CSS pixels
 */
export function corner({ x, y }, stage) {
  const snap = (/** @type {number} */ value) => Math.round(value * stage.ratio) / stage.ratio;
  return { x: snap(stage.left + x), y: snap(stage.top + y) };
}

/** @param {number} at @param {number} length @param {number} room */
function settleAxis(at, length, room) {
  if (length <= room) return (room - length) / 2;
  return Math.min(0, Math.max(room - length, at));
}

/** @param {Placement} placement @param {Stage} stage @returns {number} whole per cent */
export function percent(placement, stage) {
  return Math.round(placement.scale * stage.ratio * 100);
}
