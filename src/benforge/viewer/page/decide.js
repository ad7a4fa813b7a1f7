/** Deciding: what a key or a button means for which patches, saved, undone and told. */

import { get } from "./api.js";
import { advance, clearSelection, load, mark } from "./board.js";
import { $, el, number } from "./dom.js";
import { inHand, isOpen } from "./doubts.js";
import { Saves } from "./saves.js";
import { CLOUD, SNOW, inspecting, seen, state } from "./state.js";

const saves = new Saves(told);
let goTo = () => {};
let askWho = () => Promise.resolve();
let factsChanged = () => {};

/** Begin; `show` leads to a patch that may not be on the screen, `ask` to the reviewer's name,
`changed` draws what is said of a row anew. */
export function startDeciding(show, ask, changed) {
  [goTo, askWho, factsChanged] = [show, ask, changed];
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

/** Do what a key says; who did not give a name is asked for it first. */
export async function act(name) {
  if (!inspecting() || $("help").open) return;
  const rows = state.reviewer ? chosen() : await nameFor(chosen());
  if (!state.reviewer) return;
  if (name === "undo") undo();
  else if (name === "accept") accept(rows);
  else if (name === "wrong" || name === "right") judge(state.shown, inHand(state.shown), name === "right");
  else decide(rows, () => FLAGS[name]);
}

/** The same rows after the name was asked for, and the screen drawn anew. */
async function nameFor(rows) {
  await askWho();
  return rows.map((row) => state.rows.find((other) => other.i === row.i) ?? row);
}

/** Say whether the archive is right about a label that is doubted; then on to the next doubt. */
export async function judge(row, doubt, right) {
  if (!state.reviewer) await askWho();
  if (!state.reviewer) return;
  if (!doubt) {
    said("No label is doubted here");
    return;
  }
  const present = right === (doubt.direction === "doubted");
  const before = { ...doubt };
  const again = before.present !== null && !isOpen(row);
  Object.assign(doubt, { present, by: state.reviewer, mine: present, disputed: before.disputed || (before.present === !present && before.by !== state.reviewer) });
  changed(row);
  saves.send("/api/labels", { reviewer: state.reviewer, patch: row.i, label: doubt.label, present }, (answer) => {
    alarm("");
    showProgress(answer);
    const now = answer.rows?.[0]?.doubts?.find((one) => one.label === doubt.label);
    if (now && doubt.mine === present) Object.assign(doubt, now);
    changed(row);
  }, (error) => {
    if (doubt.mine === present) Object.assign(doubt, before);
    changed(row);
    alarm(`Not saved: ${error.message}`);
  });
  const from = state.rows.indexOf(row);
  if (!isOpen(row) && from >= 0) advance(from, again, isOpen).catch(unreached);
}

/** Draw anew what is said of a row, on its cell and beside the grid. */
function changed(row) {
  mark(row.i);
  if (state.shown === row) factsChanged(row);
}

/** Decide as the screening proposes; what it does not name stays open. */
function accept(chosenRows) {
  const rows = chosenRows.filter((row) => row.confidence !== null);
  if (rows.length) decide(rows, (row) => row.proposed);
  else said("Nothing was proposed here");
}

/** Decide on rows; what each is given may differ, so they go in groups of the same, as one. */
function decide(rows, flagsOf) {
  if (!rows.length) return;
  const again = seen(rows.at(-1)).decided !== null;
  const groups = new Map();
  for (const row of rows) {
    const flags = flagsOf(row);
    const group = groups.get(flags.join()) ?? { flags: [...flags], rows: [] };
    group.rows.push(row);
    groups.set(flags.join(), group);
  }
  send([...groups.values()]);
  const from = state.rows.indexOf(rows.at(-1));
  clearSelection();
  target();
  advance(from >= 0 ? from : state.focus, again).catch(unreached);
}

/** Show a decision and save it; where the server refuses, show what was before. */
function send(groups) {
  const before = new Map();
  for (const { flags, rows } of groups) {
    for (const row of rows) {
      const { decided, by, disputed, mine } = row;
      before.set(row, { decided, by, disputed, mine });
      Object.assign(row, { disputed: disputed || differs(row, flags), decided: flags, by: state.reviewer, mine: flags, decisions: null });
      mark(row.i);
    }
  }
  const sent = groups.map(({ flags, rows }) => ({ flags, patches: rows.map((row) => row.i) }));
  const still = (row) => groups.some(({ flags }) => row.mine === flags);
  saves.send("/api/decisions", { reviewer: state.reviewer, groups: sent }, (answer) => {
    alarm("");
    showProgress(answer);
    const now = new Map((answer.rows ?? []).map((row) => [row.i, row]));
    for (const row of before.keys()) {
      const { by, disputed } = now.get(row.i) ?? row;
      if (!still(row) || row.disputed === disputed) continue;
      Object.assign(row, { by, disputed });
      mark(row.i);
    }
  }, (error) => {
    for (const [row, old] of before) {
      if (!still(row)) continue;
      Object.assign(row, old);
      mark(row.i);
    }
    alarm(`Not saved: ${error.message}`);
  });
}

/** Whether another reviewer decided otherwise, as far as the page knows. */
const differs = (row, flags) =>
  row.decided !== null && row.by !== state.reviewer && row.decided.join() !== flags.join();

/** Take back what was done last, as a whole; then show where it was. */
function undo() {
  saves.send("/api/undo", { reviewer: state.reviewer }, (answer) => after(answer.patches ?? []),
    (error) => said(error.status === 409 ? "Nothing to undo" : error.message));
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
function told({ waiting, failures, reason, wait }) {
  const many = waiting.length;
  if (failures) {
    alarm(`Not saved yet: ${many} ${many === 1 ? "decision" : "decisions"}; ${reason.replace(/\.$/, "")}. Trying again${wait < 5000 ? "…" : ` in ${wait / 1000} seconds`}`, () => saves.retry?.());
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
    showProgress(await get(`/api/progress?${new URLSearchParams({ reviewer: state.reviewer })}`));
  } catch {
    return;
  }
}

function showProgress(answer) {
  const found = answer.progress ?? answer;
  if (found.decided === undefined) return;
  $("progress").hidden = false;
  if (found.outdated !== undefined) $("outdated").hidden = !found.outdated;
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
