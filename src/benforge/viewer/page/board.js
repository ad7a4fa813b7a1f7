/** The grid of patches: a screen of them at once, the next one fetched before it is asked for. */

import { askRows, askSheet, drawCell } from "./api.js";
import { $, el, number, percent } from "./dom.js";
import { doubtMarks, doubtWords } from "./doubts.js";
import { SHORT, WORDS, inspecting, seen, state, stillAsked, writeAddress } from "./state.js";

const GAP = 6;
const MOST = 100;
/** From here on a proposal is not worth a word of doubt. */
const CERTAIN = 0.95;
let screen = { columns: 6, rows: 4 };
let ahead = null;
let asked = 0;
let showPatch = () => {};
let settled = () => Promise.resolve();

/** Begin; `show` is given the row to be shown beside the grid, `saved` promises an idle moment. */
export function startBoard(show, saved) {
  [showPatch, settled] = [show, saved];
  const grid = $("grid");
  grid.addEventListener("click", (event) => {
    const cell = event.target.closest(".cell");
    if (cell) clicked(Number(cell.dataset.n), event);
  });
  grid.addEventListener("dblclick", () => grid.dispatchEvent(new CustomEvent("large")));
  grid.addEventListener("wheel", (event) => event.ctrlKey || wheel(event), { passive: true });
}

let turned = 0;

function wheel(event) {
  if (event.timeStamp - turned < 300 || Math.abs(event.deltaY) < 20) return;
  turned = event.timeStamp;
  if (event.deltaY > 0) next();
  else previous();
}

/** How many patches fill the room that there is. */
export function measure() {
  const grid = $("grid");
  const { clientWidth: wide, clientHeight: high } = grid;
  const edge = (wide - GAP * (state.columns - 1)) / state.columns;
  const fit = Math.max(2, Math.round((high + GAP) / (edge + GAP)));
  const rows = Math.min(fit, Math.floor(MOST / state.columns));
  screen = { columns: state.columns, rows };
  grid.style.setProperty("--columns", screen.columns);
  grid.style.setProperty("--edge", `${Math.min(edge, (high - GAP * (rows - 1)) / rows)}px`);
  return screen.columns * screen.rows;
}

/** Make what is shown fit, where no other screen can be had. */
function fitShown() {
  const rows = Math.ceil(state.rows.length / screen.columns);
  if (!rows) return;
  const { clientWidth: wide, clientHeight: high } = $("grid");
  const edge = Math.min((wide - GAP * (screen.columns - 1)) / screen.columns, (high - GAP * (rows - 1)) / rows);
  $("grid").style.setProperty("--edge", `${edge}px`);
}

/** Ask for a screen and show it; `focus` is a place on it, a patch to look for, or null. */
export async function load({ offset = state.offset, focus = 0, patch = null } = {}) {
  const turn = ++asked;
  ahead = null;
  const found = await askRows(offset, measure()).catch((error) => {
    if (turn === asked) fitShown();
    throw error;
  });
  if (turn !== asked) return;
  if (!found.rows.length && found.total && offset) {
    await load({ offset: Math.max(0, found.total - measure()), focus });
    return;
  }
  show(found, focus, patch);
}

function show(found, focus, patch = null) {
  const held = $("grid").contains(document.activeElement) || document.activeElement === document.body;
  Object.assign(state, { offset: found.offset, total: found.total, rows: found.rows });
  state.selected.clear();
  draw();
  const place = patch === null ? -1 : state.rows.findIndex((row) => row.i === patch);
  focusOn(place >= 0 ? place : Math.min(focus, state.rows.length - 1), { take: held });
  writeAddress();
  look().then(fetchAhead, () => {});
}

/** Cells without pictures; the pictures follow in one piece. */
function draw() {
  $("grid").replaceChildren(...state.rows.map(cellOf));
  $("empty").hidden = state.rows.length > 0;
  $("empty").textContent = "No patch is like this. Take a filter away to see more.";
  const last = state.offset + state.rows.length;
  const range = state.rows.length ? `${number(state.offset + 1)}–${number(last)} of ` : "";
  $("range").textContent = range + number(state.total);
  $("previous").disabled = state.offset === 0;
  $("next").disabled = last >= state.total;
}

/** Pictures of this screen in the present view. */
export async function look() {
  if (!state.rows.length) return;
  const positions = state.rows.map((row) => row.i);
  const bitmap = await askSheet(positions, screen.columns);
  if (positions.some((i, n) => state.rows[n]?.i !== i)) return;
  $("grid").querySelectorAll("canvas").forEach((canvas, n) => {
    drawCell(canvas, bitmap, n, screen.columns);
  });
  $("grid").dataset.drawn = `${state.offset} ${state.view} ${state.stretch}`;
}

function cellOf(row, n) {
  const cell = el("div", { class: "cell", role: "option", "data-n": n, "data-i": row.i, tabindex: -1 },
    el("canvas", { width: 120, height: 120, "aria-hidden": "true" }));
  cell.append(...marksOf(row));
  describe(cell, row);
  return cell;
}

function describe(cell, row) {
  cell.setAttribute("aria-selected", String(state.selected.has(row.i)));
  cell.title = `${row.v1 ?? row.id} · ${row.date}`;
  const words = [row.v1 ?? row.id, row.date, verdictWords(row), ...doubtWords(row)];
  if (row.proposed.length) words.push(`proposed: ${row.proposed.map((f) => WORDS[f]).join(", ")}`);
  cell.setAttribute("aria-label", words.filter(Boolean).join(", "));
  cell.classList.toggle("done", inspecting() && seen(row).decided !== null);
}

export function verdictWords(given) {
  const row = seen(given);
  if (row.decided === null) return inspecting() ? "not decided" : "";
  const flags = row.decided.map((flag) => WORDS[flag]).join(" and ") || "clear";
  return row.disputed ? `${flags}, disputed` : flags;
}

function marksOf(row) {
  const marks = el("span", { class: "marks" }, row.proposed.map((flag) =>
    el("span", { class: `mark proposed ${SHORT[flag]}` }, SHORT[flag])));
  const sure = row.confidence === null || row.confidence >= CERTAIN ? null
    : el("span", { class: "sure" }, percent(row.confidence));
  return [marks, sure, verdict(seen(row)), doubtMarks(row)].filter(Boolean);
}

function verdict(row) {
  if (row.decided === null) return null;
  const flags = row.decided.length ? row.decided : ["clear"];
  const marks = flags.map((flag) => el("span", { class: `mark ${SHORT[flag] ?? "clear"}` }, SHORT[flag] ?? "clear"));
  if (row.disputed) marks.push(el("span", { class: "mark disputed", title: "Reviewers disagree" }, "≠"));
  return el("span", { class: "verdict" }, marks);
}

/** Draw the marks of a patch anew. */
export function mark(i) {
  const cell = $("grid").querySelector(`[data-i="${i}"]`);
  if (!cell) return;
  const row = state.rows[Number(cell.dataset.n)];
  cell.querySelectorAll(":scope > span").forEach((span) => span.remove());
  cell.append(...marksOf(row));
  describe(cell, row);
}

/** Show what other reviewers decided meanwhile; what is decided here while it is asked for stays. */
export async function markOthers() {
  await settled();
  const [turn, before] = [asked, state.rows.map((row) => row.decided)];
  if (!before.length) return;
  const { rows } = await askRows(state.offset, before.length);
  if (turn !== asked) return;
  const now = new Map(rows.map((row) => [row.i, row]));
  state.rows.forEach((row, n) => {
    const { decided, by, disputed, mine, doubts } = now.get(row.i) ?? row;
    if (row.decided !== before[n]) return;
    if (row.by === by && row.disputed === disputed && String(row.decided) === String(decided)
      && JSON.stringify(row.doubts) === JSON.stringify(doubts)) return;
    Object.assign(row, { decided, by, disputed, mine, doubts, decisions: null });
    mark(row.i);
  });
}

/** Move to a cell; `extend` selects all from where the selection began. */
export function focusOn(n, { extend = false, take = true } = {}) {
  const cells = [...$("grid").children];
  if (!cells.length) {
    state.shown = null;
    showPatch(null);
    return;
  }
  state.focus = Math.max(0, Math.min(n, cells.length - 1));
  if (!extend) state.anchor = state.focus;
  if (extend) selectBetween(state.anchor, state.focus);
  cells.forEach((cell, k) => {
    cell.tabIndex = k === state.focus ? 0 : -1;
    cell.classList.toggle("focus", k === state.focus);
  });
  if (take) cells[state.focus].focus({ preventScroll: true });
  state.shown = state.rows[state.focus];
  showPatch(state.shown);
}

function selectBetween(a, b) {
  state.selected = new Set(state.rows.slice(Math.min(a, b), Math.max(a, b) + 1).map((row) => row.i));
  markSelection();
}

function markSelection() {
  for (const cell of $("grid").children) {
    cell.setAttribute("aria-selected", String(state.selected.has(Number(cell.dataset.i))));
  }
}

export function clearSelection() {
  state.selected.clear();
  markSelection();
}

export function selectAll() {
  selectBetween(0, state.rows.length - 1);
  showPatch(state.shown);
}

function clicked(n, event) {
  const toggles = event.ctrlKey || event.metaKey || state.selecting;
  if (toggles && !event.shiftKey) {
    const { i } = state.rows[n];
    if (!state.selected.size && !state.selecting) state.selected.add(state.rows[state.focus].i);
    if (!state.selected.delete(i)) state.selected.add(i);
    markSelection();
  } else if (!event.shiftKey) clearSelection();
  focusOn(n, { extend: event.shiftKey });
}

/** Go by cells and by rows; past the edge of the screen to the next one. */
export function step(across, down, extend) {
  const to = state.focus + across + down * screen.columns;
  if (extend) {
    if (to >= 0 && to < state.rows.length) focusOn(to, { extend });
    return;
  }
  if (state.selected.size) clearSelection();
  if (to >= state.rows.length && down > 0 && sameRow(state.rows.length - 1)) next(state.focus % screen.columns);
  else if (to >= state.rows.length && across > 0) next();
  else if (to < 0 && state.offset > 0) previous();
  else if (to >= 0) focusOn(to);
}

const sameRow = (n) =>
  Math.floor(n / screen.columns) === Math.floor(state.focus / screen.columns);

/** Where the next screen begins: what no longer belongs to the filter has left the list. */
const after = () => state.offset + state.rows.filter(stillAsked).length;

async function fetchAhead() {
  if (state.offset + state.rows.length >= state.total) return;
  const turn = asked;
  if (state.query.decided) await settled();
  if (turn !== asked) return;
  ahead = askRows(after(), measure());
  ahead.catch(() => {
    ahead = null;
  });
  const { rows } = await ahead;
  if (rows.length) askSheet(rows.map((row) => row.i), screen.columns).catch(() => {});
}

/** The next screen, which has mostly been fetched; false where this is the last. */
export async function next(focus = 0) {
  if (state.offset + state.rows.length >= state.total) return false;
  const [turn, fetched, gone] = [++asked, ahead, state.rows.length - (after() - state.offset)];
  if (!fetched && state.query.decided) await settled();
  const found = await (fetched ?? askRows(after(), measure()));
  if (turn !== asked) return true;
  ahead = null;
  const total = fetched ? found.total - gone : found.total;
  show({ ...found, offset: after(), total }, focus);
  return true;
}

export async function previous() {
  if (state.offset === 0) return;
  const offset = Math.max(0, state.offset - measure());
  await load({ offset, focus: measure() - 1 });
}

/** After a decision: on to the next patch that nobody decided, here or on the next screen.

Whoever gives a second opinion (`again`) goes on patch by patch. */
export async function advance(from, again, open = (row) => seen(row).decided === null) {
  const later = state.rows.findIndex((row, n) => n > from && open(row));
  const place = later >= 0 ? later : state.rows.findIndex(open);
  if (again && from + 1 < state.rows.length) focusOn(from + 1);
  else if (!again && place >= 0) focusOn(place);
  else if (await next()) focusOn(again ? 0 : Math.max(0, state.rows.findIndex(open)));
  else focusOn(from + 1);
}

/** Give the keyboard back to the grid, as after a click on a button beside it. */
export function focusGrid() {
  $("grid").children[state.focus]?.focus({ preventScroll: true });
}
