/** What the page knows and shows, and how that is written into the address. */

export const SNOW = "seasonal_snow";
export const CLOUD = "cloud_or_shadow";
export const WORDS = { [SNOW]: "snow", [CLOUD]: "cloud or shadow" };
export const SHORT = { [SNOW]: "snow", [CLOUD]: "cloud" };

export const FILTERS = [
  "tile", "country", "season", "label", "from", "to", "text", "flag", "decided", "flagset",
  "min_confidence", "max_confidence", "near", "bbox", "doubt", "doubted_label", "order",
];

export const state = {
  info: null,
  query: {},
  offset: 0,
  total: 0,
  rows: [],
  focus: 0,
  anchor: 0,
  selected: new Set(),
  selecting: false,
  shown: null,
  view: "true",
  stretch: "fixed",
  columns: 6,
  reviewer: "",
  blind: false,
  side: "patch",
};

export const inspecting = () => state.info?.mode === "inspect";

/** Keep a value for the next visit; a browser that forbids it forgets. */
export function keep(name, value) {
  try {
    localStorage.setItem(`benforge.${name}`, value);
  } catch {
    return;
  }
}

export function kept(name) {
  try {
    return localStorage.getItem(`benforge.${name}`);
  } catch {
    return null;
  }
}

/** Read query, view and place from the address, so that a reload shows the same. */
export function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of FILTERS) {
    const values = given.getAll(name).filter(Boolean);
    if (values.length) state.query[name] = name === "label" ? values : values[0];
  }
  state.offset = Math.max(0, Number.parseInt(given.get("offset") ?? "0", 10) || 0);
  const known = state.info.views.map((view) => view.name);
  if (known.includes(given.get("view"))) state.view = given.get("view");
  if (["fixed", "percentile"].includes(given.get("stretch"))) state.stretch = given.get("stretch");
}

export function writeAddress() {
  const said = parameters();
  if (state.offset) said.set("offset", state.offset);
  said.set("view", state.view);
  said.set("stretch", state.stretch);
  history.replaceState(null, "", `#${said}`);
}

/** The query as parameters of an address, with more of them if given. */
export function parameters(more = {}) {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...state.query, ...more })) {
    for (const part of [value].flat()) if (part !== "" && part !== null) said.append(name, part);
  }
  return said;
}

/** The same as a question to the server, which is told who asks. */
export const question = (more = {}) => parameters({ ...more, reviewer: state.reviewer });

/** A row as the reviewer is to see it: without what others decided, while that is hidden. */
export const seen = (row) =>
  state.blind && inspecting() && row.mine === null ? { ...row, decided: null, by: null, disputed: false } : row;

/** Whether a row still belongs to what is asked for, after a decision. */
export function stillAsked(row) {
  if (state.query.doubt === "open" && !row.doubts?.some((doubt) => doubt.present === null)) return false;
  switch (state.query.decided) {
    case undefined: return true;
    case "none": return row.decided === null;
    case "any": return row.decided !== null;
    case "clear": return row.decided?.length === 0;
    case "disputed": return row.disputed;
    case "mine": return row.mine !== null;
    case "not-mine": return row.mine === null;
    default: return row.decided?.includes(state.query.decided) ?? false;
  }
}
