// What the server told last, and the rates of the last minutes.

import { rate } from './dom.js';

/** Points of a history: with one each two seconds, five minutes. */
const POINTS = 150;

/** The counts of one thing, as rates. */
class History {
  #count = null;
  #time = 0;
  rates = [];

  add(count, time) {
    const elapsed = (time - this.#time) / 1e6;
    if (this.#count !== null && elapsed > 0) {
      // A count that fell has started again.
      const difference = count >= this.#count ? count - this.#count : count;
      this.rates.push(difference / elapsed);
      if (this.rates.length > POINTS) this.rates.shift();
    }
    this.#count = count;
    this.#time = time;
  }

  get last() {
    return this.rates.at(-1) ?? null;
  }
}

/** The status of the server. Listeners of `change` draw it. */
export class Status extends EventTarget {
  now = null;
  #histories = new Map();

  constructor(stream) {
    super();
    stream.addEventListener('status', ({ detail }) => this.#take(detail));
  }

  #take(status) {
    this.now = status;
    const time = status.unix_us;
    this.#add('server', 'events', status.server.events, time);
    for (const metric of status.metrics) this.#add('metric', metric.name, metric.count, time);
    for (const exporter of status.exporters) {
      this.#add('sent', exporter.name, exporter.sent, time);
      const dropped = Object.values(exporter.dropped).reduce((sum, count) => sum + count, 0);
      this.#add('dropped', exporter.name, dropped, time);
    }
    for (const [name, count] of status.events.names) this.#add('event', name, count, time);
    this.dispatchEvent(new CustomEvent('change'));
  }

  #add(kind, name, count, time) {
    const key = `${kind} ${name}`;
    if (!this.#histories.has(key)) this.#histories.set(key, new History());
    this.#histories.get(key).add(count, time);
  }

  /** The rates of a thing in the last minutes, the newest last. */
  rates(kind, name) {
    return this.#histories.get(`${kind} ${name}`)?.rates ?? [];
  }

  /** The rate of a thing now; `null` if it is not known yet. */
  rate(kind, name) {
    return this.#histories.get(`${kind} ${name}`)?.last ?? null;
  }

  /** The rate of all events, in words. */
  get summary() {
    if (!this.now) return '';
    const { connections } = this.now.server;
    const processes = connections === 1 ? '1 process' : `${connections} processes`;
    return `${rate(this.rate('server', 'events'))} from ${processes}`;
  }
}
