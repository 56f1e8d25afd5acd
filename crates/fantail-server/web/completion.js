// What may come next in a filter: names of the catalogue and of what was seen.

import { get } from './api.js';

/** The most suggestions at one time. */
const MAX = 12;

/** The most names of fields and sessions that are kept from events. */
const MAX_SEEN = 500;

let catalogue = null;
const seenFields = new Set();

/** The catalogue of the server's Dovecot; asked for once. */
export async function loadCatalogue() {
  catalogue ??= get('catalogue').catch((error) => {
    catalogue = null;
    throw error;
  });
  return catalogue;
}

/** Remembers the fields of an event that was shown. */
export function remember(event) {
  for (const name of Object.keys(event.fields ?? {})) {
    if (seenFields.size < MAX_SEEN) seenFields.add(name);
  }
}

function valuesOf(known, field) {
  const values = new Set();
  for (const event of known.events) {
    for (const one of event.fields) {
      if (one.name === field) one.values.forEach((value) => values.add(value));
    }
  }
  return [...values];
}

function candidates(known, before, seenEvents) {
  const comparison = /([\w:.-]+)\s*[=<>]+\s*"?([\w:*.-]*)$/.exec(before);
  if (comparison) {
    const [, field, word] = comparison;
    if (field === 'event') {
      return { word, names: [...seenEvents, ...known.events.map((event) => event.name)] };
    }
    if (field === 'category') return { word, names: known.categories.map(({ name }) => name) };
    return { word, names: valuesOf(known, field) };
  }
  const [word] = /[\w:.-]*$/.exec(before);
  const fields = known.events.flatMap((event) => event.fields.map((field) => field.name));
  const names = ['event', 'category', ...seenFields, ...fields].map((name) => `${name}=`);
  const isOperand = /(^|\(|\b(AND|OR|NOT))\s*$/i.test(before.slice(0, before.length - word.length));
  return { word, names: isOperand ? ['NOT ', ...names] : ['AND ', 'OR '] };
}

/**
 * The suggestions for the text before the caret: each with the text to insert in the place
 * of the last `length` characters.
 */
export async function suggest(before, seenEvents) {
  const known = await loadCatalogue();
  const { word, names } = candidates(known, before, seenEvents);
  const wanted = word.toLowerCase();
  const unique = [...new Set(names)].filter((name) => name.toLowerCase() !== wanted);
  const starts = unique.filter((name) => name.toLowerCase().startsWith(wanted));
  const contains = wanted.length < 2 ? [] : unique.filter((name) =>
    !starts.includes(name) && name.toLowerCase().includes(wanted));
  return [...starts, ...contains].slice(0, MAX).map((text) => ({ text, length: word.length }));
}
