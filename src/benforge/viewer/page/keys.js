/** What each key does. */

import { $ } from "./dom.js";

export const HELP = [
  ["Look", [
    ["← ↑ ↓ →", "move"],
    ["N  P", "next and previous screen"],
    ["1 – 5", "true colour, near infrared, short wave, classification, land cover"],
    ["F", "stretch: the same for all, or each its own"],
    ["+  −", "fewer and more patches"],
    ["Enter", "one patch large"],
    ["L", "patches like it, with an index"],
    ["M", "map"],
    ["/", "search by name"],
  ]],
  ["Decide", [
    ["S", "seasonal snow"],
    ["C", "cloud or shadow"],
    ["B", "both"],
    ["X", "clear: neither"],
    ["A", "accept what is proposed"],
    ["W", "the archive is wrong about the doubted label"],
    ["R", "the archive is right about it"],
    ["U", "undo (also Ctrl Z)"],
    ["Shift ← →", "select many"],
    ["Ctrl A", "select the screen"],
    ["Esc", "select nothing; close what is open"],
  ]],
];

const WRITING = "input:not([type=range]), textarea, select";

/** Listen; `does` maps a key to a function that is given whether Shift is down. */
export function startKeys(does) {
  document.addEventListener("keydown", (event) => {
    const command = event.ctrlKey || event.metaKey;
    if (event.altKey || $("ask").open || event.isComposing) return;
    if (event.target.matches(WRITING)) {
      if (event.key === "Escape") does.grid();
      return;
    }
    const name = nameOf(event, command);
    const onButton = event.target.closest("button, a, summary, [role=tab]");
    if (onButton && ["Enter", " "].includes(event.key)) return;
    if (event.target.matches("input[type=range]") && name.startsWith("Arrow")) return;
    if (event.target.closest(".leaflet-container") && name.match(/^(Arrow|[+-]$)/)) return;
    if (name === "Escape" && document.querySelector("dialog[open]")) return;
    if (!does[name]) return;
    event.preventDefault();
    does[name](event.shiftKey);
  });
}

function nameOf(event, command) {
  if (command) return `Ctrl ${event.key.toLowerCase()}`;
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}
