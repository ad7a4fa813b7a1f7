/** What is asked of the server; pictures are kept for a while, so that a way back costs nothing. */

import { question, state } from "./state.js";

const KEPT = 12;
const sheets = new Map();

/** JSON from an address; an error carries the server's words and the status. */
export async function get(path) {
  return answerOf(await reach(path, { headers: { Accept: "application/json" } }));
}

export async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  const signal = AbortSignal.timeout(20_000);
  const sent = { method: "POST", headers, body: JSON.stringify(body), signal };
  return answerOf(await reach(path, sent));
}

const reach = (path, sent) => whole(fetch(path, sent));

/** What comes whole; what breaks off, as when a server is killed, was no answer. */
async function whole(coming) {
  try {
    return await coming;
  } catch {
    throw Object.assign(new Error("The server does not answer"), { unreached: true });
  }
}

/** The answer; one that breaks off is none, so what it was to confirm is asked again. */
async function answerOf(response) {
  if (response.ok) return whole(response.json());
  const said = await response.json().catch(() => ({}));
  const error = new Error(said.error ?? `the server answered ${response.status}`);
  error.status = response.status;
  throw error;
}

export const askRows = (offset, limit) => get(`/api/patches?${question({ offset, limit })}`);

export const askPatch = (i) => get(`/api/patch/${i}?${new URLSearchParams({ reviewer: state.reviewer })}`);

export const pictureOf = (i, view = state.view, stretch = state.stretch) =>
  `/patch/${i}.png?view=${view}&stretch=${stretch}`;

/** One picture with these patches in rows of `columns`; a promise of a bitmap. */
export function askSheet(positions, columns) {
  const url = `/sheet.jpg?i=${positions.join(",")}&view=${state.view}&stretch=${state.stretch}&columns=${columns}`;
  const known = sheets.get(url);
  if (known) return known;
  const asked = reach(url).then(async (response) => {
    if (!response.ok) await answerOf(response);
    return createImageBitmap(await whole(response.blob()));
  });
  sheets.set(url, asked);
  asked.catch(() => sheets.delete(url));
  if (sheets.size > KEPT) sheets.delete(sheets.keys().next().value);
  return asked;
}

/** Copy a cell of a sheet onto a canvas of 120 x 120. */
export function drawCell(canvas, bitmap, cell, columns) {
  const wide = Math.min(columns, bitmap.width / 120);
  const [x, y] = [(cell % wide) * 120, Math.floor(cell / wide) * 120];
  canvas.getContext("2d").drawImage(bitmap, x, y, 120, 120, 0, 0, 120, 120);
}
