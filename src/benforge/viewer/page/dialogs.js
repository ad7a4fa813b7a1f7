/** Help, the name of the reviewer, and one patch large. */

import { pictureOf } from "./api.js";
import { $, day, el } from "./dom.js";
import { HELP } from "./keys.js";
import { inspecting, keep, kept, state } from "./state.js";
import { factsOf, viewsOf } from "./patch.js";

export function showHelp() {
  const help = $("help");
  if (help.open) return help.close();
  const parts = HELP.filter(([title]) => inspecting() || title !== "Decide");
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

/** The reviewer's name, asked once and kept; a promise. */
export function askName({ again = false } = {}) {
  const known = kept("reviewer") ?? "";
  if (known && !again) return Promise.resolve(known);
  const [ask, field] = [$("ask"), $("ask-name")];
  field.value = known;
  ask.showModal();
  field.select();
  return new Promise((answer) => {
    $("ask-form").onsubmit = (event) => {
      event.preventDefault();
      const name = field.value.trim();
      if (!name) return;
      keep("reviewer", name);
      ask.close();
      answer(name);
    };
    ask.oncancel = (event) => {
      if (!known) event.preventDefault();
      else answer(known);
    };
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
