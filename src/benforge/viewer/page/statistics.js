/** How many of the patches that are asked for have each class, season, country and flag. */

import { get } from "./api.js";
import { $, bar, dot, el, number, percent } from "./dom.js";
import { WORDS, question, state } from "./state.js";

let asked = 0;
let choose = () => {};

/** Begin; `filter` is called with a name and a value that was clicked. */
export function startStatistics(filter) {
  choose = filter;
}

export async function drawStatistics() {
  const turn = ++asked;
  const pane = $("statistics");
  try {
    const found = await get(`/api/statistics?${question()}`);
    if (turn !== asked) return;
    pane.replaceChildren(...partsOf(found));
  } catch (error) {
    if (turn === asked) pane.replaceChildren(el("p", { class: "warn" }, error.message));
  }
}

function partsOf(found) {
  const classes = found.classes.map((count, n) => ({ count, ...state.info.classes[n], n }))
    .filter((one) => one.count).sort((a, b) => b.count - a.count);
  const most = Math.max(1, ...classes.map((one) => one.count));
  return [
    el("p", { class: "big" }, number(found.patches), el("span", { class: "soft" }, found.patches === 1 ? " patch" : " patches")),
    table("Labels", classes.map((one) => line(one.name, one.count, one.count / most, found.patches, one.color,
      () => choose("label", [...new Set([...(state.query.label ?? []), String(one.n)])])))),
    table("Seasons", linesOf(found.seasons, found.patches, "season")),
    table("Countries", linesOf(found.countries, found.patches, "country")),
    table("Proposed", flagLines(found.flags?.proposed, found.patches, "flag")),
    state.blind ? null : table("Decided", flagLines(found.flags?.decided, found.patches, "decided")),
  ].filter(Boolean);
}

function table(title, lines) {
  return lines.length ? el("section", {}, el("h3", {}, title), el("ul", { class: "bars" }, lines)) : null;
}

function linesOf(counts, patches, name) {
  const found = Object.entries(counts ?? {}).filter(([word, count]) => count && word);
  return found.sort((a, b) => b[1] - a[1]).map(([word, count]) =>
    line(word, count, count / patches, patches, null, () => choose(name, word)));
}

function flagLines(counts, patches, name) {
  return Object.entries(counts ?? {}).filter(([, count]) => count).map(([word, count]) =>
    line(WORDS[word] ?? word, count, count / patches, patches, null, () => choose(name, word)));
}

function line(word, count, length, patches, color, onclick) {
  return el("li", {}, el("button", { type: "button", onclick, title: `Show only: ${word}` },
    el("span", { class: "word" }, color ? dot(color) : null, word),
    el("span", { class: "count" }, number(count), el("span", { class: "soft" }, percent(count / patches))),
    el("span", { class: "rail" }, bar(length, color, "length"))));
}
