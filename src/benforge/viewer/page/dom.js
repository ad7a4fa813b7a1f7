/** Elements of the page. Text is always set as text: nothing that a file says is read as HTML. */

export const $ = (id) => document.getElementById(id);

/** An element with attributes, listeners (`onclick`) and children; null children are left out. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return made;
}

/** A dot in a colour of the data. */
export function dot(color) {
  const made = el("span", { class: "dot" });
  made.style.backgroundColor = color;
  return made;
}

/** A bar whose length is a share, 0 to 1. */
export function bar(share, color, name = "bar") {
  const made = el("span", { class: name });
  made.style.width = `${100 * share}%`;
  if (color) made.style.backgroundColor = color;
  return made;
}

export const percent = (share) =>
  share > 0 && share < 0.01 ? "<\u00a01\u00a0%" : `${Math.round(100 * share)}\u00a0%`;

export const number = (value) => value.toLocaleString("en-US");

/** A day as people write it: 13 June 2017. */
export function day(text) {
  const [year, month, date] = text.split("-").map(Number);
  const names = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" };
  return new Intl.DateTimeFormat("en-GB", names).format(Date.UTC(year, month - 1, date));
}

/** A time of the clock on the reader's wall: 2026-11-26 14:05. */
export function moment(text) {
  const time = new Date(text);
  const two = (value) => String(value).padStart(2, "0");
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** The function, run once things have been quiet for some milliseconds. */
export function later(work, wait) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), wait);
  };
}
