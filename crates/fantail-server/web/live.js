// The view Live: events as they pass.

import { post } from './api.js';
import { remember } from './completion.js';
import { button, copy, el, notice, number, pair, rate } from './dom.js';
import { FilterBox, comparison } from './filter.js';
import { EventLog, text } from './log.js';

/** The most events that wait while the list holds. */
const MAX_WAITING = 500;

const RATES = [['as sent', Infinity], ['20 a second', 20], ['5 a second', 5], ['1 a second', 1]];

/** Without a filter, the page shows all events with a name. */
const ALL = 'event=*';

export default class Live {
  title = 'Live';
  #waiting = [];
  #rate = Infinity;
  #tokens = 1;
  #refilled = performance.now();
  #counts = { shown: 0, skipped: 0 };
  #arrived = 0;
  #announced = 0;
  #measured = 0;

  constructor(context) {
    this.context = context;
    this.listeners = [
      ['events', ({ detail }) => this.#take(detail)],
      ['lost', ({ detail }) => this.#count(0, detail.events)],
      ['asked', () => this.#asking(false)],
      // Each two seconds.
      ['status', ({ detail }) => this.#measure(detail.unix_us)],
    ];
  }

  open(parameters) {
    this.filter = parameters.get('filter') ?? '';
    this.box = new FilterBox({
      value: this.filter,
      status: this.context.status,
      onapply: (filter) => this.context.go('live', filter ? { filter } : {}),
    });
    this.pause = button('Pause', () => this.#toggle(), {
      className: 'pause', 'aria-pressed': 'false',
    });
    this.ask = button('Ask for more', () => this.#ask());
    this.sampling = el('select', {
      id: 'sampling', onchange: () => { this.#rate = RATES[this.sampling.selectedIndex][1]; },
    }, RATES.map(([label]) => el('option', {}, label)));
    this.counts = el('p', { className: 'counts', id: 'counts' });
    this.rate = el('p', { className: 'counts rate', id: 'rate', title: 'events of the filter' });
    this.said = el('p', { className: 'hidden', role: 'status' });
    this.log = new EventLog({
      details: (event) => this.#details(event),
      onhold: () => this.#held(),
    });
    this.message = el('div', { className: 'message', role: 'status' });
    this.empty = notice('No event yet. The page shows what Dovecot’s processes send for the '
      + 'metrics and taps; “Ask for more” has them send what the filter selects, for 10 seconds.');
    this.#count(0, 0);
    for (const [name, listener] of this.listeners) {
      this.context.stream.addEventListener(name, listener);
    }
    this.context.stream.watch({ filter: this.filter || ALL });
    return [
      this.box.element,
      el('div', { className: 'tools' }, this.pause, button('Clear', () => this.#clear()),
        button('Copy as JSON', () => this.#copy()), this.ask,
        pair(el('label', { for: 'sampling' }, 'Show'), this.sampling), this.rate, this.counts),
      this.said,
      // Messages lie over the events: nothing moves.
      el('div', { className: 'frame' }, this.log.element, this.empty, this.message),
    ];
  }

  close() {
    for (const [name, listener] of this.listeners) {
      this.context.stream.removeEventListener(name, listener);
    }
    this.context.stream.watch(null);
  }

  /** Shows how many events of the filter arrive in a second. */
  #measure(now) {
    const elapsed = (now - this.#measured) / 1e6;
    if (this.#measured > 0 && elapsed > 0) this.rate.textContent = rate(this.#arrived / elapsed);
    this.#measured = now;
    this.#arrived = 0;
  }

  #take({ events, skipped }) {
    this.#arrived += events.length + skipped;
    this.#count(0, skipped);
    if (this.log.isHeld) {
      const free = MAX_WAITING - this.#waiting.length;
      this.#waiting.push(...events.slice(0, free));
      this.#count(0, Math.max(events.length - free, 0));
      this.#drawPause();
      return;
    }
    const sampled = this.#sample(events);
    this.#count(0, events.length - sampled.length);
    this.#add(sampled);
  }

  /** The events that the chosen rate allows. */
  #sample(events) {
    if (this.#rate === Infinity) return events;
    const now = performance.now();
    const earned = ((now - this.#refilled) / 1000) * this.#rate;
    this.#tokens = Math.min(this.#tokens + earned, Math.max(this.#rate, 1));
    this.#refilled = now;
    const count = Math.min(Math.floor(this.#tokens), events.length);
    this.#tokens -= count;
    return events.slice(0, count);
  }

  #add(events) {
    if (events.length === 0) return;
    events.forEach(remember);
    this.log.add(events);
    this.empty.hidden = true;
    this.#count(events.length, 0);
  }

  #count(shown, skipped) {
    this.#counts.shown += shown;
    this.#counts.skipped += skipped;
    const { shown: all, skipped: left } = this.#counts;
    this.counts.textContent = `${number(all)} shown, ${number(left)} not shown`;
    // Not each batch: a screen reader would never end.
    const now = performance.now();
    if (now - this.#announced > 10000 && all > 0) {
      this.#announced = now;
      this.said.textContent = this.counts.textContent;
    }
  }

  #details(event) {
    const { fields = {} } = event;
    const rows = Object.entries(fields).map(([name, value]) => el('tr', {},
      el('th', { scope: 'row' }, name),
      el('td', { className: 'value' }, el('bdi', {}, text(value))),
      el('td', {}, button('Filter', () => this.#narrow(name, value), {
        className: 'quiet', 'aria-label': `Filter by ${name}`,
      }))));
    const { session } = fields;
    return el('div', { className: 'details' },
      el('p', { className: 'muted' }, `categories: ${(event.categories ?? []).join(', ') || 'none'}`),
      el('div', { className: 'tools' },
        session ? button('Follow this session', () => this.#follow(session)) : null,
        button('Copy as JSON', () => this.#copyText(JSON.stringify(event, null, 2))),
        button('Explain with the filter', () => this.context.explain(event, this.filter))),
      el('table', {}, el('tbody', {}, rows)));
  }

  #narrow(name, value) {
    const term = comparison(name, value);
    const filter = this.filter ? `(${this.filter}) AND ${term}` : term;
    this.context.go('live', { filter });
  }

  #follow(session) {
    this.context.go('live', { filter: comparison('session', session) });
  }

  #toggle() {
    if (this.log.isHeld) this.log.resume();
    else this.log.pause();
  }

  /** The list begins or ends to hold. */
  #held() {
    if (!this.log.isHeld) {
      this.#add(this.#waiting);
      this.#waiting = [];
    }
    this.#drawPause();
  }

  #drawPause() {
    const { isHeld } = this.log;
    const waiting = this.#waiting.length;
    this.pause.setAttribute('aria-pressed', String(isHeld));
    if (!isHeld) this.pause.textContent = 'Pause';
    else this.pause.textContent = waiting ? `Resume (${number(waiting)} wait)` : 'Resume';
  }

  #clear() {
    this.#counts = { shown: 0, skipped: 0 };
    this.#waiting = [];
    this.log.clear();
    this.#drawPause();
    this.empty.hidden = false;
    this.#count(0, 0);
  }

  async #copy() {
    const lines = this.log.events.map((event) => JSON.stringify(event));
    await this.#copyText(`${lines.join('\n')}\n`);
  }

  async #copyText(value) {
    const copied = await copy(value);
    this.said.textContent = copied ? 'Copied.' : 'The browser does not allow to copy.';
  }

  async #ask() {
    try {
      await post('ask', { filter: this.filter || ALL });
      this.#asking(true);
    } catch (error) {
      this.message.replaceChildren(notice(error.message, 'error'));
    }
  }

  #asking(isAsking) {
    this.ask.disabled = isAsking;
    const told = isAsking
      ? [notice('For 10 seconds, Dovecot’s processes send all events that the filter selects. '
          + 'With event=*, a FETCH of ten messages takes about 0.1 ms longer.')]
      : [];
    this.message.replaceChildren(...told);
  }
}
