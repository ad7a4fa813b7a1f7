/** Help, the name of the reviewer, and one patch large. */

import { get, pictureOf } from "./api.js";
import { $, day, el } from "./dom.js";
import { HELP } from "./keys.js";
import { inspecting, keep, kept, state } from "./state.js";
import { factsOf, viewsOf } from "./patch.js";

export function showHelp() {
  const help = $("help");
  if (help.open) return help.close();
  const doubting = (keys) => state.info.doubts || !["W", "R"].includes(keys);
  const parts = HELP.map(([title, lines]) => [title, lines.filter(([keys]) => doubting(keys))]).filter(([title]) => inspecting() || title !== "Decide");
  help.replaceChildren(
    el("h2", {}, "Keys"),
    el("div", { class: "keys" }, parts.map(([title, lines]) => el("section", {},
      el("h3", {}, title),
      el("dl", {}, lines.map(([keys, what]) => [
        el("dt", {}, keys.split("  ").map((key) => el("kbd", {}, key))), el("dd", {}, what)]))))),
    el("p", { class: "soft" }, legend()),
    el("div", { class: "buttons" }, el("button", { type: "button", class: "main", onclick: () => help.close() }, "Close")));
  return help.showModal();
}

const legend = () => inspecting()
  ? "An outlined mark is what the screening proposes; at the right is how sure it is, where it has doubts. A filled mark is a decision. Every decision is on disk before it is shown as saved."
  : "An outlined mark is what the screening proposes; at the right is how sure it is, where it has doubts.";

/** The name that was kept, if the server takes it; else nothing. */
export async function knownName() {
  const known = kept("reviewer") ?? "";
  return known && !(await refusalOf(known)) ? known : "";
}

/** Why the server does not take a name; nothing where it does, or cannot be reached. */
async function refusalOf(name) {
  try {
    await get(`/api/progress?${new URLSearchParams({ reviewer: name })}`);
  } catch (error) {
    return error.status >= 400 && error.status < 500 ? error.message : "";
  }
  return "";
}

/** Ask for the reviewer's name; a promise of one that the server takes, or of the one before. */
export function askName() {
  const [ask, field] = [$("ask"), $("ask-name")];
  let given = state.reviewer;
  field.value = given || (kept("reviewer") ?? "");
  $("ask-refused").textContent = "";
  ask.showModal();
  field.select();
  return new Promise((answer) => {
    $("ask-form").onsubmit = async (event) => {
      event.preventDefault();
      const name = field.value.trim();
      const refused = await refusalOf(name || " ");
      $("ask-refused").textContent = refused;
      if (refused || !ask.open) return;
      given = name;
      keep("reviewer", name);
      ask.close();
    };
    ask.oncancel = (event) => {
      if (!given) event.preventDefault();
    };
    ask.onclose = () => answer(given);
  });
}

/** One patch as large as the window allows. */
export function drawLarge() {
  const [large, row] = [$("large"), state.shown];
  if (!large.open || !row) return;
  const picture = el("img", { class: "pixels", src: pictureOf(row.i), alt: `Patch of ${day(row.date)}` });
  large.replaceChildren(
    el("div", { class: "frame" }, picture),
    el("div", { class: "beside" }, factsOf(row), viewsOf(row),
      el("div", { class: "buttons" },
        el("button", { type: "button", class: "quiet", onclick: () => large.close() }, "Close"))));
}

export function toggleLarge() {
  const large = $("large");
  if (large.open) return large.close();
  if (!state.shown) return undefined;
  large.showModal();
  return drawLarge();
}
