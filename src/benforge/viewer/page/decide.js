/** Deciding: what a key or a button means for which patches, saved, undone and told. */

import { get } from "./api.js";
import { advance, clearSelection, load, mark } from "./board.js";
import { $, el, number } from "./dom.js";
import { Saves } from "./saves.js";
import { CLOUD, SNOW, inspecting, state } from "./state.js";

const saves = new Saves(told);
const done = [];
let goTo = () => {};

/** Begin; `show` leads to a patch that may not be on the screen. */
export function startDeciding(show) {
  goTo = show;
}

export const settled = () => saves.settled();

/** The rows that a decision is about: the selection, else the patch that is shown. */
function chosen() {
  const rows = state.rows.filter((row) => state.selected.has(row.i));
  return rows.length ? rows : [state.shown].filter(Boolean);
}

export function target() {
  const rows = chosen();
  const [row] = rows;
  const away = row && rows.length === 1 && !state.rows.some((other) => other.i === row.i);
  const words = rows.length > 1 ? `${rows.length} patches` : away ? "This patch, not in the grid" : "";
  $("target").textContent = words;
}

const FLAGS = { [SNOW]: [SNOW], [CLOUD]: [CLOUD], both: [SNOW, CLOUD], clear: [] };

export function act(name) {
  if (!inspecting() || !state.reviewer || $("help").open) return;
  if (name === "undo") undo();
  else if (name === "accept") accept();
  else decide(chosen(), () => FLAGS[name]);
}

/** Decide as the screening proposes; what it does not name stays open. */
function accept() {
  const rows = chosen().filter((row) => row.confidence !== null);
  if (rows.length) decide(rows, (row) => row.proposed);
  else said("Nothing was proposed here");
}

/** Decide on rows; what each is given may differ, so they are saved in groups of the same. */
function decide(rows, flagsOf) {
  const groups = new Map();
  if (!rows.length) return;
  const again = rows.at(-1).decided !== null;
  for (const row of rows) {
    const flags = flagsOf(row);
    const group = groups.get(flags.join()) ?? { flags, rows: [], before: [] };
    group.rows.push(row);
    group.before.push([row.decided, row.by, row.disputed]);
    groups.set(flags.join(), group);
  }
  done.push(groups.size);
  for (const group of groups.values()) sendGroup(group);
  const from = state.rows.indexOf(rows.at(-1));
  clearSelection();
  target();
  advance(from >= 0 ? from : state.focus, again).catch(unreached);
}

function sendGroup({ flags, rows, before }) {
  for (const row of rows) {
    const other = row.decided !== null && row.by !== state.reviewer;
    row.disputed = other && row.decided.join() !== flags.join();
    Object.assign(row, { decided: flags, by: state.reviewer, decisions: null });
    mark(row.i);
  }
  const body = { reviewer: state.reviewer, patches: rows.map((row) => row.i), flags };
  saves.send("/api/decisions", body, (answer) => {
    alarm("");
    showProgress(answer);
  }, (error) => {
    rows.forEach((row, n) => {
      [row.decided, row.by, row.disputed] = before[n];
      mark(row.i);
    });
    alarm(`Not saved: ${error.message}`);
  });
}

/** Take back what was decided last, as a whole; then show where it was. */
function undo() {
  const count = done.pop() ?? 1;
  let undone = [];
  for (let left = count; left > 0; left -= 1) {
    saves.send("/api/undo", { reviewer: state.reviewer }, (answer) => {
      undone = [...undone, ...(answer.patches ?? [])];
      if (left === 1) after(undone);
    }, (error) => said(error.status === 409 ? "Nothing to undo" : error.message));
  }
}

async function after(patches) {
  progress();
  const [first] = patches;
  await load({ patch: first, focus: state.focus });
  const there = state.rows.some((row) => row.i === first);
  if (first !== undefined && !there) await goTo(first);
  said(`Undone: ${number(patches.length)} ${patches.length === 1 ? "patch" : "patches"}`);
}

/** How far the queue of saves is, said quietly; a failure is said loudly. */
function told({ waiting, failures, reason }) {
  const many = waiting.length;
  if (failures) {
    alarm(`Not saved yet: ${many} ${many === 1 ? "decision" : "decisions"}; ${reason}. Trying again…`, () => saves.retry?.());
    said("Not saved");
  } else {
    said(many ? "Saving…" : "Saved");
  }
  $("saved").dataset.state = failures ? "failed" : many ? "saving" : "saved";
}

/** What could not be reached was. */
export function calm() {
  if ($("alarm").dataset.kind === "reach") alarm("");
}

function said(words) {
  $("saved").textContent = words;
}

/** Say loudly what went wrong; `kind` "reach" is over as soon as the server answers. */
export function alarm(words, again = null, kind = "save") {
  $("alarm").hidden = !words;
  $("alarm").dataset.kind = kind;
  const button = again ? [el("button", { type: "button", onclick: again }, "Try now")] : [];
  $("alarm").replaceChildren(el("span", {}, words), ...button);
}

export async function progress() {
  try {
    showProgress(await get(`/api/progress?reviewer=${encodeURIComponent(state.reviewer)}`));
  } catch {
    return;
  }
}

function showProgress(answer) {
  const found = answer.progress ?? answer;
  if (found.decided === undefined) return;
  $("progress").hidden = false;
  $("bar").style.width = `${(100 * found.decided) / Math.max(1, found.patches)}%`;
  $("decided").replaceChildren(`${number(found.decided)} of ${number(found.patches)}`, el("i", { class: "wordy" }, " decided"));
  const pace = Math.round(found.pace_per_minute ?? 0);
  $("pace").textContent = pace ? `${number(pace)} a minute` : "";
  const damaged = found.damaged_lines ?? 0;
  $("damaged").textContent = damaged ? `${number(damaged)} damaged ${damaged === 1 ? "line" : "lines"}` : "";
  $("damaged").title = "Lines of the log that cannot be read; ben check names them";
  const pairs = (found.kappa ?? []).filter((pair) => pair.kappa !== null);
  const [pair] = [...pairs].sort((a, b) => b.patches - a.patches);
  $("kappa").textContent = pair ? `κ ${two(pair.kappa)}` : "";
  $("kappa").title = pairs.map((p) => `${p.a} and ${p.b}: κ ${two(p.kappa)} on ${number(p.patches)} patches`).join("\n");
}

/** Two digits, and no minus before zero. */
const two = (value) => (Math.round(100 * value) / 100 || 0).toFixed(2);

/** A question, not a decision, that failed. */
export function unreached(error) {
  if (!saves.failures) alarm(error.message, null, "reach");
}
