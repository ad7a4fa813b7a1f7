/** Where the patches lie: a map without any map server, its ground the outlines of countries. */

import { get } from "./api.js";
import { $, el, later, number } from "./dom.js";
import { inspecting, question, state } from "./state.js";

const COLORS = ["#8fa39a", "#6cc3ff", "#f0b35a", "#57c79a", "#ff7d6e"];
const WORDS = ["", "snow proposed", "cloud or shadow proposed", "clear", "flagged"];
/** From this zoom on a patch is large enough to be drawn as it lies; before, it is a dot. */
const NEAR = 9;
let map = null;
let drawn = null;
let asked = 0;
let go = { patch: () => {}, tile: () => {}, box: () => {} };

/** Begin; `ways` are where clicks lead. Nothing is loaded before the map is opened. */
export function startMap(ways) {
  go = ways;
  $("map-filter").addEventListener("click", () => map && go.box(boxOf(map.getBounds())));
}

/** Show the map, or what it shows anew. */
export async function drawMap() {
  if (!map) await open();
  map.invalidateSize();
  await fill();
}

async function open() {
  await loadLeaflet();
  if (map) return;
  map = L.map($("map"), { preferCanvas: true, minZoom: 2, maxZoom: 16, zoomSnap: 0.5, worldCopyJump: true });
  map.attributionControl.setPrefix(false).addAttribution("Outlines: Natural Earth");
  L.control.scale({ imperial: false }).addTo(map);
  map.setView([52, 12], 3.5);
  const [outlines, first] = await Promise.all([get("/assets/countries.json"), ask("-180,-90,180,90", 0)]);
  L.geoJSON(features(outlines, "countries"), { interactive: false,
    style: { color: color("--line-strong"), weight: 1, fillColor: color("--raised"), fillOpacity: 1 } }).addTo(map);
  drawn = L.featureGroup().addTo(map);
  put(first);
  if (drawn.getLayers().length) map.fitBounds(drawn.getBounds().pad(0.15), { maxZoom: 12, animate: false });
  map.on("moveend", later(fill, 120));
}

function loadLeaflet() {
  if (window.L) return Promise.resolve();
  return new Promise((loaded, failed) => {
    document.head.append(el("script", { src: "/assets/leaflet.js", onload: loaded,
      onerror: () => failed(new Error("the map could not be loaded")) }));
  });
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const ink = () => color("--ink");
const boxOf = (bounds) =>
  [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map((n) => n.toFixed(5)).join(",");

const ask = (bbox, zoom) => get(`/api/map?${question({ bbox, zoom: Math.round(zoom), order: "" })}`);

async function fill() {
  const turn = ++asked;
  try {
    const bounds = map.getBounds().pad(0.1);
    const found = await ask(boxOf(bounds), map.getZoom());
    if (turn === asked) put(found);
  } catch (error) {
    $("map-note").textContent = error.message;
  }
}

function put(found) {
  drawn.clearLayers();
  if (found.kind === "tiles") found.rows.forEach(tile);
  else found.rows.forEach(patch);
  const total = found.kind === "tiles" ? found.rows.reduce((sum, row) => sum + row.count, 0) : found.rows.length;
  $("map-note").textContent = `${number(total)} here`;
  $("map").dataset.kind = found.kind;
}

function tile({ tile: name, count, ring }) {
  const style = { color: COLORS[0], weight: 1.5, fillColor: COLORS[1], fillOpacity: 0.18 };
  L.polygon(ring.map(([lon, lat]) => [lat, lon]), style)
    .bindTooltip(`${name}: ${number(count)} patches`, { sticky: true })
    .on("click", () => go.tile(name)).addTo(drawn);
}

function patch(row) {
  const [i, ...rest] = row;
  const kind = state.blind && rest.at(-1) > 2 ? 0 : rest.at(-1);
  const corners = [0, 2, 4, 6].map((k) => [rest[k + 1], rest[k]]);
  const here = state.shown?.i === i;
  const style = { color: here ? ink() : COLORS[kind], weight: here ? 3 : 1, fillColor: COLORS[kind], fillOpacity: 0.35 };
  const shape = map.getZoom() < NEAR ? L.circleMarker(corners[0], { ...style, radius: here ? 6 : 4 }) : L.polygon(corners, style);
  shape.on("click", () => go.patch(i)).addTo(drawn);
}

/** Show where another patch lies, if the map is open. */
export const refresh = later(() => {
  if (map && state.side === "map") fill();
}, 200);

/** What the colours mean, for those that can occur. */
export function legend() {
  const shown = WORDS.map((word, n) => [word, COLORS[n], n]).filter(([word, , n]) =>
    word && (n < 3 ? state.info.screening : inspecting()));
  return shown.map(([word, color]) => {
    const swatch = el("span", { class: "dot" });
    swatch.style.backgroundColor = color;
    return el("li", {}, swatch, word);
  });
}

/** TopoJSON to GeoJSON: arcs are deltas of whole numbers, shared between neighbours. */
export function features(topology, name) {
  const { scale, translate } = topology.transform;
  const arcs = topology.arcs.map((arc) => {
    let [x, y] = [0, 0];
    return arc.map(([dx, dy]) => {
      x += dx;
      y += dy;
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
    });
  });
  const arc = (n) => (n < 0 ? [...arcs[~n]].reverse() : arcs[n]);
  const ring = (parts) => unwrapped(parts.flatMap((n, k) => (k ? arc(n).slice(1) : arc(n))));
  const polygons = { Polygon: (shape) => [shape.arcs], MultiPolygon: (shape) => shape.arcs };
  return topology.objects[name].geometries.filter((shape) => polygons[shape.type]).map((shape) => ({
    type: "Feature",
    properties: {},
    geometry: { type: "MultiPolygon", coordinates: polygons[shape.type](shape).map((rings) => rings.map(ring)) },
  }));
}

/** A ring that crosses the date line, carried on beyond it. */
function unwrapped(ring) {
  let shift = 0;
  return ring.map(([lon, lat], n) => {
    const jump = n ? lon - ring[n - 1][0] : 0;
    if (jump > 180) shift -= 360;
    if (jump < -180) shift += 360;
    return [lon + shift, lat];
  });
}
