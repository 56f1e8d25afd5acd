// Elements, and values as text. Nothing here makes markup of a string.

/** Creates an element. `props` are properties, `on…` listeners, and attributes with a dash. */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name.includes('-') || name === 'role' || name === 'for') {
      element.setAttribute(name, value);
    } else if (name === 'data') Object.assign(element.dataset, value);
    else element[name] = value;
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** Creates an element of a drawing. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat());
  return element;
}

/** A button that does something on the page. */
export function button(label, onclick, props = {}) {
  return el('button', { type: 'button', onclick, ...props }, label);
}

/** A control with its label, on one line. */
export const pair = (...parts) => el('span', { className: 'pair' }, parts);

/** A table with headings; `columns` are texts, or objects with `label` and `className`. */
export function table(caption, columns, rows, props = {}) {
  const heads = columns.map((column) => {
    const { label, className = '' } = typeof column === 'string' ? { label: column } : column;
    return el('th', { scope: 'col', className }, label);
  });
  return el('div', { className: 'scroll', role: 'region', tabIndex: 0, 'aria-label': caption },
    el('table', props,
      el('caption', { className: 'hidden' }, caption),
      el('thead', {}, el('tr', {}, heads)),
      el('tbody', {}, rows)));
}

/** Terms and their descriptions. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return el('dl', {}, known.map(([name, value]) =>
    el('div', {}, el('dt', {}, name), el('dd', {}, value))));
}

/** A message in the page. */
export function notice(text, kind = '') {
  return el('p', { className: `notice ${kind}`, role: kind === 'error' ? 'alert' : null }, text);
}

const WHOLE = new Intl.NumberFormat('en');
const SHORT = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

/** A number with separators. */
export function number(value) {
  return value === null || value === undefined ? '–' : WHOLE.format(value);
}

/** Events a second. */
export function rate(value) {
  if (value === null || value === undefined) return '–';
  if (value === 0) return '0/s';
  return value < 100 ? `${SHORT.format(value)}/s` : `${WHOLE.format(Math.round(value))}/s`;
}

/** A number of bytes with a unit. */
export function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${SHORT.format(value)} ${units[unit]}`;
}

/** Microseconds as a duration. */
export function micros(value) {
  if (value === null || value === undefined) return '–';
  if (value < 1000) return `${SHORT.format(value)} µs`;
  if (value < 1e6) return `${SHORT.format(value / 1e3)} ms`;
  return seconds(value / 1e6);
}

/** Seconds as a duration. */
export function seconds(value) {
  if (value < 120) return `${SHORT.format(value)} s`;
  const minutes = Math.floor(value / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d`;
}

/** The time of day, with milliseconds. */
export function clock(date) {
  if (Number.isNaN(date.getTime())) return '–';
  const two = (value) => String(value).padStart(2, '0');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${time}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** Copies text; returns whether the browser allows it. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without TLS the browser has no clipboard for pages, except of localhost.
    const area = el('textarea', { value: text, className: 'hidden', 'aria-hidden': 'true' });
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    return copied;
  }
}
