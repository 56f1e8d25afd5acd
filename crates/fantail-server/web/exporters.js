// The view Exporters: whether exports arrive.

import { sparkline } from './charts.js';
import { bytes, el, facts, notice, number, rate, seconds } from './dom.js';

export default class Exporters {
  title = 'Exporters';

  constructor(context) {
    this.context = context;
    this.draw = () => this.#draw();
  }

  open() {
    this.list = el('div', { className: 'cards' });
    this.context.status.addEventListener('change', this.draw);
    this.#draw();
    return [this.list];
  }

  close() {
    this.context.status.removeEventListener('change', this.draw);
  }

  #draw() {
    const { now } = this.context.status;
    if (!now) return;
    const cards = now.exporters.map((one) => this.#card(one));
    if (cards.length === 0) cards.push(notice('The configuration has no exporter.'));
    this.list.replaceChildren(...cards);
  }

  #card(one) {
    const { status } = this.context;
    const dropped = Object.entries(one.dropped).filter(([, count]) => count > 0);
    const age = one.last_error_unix_us === null ? null
      : Math.max((status.now.unix_us - one.last_error_unix_us) / 1e6, 0);
    const isFailing = one.last_error !== null;
    const lost = dropped.reduce((sum, [, count]) => sum + count, 0);
    const [kind, word] = isFailing ? ['error', 'failing'] : lost > 0 ? ['warning', 'has lost events']
      : ['ok', 'in order'];
    return el('section', { className: 'card', 'aria-label': `Exporter ${one.name}` },
      el('h2', {}, one.name, ' ', el('span', { className: 'muted' }, one.transport), ' ',
        el('strong', { className: kind }, word)),
      sparkline(status.rates('sent', one.name), `rate of events that ${one.name} sent`),
      facts([
        ['Rate', rate(status.rate('sent', one.name))],
        ['Sent', `${number(one.sent)} events, ${bytes(one.sent_bytes)}`],
        ['Waiting', `${number(one.waiting)} events${one.oldest_seconds === null ? ''
          : `, the oldest for ${seconds(one.oldest_seconds)}`}`],
        ['Spool', one.spool_limit_bytes === null ? null
          : `${bytes(one.spool_bytes)} of ${bytes(one.spool_limit_bytes)}`],
        ['Failures', `${number(one.failures)}, ${number(one.retried)} events tried again`],
        ['Dropped', dropped.length === 0 ? 'none'
          : dropped.map(([reason, count]) => `${number(count)} ${reason.replaceAll('_', ' ')}`)
            .join(', ')],
        ['Last error', isFailing ? el('span', { className: 'error' }, one.last_error) : null],
        ['Time of it', isFailing && age !== null ? `${seconds(age)} ago` : null],
      ]));
  }
}
