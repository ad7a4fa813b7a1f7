/** One patch beside the grid: its pictures, labels, shares, decisions, and what lies around it. */

import { askPatch, askSheet, drawCell, pictureOf } from "./api.js";
import { $, bar, day, dot, el, later, moment, percent } from "./dom.js";
import { verdictWords } from "./board.js";
import { doubtsOf } from "./doubts.js";
import { SHORT, WORDS, inspecting, seen, state } from "./state.js";

const SHARES = [["snow", "Snow"], ["cloud", "Cloud"], ["shadow", "Shadow"], ["nodata", "No data"]];
let go = { view: () => {}, patch: () => {}, near: () => {}, large: () => {}, similar: () => {} };
let asked = 0;

/** Begin; `ways` are where its buttons lead. */
export function startPatch(ways) {
  go = ways;
}

/** Show a row at once, and what only the server knows as soon as things are quiet. */
export function showPatch(row) {
  const pane = $("patch");
  if (!row) {
    pane.replaceChildren(el("p", { class: "soft" }, "No patch."));
    return;
  }
  const picture = el("button", { class: "picture", type: "button", title: "Large (Enter)", onclick: go.large },
    el("img", { class: "pixels", src: pictureOf(row.i), width: 120, height: 120, alt: `Patch of ${day(row.date)}` }));
  const looks = el("div", { class: "looks" }, picture, viewsOf(row));
  const alike = state.info.similar
    ? el("button", { type: "button", class: "quiet", onclick: go.similar }, el("kbd", {}, "L"), " Patches like it") : null;
  pane.replaceChildren(...[looks, factsOf(row), alike, el("div", { id: "around" })].filter(Boolean));
  askAround(row);
}

/** The same patch in every view, small. */
export function viewsOf(row) {
  const one = (view) => el("button", {
    type: "button", class: "thumb", "aria-pressed": String(view.name === state.view),
    title: `${view.title} (${view.key})`, onclick: () => go.view(view.name),
  }, el("img", { src: pictureOf(row.i, view.name), width: 120, height: 120, alt: view.title }),
  el("kbd", {}, view.key));
  return el("div", { class: "thumbs" }, state.info.views.map(one));
}

/** Name, day, place, labels, shares and what was proposed and decided. */
export function factsOf(row) {
  const place = [row.season, row.country].filter(Boolean).join(" · ");
  return el("div", { class: "facts" },
    el("h2", {}, day(row.date)),
    el("p", { class: "soft" }, `${place} · tile ${row.tile}`),
    labelsOf(row),
    doubtsOf(row),
    screened(row),
    inspecting() || row.decided !== null ? decided(seen(row)) : null,
    nameOf(row.id, "Patch id"),
    row.v1 && row.v1 !== row.id ? nameOf(row.v1, "Name in BigEarthNet v1") : null);
}

/** A name that may be broken after its underscores. */
function nameOf(name, title) {
  return el("p", { class: "id", title }, name.split(/(?<=_)/).map((part) => [part, el("wbr")]));
}

function labelsOf(row) {
  const shares = new Map(row.shares ?? []);
  const order = [...row.labels].sort((a, b) => (shares.get(b) ?? 0) - (shares.get(a) ?? 0));
  return el("ul", { class: "chips", "aria-label": "Labels" }, order.map((n) => {
    const { name, color } = state.info.classes[n];
    const share = shares.has(n) ? el("b", {}, percent(shares.get(n))) : null;
    return el("li", {}, dot(color), el("span", {}, name), share);
  }));
}

function screened(row) {
  if (row.snow === null) {
    return state.info.screening ? el("p", { class: "soft" }, "The screening does not name this patch.") : null;
  }
  const sure = row.confidence === null ? "" : `, ${percent(row.confidence)} sure`;
  const proposal = row.proposed.map((flag) =>
    el("span", { class: `mark proposed ${SHORT[flag]}` }, WORDS[flag]));
  return el("section", {},
    el("h3", {}, "Screening"),
    el("p", { class: "line" }, proposal.length ? proposal : "nothing proposed", el("span", { class: "soft" }, sure)),
    el("div", { class: "stack" }, SHARES.map(([key]) => bar(row[key], null, `part ${key}`))),
    el("ul", { class: "legend" }, SHARES.map(([key, word]) =>
      el("li", {}, el("span", { class: `dot ${key}` }), `${word} `, el("b", {}, percent(row[key]))))));
}

function decided(row) {
  const events = row.decided === null ? [] : row.decisions ?? [];
  const lines = events.map((event) => el("li", {},
    el("span", { class: "who" }, event.reviewer), " ",
    event.flags.map((flag) => WORDS[flag]).join(" and ") || "clear", " ",
    el("time", { class: "soft", datetime: event.time, title: `${event.time.slice(0, 19).replace("T", " ")} UTC` },
      moment(event.time))));
  const by = row.by && !lines.length ? `, ${row.by}` : "";
  return el("section", {},
    el("h3", {}, "Review"),
    lines.length ? el("ul", { class: "events" }, lines)
      : el("p", { class: "line" }, verdictWords(row) + by),
    row.disputed ? el("p", { class: "warn" }, "Reviewers disagree.") : null);
}

/** What is said of a row, drawn anew wherever it is shown. */
export function redrawFacts(row) {
  document.querySelectorAll(".facts").forEach((facts) => facts.replaceWith(factsOf(row)));
}

const askAround = later(async (row) => {
  const turn = ++asked;
  try {
    const more = await askPatch(row.i);
    if (turn !== asked || state.shown?.i !== row.i) return;
    Object.assign(row, { shares: more.shares, decisions: more.decisions });
    redrawFacts(row);
    await drawAround(more, turn);
  } catch (error) {
    if (turn === asked) $("around")?.replaceChildren(el("p", { class: "warn" }, error.message));
  }
}, 90);

async function drawAround(more, turn) {
  const near = (more.neighbours ?? []).flat();
  const dates = more.other_dates ?? [];
  const wanted = [...new Set([...near.filter((i) => i !== null), ...dates.map((other) => other.i)])].slice(0, 40);
  const canvases = new Map();
  const tile = (i, title, words = null) => {
    const canvas = el("canvas", { width: 120, height: 120, "aria-hidden": "true" });
    canvases.set(canvas, wanted.indexOf(i));
    return el("button", { type: "button", class: i === more.i ? "here" : "", title, "aria-label": title,
      onclick: () => go.patch(i) }, canvas, words);
  };
  const parts = [];
  if (near.some((i) => i !== null && i !== more.i)) {
    parts.push(el("section", {}, el("h3", {}, "Around it"), el("div", { class: "nine" }, near.map((i, n) =>
      i === null ? el("span", { class: "none" }) : tile(i, n === 4 ? "This patch" : "Neighbour")))));
  }
  if (dates.length) {
    parts.push(el("section", {}, el("h3", {}, "The same ground on other days"),
      el("div", { class: "days" }, dates.slice(0, 12).map((other) =>
        tile(other.i, day(other.date), el("span", {}, other.date)))),
      el("button", { type: "button", class: "quiet", onclick: () => go.near(more.i) }, "Show only these")));
  }
  $("around")?.replaceChildren(...parts);
  if (!wanted.length) return;
  const bitmap = await askSheet(wanted, 10);
  if (turn === asked) canvases.forEach((cell, canvas) => cell >= 0 && drawCell(canvas, bitmap, cell, 10));
}

/** Show the present patch anew, after a decision or in another view. */
export function redraw() {
  showPatch(state.shown);
}
