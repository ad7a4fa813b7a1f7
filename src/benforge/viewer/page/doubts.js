/** Labels that predictions speak against: what is said of them, and which one a key is about. */

import { dot, el } from "./dom.js";
import { inspecting, state } from "./state.js";

const two = (value) => value.toFixed(2);
let judge = () => {};

/** Begin; `decide` is given a row, a doubt, and whether the archive is right. */
export function startDoubts(decide) {
  judge = decide;
}

/** A doubt as the reviewer is to see it: without what others decided, while that is hidden. */
const seenDoubt = (doubt) =>
  state.blind && inspecting() && doubt.mine === null ? { ...doubt, present: null, by: null, disputed: false } : doubt;

const isGiven = (doubt) => doubt.direction === "doubted";

/** Whether what was decided bears the archive out. */
const isRight = (doubt) => doubt.present === isGiven(doubt);

export const isOpen = (row) => (row.doubts ?? []).some((doubt) => seenDoubt(doubt).present === null);

/** The doubt that a key is about: the strongest that nobody decided, else the strongest. */
export const inHand = (row) =>
  (row?.doubts ?? []).find((doubt) => seenDoubt(doubt).present === null) ?? row?.doubts?.[0];

const sign = (doubt) => (isGiven(doubt) ? "−" : "+");

/** On a cell: each doubt as a sign, less or more than the archive says; filled once it is decided. */
export function doubtMarks(row) {
  if (!row.doubts?.length) return null;
  return el("span", { class: "marks doubts" }, row.doubts.slice(0, 4).map((one) => {
    const doubt = seenDoubt(one);
    const kind = doubt.present === null ? "proposed doubt" : isRight(doubt) ? "clear" : "doubt";
    return el("span", { class: `mark ${kind}` }, sign(doubt));
  }));
}

export const doubtWords = (row) => (row.doubts ?? []).map((doubt) =>
  `${isGiven(doubt) ? "doubted" : "missing"}: ${doubt.label}`);

/** Beside the grid: every doubt of a patch, why, and what was decided. */
export function doubtsOf(row) {
  if (!row.doubts?.length) return null;
  const first = inHand(row);
  return el("section", { class: "doubted" },
    el("h3", {}, "Label doubt"),
    el("ul", {}, row.doubts.map((doubt) => doubtOf(row, doubt, inspecting() && doubt === first))));
}

function doubtOf(row, given, first) {
  const doubt = seenDoubt(given);
  const color = doubt.place === null ? "gray" : state.info.classes[doubt.place].color;
  const others = isGiven(doubt) ? "patches without it" : "patches with it";
  return el("li", { class: first ? "hand" : null, "data-label": doubt.label },
    el("p", { class: "line" }, dot(color), el("b", {}, doubt.label),
      el("span", { class: "mark proposed doubt" }, isGiven(doubt) ? "− given, doubted" : "+ not given, missing")),
    el("p", { class: "soft" }, `Score ${two(doubt.score)}; ${others} have ${two(doubt.threshold)}. Doubt ${doubt.rank}.`),
    doubt.present === null ? null : el("p", { class: "line" }, verdictOf(doubt)),
    inspecting() ? el("div", { class: "buttons" },
      button(row, given, false, first), button(row, given, true, first)) : null);
}

function verdictOf(doubt) {
  const words = `${isRight(doubt) ? "right" : "wrong"}: ${doubt.present ? "it is there" : "it is not there"}`;
  return [el("b", {}, doubt.by), ` ${words}${doubt.disputed ? ", disputed" : ""}`];
}

function button(row, doubt, right, first) {
  const there = right === isGiven(doubt);
  return el("button", { type: "button", class: "quiet", onclick: () => judge(row, doubt, right) },
    first ? el("kbd", {}, right ? "R" : "W") : null,
    ` ${right ? "Right" : "Wrong"}: ${there ? "it is there" : "it is not there"}`);
}
