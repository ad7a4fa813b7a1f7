/** The patches that are most like one, as a board over the page. */

import { get, pictureOf } from "./api.js";
import { $, day, el } from "./dom.js";
import { state } from "./state.js";

const MANY = 12;
const EDGES = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };
let goTo = () => {};

/** Begin; `show` leads to a patch. */
export function startSimilar(show) {
  goTo = show;
  $("similar").addEventListener("keydown", (event) => {
    if (["Escape", "Tab"].includes(event.key)) return;
    event.stopPropagation();
    if (event.key.toLowerCase() === "l" && !event.ctrlKey && !event.metaKey) $("similar").close();
    else if (EDGES[event.key]) move(event);
  });
}

/** Move among the patches found, by one or by a row of them. */
function move(event) {
  event.preventDefault();
  const found = [...$("similar").querySelectorAll(".alike button:not([disabled])")];
  const at = found.indexOf(document.activeElement);
  const across = found.filter((one) => one.offsetTop === found[0]?.offsetTop).length;
  const by = EDGES[event.key] * (event.key.endsWith("Up") || event.key.endsWith("Down") ? across : 1);
  found[Math.max(0, Math.min(found.length - 1, at < 0 ? 0 : at + by))]?.focus();
}

/** Show what is like the patch that is shown; Escape leads back. */
export async function showSimilar() {
  const [board, row] = [$("similar"), state.shown];
  if (!row || board.open) return;
  if (!state.info.similar) {
    show(row, [el("p", {}, "No index was given, in which patches that are alike are found. Make one and start again:"),
      el("p", {}, el("code", {}, "ben embed RUN ARCHIVE --out INDEX"), " · ", el("code", {}, "ben inspect ARCHIVE --index INDEX"))]);
    return;
  }
  show(row, [el("p", { class: "soft" }, "Searching…")]);
  try {
    const found = await get(`/api/similar/${row.i}?k=${MANY}`);
    if (!board.open || state.shown?.i !== row.i) return;
    const by = `${found.metric} distance of ${found.model}; labels that it has too are bold`;
    show(row, [el("p", { class: "soft" }, by), el("div", { class: "alike" }, found.rows.map(foundOf))]);
    board.querySelector(".alike button:not([disabled])")?.focus();
  } catch (error) {
    show(row, [el("p", { class: "warn" }, error.message)]);
  }
}

function show(row, parts) {
  const board = $("similar");
  const close = el("button", { type: "button", class: "quiet", onclick: () => board.close() }, "Close");
  board.replaceChildren(
    el("header", {},
      el("img", { class: "pixels", src: pictureOf(row.i), width: 120, height: 120, alt: `Patch of ${day(row.date)}` }),
      el("div", {}, el("h2", {}, "Like this patch"),
        state.info.simulated ? el("span", { class: "badge" }, "simulated") : null,
        el("p", { class: "soft" }, row.labels.map((n) => state.info.classes[n].name).join(" · ")))),
    ...parts,
    el("div", { class: "buttons" }, close));
  if (!board.open) board.showModal();
}

function foundOf(one) {
  const away = one.i === null;
  const labels = one.labels.map((name) => el("li", {}, one.shared.includes(name) ? el("b", {}, name) : name));
  const open = () => {
    $("similar").close();
    goTo(one.i);
  };
  return el("button", { type: "button", disabled: away, onclick: open, "data-i": one.i, title: one.id },
    away ? el("span", { class: "none" }, "not in this archive")
      : el("img", { class: "pixels", src: pictureOf(one.i), width: 120, height: 120, alt: `Patch of ${day(one.date)}` }),
    el("span", { class: "word" }, el("b", {}, one.distance.toFixed(4)),
      el("span", {}, one.tile), el("span", {}, one.date)),
    el("ul", {}, labels));
}
