// The view Events: the catalogue, and what was seen on this server.

import { loadCatalogue } from './completion.js';
import { el, notice, number, pair, rate } from './dom.js';
import { comparison } from './filter.js';

export default class Events {
  title = 'Events';
  #rows = [];

  constructor(context) {
    this.context = context;
    this.draw = () => this.#draw();
  }

  open() {
    this.search = el('input', { id: 'search', type: 'search', oninput: this.draw });
    this.only = el('input', { id: 'only', type: 'checkbox', onchange: this.draw });
    this.list = el('div', { className: 'catalogue' });
    this.said = el('p', { className: 'counts', role: 'status' });
    this.context.status.addEventListener('change', this.draw);
    this.#load();
    return [
      el('div', { className: 'tools' },
        pair(el('label', { for: 'search' }, 'Search'), this.search),
        pair(this.only, el('label', { for: 'only' }, 'Only seen here')), this.said),
      this.list,
    ];
  }

  close() {
    this.context.status.removeEventListener('change', this.draw);
  }

  async #load() {
    try {
      const known = await loadCatalogue();
      this.dovecot = known.dovecot;
      this.known = known.events;
      this.#draw();
    } catch (error) {
      this.list.replaceChildren(notice(error.message, 'error'));
    }
  }

  #build(seen) {
    const names = new Set(this.known.map(({ name }) => name));
    const strangers = seen.filter(([name]) => !names.has(name)).map(([name]) => ({
      name, description: 'not in the catalogue', fields: [], category: null, since: null,
    }));
    this.#rows = [...strangers, ...this.known].map((event) => {
      const count = el('span', { className: 'number' });
      const element = el('details', { className: 'event' },
        el('summary', {}, el('b', {}, event.name), count,
          el('span', { className: 'fields' }, event.description)));
      element.addEventListener('toggle', () => {
        if (element.open && element.childElementCount === 1) element.append(details(event));
      });
      const text = [event.name, event.description, event.category,
        ...event.fields.map(({ name }) => name)].join(' ').toLowerCase();
      return { event, element, count, text };
    });
    // Events that were seen come first; the order stays while the page is open.
    const seenNames = new Set(seen.map(([name]) => name));
    this.#rows.sort((one, other) =>
      seenNames.has(other.event.name) - seenNames.has(one.event.name));
    this.list.replaceChildren(...this.#rows.map(({ element }) => element));
  }

  #draw() {
    const { status } = this.context;
    if (!this.known) return;
    const seen = status.now?.events.names ?? [];
    const counts = new Map(seen);
    if (this.strangers !== seen.length || this.#rows.length === 0) {
      this.strangers = seen.length;
      this.#build(seen);
    }
    const wanted = this.search.value.toLowerCase();
    for (const { event, element, count, text } of this.#rows) {
      const times = counts.get(event.name);
      count.textContent = times
        ? `${number(times)} seen, ${rate(status.rate('event', event.name))}` : '';
      element.hidden = !text.includes(wanted) || (this.only.checked && !times);
    }
    const unnamed = status.now?.events.unnamed ?? 0;
    this.said.textContent = `Dovecot ${this.dovecot}: ${number(this.known.length)} events, `
      + `${number(seen.length)} seen while a page was open; ${number(unnamed)} without a name`;
  }
}

function details(event) {
  const fields = event.fields.map((field) => el('tr', {},
    el('th', { scope: 'row' }, field.name),
    el('td', {}, field.type),
    el('td', { className: 'muted' }, [field.unit, field.values.join(', ')].filter(Boolean).join(': '))));
  const filter = new URLSearchParams({ filter: comparison('event', event.name) });
  return el('div', { className: 'details' },
    el('p', { className: 'muted' }, [event.category ? `category ${event.category}` : '',
      event.since ? `since ${event.since}` : ''].filter(Boolean).join(' · ')),
    el('p', {}, el('a', { href: `#/live?${filter}` }, 'Watch it')),
    fields.length > 0 ? el('table', {}, el('tbody', {}, fields)) : null);
}
