// @ts-check
// What the page says in each state; pure. Every sentence says what happened, why, and what to do or that nothing need be done.

/** @typedef {import("./session.js").State} State */
/** @typedef {import("./session.js").Away} Away */
/** @typedef {import("./downloads.js").FileView} FileView */

/**
 * @typedef {object} Words
 * @property {string} icon     a symbol drawn in index.html; "" for our mark, while something is under way
 * @property {string} title
 * @property {string} text
 * @property {boolean} [again] whether trying again may help
 */

/** @type {Record<Away, Words>} */
const AWAY = {
  offline: {
    icon: "away",
    title: "The owner is not online",
    text: "What they shared lives on their computer, which is out of reach at the moment. This page goes on by itself when it is back.",
  },
  unknown: {
    icon: "away",
    title: "Waiting for the owner",
    text: "Nobody shares anything under this link at the moment. As soon as the owner’s computer is online, this page goes on by itself.",
  },
  full: {
    icon: "people",
    title: "Many people are looking right now",
    text: "The owner’s computer takes only so many viewers at once. This page keeps trying and opens as soon as there is room.",
  },
  lost: {
    icon: "away",
    title: "The connection broke",
    text: "The owner’s computer does not answer any more. This page keeps trying and goes on where it stopped.",
  },
  unreachable: {
    icon: "blocked",
    title: "No way through to the owner",
    text: "Their computer answered, but a firewall or a VPN between you lets no direct connection through. Try from the same network or without the VPN. This page keeps trying.",
  },
  server: {
    icon: "away",
    title: "The server does not answer",
    text: "It is what brings you and the owner together. Check your connection; this page keeps trying.",
  },
};

/** @type {Record<string, Words>} */
const FINAL = {
  revoked: {
    icon: "revoked",
    title: "Taken back by the owner",
    text: "This share was revoked. Nothing of it is left on this page.",
  },
  expired: {
    icon: "clock",
    title: "This link has expired",
    text: "The owner gave it a time or a number of views, and that is over. Ask them for a new link.",
  },
  vanished: {
    icon: "link",
    title: "The file is gone",
    text: "What was shared here was moved or deleted on the owner’s computer. Nothing of it is left on this page. Ask them for a new link.",
  },
  changed: {
    icon: "link",
    title: "The file has changed",
    text: "What was shared here has changed on the owner’s computer since. Nothing of it is left on this page. Ask them for a new link.",
  },
  unreadable: {
    icon: "link",
    title: "The file cannot be read",
    text: "The owner’s computer can no longer read what was shared here. Nothing of it is left on this page. Ask them for a new link.",
  },
  stopped: {
    icon: "link",
    title: "No longer shared",
    text: "The owner’s computer could not go on sharing this: perhaps the file has changed or was moved. Ask them for a new link.",
  },
  dismissed: {
    icon: "revoked",
    title: "The owner ended your visit",
    text: "Nothing of what they shared is left on this page. Ask them if you think that was a mistake.",
  },
  refused: {
    icon: "link",
    title: "The link was not accepted",
    text: "The owner’s computer does not know the key in it. Copy the whole link again, or ask for a new one.",
    again: true,
  },
  empty: {
    icon: "link",
    title: "There is no share in this link",
    text: "Part of it is missing: everything after the # belongs to it. Copy the whole link again.",
  },
  damaged: {
    icon: "link",
    title: "This link is not whole",
    text: "Some of its characters are missing or were changed on the way. Copy the whole link again.",
  },
  version: {
    icon: "link",
    title: "This link is of another version",
    text: "It was made by a version of Seedshot that this server’s page does not speak. Ask the owner for a new link.",
  },
  protocol: {
    icon: "blocked",
    title: "This could not be understood",
    text: "The owner’s app sent something else than it had announced, so nothing of it is kept. Its version may not fit this page. Try again, or ask the owner to update.",
    again: true,
  },
  missing: {
    icon: "blocked",
    title: "This browser cannot receive it",
    text: "Shares come straight from the owner’s computer over WebRTC, which this browser does not have. Open the link in a current Firefox, Chrome, Edge or Safari.",
  },
  blocked: {
    icon: "blocked",
    title: "Direct connections are blocked here",
    text: "Shares come straight from the owner’s computer over WebRTC. A setting, an extension or a policy of this browser forbids it: allow it for this page, or open the link in another browser.",
    again: true,
  },
  impostor: {
    icon: "shield",
    title: "This is not the owner",
    text: "Whoever answered does not have the key that your link names. Nothing was said to them, and nothing of theirs is shown. The server or the network between you may be tampering: ask the owner for another way.",
    again: true,
  },
};

/** @type {Record<import("./transfer.js").FailReason, string>} */
const FAILED = {
  vanished: "The file is no longer on the owner’s computer.",
  changed: "The owner has changed the file since they shared it. Ask for a new link.",
  unreadable: "The owner’s computer cannot read the file.",
};

/**
 * The message in the middle of the page.
 * @param {State} state
 * @returns {Words}
 */
export function message(state) {
  switch (state.phase) {
    case "connecting":
      return { icon: "", title: "Connecting", text: "Looking for the owner’s computer." };
    case "preparing":
      return { icon: "", title: "Almost there", text: "The owner’s computer is preparing what they share." };
    case "waiting":
      return AWAY[state.away];
    case "receiving":
      return { icon: "", title: state.file.name, text: "" };
    case "ended":
    case "broken":
    case "unable":
      return FINAL[state.reason];
    case "impostor":
      return FINAL.impostor;
    default:
      return { icon: "", title: "", text: "" };
  }
}

/** The line that says where the shown things live. @param {Away | null} away */
export function presence(away) {
  if (away === null) return "Live from the owner’s computer. Gone when they close it.";
  return "The owner is not connected. This copy is gone when you close the page.";
}

/** Why a file of the list cannot be had. @param {FileView} file @returns {string} "" where it can */
export function obstacle(file) {
  if (file.status === "too-large") return "Too large for this page so far: it takes files up to 1.6 GB.";
  return file.reason === null ? "" : FAILED[file.reason];
}

/** What a screen reader is told when the state changes. @param {State} state */
export function announcement(state) {
  switch (state.phase) {
    case "receiving":
      return state.away === null ? "Receiving the picture." : "The owner is gone. It goes on when they are back.";
    case "picture":
      return `The picture is here. ${presence(state.away)}`;
    case "files":
      return `${state.files.length === 1 ? "One file" : `${state.files.length} files`}. ${presence(state.away)}`;
    default: {
      const { title, text } = message(state);
      return `${title}. ${text}`;
    }
  }
}
