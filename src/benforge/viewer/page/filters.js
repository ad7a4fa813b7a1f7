/** Which patches, and in which order: a form whose every change is a new question. */

import { $, dot, el, later, number } from "./dom.js";
import { WORDS, inspecting, keep, state } from "./state.js";

const ORDERS = { "label-doubt": "by label doubt", doubt: "by doubt", name: "by name", date: "by date", snow: "by snow", cloud: "by cloud" };
let changed = () => {};

/** Build the form; `change` is called when another question is asked. */
export function startFilters(change) {
  changed = change;
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("order").addEventListener("change", () => set("order", $("order").value));
  $("order").title = "Order";
  drawFilters();
}

/** Ask for something; an empty value asks for nothing. */
export function set(name, value) {
  if (value === "" || value === null || (Array.isArray(value) && !value.length)) delete state.query[name];
  else state.query[name] = value;
  drawFilters();
  changed();
}

export function drawFilters() {
  const { info, query } = state;
  const words = (flag) => WORDS[flag] ?? flag;
  const flags = info.flags.map((flag) => [flag, words(flag)]);
  const set = info.flag_sets.map((name) => [name, name]);
  $("filters").replaceChildren(
    search(),
    orderAgain(),
    ...near(),
    ...doubts(),
    choice("tile", "Tile", "every tile", info.tiles.map((name) => [name, name])),
    info.countries.filter(Boolean).length > 1 || query.country
      ? choice("country", "Country", "every country", info.countries.filter(Boolean).map((name) => [name, name])) : "",
    choice("season", "Season", "every season", info.seasons.map((name) => [name, name])),
    classes(),
    dates(),
    info.screening ? choice("flag", "Proposed", "anything or nothing", [...flags, ["none", "nothing"], ["unscreened", "not screened"]]) : "",
    ...unscreened(),
    info.screening ? confidence() : "",
    inspecting() || info.reviewers.length
      ? choice("decided", "Decided", "yes or no", [["none", "not yet"], ["any", "by anybody"], ...flags, ["clear", "clear"], ["disputed", "disputed"],
        ...(inspecting() ? [["mine", "by me"], ["not-mine", "not by me"]] : [])]) : "",
    inspecting() ? blind() : "",
    set.length ? choice("flagset", "Marked in", "any list or none", set) : "",
    el("button", { type: "button", class: "quiet reset", disabled: !active(), onclick: reset },
      active() ? `Clear ${active()} filter${active() > 1 ? "s" : ""}` : "No filter"));
  orders();
}

const active = () => Object.keys(state.query).filter((name) => name !== "order").length;

function reset() {
  state.query = state.query.order ? { order: state.query.order } : {};
  drawFilters();
  changed();
}

const known = () => Object.keys(ORDERS).filter((name) =>
  name === "label-doubt" ? state.info.doubts : state.info.screening || ["name", "date"].includes(name));

function orders() {
  $("order").replaceChildren(...known().map((name) => el("option", { value: name }, ORDERS[name])));
  $("order").value = state.query.order ?? known()[0];
}

/** The order once more, for a phone, whose bar has no room for it. */
function orderAgain() {
  const select = el("select", { name: "order", onchange: () => set("order", select.value) },
    known().map((name) => el("option", { value: name }, ORDERS[name])));
  select.value = state.query.order ?? known()[0];
  const made = field("Order", select);
  made.classList.add("narrow");
  return made;
}

/** What no screening names, which no proposal and no doubt would show. */
function unscreened() {
  const { screening, patches } = state.info;
  const many = patches - (screening?.patches ?? 0);
  if (!many || !inspecting()) return [];
  const words = screening ? `${number(many)} ${many === 1 ? "patch is" : "patches are"} not screened` : "No patch is screened";
  const show = el("button", { type: "button", class: "quiet", onclick: () => set("flag", "unscreened") }, "Show");
  return [el("p", { class: "note hint" }, el("span", {}, `${words}: `, el("code", {}, "ben screen")), screening && many < patches ? show : "")];
}

/** What predictions say of labels, and a warning where they were taught them. */
function doubts() {
  const told = state.info.doubts;
  if (!told) return [];
  const kinds = [["any", "some"], ["open", "not decided"], ["doubted", "given, doubted"], ["missing", "not given, missing"]];
  const taught = told.trained_on
    ? [el("p", { class: "note hint" }, `${number(told.trained_on)} of the predicted patches were trained on: the model agrees with what it was taught.`)] : [];
  return [
    choice("doubt", `Label doubt, by ${told.model}`, "any or none", kinds),
    choice("doubted_label", "Doubted class", "every class", told.labels.map((name) => [name, name])),
    ...taught,
  ];
}

/** A second opinion is one only where the first is not seen before. */
function blind() {
  const box = el("input", { type: "checkbox", name: "blind", checked: state.blind, onchange: () => {
    state.blind = box.checked;
    keep("blind", state.blind ? "yes" : "no");
    changed({ stay: true });
  } });
  return el("label", { class: "check" }, box, el("span", {}, "Hide what others decided until I have"));
}

function field(word, ...parts) {
  return el("label", { class: "field" }, el("span", {}, word), ...parts);
}

function choice(name, word, all, entries) {
  const known = entries.map(([value]) => value);
  const select = el("select", { name, onchange: () => set(name, select.value) },
    el("option", { value: "" }, all),
    entries.map(([value, title]) => el("option", { value }, title)));
  const value = state.query[name] ?? "";
  if (value && !known.includes(value)) select.append(el("option", { value }, value));
  select.value = value;
  return field(word, select);
}

function search() {
  const ask = later(() => {
    if (input.value === (state.query.text ?? "")) return;
    if (input.value) state.query.text = input.value;
    else delete state.query.text;
    changed({ stay: true });
  }, 200);
  const input = el("input", { id: "text", type: "search", value: state.query.text ?? "", maxlength: 200,
    placeholder: "part of a name  ( / )", "aria-label": "Part of a name", oninput: ask });
  return field("Search", input);
}

function near() {
  const notes = [];
  if (state.query.near !== undefined) notes.push(["near", "Same ground, all days"]);
  if (state.query.bbox !== undefined) notes.push(["bbox", "In the map's view"]);
  return notes.map(([name, word]) => el("p", { class: "note" }, word, cross(word, () => set(name, null))));
}

const cross = (word, onclick) =>
  el("button", { type: "button", class: "cross", "aria-label": `Take away: ${word}`, onclick }, "×");

function classes() {
  const chosen = (state.query.label ?? []).map(Number);
  const select = el("select", { name: "label", onchange: () => set("label", [...chosen.map(String), select.value]) },
    el("option", { value: "" }, chosen.length ? "and another class" : "every class"),
    state.info.classes.map((known, n) => [known, n])
      .filter(([known, n]) => known.patches && !chosen.includes(n))
      .map(([known, n]) => el("option", { value: n }, `${known.name} (${number(known.patches)})`)));
  const chips = chosen.map((n) => el("li", {}, dot(state.info.classes[n]?.color ?? "gray"),
    el("span", {}, state.info.classes[n]?.name ?? n),
    cross(state.info.classes[n]?.name ?? n, () => set("label", chosen.filter((k) => k !== n).map(String)))));
  return el("div", { class: "wide" }, field("Class", select), chips.length ? el("ul", { class: "chips" }, chips) : "");
}

function dates() {
  const one = (name, word) => {
    const input = el("input", { type: "date", name, min: state.info.first_day, max: state.info.last_day,
      value: state.query[name] ?? "", "aria-label": word, onchange: () => set(name, input.value) });
    return input;
  };
  return el("div", { class: "field" }, el("span", {}, "Days"), el("span", { class: "pair" }, one("from", "From"), one("to", "To")));
}

function confidence() {
  const one = (name, sign, none, title) => {
    const words = (value) => (value === none ? "any" : `${sign} ${Math.round(100 * value)} %`);
    const value = Number(state.query[name] ?? none);
    const said = el("output", {}, words(value));
    const input = el("input", { type: "range", min: 0.5, max: 1, step: 0.01, value, name, "aria-label": title,
      oninput: () => said.replaceChildren(words(Number(input.value))),
      onchange: () => set(name, Number(input.value) === none ? null : input.value) });
    return el("span", { class: "slider" }, input, said);
  };
  return el("div", { class: "field" }, el("span", {}, "Sureness"),
    one("min_confidence", "≥", 0.5, "Sureness at least"), one("max_confidence", "≤", 1, "Sureness at most"));
}
