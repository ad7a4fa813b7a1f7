/** The page of `ben inspect` and `ben view`: what leads to what. */

import { askPatch, get } from "./api.js";
import { clearSelection, focusGrid, focusOn, load, look, markOthers, measure, next, previous, selectAll, startBoard, step } from "./board.js";
import { act, alarm, calm, judge, progress, settled, startDeciding, target, unreached } from "./decide.js";
import { askName, drawLarge, knownName, showHelp, toggleLarge } from "./dialogs.js";
import { $, el, later } from "./dom.js";
import { startDoubts } from "./doubts.js";
import { set, startFilters } from "./filters.js";
import { startKeys } from "./keys.js";
import { drawMap, legend, refresh, startMap } from "./map.js";
import { redraw, redrawFacts, showPatch, startPatch } from "./patch.js";
import { showSimilar, startSimilar } from "./similar.js";
import { CLOUD, SNOW, inspecting, keep, kept, readAddress, state, writeAddress } from "./state.js";
import { drawStatistics, startStatistics } from "./statistics.js";

async function start() {
  state.info = await get("/api/archive");
  state.stretch = inspecting() ? "fixed" : "percentile";
  state.columns = Math.min(10, Math.max(3, Number(kept("columns")) || (innerWidth < 760 ? 4 : 6)));
  state.blind = kept("blind") === "yes";
  readAddress();
  document.documentElement.dataset.mode = state.info.mode;
  $("simulated").hidden = !state.info.simulated;
  document.querySelector('[data-act="accept"]').hidden = !state.info.screening;
  for (const name of ["wrong", "right"]) document.querySelector(`[data-act="${name}"]`).hidden = !state.info.doubts;
  drawViews();
  startFilters(ask);
  startBoard(shown, settled);
  startPatch({ view: setView, patch: goTo, near: (i) => set("near", i), large: toggleLarge, similar: showSimilar });
  startDoubts(judge);
  startSimilar(goTo);
  startMap({ patch: goTo, tile: (name) => set("tile", name), box: (box) => set("bbox", box) });
  startStatistics(set);
  startDeciding(goTo, who, redrawFacts);
  listen();
  startKeys(keys());
  setInterval(() => progress().then(markOthers).catch(() => {}), 20_000);
  if (inspecting()) named(await knownName());
  await load().catch(unreached);
  if (inspecting() && !state.reviewer) await who();
  await progress();
}

function named(name) {
  state.reviewer = name;
  $("who").textContent = name || "Your name";
  $("who").title = name ? "Change the name" : "Give the name under which decisions are saved";
}

/** Ask who is looking, and show what they decided. */
async function who() {
  const before = state.reviewer;
  named(await askName());
  if (state.reviewer === before) return;
  await Promise.all([progress(), load({ patch: state.shown?.i }).catch(unreached)]);
}

function listen() {
  $("previous").addEventListener("click", () => previous());
  $("next").addEventListener("click", () => next());
  $("stretch").addEventListener("click", toggleStretch);
  $("columns").value = state.columns;
  $("columns").addEventListener("change", () => setColumns(Number($("columns").value)));
  $("selecting").addEventListener("click", () => {
    state.selecting = !state.selecting;
    $("selecting").setAttribute("aria-pressed", String(state.selecting));
    if (!state.selecting) clearSelection();
    target();
  });
  $("help-button").addEventListener("click", showHelp);
  $("grid").addEventListener("large", toggleLarge);
  $("who").addEventListener("click", who);
  for (const button of document.querySelectorAll("[data-act]")) {
    button.addEventListener("click", () => act(button.dataset.act));
  }
  for (const button of document.querySelectorAll("[data-side]")) {
    button.addEventListener("click", () => setSide(button.dataset.side));
  }
  for (const button of document.querySelectorAll(".foot [data-tab]")) {
    button.addEventListener("click", () => setTab(button.dataset.tab));
  }
  let room = measure();
  new ResizeObserver(later(() => {
    if (measure() !== room) load({ patch: state.shown?.i }).catch(unreached);
    room = measure();
    if (state.side === "map") drawMap();
  }, 150)).observe($("grid"));
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".bar button, .tabs button, .actions button, #patch button");
    if (event.detail && button && !document.querySelector("dialog[open]")) focusGrid();
  });
  addEventListener("unhandledrejection", (event) => {
    const { unreached: away, status } = event.reason ?? {};
    if (away || status) event.preventDefault();
    unreached(event.reason);
  });
  addEventListener("hashchange", () => location.reload());
  setSide("patch");
  setTab("board");
}

function keys() {
  const move = (across, down) => (shift) => {
    step(across, down, shift);
    drawLarge();
  };
  const views = Object.fromEntries(state.info.views.map((view) => [view.key, () => setView(view.name)]));
  const deciding = { s: SNOW, c: CLOUD, b: "both", x: "clear", a: "accept", u: "undo", "Ctrl z": "undo" };
  if (state.info.doubts) Object.assign(deciding, { w: "wrong", r: "right" });
  const acts = Object.entries(deciding).map(([key, name]) => [key, () => act(name)]);
  return {
    ...views,
    ...Object.fromEntries(inspecting() ? acts : []),
    ArrowLeft: move(-1, 0), ArrowRight: move(1, 0), ArrowUp: move(0, -1), ArrowDown: move(0, 1),
    n: () => next(), PageDown: () => next(), p: () => previous(), PageUp: () => previous(),
    f: toggleStretch, l: showSimilar, m: () => setSide(state.side === "map" ? "patch" : "map"),
    "+": () => setColumns(state.columns - 1), "=": () => setColumns(state.columns - 1),
    "-": () => setColumns(state.columns + 1),
    "/": () => { setTab("filters"); $("text").focus(); $("text").select(); },
    "?": showHelp, Enter: toggleLarge, "Ctrl a": () => { selectAll(); target(); },
    Escape: () => { clearSelection(); target(); },
    grid: () => focusOn(state.focus),
  };
}

/** Ask the question that the filters put; `stay` leaves the keyboard where it is. */
async function ask({ stay = false } = {}) {
  try {
    await load({ offset: 0 });
    if (!stay && state.rows.length && innerWidth >= 760) focusOn(0);
  } catch (error) {
    unreached(error);
    return;
  }
  if (state.side === "statistics") drawStatistics();
  if (state.side === "map") drawMap();
}

function shown(row) {
  showPatch(row);
  drawLarge();
  target();
  refresh();
  calm();
}

/** Show a patch that may not be on this screen; decisions then are about it. */
async function goTo(i) {
  const place = state.rows.findIndex((row) => row.i === i);
  setSide("patch");
  if (innerWidth < 760) setTab("patch");
  if (place >= 0) return focusOn(place);
  clearSelection();
  state.shown = await askPatch(i);
  return shown(state.shown);
}

function drawViews() {
  $("views").replaceChildren(...state.info.views.map((view) => el("button", {
    type: "button", "data-view": view.name, title: `${view.title} (${view.key})`, onclick: () => setView(view.name),
  }, el("kbd", {}, view.key), el("span", {}, view.title))));
  pressed();
}

function pressed() {
  for (const button of $("views").children) {
    button.setAttribute("aria-pressed", String(button.dataset.view === state.view));
  }
  $("stretch").textContent = state.stretch === "fixed" ? "Stretch: same" : "Stretch: own";
  $("stretch").title = state.stretch === "fixed"
    ? "Black and white are the same for all patches (F)" : "Black and white are each patch's own (F)";
}

function setView(view) {
  state.view = view;
  pressed();
  writeAddress();
  redraw();
  drawLarge();
  return look().then(calm, unreached);
}

function toggleStretch() {
  state.stretch = state.stretch === "fixed" ? "percentile" : "fixed";
  return setView(state.view);
}

function setColumns(columns) {
  state.columns = Math.min(10, Math.max(3, columns));
  $("columns").value = state.columns;
  keep("columns", state.columns);
  return load({ patch: state.shown?.i });
}

function setSide(side) {
  state.side = side;
  for (const [name, id] of [["patch", "patch"], ["map", "map-pane"], ["statistics", "statistics"]]) {
    $(id).hidden = name !== side;
  }
  for (const button of document.querySelectorAll("[data-side]")) {
    button.setAttribute("aria-selected", String(button.dataset.side === side));
  }
  if (side === "statistics") drawStatistics();
  if (side === "map") drawMap().then(() => $("map-legend") ?? $("map-pane").append(el("ul", { id: "map-legend", class: "legend" }, legend())), unreached);
}

/** On a phone one part is shown at a time. */
function setTab(tab) {
  document.body.dataset.tab = ["filters", "board"].includes(tab) ? tab : "side";
  for (const button of document.querySelectorAll(".foot [data-tab]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tab === tab));
  }
  if (!["filters", "board"].includes(tab)) setSide(tab);
}

start().then(() => {
  document.documentElement.dataset.ready = "yes";
}, (error) => alarm(`The page cannot start: ${error.message}`));
