// The view Explain: why a filter matches, or does not, term by term.

import { get, post } from './api.js';
import { bar } from './charts.js';
import { button, clock, el, notice, number, table } from './dom.js';
import { FilterBox } from './filter.js';

const EXAMPLE = `event imap_command_finished {
  user = anna
  cmd_name = SELECT
  bytes_out = 1200
}`;

export default class Explain {
  title = 'Explain';

  constructor(context) {
    this.context = context;
    this.onterms = ({ detail }) => this.#draw(detail);
    this.onasked = () => this.#asking(false);
  }

  open(parameters) {
    this.filter = parameters.get('filter') ?? '';
    this.of = parameters.get('of') ?? 'traffic';
    const apply = (filter) => this.context.go('explain', {
      ...(filter ? { filter } : {}), ...(this.of === 'traffic' ? {} : { of: this.of }),
    });
    this.box = new FilterBox({ value: this.filter, status: this.context.status, onapply: apply });
    this.result = el('div', { id: 'tree' });
    this.message = el('div', {});
    const { stream } = this.context;
    stream.addEventListener('terms', this.onterms);
    stream.addEventListener('asked', this.onasked);
    const isLive = this.filter && this.of === 'traffic';
    stream.watch(isLive ? { filter: this.filter, explain: true } : null);
    const content = { event: () => this.#form(), recent: () => this.#recent() };
    const shown = content[this.of] ?? (() => this.#traffic());
    return [this.box.element, this.#choice(), this.message, shown(), this.result];
  }

  close() {
    const { stream } = this.context;
    stream.removeEventListener('terms', this.onterms);
    stream.removeEventListener('asked', this.onasked);
    stream.watch(null);
  }

  #choice() {
    const link = (label, of) => {
      const query = new URLSearchParams(this.filter ? { filter: this.filter } : {});
      if (of !== 'traffic') query.set('of', of);
      return el('a', {
        href: `#/explain?${query}`, 'aria-current': of === this.of ? 'true' : null,
      }, label);
    };
    return el('nav', { className: 'tabs', 'aria-label': 'What is explained' },
      link('Events that arrive', 'traffic'), link('Kept events', 'recent'),
      link('One event', 'event'));
  }

  #traffic() {
    if (!this.filter) {
      return notice('Write a filter. The page counts the events that arrive at each of its '
        + 'terms, and shows where they end.');
    }
    this.ask = button('Ask for more', () => this.#ask());
    this.seen = el('p', { className: 'counts', role: 'status' }, 'No event yet.');
    return el('div', { className: 'tools' }, this.ask, this.seen);
  }

  /** The events that the server keeps. */
  #recent() {
    if (!this.filter) {
      return notice('Write a filter. The server counts the events that it keeps (--recent) at '
        + 'each of its terms.');
    }
    this.seen = el('p', { className: 'counts', role: 'status' }, 'counting …');
    this.#count();
    return el('div', { className: 'tools' }, button('Count again', () => this.#count()), this.seen);
  }

  async #count() {
    try {
      const query = new URLSearchParams({ filter: this.filter });
      const counts = await get(`explain/recent?${query}`);
      const since = clock(new Date(counts.begins_unix_us / 1000));
      const left = counts.left_out > 0 ? `; ${number(counts.left_out)} too large to keep` : '';
      this.#draw(counts, `${number(counts.seen)} events kept since ${since}${left}`);
    } catch (error) {
      this.seen.textContent = '';
      this.message.replaceChildren(notice(error.message, 'error'));
    }
  }

  #draw({ seen, terms }, told = `${number(seen)} events seen since the page opened`) {
    if (!this.seen) return;
    this.seen.textContent = told;
    const end = terms.findIndex(({ passed }) => passed === 0);
    const rows = terms.map((term, at) => {
      const isEnd = seen > 0 && at === end;
      const ends = isEnd ? 'no event passes here' : '';
      const near = term.missed > 0 && term.saw ? `the last with ${term.saw}` : '';
      return el('tr', { className: isEnd ? 'end' : '' },
        el('th', { scope: 'row', className: 'term' },
          el('span', { 'aria-hidden': 'true' }, '  '.repeat(term.depth)), el('code', {}, term.text)),
        el('td', { className: 'number' }, number(term.held)),
        el('td', { className: 'number' }, seen > 0 ? percent(term.held / seen) : '–'),
        el('td', {}, bar(term.held, seen)),
        el('td', { className: 'number' }, number(term.passed)),
        el('td', { className: 'number' }, number(term.missed)),
        el('td', { className: 'muted note' }, [ends, near].filter(Boolean).join('; ')));
    });
    const columns = ['Term', ...['Meet it', 'Share'].map(numeric), 'Share as a bar',
      ...['All so far', 'Only missing'].map(numeric), 'Note'];
    this.result.replaceChildren(table('The terms of the filter', columns, rows));
  }

  async #ask() {
    try {
      await post('ask', { filter: this.filter, explain: true });
      this.#asking(true);
    } catch (error) {
      this.message.replaceChildren(notice(error.message, 'error'));
    }
  }

  #asking(isAsking) {
    if (!this.ask) return;
    this.ask.disabled = isAsking;
    this.message.replaceChildren(...(isAsking ? [notice('For 10 seconds, Dovecot’s processes '
      + 'send all events that the filter selects; the counts start again.')] : []));
  }

  #form() {
    const given = this.context.event ? written(this.context.event) : EXAMPLE;
    this.context.event = null;
    this.text = el('textarea', { id: 'event', rows: 10, spellcheck: false, value: given });
    const form = el('form', {
      className: 'event-form',
      onsubmit: (event) => {
        event.preventDefault();
        this.#explain();
      },
    },
    el('label', { for: 'event' }, 'Event: as in files of fantail test, or JSON that Live copied'),
    this.text, el('button', { type: 'submit' }, 'Explain'));
    if (this.filter) this.#explain();
    return form;
  }

  async #explain() {
    if (!this.box.value) {
      this.message.replaceChildren(notice('Write a filter first.', 'error'));
      return;
    }
    try {
      const typed = this.text.value.trim();
      const event = typed.startsWith('{') ? written(JSON.parse(typed)) : typed;
      const answer = await post('explain', { filter: this.box.value, event });
      this.message.replaceChildren();
      this.result.replaceChildren(...tree(answer));
    } catch (error) {
      this.result.replaceChildren();
      this.message.replaceChildren(notice(error.message, 'error'));
    }
  }
}

function tree({ matches, verdict, rows }) {
  const lines = rows.map((row) => el('tr', { className: row.decisive ? '' : 'faint' },
    el('td', {}, el('strong', { className: row.holds ? 'ok' : 'error' }, row.holds ? 'yes' : 'no')),
    el('th', { scope: 'row', className: 'term' },
      el('span', { 'aria-hidden': 'true' }, '  '.repeat(row.depth)), el('code', {}, row.text)),
    el('td', { className: 'muted' }, row.finding ?? '')));
  return [
    el('p', { className: matches ? 'ok' : 'error', role: 'status' }, `The event: ${verdict}.`),
    table('The parts of the filter', ['Holds', 'Part', 'Why'], lines),
  ];
}

/** An exported event as text that the server reads. */
function written(event) {
  const line = (value) => String(Array.isArray(value) ? value.join(' ') : value)
    .replace(/[\u0000-\u001f{}#]+/g, ' ').trim();
  const lines = Object.entries(event.fields ?? {})
    .filter(([name]) => /^[\w.:-]+$/.test(name))
    .map(([name, value]) => `  ${name} = ${line(value)}`);
  const categories = event.categories?.length ? [`  categories = ${line(event.categories)}`] : [];
  return [`event ${event.event ?? 'unnamed'} {`, ...categories, ...lines, '}'].join('\n');
}

function percent(share) {
  return `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}

function numeric(label) {
  return { label, className: 'number' };
}
